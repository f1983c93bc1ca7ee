#include "steps/client/s3_wire.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <pugixml.hpp>

#include "engine/base/digest.h"
#include "engine/base/file.h"
#include "engine/base/text.h"
#include "steps/client/checks.h"
#include "steps/client/grace.h"

namespace failover::client::s3 {
namespace {

using base::Duration;
using base::Error;
using base::Fault;
using base::Result;
using plugin::Context;
using namespace std::chrono_literals;

constexpr int kTriesUnreachable = 6;  // nothing answers at all: about half a minute
constexpr Duration kLongestPause = 30s;

struct Complaint {
  std::string code;
  std::string message;
};
Complaint complaint_of(const HttpResponse& response) {
  pugi::xml_document document;
  if (!document.load_buffer(response.body.data(), response.body.size())) return {};
  const pugi::xml_node error = document.child("Error");
  return {base::printable(error.child_value("Code"), 60), base::printable(error.child_value("Message"), 240)};
}

Error denied(const Complaint& said, const std::string& what, const HttpResponse& response, base::WallTime local) {
  const std::string words = said.code + (said.message.empty() ? "" : ": " + said.message);
  const std::string lowered = base::lower(said.message);
  if (said.code == "InvalidAccessKeyId") {
    return {Fault::auth, "invalid_key_id", "B2 does not know the key (" + words + "), " + what,
            "check B2_KEY_ID; the key may be deleted, belong to another region than B2_ENDPOINT, or be the account's "
            "master key, which does not work here"};
  }
  if (said.code == "SignatureDoesNotMatch") {
    return {Fault::auth, "bad_signature", "B2 refuses the signature (" + words + "), " + what,
            "check B2_APPLICATION_KEY and B2_REGION"};
  }
  if (said.code == "RequestTimeTooSkewed" || base::contains(lowered, "timestamp")) {
    const std::string* date = response.header("date");
    return {Fault::auth, "clock_skew",
            "B2 finds this machine's clock wrong: here it is " + base::format_utc(local) +
                (date != nullptr ? ", there " + base::printable(*date, 40) : "") + ", " + what,
            "set the clock"};
  }
  if (base::contains(lowered, "cap") && base::contains(lowered, "exceeded")) {
    return {Fault::refused, "cap_exceeded", "a daily cap of the B2 account is reached (" + words + "), " + what,
            "raise it under Caps & Alerts at backblaze.com, or wait: caps reset at midnight GMT"};
  }
  return {Fault::auth, "no_rights",
          "the B2 key has no right to this" + (words.empty() ? "" : " (" + words + ")") + ", " + what,
          "the key needs readFiles, writeFiles, listFiles and deleteFiles for this bucket and prefix"};
}

std::string host_of(const std::string& endpoint) {
  const auto origin = parse_origin(endpoint);
  if (!origin) return {};
  const int usual = origin->scheme == "https" ? 443 : 80;
  const bool six = base::contains(origin->host, ":") && origin->host.front() != '[';
  const std::string name = six ? "[" + origin->host + "]" : origin->host;
  return origin->port == 0 || origin->port == usual ? name : name + ":" + std::to_string(origin->port);
}

bool is_busy(int status) { return status == 408 || status == 429 || status >= 500; }

// What a gateway says after it has passed the request on. B2's own no names its code.
bool is_no_answer(const HttpResponse& response) {
  return (response.status == 408 || response.status >= 500) && complaint_of(response).code.empty();
}

}  // namespace

bool holds_error(const HttpResponse& response) { return !complaint_of(response).code.empty(); }

Error error_of(const HttpResponse& response, const std::string& what, base::WallTime local) {
  const Complaint said = complaint_of(response);
  const std::string status = "HTTP " + std::to_string(response.status);
  const std::string words =
      status + (said.code.empty() ? "" : " " + said.code) + (said.message.empty() ? "" : ": " + said.message);
  if (said.code == "SlowDown" || response.status == 429) {
    return {Fault::rate_limited, "slow_down", "B2 asks for fewer requests (" + words + "), " + what, "wait a little"};
  }
  if (response.status == 501) {
    return {Fault::refused, "not_implemented", "B2 has no such function (" + words + "), " + what, ""};
  }
  if (is_busy(response.status) || said.code == "InternalError" || said.code == "ServiceUnavailable") {
    return {Fault::unavailable, said.code.empty() ? "http_" + std::to_string(response.status) : said.code,
            "B2 is busy (" + words + "), " + what, "try again later; one of its vaults may be in maintenance"};
  }
  if (said.code == "BadDigest") {
    return {Fault::corrupt, "bad_digest", "what arrived at B2 is not what was sent (" + words + "), " + what,
            "send it again"};
  }
  if (said.code == "AuthorizationHeaderMalformed") {
    return {Fault::auth, "wrong_region", "B2 does not take this for its region (" + words + "), " + what,
            "check B2_REGION, and that B2_ENDPOINT is the endpoint shown with the bucket"};
  }
  const bool skewed = response.status == 400 && base::contains(base::lower(said.message), "timestamp");
  if (response.status == 401 || response.status == 403 || skewed) return denied(said, what, response, local);
  if (said.code == "NoSuchBucket") {
    return {Fault::not_found, "no_such_bucket", "B2 has no such bucket, " + what,
            "check B2_BUCKET, and that B2_ENDPOINT is the endpoint shown with the bucket"};
  }
  if (response.status == 404) {
    return {Fault::not_found, said.code == "NoSuchUpload" ? "no_such_upload" : "no_such_key",
            "B2 has no such object, " + what, ""};
  }
  if (response.status >= 300 && response.status < 400) {
    return {Fault::refused, "redirect", "B2 answers with a redirect (" + words + "), " + what,
            "check B2_ENDPOINT and B2_REGION"};
  }
  return {Fault::refused, said.code.empty() ? "http_" + std::to_string(response.status) : said.code,
          "B2 says no (" + words + "), " + what, ""};
}

Wire::Wire(S3Account account, Http& http)
    : account_(std::move(account)), host_(host_of(account_.endpoint)), http_(&http) {}

Result<void> Wire::check(const std::string& bucket, const std::string& key) const {
  const auto missing = [](const char* name, const char* hint) {
    return Error{Fault::auth, "not_configured", std::string("B2 cannot be used: ") + name + " is not set", hint};
  };
  if (account_.endpoint.empty()) return missing("B2_ENDPOINT", "set it to the endpoint shown with the bucket");
  if (account_.key_id.empty()) return missing("B2_KEY_ID", "set it to the id of an application key");
  if (account_.key.empty()) return missing("B2_APPLICATION_KEY", "set it to the application key");
  if (account_.region.empty()) return missing("B2_REGION", "set it: it cannot be read from B2_ENDPOINT");
  if (auto fits = check_bucket(bucket); !fits) return fits;
  return key.empty() ? Result<void>() : check_key(key);
}

Result<void> Wire::take_turn(const Context& context) {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (!busy_) {
        busy_ = true;
        return {};
      }
    }
    if (auto slept = context.sleep(5ms); !slept) return slept;
  }
}

void Wire::end_turn() {
  const std::lock_guard lock(mutex_);
  busy_ = false;
}

Result<HttpResponse> Wire::once(const Call& call, bool fresh, const Context& context) {
  Signable signable;
  signable.method = call.method;
  signable.host = host();
  signable.path = "/" + call.bucket + (call.key.empty() ? "" : "/" + call.key);
  signable.query = call.query;
  signable.headers = call.headers;
  signable.payload_hash =
      call.payload_hash.empty() ? base::digest_hex(base::Algorithm::sha256, call.body) : call.payload_hash;
  if (auto turn = take_turn(context); !turn) return unsent(std::move(turn).error());
  const bool makes = call.method == "PUT" || call.method == "POST";
  // The turn may have been free at once, after long work on the body; and a Grace hears of no stop before it.
  auto ready = context.check();
  if (ready && makes) ready = context.sending();
  if (!ready) {
    end_turn();
    return unsent(std::move(ready).error());
  }
  // Signed when its turn has come: a signature ages.
  const base::WallTime at = context.clock().wall();
  const Signed made = sign(account_, signable, at);
  HttpRequest request;
  request.peer = "b2";
  request.method = call.method;
  request.url = account_.endpoint + made.path_and_query;
  request.headers = call.headers;
  request.headers.emplace_back("x-amz-content-sha256", signable.payload_hash);
  std::string time = base::format_utc(at).substr(0, 19) + "Z";
  time.erase(std::remove_if(time.begin(), time.end(), [](char c) { return c == '-' || c == ':'; }), time.end());
  request.headers.emplace_back("x-amz-date", std::move(time));
  request.headers.emplace_back("authorization", made.authorization);
  request.body = call.body;
  request.body_file = call.body_file;
  request.sink_file = call.sink_file;
  request.body_limit = call.body_limit;
  request.fresh_connection = fresh;
  std::optional<Grace> grace;
  if (makes && context.makes()) grace.emplace(context);
  auto response = http_->send(request, grace ? grace->context() : context);
  end_turn();
  if (makes && (response ? is_no_answer(*response) : !nothing_was_sent(response.error()))) {
    context.unanswered();
    if (call.on_unanswered) call.on_unanswered();
  }
  return response;
}

Result<HttpResponse> Wire::ask(const Call& call, const std::string& what, const Context& context) {
  if (auto usable = check(call.bucket, call.key); !usable) return std::move(usable).error().during(what);
  Duration delay = 1s;
  int unreachable = 0;
  bool sent = false;
  for (int tries = 0;; ++tries) {
    auto response = once(call, tries > 0, context);
    const bool went_out = response || !nothing_was_sent(response.error());
    Duration pause = delay;
    Error failed;
    if (!response) {
      failed = std::move(response).error().during(what);
      if (failed.hint.empty()) failed.hint = "check the network and B2_ENDPOINT";
      if (sent && failed.code == "unsent") failed.code = "sent";  // this try; one before it was
      // Only an object may be larger than its reader takes; anything else is no answer.
      const bool object = call.method == "GET" && !call.key.empty();
      if (failed.code == "too_large" && !object) failed.fault = call.replays ? Fault::unavailable : Fault::unknown;
      const bool lost = failed.fault == Fault::unknown || failed.fault == Fault::timeout;
      if (!(lost || failed.fault == Fault::unavailable) || !context.check()) return failed;
      if (lost && !call.replays && failed.code != "unsent") {
        failed.fault = Fault::unknown;
        return failed;
      }
      // What only reads, or may be said twice, leaves nothing unknown.
      failed.fault = Fault::unavailable;
      if (++unreachable >= kTriesUnreachable) return failed;
    } else {
      unreachable = 0;
      if (is_success(response->status)) return response;
      failed = error_of(*response, what, context.clock().wall());
      if (failed.fault != Fault::unavailable && failed.fault != Fault::rate_limited) return failed;
      if (const auto asked = retry_after(*response)) pause = std::max(pause, *asked);
      context.progress(failed.message);
    }
    sent = sent || went_out;
    if (pause >= context.patience().left()) return failed;
    if (auto slept = context.sleep(pause); !slept) return std::move(slept).error().during(what);
    delay = std::min(delay * 2, kLongestPause);
  }
}

Summed sum(std::string_view bytes) {
  return {static_cast<std::int64_t>(bytes.size()), base::digest(base::Algorithm::md5, bytes),
          base::digest_hex(base::Algorithm::sha256, bytes)};
}

Result<Summed> sum_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return base::system_error(errno, "reading", path);
  base::Digest md5(base::Algorithm::md5), sha256(base::Algorithm::sha256);
  std::string block(1 << 20, '\0');
  Summed out;
  while (file) {
    file.read(block.data(), static_cast<std::streamsize>(block.size()));
    const std::string_view piece(block.data(), static_cast<std::size_t>(file.gcount()));
    md5.update(piece);
    sha256.update(piece);
    out.bytes += static_cast<std::int64_t>(piece.size());
  }
  if (file.bad()) return Error{Fault::internal, "read", "cannot read " + path, ""};
  out.md5 = md5.finish();
  out.sha256 = base::hex(sha256.finish());
  return out;
}

bool is_md5(const std::string& etag) {
  return etag.size() == 32 && etag.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::string unquoted(const std::string* header) {
  if (header == nullptr) return {};
  std::string text(base::trim(*header));
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  return text;
}

Object object_of(const std::string& key, const HttpResponse& response) {
  Object object;
  object.key = key;
  object.etag = unquoted(response.header("etag"));
  if (const auto* length = response.header("content-length")) object.bytes = base::parse_integer(*length).value_or(0);
  if (const auto* version = response.header("x-amz-version-id")) object.version = *version;
  if (const auto* label = response.header("x-amz-meta-failover")) object.label = *label;
  return object;
}

}  // namespace failover::client::s3
