#include <pugixml.hpp>

#include "engine/base/digest.h"
#include "engine/base/text.h"
#include "tools/sandbox/b2/internal.h"

namespace failover::sandbox::b2 {
namespace {

constexpr std::int64_t kSmallestPart = 5'000'000;  // of all but the last (5)
constexpr std::int64_t kMostParts = 10'000;

Upload* find_upload(Call& call) {
  const auto found = call.bucket.uploads.find(call.request.parameter("uploadId").value_or(""));
  return found == call.bucket.uploads.end() || found->second.key != call.key ? nullptr : &found->second;
}

Answer no_such_upload() {
  return error(404, "NoSuchUpload",
               "The specified multipart upload does not exist. It may have been aborted or completed.");
}

struct Listed {
  int number = 0;
  std::string etag;  // without quotes
};

std::optional<std::vector<Listed>> listed_parts(const std::string& text) {
  pugi::xml_document document;
  if (!document.load_buffer(text.data(), text.size())) return std::nullopt;
  std::vector<Listed> out;
  for (const pugi::xml_node part : document.child("CompleteMultipartUpload").children("Part")) {
    std::string etag(base::trim(part.child_value("ETag")));
    if (etag.size() >= 2 && etag.front() == '"') etag = etag.substr(1, etag.size() - 2);
    const auto number = base::parse_integer(base::trim(part.child_value("PartNumber")));
    if (!number || *number > kMostParts) return std::nullopt;
    out.push_back({static_cast<int>(*number), etag});
  }
  if (out.empty()) return std::nullopt;
  return out;
}

// Puts the parts together; an error answer when they do not fit.
std::optional<Answer> assemble(const Upload& upload, const std::vector<Listed>& parts, Version& version) {
  std::string digests;
  int before = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].number <= before)
      return error(400, "InvalidPartOrder", "The list of parts was not in ascending order.");
    before = parts[i].number;
    const auto part = upload.parts.find(parts[i].number);
    if (part == upload.parts.end() || base::hex(part->second.md5) != base::lower(parts[i].etag)) {
      return error(400, "InvalidPart", "Part " + std::to_string(parts[i].number) + " is missing or has another ETag.");
    }
    if (i + 1 < parts.size() && size_of(part->second.pieces) < kSmallestPart) {
      return error(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size");
    }
    digests += part->second.md5;
    version.pieces.insert(version.pieces.end(), part->second.pieces.begin(), part->second.pieces.end());
  }
  version.etag = base::digest_hex(base::Algorithm::md5, digests) + "-" + std::to_string(parts.size());
  return std::nullopt;
}

}  // namespace

Answer create_upload(Call& call) {
  if (auto problem = upload_problem(call)) return *std::move(problem);
  Upload upload;
  upload.id = new_version_id(call.world, call.bucket);
  upload.key = call.key;
  upload.content_type = call.request.header("content-type");
  upload.metadata = metadata_of(call.request);
  upload.begun = call.world.wall();
  const std::string id = upload.id;
  call.bucket.uploads.emplace(id, std::move(upload));
  return xml("<InitiateMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" +
             element("Bucket", call.bucket.name) + element("Key", call.key) + element("UploadId", id) +
             "</InitiateMultipartUploadResult>");
}

Answer put_part(Call& call) {
  if (auto problem = upload_problem(call)) return *std::move(problem);
  const auto number = base::parse_integer(call.request.parameter("partNumber").value_or(""));
  if (!number || *number < 1 || *number > kMostParts) {
    return error(400, "InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive");
  }
  Upload* upload = find_upload(call);
  if (upload == nullptr) return no_such_upload();
  const Request& request = call.request;
  Part part{{}, request.body.md5, call.world.wall()};
  if (!request.header("x-amz-copy-source").empty())
    return error(501, "NotImplemented", "UploadPartCopy is not implemented");
  if (request.body.blob) part.pieces.push_back({request.body.blob, 0, request.body.size()});
  upload->parts[static_cast<int>(*number)] = std::move(part);
  Answer answer;
  answer.headers["ETag"] = quoted_etag(base::hex(request.body.md5));
  answer.drop = call.world.faults.take("put_lost_answer");
  return answer;
}

Answer list_parts(Call& call) {
  const Upload* upload = find_upload(call);
  if (upload == nullptr) return no_such_upload();
  const std::int64_t after =
      base::parse_integer(call.request.parameter("part-number-marker").value_or("0")).value_or(0);
  const std::int64_t asked = base::parse_integer(call.request.parameter("max-parts").value_or("1000")).value_or(1000);
  const std::int64_t most = std::min<std::int64_t>(asked, 1000);
  std::string lines;
  std::int64_t count = 0, last = after;
  bool more = false;
  for (const auto& [number, part] : upload->parts) {
    if (number <= after) continue;
    if (count == most) {
      more = true;
      break;
    }
    ++count;
    last = number;
    lines += "<Part>" + element("PartNumber", std::to_string(number)) + element("LastModified", iso_time(part.stored)) +
             element("ETag", quoted_etag(base::hex(part.md5))) + element("Size", std::to_string(size_of(part.pieces))) +
             "</Part>";
  }
  std::string out = "<ListPartsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" +
                    element("Bucket", call.bucket.name) + element("Key", call.key) + element("UploadId", upload->id) +
                    element("PartNumberMarker", std::to_string(after)) + element("MaxParts", std::to_string(most)) +
                    element("IsTruncated", more ? "true" : "false");
  if (more) out += element("NextPartNumberMarker", std::to_string(last));
  return xml(out + lines + "</ListPartsResult>");
}

Answer complete_upload(Call& call) {
  Upload* upload = find_upload(call);
  if (upload == nullptr) return no_such_upload();
  const auto parts = listed_parts(call.request.body.text());
  if (!parts) return error(400, "MalformedXML", "The XML you provided was not well-formed or did not validate");
  Version version;
  if (auto problem = assemble(*upload, *parts, version)) return *std::move(problem);
  version.content_type = upload->content_type;
  version.metadata = upload->metadata;
  const std::string etag = version.etag;
  call.bucket.uploads.erase(upload->id);
  const std::string id = store_version(call, std::move(version));
  Answer answer =
      xml("<CompleteMultipartUploadResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" +
          element("Location", "/" + call.bucket.name + "/" + call.key) + element("Bucket", call.bucket.name) +
          element("Key", call.key) + element("ETag", quoted_etag(etag)) + "</CompleteMultipartUploadResult>");
  answer.headers["x-amz-version-id"] = id;
  answer.drop = call.world.faults.take("complete_lost_answer");
  return answer;
}

Answer abort_upload(Call& call) {
  const Upload* upload = find_upload(call);
  if (upload == nullptr) return no_such_upload();
  const std::string id = upload->id;
  call.bucket.uploads.erase(id);
  Answer answer;
  answer.status = 204;
  return answer;
}

}  // namespace failover::sandbox::b2
