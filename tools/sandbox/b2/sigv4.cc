#include "tools/sandbox/b2/sigv4.h"

#include <algorithm>
#include <chrono>
#include <map>

#include "engine/base/digest.h"
#include "engine/base/text.h"

namespace failover::sandbox::b2 {
namespace {

using namespace std::chrono_literals;

constexpr auto kMostSkew = 15min;
constexpr std::int64_t kLongestExpiry = 604800;
constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view kUnsigned = "UNSIGNED-PAYLOAD";

// What a request claims about itself, from its header or its query.
struct Claim {
  std::string key_id, day, region, service, terminator;
  std::vector<std::string> signed_headers;
  std::string signature;
  std::string time;
};

Refusal denied(std::string message) { return {403, "AccessDenied", std::move(message)}; }
Refusal malformed(std::string message) { return {400, "AuthorizationHeaderMalformed", std::move(message)}; }

std::string canonical_query(const std::string& raw) {
  std::vector<std::pair<std::string, std::string>> pairs;
  if (raw.empty()) return {};
  for (const std::string& pair : base::split(raw, '&')) {
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    const std::string name = base::percent_encode(base::percent_decode(pair.substr(0, equals)));
    if (name == "X-Amz-Signature") continue;
    const std::string value = equals == std::string::npos ? "" : pair.substr(equals + 1);
    pairs.emplace_back(name, base::percent_encode(base::percent_decode(value)));
  }
  std::sort(pairs.begin(), pairs.end());
  std::string out;
  for (const auto& [name, value] : pairs) out += (out.empty() ? "" : "&") + name + "=" + value;
  return out;
}

std::string canonical_value(std::string_view value) {
  std::string out;
  for (const char c : base::trim(value)) {
    if (c != ' ' || out.empty() || out.back() != ' ') out += c;
  }
  return out;
}

std::optional<base::WallTime> parse_time(const std::string& text) {
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
  const auto part = [&](std::size_t at, std::size_t count) { return text.substr(at, count); };
  return base::parse_utc(part(0, 4) + "-" + part(4, 2) + "-" + part(6, 2) + "T" + part(9, 2) + ":" + part(11, 2) + ":" +
                         part(13, 2) + "Z");
}

bool set_scope(Claim& claim, const std::string& credential) {
  const auto words = base::split(credential, '/');
  if (words.size() != 5) return false;
  claim.key_id = words[0];
  claim.day = words[1];
  claim.region = words[2];
  claim.service = words[3];
  claim.terminator = words[4];
  return true;
}

std::optional<Claim> header_claim(const Request& request) {
  const std::string header = request.header("authorization");
  if (header.rfind(kAlgorithm, 0) != 0) return std::nullopt;
  std::map<std::string, std::string> fields;
  for (const std::string& field : base::split(header.substr(kAlgorithm.size()), ',')) {
    const std::string text(base::trim(field));
    const auto equals = text.find('=');
    if (equals != std::string::npos) fields[text.substr(0, equals)] = text.substr(equals + 1);
  }
  Claim claim;
  if (!set_scope(claim, fields["Credential"])) return std::nullopt;
  claim.signed_headers = base::split(fields["SignedHeaders"], ';');
  claim.signature = fields["Signature"];
  claim.time = request.header("x-amz-date");
  return claim;
}

std::optional<Claim> query_claim(const Request& request) {
  std::map<std::string, std::string> fields;
  for (auto& [name, value] : request.query()) fields[name] = value;
  Claim claim;
  if (fields["X-Amz-Algorithm"] != kAlgorithm || !set_scope(claim, fields["X-Amz-Credential"])) return std::nullopt;
  claim.signed_headers = base::split(fields["X-Amz-SignedHeaders"], ';');
  claim.signature = fields["X-Amz-Signature"];
  claim.time = fields["X-Amz-Date"];
  return claim;
}

// Key, scope and signature, the same for both forms.
std::optional<Refusal> check_claim(const Request& request, const Claim& claim, const Credentials& credentials,
                                   const std::string& payload_hash) {
  if (claim.key_id != credentials.key_id) {
    return Refusal{403, "InvalidAccessKeyId", "The key '" + base::printable(claim.key_id, 60) + "' is not valid"};
  }
  if (claim.service != "s3" || claim.terminator != "aws4_request" || claim.time.rfind(claim.day, 0) != 0) {
    return malformed("The credential scope is not valid");
  }
  if (claim.region != credentials.region) {
    return malformed("The region '" + base::printable(claim.region, 60) + "' is wrong; expecting '" +
                     credentials.region + "'");
  }
  const auto& names = claim.signed_headers;
  if (std::find(names.begin(), names.end(), "host") == names.end()) return malformed("The host header must be signed");
  for (const auto& [name, value] : request.headers) {
    if (name.rfind("x-amz-", 0) == 0 && std::find(names.begin(), names.end(), name) == names.end()) {
      return denied("There were headers present in the request which were not signed: " + base::printable(name, 60));
    }
  }
  const std::string canonical = canonical_request(request, names, payload_hash);
  if (signature_of(canonical, claim.time, credentials) != claim.signature) {
    return Refusal{403, "SignatureDoesNotMatch", "Signature validation failed"};
  }
  return std::nullopt;
}

std::optional<Refusal> verify_header(const Request& request, const Credentials& credentials, base::WallTime now) {
  const auto claim = header_claim(request);
  if (!claim) return malformed("The authorization header is malformed");
  const auto time = parse_time(claim->time);
  if (!time) return denied("AWS authentication requires a valid x-amz-date header");
  const std::string payload = request.header("x-amz-content-sha256");
  if (payload.empty())
    return Refusal{400, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256"};
  if (payload.rfind("STREAMING-", 0) == 0) {
    return Refusal{501, "NotImplemented", "A header you provided implies functionality that is not implemented"};
  }
  if (auto refusal = check_claim(request, *claim, credentials, payload)) return refusal;
  if (*time > now + kMostSkew || *time < now - kMostSkew) {
    return Refusal{403, "RequestTimeTooSkewed",
                   "The difference between the request time and the current time is too large"};
  }
  if (payload != kUnsigned && payload != request.body.sha256) {
    return Refusal{400, "XAmzContentSHA256Mismatch",
                   "The provided 'x-amz-content-sha256' header does not match what was computed"};
  }
  return std::nullopt;
}

std::optional<Refusal> verify_query(const Request& request, const Credentials& credentials, base::WallTime now) {
  const auto claim = query_claim(request);
  if (!claim) return malformed("The presigned URL is malformed");
  const auto time = parse_time(claim->time);
  const auto expires = base::parse_integer(request.parameter("X-Amz-Expires").value_or(""));
  if (!time || !expires || *expires < 1 || *expires > kLongestExpiry) {
    return denied("X-Amz-Date and X-Amz-Expires must be given, the expiry from 1 to 604800 seconds");
  }
  if (auto refusal = check_claim(request, *claim, credentials, std::string(kUnsigned))) return refusal;
  if (*time > now + kMostSkew) return denied("Request is not yet valid");
  if (now > *time + std::chrono::seconds(*expires)) return denied("Request has expired");
  return std::nullopt;
}

// Kept from one request to the next: they are of the same account and day.
const std::string& signing_key(const Credentials& credentials, const std::string& day) {
  thread_local std::string secret, region, of_day, key;
  if (day == of_day && credentials.secret == secret && credentials.region == region) return key;
  key = "AWS4" + credentials.secret;
  for (const std::string& word : {day, credentials.region, std::string("s3"), std::string("aws4_request")}) {
    key = base::hmac_sha256(key, word);
  }
  secret = credentials.secret;
  region = credentials.region;
  of_day = day;
  return key;
}

}  // namespace

std::string canonical_request(const Request& request, const std::vector<std::string>& signed_headers,
                              const std::string& payload_hash) {
  std::string out = request.method + "\n";
  out += base::percent_encode(base::percent_decode(request.raw_path()), true) + "\n";
  out += canonical_query(request.raw_query()) + "\n";
  for (const std::string& name : signed_headers) out += name + ":" + canonical_value(request.header(name)) + "\n";
  return out + "\n" + base::join(signed_headers, ";") + "\n" + payload_hash;
}

std::string signature_of(const std::string& canonical, const std::string& time, const Credentials& credentials) {
  const std::string day = time.substr(0, 8);
  const std::string scope = day + "/" + credentials.region + "/s3/aws4_request";
  const std::string to_sign = std::string(kAlgorithm) + "\n" + time + "\n" + scope + "\n" +
                              base::digest_hex(base::Algorithm::sha256, canonical);
  return base::hex(base::hmac_sha256(signing_key(credentials, day), to_sign));
}

std::optional<Refusal> verify(const Request& request, const Credentials& credentials, base::WallTime now) {
  if (!request.header("authorization").empty()) return verify_header(request, credentials, now);
  if (request.parameter("X-Amz-Signature")) return verify_query(request, credentials, now);
  return denied("Anonymous access is not allowed");
}

}  // namespace failover::sandbox::b2
