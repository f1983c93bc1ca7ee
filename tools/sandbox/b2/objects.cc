#include <algorithm>
#include <pugixml.hpp>

#include "engine/base/digest.h"
#include "engine/base/text.h"
#include "tools/sandbox/b2/internal.h"

namespace failover::sandbox::b2 {
namespace {

constexpr std::string_view kMeta = "x-amz-meta-";
constexpr std::string_view kHeaderNotImplemented =
    "A header you provided implies functionality that is not implemented";

struct Range {
  std::int64_t first = 0;
  std::int64_t length = 0;
};

// `bytes=a-b`, `a-`, `-n`; nullopt: none that we serve. A range beyond the end has length 0.
std::optional<Range> parse_range(const std::string& header, std::int64_t size) {
  if (header.rfind("bytes=", 0) != 0 || header.find(',') != std::string::npos) return std::nullopt;
  const std::string text = header.substr(6);
  const auto dash = text.find('-');
  if (dash == std::string::npos) return std::nullopt;
  const auto first = base::parse_integer(text.substr(0, dash));
  const auto last = base::parse_integer(text.substr(dash + 1));
  if (!first && !last) return std::nullopt;
  if (!first) return Range{std::max<std::int64_t>(0, size - *last), std::min(*last, size)};
  if (*first >= size || (last && *last < *first)) return Range{*first, 0};
  const std::int64_t end = last ? std::min(*last, size - 1) : size - 1;
  return Range{*first, end - *first + 1};
}

const Version* find_version(const Call& call, const std::string& id) {
  const auto found = call.bucket.keys.find(call.key);
  if (found == call.bucket.keys.end()) return nullptr;
  for (const Version& version : found->second) {
    if (version.id == id) return &version;
  }
  return nullptr;
}

// The version before the newest, when it shows.
const Version* older(const Call& call) {
  const auto& versions = call.bucket.keys.at(call.key);
  const Version* out = versions.size() > 1 ? &versions[versions.size() - 2] : nullptr;
  return out == nullptr || out->marker ? nullptr : out;
}

Answer copy_object(Call& call, const std::string& source_header) {
  std::string source = base::percent_decode(source_header.substr(0, source_header.find('?')));
  if (!source.empty() && source.front() == '/') source.erase(0, 1);
  const auto slash = source.find('/');
  const Bucket* from = call.world.bucket(source.substr(0, slash));
  const Version* version =
      from == nullptr || slash == std::string::npos ? nullptr : newest(*from, source.substr(slash + 1));
  if (version == nullptr) return error(404, "NoSuchKey", "The source does not exist");
  Version copy = *version;
  if (base::lower(call.request.header("x-amz-metadata-directive")) == "replace") {
    copy.metadata = metadata_of(call.request);
    copy.content_type = call.request.header("content-type");
  }
  const std::string etag = copy.etag;
  const std::string id = store_version(call, std::move(copy));
  Answer answer = xml("<CopyObjectResult>" + element("LastModified", iso_time(call.world.wall())) +
                      element("ETag", quoted_etag(etag)) + "</CopyObjectResult>");
  answer.headers["x-amz-version-id"] = id;
  return answer;
}

// A newest version that hides the key.
std::string hide(Call& call) {
  Version marker;
  marker.marker = true;
  marker.id = new_version_id(call.world, call.bucket);
  marker.stored = call.world.wall();
  call.bucket.keys[call.key].push_back(marker);
  return marker.id;
}

// Destroys one version; whether it was there, and whether it was a marker.
std::optional<bool> remove_version(Call& call, const std::string& id) {
  const auto found = call.bucket.keys.find(call.key);
  if (found == call.bucket.keys.end()) return std::nullopt;
  auto& versions = found->second;
  const auto version =
      std::find_if(versions.begin(), versions.end(), [&](const Version& each) { return each.id == id; });
  if (version == versions.end()) return std::nullopt;
  const bool marker = version->marker;
  versions.erase(version);
  if (versions.empty()) call.bucket.keys.erase(found);
  return marker;
}

void serve_bytes(const Call& call, const Version& version, Answer& answer) {
  Range range{0, version.size()};
  if (answer.status == 206) range = *parse_range(call.request.header("range"), version.size());
  answer.pieces = slice(version.pieces, range.first, range.length);
  answer.claimed_length = range.length;
  if (version.flip >= range.first && version.flip < range.first + range.length)
    answer.flip = version.flip - range.first;
  if (call.request.method != "GET" || range.length == 0) return;
  if (call.world.faults.take("download_corrupted")) answer.flip = range.length / 2;
  if (call.world.faults.take("download_cut")) answer.cut = range.length / 2;
}

}  // namespace

std::map<std::string, std::string> metadata_of(const Request& request) {
  std::map<std::string, std::string> out;
  for (const auto& [name, value] : request.headers) {
    if (name.rfind(kMeta, 0) == 0) out[name] = value;
  }
  return out;
}

std::optional<Answer> upload_problem(const Call& call) {
  const Request& request = call.request;
  if (base::contains(base::lower(request.header("transfer-encoding")), "chunked")) {
    return error(411, "MissingContentLength", "You must provide the Content-Length HTTP header.");
  }
  if (!request.header("if-none-match").empty() || !request.header("if-match").empty()) {
    return error(501, "NotImplemented", std::string(kHeaderNotImplemented));
  }
  for (const auto& [name, value] : request.headers) {
    const bool checksum = name.rfind("x-amz-checksum-", 0) == 0 || name.rfind("x-amz-sdk-checksum-", 0) == 0;
    if (checksum && call.world.store.refuse_checksums) {
      return error(400, "InvalidArgument", "Unsupported header '" + name + "' received for this API call.");
    }
  }
  const std::string sent = request.header("content-md5");
  if (sent.empty()) return std::nullopt;
  const auto digest = base::from_base64(sent);
  if (!digest || digest->size() != 16)
    return error(400, "InvalidDigest", "The Content-MD5 you specified is not valid.");
  if (*digest != request.body.md5) {
    return error(400, "BadDigest", "The Content-MD5 you specified did not match what we received.");
  }
  return std::nullopt;
}

namespace {

struct Stored {
  std::string key;
  Version* version = nullptr;
};

// The newest object of another name that has bytes.
std::optional<Stored> stored_before(Call& call) {
  std::optional<Stored> out;
  for (auto& [key, versions] : call.bucket.keys) {
    Version& last = versions.back();
    if (key != call.key && last.size() > 0 && (!out || out->version->id < last.id)) out = Stored{key, &last};
  }
  return out;
}

// One of the two holds what the other does, under its own name and label: the new one, of neighbours now and then the
// old one.
void confuse(World& world, const Stored& before, const Stored& now) {
  const auto folder = [](const std::string& key) { return key.substr(0, key.rfind('/') + 1); };
  const bool old = folder(before.key) == folder(now.key) && world.random() % 2 == 0;
  Version& wrong = old ? *before.version : *now.version;
  const Version& right = old ? *now.version : *before.version;
  wrong.pieces = right.pieces;
  wrong.etag = right.etag;
  wrong.flip = right.flip;
}

}  // namespace

std::string store_version(Call& call, Version version) {
  Faults& faults = call.world.faults;
  version.id = new_version_id(call.world, call.bucket);
  version.stored = call.world.wall();
  if (version.size() > 0 && faults.take("object_corrupted")) version.flip = version.size() / 2;
  const auto before = faults.armed("object_swapped") ? stored_before(call) : std::nullopt;
  if (before && faults.take("object_swapped")) confuse(call.world, *before, {call.key, &version});
  std::string id = version.id;
  auto& versions = call.bucket.keys[call.key];
  versions.push_back(std::move(version));
  if (faults.take("object_missing")) {
    versions.pop_back();
    if (versions.empty()) call.bucket.keys.erase(call.key);
  }
  return id;
}

Answer put_object(Call& call) {
  if (auto problem = upload_problem(call)) return *std::move(problem);
  const Request& request = call.request;
  if (const std::string source = request.header("x-amz-copy-source"); !source.empty()) return copy_object(call, source);
  Version version;
  if (request.body.blob) version.pieces.push_back({request.body.blob, 0, request.body.size()});
  version.etag = base::hex(request.body.md5);
  version.content_type = request.header("content-type");
  version.metadata = metadata_of(request);
  Answer answer;
  answer.headers["ETag"] = quoted_etag(version.etag);
  answer.headers["x-amz-version-id"] = store_version(call, std::move(version));
  answer.drop = call.world.faults.take("put_lost_answer");
  return answer;
}

Answer get_object(Call& call) {
  const auto id = call.request.parameter("versionId");
  const Version* version = id ? find_version(call, *id) : newest(call.bucket, call.key);
  if (const Version* old = id || version == nullptr ? nullptr : older(call);
      old != nullptr && call.world.faults.take("object_stale"))
    version = old;
  if (version == nullptr) {
    if (id) return error(404, "NoSuchVersion", "The specified version does not exist.");
    Answer answer = error(404, "NoSuchKey", "Key not found");
    if (call.bucket.keys.count(call.key) != 0) answer.headers["x-amz-delete-marker"] = "true";
    return answer;
  }
  if (version->marker) return error(405, "MethodNotAllowed", "This version is a hide marker");
  const std::string etag = quoted_etag(version->etag);
  if (const std::string match = call.request.header("if-match"); !match.empty() && match != etag && match != "*") {
    return error(412, "PreconditionFailed", "At least one of the preconditions did not hold");
  }
  Answer answer;
  if (const std::string range = call.request.header("range"); !range.empty()) {
    const auto wanted = parse_range(range, version->size());
    if (wanted && wanted->length == 0) return error(416, "InvalidRange", "The requested range is not satisfiable");
    if (wanted) {
      answer.status = 206;
      answer.headers["Content-Range"] = "bytes " + std::to_string(wanted->first) + "-" +
                                        std::to_string(wanted->first + wanted->length - 1) + "/" +
                                        std::to_string(version->size());
    }
  }
  answer.headers["ETag"] = etag;
  answer.headers["Last-Modified"] = http_time(version->stored);
  answer.headers["Accept-Ranges"] = "bytes";
  answer.headers["x-amz-version-id"] = version->id;
  answer.headers["Content-Type"] = version->content_type.empty() ? "application/octet-stream" : version->content_type;
  for (const auto& [name, value] : version->metadata) answer.headers[name] = value;
  if (call.request.header("if-none-match") == etag) {
    answer.status = 304;
    return answer;
  }
  serve_bytes(call, *version, answer);
  return answer;
}

Answer delete_object(Call& call) {
  Answer answer;
  answer.status = 204;
  if (const auto id = call.request.parameter("versionId")) {
    if (remove_version(call, *id).value_or(false)) answer.headers["x-amz-delete-marker"] = "true";
    answer.headers["x-amz-version-id"] = *id;
    return answer;
  }
  answer.headers["x-amz-delete-marker"] = "true";
  answer.headers["x-amz-version-id"] = hide(call);
  return answer;
}

Answer delete_many(Call& call) {
  if (call.request.header("content-md5").empty()) {
    return error(400, "InvalidRequest", "Missing required header for this request: Content-MD5");
  }
  if (auto problem = upload_problem(call)) return *std::move(problem);
  pugi::xml_document document;
  const std::string text = call.request.body.text();
  if (!document.load_buffer(text.data(), text.size()))
    return error(400, "MalformedXML", "The XML you provided was not well-formed");
  const pugi::xml_node root = document.child("Delete");
  const bool quiet = std::string_view(root.child_value("Quiet")) == "true";
  std::string out = "<DeleteResult>";
  int count = 0;
  for (const pugi::xml_node object : root.children("Object")) {
    if (++count > 1000) return error(400, "MalformedXML", "More than 1000 keys");
    call.key = object.child_value("Key");
    const std::string id = object.child_value("VersionId");
    std::string line = element("Key", call.key);
    if (id.empty()) {
      line += "<DeleteMarker>true</DeleteMarker>" + element("DeleteMarkerVersionId", hide(call));
    } else {
      remove_version(call, id);
      line += element("VersionId", id);
    }
    if (!quiet) out += "<Deleted>" + line + "</Deleted>";
  }
  return xml(out + "</DeleteResult>");
}

}  // namespace failover::sandbox::b2
