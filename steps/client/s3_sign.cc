// AWS Signature Version 4 (references/b2-s3-api.md 3).
#include <algorithm>

#include "engine/base/digest.h"
#include "steps/client/s3.h"

namespace failover::client {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

std::string sha256_hex(std::string_view bytes) { return base::digest_hex(base::Algorithm::sha256, bytes); }

// `20260102T030405Z`
std::string stamp(base::WallTime at) {
  std::string out;
  for (const char c : base::format_utc(at).substr(0, 19)) {
    if (c != '-' && c != ':') out += c;
  }
  return out + "Z";
}

// Encoded first, then sorted by bytes: the order that the service computes.
std::string canonical_query(const Pairs& query) {
  Pairs encoded;
  for (const auto& [name, value] : query) encoded.emplace_back(base::percent_encode(name), base::percent_encode(value));
  std::sort(encoded.begin(), encoded.end());
  std::string out;
  for (const auto& [name, value] : encoded) out += (out.empty() ? "" : "&") + name + "=" + value;
  return out;
}

struct Headers {
  std::string canonical;
  std::string names;
};
Headers canonical_headers(Pairs headers) {
  std::sort(headers.begin(), headers.end());
  Headers out;
  for (const auto& [name, value] : headers) {
    out.canonical += name + ":" + value + "\n";
    out.names += (out.names.empty() ? "" : ";") + name;
  }
  return out;
}

std::string scope_of(const S3Account& account, const std::string& time) {
  return time.substr(0, 8) + "/" + account.region + "/s3/aws4_request";
}

// What requests are signed with on that day; made of the day's first key once, since the next request is of the same
// account, region and day.
const std::string& signing_key(const S3Account& account, const std::string& day) {
  thread_local std::string first_of, region_of, key;
  std::string first = base::hmac_sha256("AWS4" + account.key.reveal(), day);
  if (first == first_of && account.region == region_of) return key;
  key = first;
  for (const std::string_view part :
       {std::string_view(account.region), std::string_view("s3"), std::string_view("aws4_request")}) {
    key = base::hmac_sha256(key, part);
  }
  first_of = std::move(first);
  region_of = account.region;
  return key;
}

std::string signature_of(const S3Account& account, const std::string& time, const std::string& canonical_hash) {
  const std::string& key = signing_key(account, time.substr(0, 8));
  const std::string text = "AWS4-HMAC-SHA256\n" + time + "\n" + scope_of(account, time) + "\n" + canonical_hash;
  return base::hex(base::hmac_sha256(key, text));
}

}  // namespace

Signed sign(const S3Account& account, const Signable& request, base::WallTime at) {
  const std::string time = stamp(at);
  Pairs all = request.headers;
  all.emplace_back("host", request.host);
  all.emplace_back("x-amz-content-sha256", request.payload_hash);
  all.emplace_back("x-amz-date", time);
  const Headers headers = canonical_headers(std::move(all));
  const std::string path = base::percent_encode(request.path, true);
  const std::string query = canonical_query(request.query);
  Signed out;
  out.canonical_hash = sha256_hex(request.method + "\n" + path + "\n" + query + "\n" + headers.canonical + "\n" +
                                  headers.names + "\n" + request.payload_hash);
  out.signature = signature_of(account, time, out.canonical_hash);
  out.authorization = "AWS4-HMAC-SHA256 Credential=" + account.key_id + "/" + scope_of(account, time) +
                      ", SignedHeaders=" + headers.names + ", Signature=" + out.signature;
  out.path_and_query = path + (query.empty() ? "" : "?" + query);
  return out;
}

Signed presign(const S3Account& account, const Signable& request, base::WallTime at, base::Duration valid) {
  const std::string time = stamp(at);
  Pairs all = request.headers;
  all.emplace_back("host", request.host);
  const Headers headers = canonical_headers(std::move(all));
  Pairs parameters = request.query;
  parameters.emplace_back("X-Amz-Algorithm", "AWS4-HMAC-SHA256");
  parameters.emplace_back("X-Amz-Credential", account.key_id + "/" + scope_of(account, time));
  parameters.emplace_back("X-Amz-Date", time);
  parameters.emplace_back("X-Amz-Expires",
                          std::to_string(std::chrono::duration_cast<std::chrono::seconds>(valid).count()));
  parameters.emplace_back("X-Amz-SignedHeaders", headers.names);
  const std::string path = base::percent_encode(request.path, true);
  const std::string query = canonical_query(parameters);
  Signed out;
  out.canonical_hash = sha256_hex(request.method + "\n" + path + "\n" + query + "\n" + headers.canonical + "\n" +
                                  headers.names + "\nUNSIGNED-PAYLOAD");
  out.signature = signature_of(account, time, out.canonical_hash);
  out.path_and_query = path + "?" + query + "&X-Amz-Signature=" + out.signature;
  return out;
}

}  // namespace failover::client
