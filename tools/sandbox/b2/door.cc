#include "tools/sandbox/b2/door.h"

#include <array>
#include <ctime>

#include "engine/base/text.h"
#include "tools/sandbox/b2/internal.h"
#include "tools/sandbox/b2/sigv4.h"

namespace failover::sandbox {
namespace b2 {
namespace {

bool has(const Request& request, const char* parameter) { return request.parameter(parameter).has_value(); }

// Bytes that go in or out: what caps and busy vaults stop.
bool uploads(const Call& call) { return call.request.method == "PUT" && !call.key.empty(); }
bool transfers(const Call& call) { return uploads(call) || (call.request.method == "GET" && !call.key.empty()); }

bool anything_stored(const World& world) {
  for (const auto& [name, bucket] : world.store.buckets) {
    if (!bucket.keys.empty()) return true;
  }
  return false;
}

Answer bad_key() { return error(403, "InvalidAccessKeyId", "Malformed Access Key Id"); }

std::optional<Answer> key_fault(World& world) {
  if (world.faults.take("bad_b2_key")) return bad_key();
  if (anything_stored(world) && world.faults.take("b2_key_revoked")) return bad_key();
  return std::nullopt;
}

std::optional<Answer> fault_at(Call& call) {
  Faults& faults = call.world.faults;
  if (faults.take("b2_no_rights")) return error(403, "AccessDenied", "not entitled");
  if (faults.take("b2_slow_down")) {
    Answer answer = error(503, "SlowDown", "Please reduce your request rate");
    if (call.world.b2_requests % 2 == 0) answer.headers["Retry-After"] = "1";
    return answer;
  }
  if (transfers(call) && faults.take("b2_cap_exceeded")) {
    return error(
        403, "AccessDenied",
        "Cannot transfer: storage, download bandwidth or transaction cap exceeded. See the Caps & Alerts page.");
  }
  if (!uploads(call)) return std::nullopt;
  auto& full = call.world.store.full_connections;
  if (full.count(call.request.connection) != 0 || faults.take("b2_unavailable")) {
    full.insert(call.request.connection);
    return error(503, "ServiceUnavailable", "no tomes available");
  }
  if (faults.take("b2_internal_error")) {
    return error(500, "InternalError", "An internal error occurred. Please retry your upload.");
  }
  return std::nullopt;
}

Answer head_bucket(const Call& call) {
  if (!call.world.store.may_list_buckets) return error(403, "AccessDenied", "not entitled");
  return {};
}

Answer location(const Call& call) { return xml(element("LocationConstraint", call.world.store.region)); }

Answer bucket_call(Call& call) {
  const Request& request = call.request;
  if (request.method == "HEAD") return head_bucket(call);
  if (request.method == "PUT") return error(409, "BucketAlreadyOwnedByYou", "The bucket exists and is yours");
  if (request.method == "POST" && has(request, "delete")) return delete_many(call);
  if (request.method != "GET") return error(405, "MethodNotAllowed", "The method is not allowed for a bucket");
  if (has(request, "location")) return location(call);
  if (has(request, "versioning"))
    return xml("<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>");
  if (has(request, "uploads")) return list_uploads(call);
  if (has(request, "versions")) return list_versions(call);
  for (const char* absent :
       {"policy", "tagging", "website", "notification", "lifecycle", "acl", "cors", "encryption"}) {
    if (has(request, absent)) return error(501, "NotImplemented", std::string(absent) + " is not implemented");
  }
  return list_objects(call);
}

Answer object_call(Call& call) {
  const Request& request = call.request;
  const std::string& method = request.method;
  if (call.key.size() > 1024) return error(400, "KeyTooLong", "Your key is too long");
  for (const char* absent : {"tagging", "acl", "retention", "legal-hold", "torrent"}) {
    if (has(request, absent)) return error(501, "NotImplemented", std::string(absent) + " is not implemented");
  }
  if (has(request, "uploads") && method == "POST") return create_upload(call);
  if (has(request, "uploadId")) {
    if (method == "PUT") return put_part(call);
    if (method == "GET") return list_parts(call);
    if (method == "POST") return complete_upload(call);
    if (method == "DELETE") return abort_upload(call);
  }
  if (method == "PUT") return put_object(call);
  if (method == "GET" || method == "HEAD") return get_object(call);
  if (method == "DELETE") return delete_object(call);
  return error(405, "MethodNotAllowed", "The method is not allowed for an object");
}

Answer answer_call(const Request& request, World& world) {
  if (auto fault = key_fault(world)) return *std::move(fault);
  const Store& store = world.store;
  if (auto refusal = verify(request, {store.key_id, store.application_key, store.region}, world.wall())) {
    return error(refusal->status, refusal->code, refusal->message);
  }
  const std::string path = request.raw_path();
  const auto slash = path.find('/', 1);
  const std::string name = base::percent_decode(path.substr(1, slash == std::string::npos ? slash : slash - 1));
  if (name.empty()) {
    if (request.method == "GET") return list_buckets(world);
    return error(405, "MethodNotAllowed", "The method is not allowed for the account");
  }
  Bucket* bucket = world.bucket(name);
  const bool creating = request.method == "PUT" && (slash == std::string::npos || slash + 1 == path.size());
  if (bucket == nullptr && creating) return error(403, "AccessDenied", "not entitled");
  if (bucket == nullptr || world.faults.take("b2_bucket_missing")) {
    return error(404, "NoSuchBucket", "The specified bucket does not exist: " + base::printable(name, 80));
  }
  Call call{request, world, *bucket, slash == std::string::npos ? "" : base::percent_decode(path.substr(slash + 1))};
  if (auto fault = fault_at(call)) return *std::move(fault);
  return call.key.empty() ? bucket_call(call) : object_call(call);
}

}  // namespace

Answer xml(const std::string& body, int status) {
  Answer answer;
  answer.status = status;
  answer.headers["Content-Type"] = "application/xml";
  answer.text = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n" + body;
  return answer;
}

Answer error(int status, const std::string& code, const std::string& message) {
  return xml("<Error>\n    " + element("Code", code) + "\n    " + element("Message", message) + "\n</Error>\n", status);
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\r': out += "&#13;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string element(const std::string& name, std::string_view text) {
  return "<" + name + ">" + escaped(text) + "</" + name + ">";
}

std::string quoted_etag(const std::string& etag) { return "\"" + etag + "\""; }

std::string iso_time(base::WallTime at) { return base::format_utc(at).substr(0, 23) + "Z"; }

std::string http_time(base::WallTime at) {
  const std::time_t seconds = std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return text.data();
}

std::string new_version_id(World& world, const Bucket& bucket) {
  std::string number = std::to_string(++world.store.versions_made);
  number.insert(0, number.size() < 8 ? 8 - number.size() : 0, '0');
  const std::string time = iso_time(world.wall());
  const std::string day = time.substr(0, 4) + time.substr(5, 2) + time.substr(8, 2);
  const std::string clock = time.substr(11, 2) + time.substr(14, 2) + time.substr(17, 2);
  const std::string bucket_id = base::digest_hex(base::Algorithm::md5, bucket.name).substr(0, 24);
  return "4_z" + bucket_id + "_f1" + number + "_d" + day + "_m" + clock + "_c000_v0000000_t0001_u" + number;
}

}  // namespace b2

Answer handle_b2(const Request& request, World& world) {
  const auto hold = world.enter();
  ++world.b2_requests;
  Answer answer = b2::answer_call(request, world);
  if (request.method == "HEAD") {  // no body at all, and the length of the one that GET would have
    if (!answer.claimed_length) answer.claimed_length = 0;
    answer.text.clear();
    answer.pieces.clear();
  }
  answer.headers["x-amz-request-id"] =
      base::digest_hex(base::Algorithm::md5, std::to_string(world.b2_requests)).substr(0, 16);
  answer.headers["x-amz-id-2"] = "sandbox";
  return answer;
}

}  // namespace failover::sandbox
