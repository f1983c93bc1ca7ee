// Uploads: whole, or in parts above 100 MB; after a lost answer it looks before it sends again
// (references/b2-s3-api.md 5, 6).
#include <algorithm>
#include <fstream>
#include <pugixml.hpp>

#include "engine/base/digest.h"
#include "engine/base/file.h"
#include "engine/base/text.h"
#include "steps/client/checks.h"
#include "steps/client/s3_client.h"

namespace failover::client::s3 {
namespace {

using base::Error;
using base::Fault;
using base::Result;
using plugin::Context;
using namespace std::chrono_literals;

constexpr std::int64_t kWhole = 100'000'000;
constexpr std::int64_t kSmallestPart = 64 << 20;
constexpr std::int64_t kMostParts = 9'000;

std::string doing(const Upload& upload) { return "storing " + base::printable(upload.bucket + "/" + upload.key, 200); }

Error stored_wrong(const Upload& upload, const std::string& etag, const std::string& md5) {
  return {Fault::corrupt, "stored_wrong",
          "B2 stored other bytes than were sent (ETag " + base::printable(etag, 60) + " instead of " + md5 + "), " +
              doing(upload),
          "send it again"};
}

void add_label(Call& call, const Upload& upload) {
  if (!upload.label.empty()) call.headers.emplace_back("x-amz-meta-failover", upload.label);
}

std::string version_of(const HttpResponse& response) {
  const auto* version = response.header("x-amz-version-id");
  return version == nullptr ? std::string() : *version;
}

}  // namespace

Result<Object> HttpS3::put(const Upload& upload, const Context& context) {
  if (auto usable = wire_.check(upload.bucket, upload.key); !usable)
    return std::move(usable).error().during(doing(upload));
  if (auto named = check_key(upload.key); !named) return std::move(named).error();
  Result<Summed> summed = sum(upload.body);
  if (!upload.body_file.empty()) summed = sum_file(upload.body_file);
  if (!summed) return std::move(summed).error().during(doing(upload));
  auto object = summed->bytes > kWhole && !upload.body_file.empty() ? put_parts(upload, *summed, context)
                                                                    : put_whole(upload, *summed, context);
  if (object && upload.on_bytes) upload.on_bytes(object->bytes);
  return object;
}

Result<Object> HttpS3::put_whole(const Upload& upload, const Summed& summed, const Context& context) {
  Call call{"PUT", upload.bucket, upload.key};
  call.headers = {{"content-md5", base::base64(summed.md5)}};
  add_label(call, upload);
  call.body = upload.body;
  call.body_file = upload.body_file;
  call.payload_hash = summed.sha256;
  call.replays = false;
  const std::string md5 = base::hex(summed.md5);
  bool lost = false;  // an upload went unanswered: whatever is said later, it may be there
  for (int tries = 1;; ++tries) {
    auto response = wire_.ask(call, doing(upload), context);
    if (response) {
      const std::string etag = unquoted(response->header("etag"));
      Object object{upload.key, summed.bytes, etag, version_of(*response)};
      if (etag == md5) return object;
      // Not what was sent: it must not stay where a restore could find it.
      if (!object.version.empty()) (void)remove_version(upload.bucket, {upload.key, object.version}, context);
      return stored_wrong(upload, etag, md5);
    }
    Error error = std::move(response).error();
    const bool unanswered = error.fault == Fault::unknown;
    lost = lost || unanswered;
    if (lost) error.fault = Fault::unknown;
    if (lost && error.code == "unsent") error.code = "sent";  // this one was not; the one that was lost was
    constexpr int kTries = 6;
    if (!unanswered || tries == kTries || !context.check()) return error;
    context.progress("the answer to the upload was lost: looking whether it is there");
    if (!context.sleep(1s)) return error;
    // A key that may not read cannot look; then one more version is the lesser evil.
    auto there = head_own(upload, context);
    if (there && there->etag == md5) return there;
  }
}

// The newest version, when it is the one that this upload made: another's with the same bytes is not ours to take back.
Result<Object> HttpS3::head_own(const Upload& upload, const Context& context) {
  auto response =
      wire_.ask({"HEAD", upload.bucket, upload.key}, "looking at " + base::printable(upload.key, 160), context);
  if (!response) return std::move(response).error();
  const auto* label = response->header("x-amz-meta-failover");
  if (!upload.label.empty() && (label == nullptr || *label != upload.label)) {
    return Error{Fault::unknown, "not_ours",
                 "the newest version of the object is not the one that was sent, " + doing(upload),
                 "does something else write this key?"};
  }
  return object_of(upload.key, *response);
}

Result<std::string> HttpS3::put_part(const Upload& upload, const std::string& id, int number, std::string bytes,
                                     const Context& context) {
  const Summed summed = sum(bytes);
  Call call{"PUT", upload.bucket, upload.key, {{"partNumber", std::to_string(number)}, {"uploadId", id}}};
  call.headers = {{"content-md5", base::base64(summed.md5)}};
  call.body = std::move(bytes);
  call.payload_hash = summed.sha256;  // sent twice it replaces itself: it replays
  auto response = wire_.ask(call, doing(upload) + ", part " + std::to_string(number), context);
  if (!response) return std::move(response).error();
  const std::string etag = unquoted(response->header("etag"));
  if (etag != base::hex(summed.md5)) return stored_wrong(upload, etag, base::hex(summed.md5));
  return etag;
}

Result<Object> HttpS3::put_parts(const Upload& upload, const Summed& summed, const Context& context) {
  Call begin{"POST", upload.bucket, upload.key, {{"uploads", ""}}};
  add_label(begin, upload);
  begin.on_unanswered = upload.on_lost_begin;
  auto begun = wire_.ask(begin, doing(upload), context);
  if (!begun) return std::move(begun).error();
  pugi::xml_document document;
  document.load_buffer(begun->body.data(), begun->body.size());
  const std::string id = document.child("InitiateMultipartUploadResult").child_value("UploadId");
  if (id.empty())
    return Error{Fault::unavailable, "malformed_answer", "B2 gave no upload id, " + doing(upload), "try again"};

  const auto finish = [&]() -> Result<void> {
    std::ifstream file(upload.body_file, std::ios::binary);
    const std::int64_t size = std::max(kSmallestPart, (summed.bytes + kMostParts - 1) / kMostParts);
    std::string parts = "<CompleteMultipartUpload>";
    int number = 0;
    for (std::int64_t done = 0; done < summed.bytes;) {
      std::string bytes(static_cast<std::size_t>(std::min(size, summed.bytes - done)), '\0');
      if (!file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()))) {
        return Error{Fault::corrupt, "source_changed", upload.body_file + " became shorter while it was sent",
                     "do not change it meanwhile"};
      }
      done += static_cast<std::int64_t>(bytes.size());
      auto etag = put_part(upload, id, ++number, std::move(bytes), context);
      if (!etag) return std::move(etag).error();
      parts += "<Part><PartNumber>" + std::to_string(number) + "</PartNumber><ETag>\"" + *etag + "\"</ETag></Part>";
      if (upload.on_bytes) upload.on_bytes(done);
    }
    return complete(upload, id, parts + "</CompleteMultipartUpload>", context);
  };
  if (auto finished = finish(); !finished) {
    (void)abort({upload.key, id}, upload.bucket, context);  // else the undo finds it in the list of uploads
    return std::move(finished).error();
  }
  auto object = head_own(upload, context);  // the complete answer's ETag may be empty (5)
  if (!object) return std::move(object).error().during(doing(upload));
  if (object->bytes != summed.bytes)
    return stored_wrong(upload, std::to_string(object->bytes) + " bytes", std::to_string(summed.bytes));
  return object;
}

Result<void> HttpS3::complete(const Upload& upload, const std::string& id, const std::string& body,
                              const Context& context) {
  Call call{"POST", upload.bucket, upload.key, {{"uploadId", id}}};
  call.body = body;
  for (int tries = 1;; ++tries) {
    auto response = wire_.ask(call, "completing the upload of " + base::printable(upload.key, 120), context);
    if (!response) {
      // Gone on a repeated complete: the first one may have worked; the look at the key that follows decides (5).
      if (response.error().code != "no_such_upload") return std::move(response).error();
      return {};
    }
    if (!holds_error(*response)) return {};
    Error error =
        error_of(*response, "completing the upload of " + base::printable(upload.key, 120), context.clock().wall());
    constexpr int kTries = 5;
    if (tries == kTries || error.fault != Fault::unavailable) return error;
    if (auto slept = context.sleep(2s); !slept) return error;
  }
}

Result<void> HttpS3::abort(const Pending& pending, const std::string& bucket, const Context& context) {
  Call call{"DELETE", bucket, pending.key, {{"uploadId", pending.id}}};
  auto response = wire_.ask(call, "aborting an upload of " + base::printable(pending.key, 120), context);
  if (response || response.error().fault == Fault::not_found) return {};
  return std::move(response).error();
}

}  // namespace failover::client::s3
