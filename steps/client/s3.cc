#include "steps/client/s3.h"

#include <cstdio>
#include <filesystem>

#include "engine/base/digest.h"
#include "engine/base/file.h"
#include "engine/base/text.h"
#include "steps/client/s3_client.h"

namespace failover::client {
namespace s3 {
namespace {

using base::Error;
using base::Fault;
using base::Result;
using plugin::Context;
using namespace std::chrono_literals;

std::string name_of(const std::string& bucket, const std::string& key) {
  return base::printable(bucket + "/" + key, 200);
}

// Only a single upload's ETag is the MD5 of its bytes (6).
Result<void> verify(const Object& object, const Summed& arrived, const std::string& what) {
  const std::string md5 = base::hex(arrived.md5);
  if (is_md5(object.etag) && object.etag != md5) {
    return Error{
        Fault::corrupt, "checksum",
        "the bytes that came are not those that were stored (MD5 " + md5 + " instead of " + object.etag + "), " + what,
        "get it again; if it stays so, the stored object is damaged"};
  }
  return {};
}

Call get_call(const std::string& bucket, const std::string& key, const std::string& version) {
  Call call{"GET", bucket, key};
  if (!version.empty()) call.query.emplace_back("versionId", version);
  return call;
}

}  // namespace

Result<void> HttpS3::check(const std::string& bucket, const std::string& prefix, const Context& context) {
  // Not HeadBucket: restricted keys may not ask it (8).
  Call call{"GET", bucket, "", {{"list-type", "2"}, {"max-keys", "1"}, {"prefix", prefix}}};
  auto response = wire_.ask(call, "looking into bucket " + base::printable(bucket, 80), context);
  if (!response) return std::move(response).error();
  if (!base::contains(response->body, "ListBucketResult")) {
    return Error{Fault::unavailable, "malformed_answer",
                 "what answers for B2 is not its API, looking into bucket " + base::printable(bucket, 80),
                 "check B2_ENDPOINT and the network"};
  }
  return {};
}

// A download that was cut or came out wrong is fetched once more; then it is the stored object that is wrong.
Result<HttpResponse> HttpS3::fetch(const Call& call, const std::string& what, const Context& context) {
  for (int tries = 1;; ++tries) {
    auto response = wire_.ask(call, what, context);
    if (!response) return response;
    Result<Summed> arrived = sum(response->body);
    if (!call.sink_file.empty()) arrived = sum_file(call.sink_file);
    if (!arrived) return std::move(arrived).error();
    auto right = verify(object_of(call.key, *response), *arrived, what);
    if (right) return response;
    if (tries == 2) return std::move(right).error();
  }
}

Result<Fetched> HttpS3::get(const std::string& bucket, const std::string& key, const std::string& version,
                            std::int64_t limit, const Context& context) {
  Call call = get_call(bucket, key, version);
  call.body_limit = limit;
  auto response = fetch(call, "getting " + name_of(bucket, key), context);
  if (!response) return std::move(response).error();
  Fetched fetched{object_of(key, *response), std::move(response->body)};
  fetched.object.bytes = static_cast<std::int64_t>(fetched.body.size());
  return fetched;
}

Result<Object> HttpS3::get_file(const std::string& bucket, const std::string& key, const std::string& version,
                                const std::string& file, const Context& context) {
  Call call = get_call(bucket, key, version);
  call.sink_file = file + ".part-" + base::random_id(8);
  auto response = fetch(call, "getting " + name_of(bucket, key), context);
  std::error_code problem;
  if (!response) {
    std::filesystem::remove(call.sink_file, problem);
    return std::move(response).error();
  }
  Object object = object_of(key, *response);
  object.bytes = static_cast<std::int64_t>(std::filesystem::file_size(call.sink_file, problem));
  if (!problem) std::filesystem::rename(call.sink_file, file, problem);
  if (problem) {
    const int number = problem.value();
    std::filesystem::remove(call.sink_file, problem);
    return base::system_error(number, "storing", file);
  }
  return object;
}

Result<Object> HttpS3::head(const std::string& bucket, const std::string& key, const Context& context) {
  auto response = wire_.ask({"HEAD", bucket, key}, "looking at " + name_of(bucket, key), context);
  if (!response) return std::move(response).error();
  return object_of(key, *response);
}

Result<std::vector<Object>> HttpS3::list(const std::string& bucket, const std::string& prefix, const Context& context) {
  return list_objects(wire_, bucket, prefix, context);
}

Result<void> HttpS3::remove(const std::string& bucket, const std::string& key, const Context& context) {
  auto response = wire_.ask({"DELETE", bucket, key}, "deleting " + name_of(bucket, key), context);
  if (response) return {};
  const Error& error = response.error();
  if (error.fault == Fault::not_found && error.code != "no_such_bucket") return {};
  return std::move(response).error();
}

Result<base::Secret> HttpS3::presign(const std::string& method, const std::string& bucket, const std::string& key,
                                     base::Duration valid, std::optional<std::int64_t> bytes,
                                     const std::string& md5_base64, base::Clock& clock) {
  if (auto usable = wire_.check(bucket, key); !usable) return std::move(usable).error();
  if (key.empty() || valid < 1s || valid > 15min || (method != "GET" && method != "PUT")) {
    return Error{Fault::internal, "presign",
                 "a URL for " + method + " of " + name_of(bucket, key) + " cannot be signed", ""};
  }
  Signable signable;
  signable.method = method;
  signable.host = wire_.host();
  signable.path = "/" + bucket + "/" + key;
  if (bytes) signable.headers.emplace_back("content-length", std::to_string(*bytes));
  if (!md5_base64.empty()) signable.headers.emplace_back("content-md5", md5_base64);
  const Signed made = client::presign(wire_.account(), signable, clock.wall(), valid);
  return base::Secret(wire_.account().endpoint + made.path_and_query);
}

}  // namespace s3

std::unique_ptr<S3> make_s3(S3Account account, Http& http) {
  return std::make_unique<s3::HttpS3>(std::move(account), http);
}

}  // namespace failover::client
