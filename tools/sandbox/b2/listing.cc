#include <algorithm>

#include "engine/base/digest.h"
#include "engine/base/text.h"
#include "tools/sandbox/b2/internal.h"

namespace failover::sandbox::b2 {
namespace {

constexpr std::int64_t kMostKeys = 1000;

struct Page {
  std::string prefix, delimiter;
  std::string after;  // names up to and with this one were given before
  std::int64_t most = kMostKeys;
};

// One line of a list: a key, or everything below a common prefix.
struct Entry {
  std::string name;
  bool is_prefix = false;
};

std::string parameter(const Call& call, const char* name) { return call.request.parameter(name).value_or(""); }

std::optional<Page> page_of(const Call& call, const char* after, const char* most) {
  Page page{parameter(call, "prefix"), parameter(call, "delimiter"), after, kMostKeys};
  if (const auto text = call.request.parameter(most); text && !text->empty()) {
    const auto number = base::parse_integer(*text);
    if (!number) return std::nullopt;
    page.most = std::min(*number, kMostKeys);
  }
  return page;
}

// The names of one page in order, folded at the delimiter, one more than asked when there is more.
template <class Map, class Shown>
std::vector<Entry> entries_of(const Map& keys, const Page& page, Shown shown) {
  std::vector<Entry> out;
  for (auto each = keys.lower_bound(page.prefix); each != keys.end(); ++each) {
    const std::string& key = each->first;
    if (key.compare(0, page.prefix.size(), page.prefix) != 0) break;
    if (!shown(each->second)) continue;
    Entry entry{key, false};
    if (!page.delimiter.empty()) {
      const auto end = key.find(page.delimiter, page.prefix.size());
      if (end != std::string::npos) entry = {key.substr(0, end + page.delimiter.size()), true};
    }
    if (entry.name <= page.after || (!out.empty() && out.back().name == entry.name)) continue;
    out.push_back(std::move(entry));
    if (static_cast<std::int64_t>(out.size()) > page.most) break;
  }
  return out;
}

std::string object_line(const Call& call, const std::string& key, const Version& version) {
  return "<Contents>" + element("Key", listed(call, key)) + element("LastModified", iso_time(version.stored)) +
         element("ETag", quoted_etag(version.etag)) + element("Size", std::to_string(version.size())) +
         "<Owner><ID>sandbox</ID><DisplayName></DisplayName></Owner><StorageClass>STANDARD</StorageClass></Contents>";
}

std::string common_head(const Call& call, const Page& page) {
  std::string out = element("Name", call.bucket.name) + element("Prefix", listed(call, page.prefix)) +
                    element("MaxKeys", std::to_string(page.most));
  if (!page.delimiter.empty()) out += element("Delimiter", listed(call, page.delimiter));
  if (parameter(call, "encoding-type") == "url") out += "<EncodingType>url</EncodingType>";
  return out;
}

}  // namespace

std::string listed(const Call& call, const std::string& key) {
  return parameter(call, "encoding-type") == "url" ? base::percent_encode(key, true) : key;
}

Answer list_objects(Call& call) {
  const bool second = parameter(call, "list-type") == "2";
  std::string after = parameter(call, second ? "start-after" : "marker");
  if (const auto token = call.request.parameter("continuation-token"); second && token) {
    const auto decoded = base::from_base64(*token);
    if (!decoded) return error(400, "InvalidArgument", "The continuation token provided is incorrect");
    after = *decoded;
  }
  const auto page = page_of(call, after.c_str(), "max-keys");
  if (!page) return error(400, "InvalidArgument", "max-keys must be a whole number");
  auto entries = entries_of(call.bucket.keys, *page, [](const auto& versions) { return !versions.back().marker; });
  const bool more = static_cast<std::int64_t>(entries.size()) > page->most && page->most > 0;
  if (static_cast<std::int64_t>(entries.size()) > page->most) entries.resize(static_cast<std::size_t>(page->most));
  std::string lines, prefixes;
  for (const Entry& entry : entries) {
    if (entry.is_prefix) {
      prefixes += "<CommonPrefixes>" + element("Prefix", listed(call, entry.name)) + "</CommonPrefixes>";
    } else {
      lines += object_line(call, entry.name, *newest(call.bucket, entry.name));
    }
  }
  std::string out = "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" + common_head(call, *page);
  out += element("IsTruncated", more ? "true" : "false");
  if (second) {
    out += element("KeyCount", std::to_string(entries.size()));
    if (more) out += element("NextContinuationToken", base::base64(entries.back().name));
  } else {
    out += element("Marker", listed(call, after));
    if (more) out += element("NextMarker", listed(call, entries.back().name));
  }
  return xml(out + lines + prefixes + "</ListBucketResult>");
}

Answer list_versions(Call& call) {
  const std::string key_marker = parameter(call, "key-marker");
  const std::string id_marker = parameter(call, "version-id-marker");
  const auto page = page_of(call, "", "max-keys");
  if (!page) return error(400, "InvalidArgument", "max-keys must be a whole number");
  std::string lines, next;
  std::int64_t count = 0;
  for (auto each = call.bucket.keys.lower_bound(page->prefix); each != call.bucket.keys.end() && next.empty(); ++each) {
    const auto& [key, versions] = *each;
    if (key.compare(0, page->prefix.size(), page->prefix) != 0) break;
    if (key < key_marker || (key == key_marker && id_marker.empty() && !key_marker.empty())) continue;
    bool skipping = key == key_marker && !id_marker.empty();
    for (auto version = versions.rbegin(); version != versions.rend(); ++version) {  // newest first
      if (skipping) {
        skipping = version->id != id_marker;
        continue;
      }
      const std::string tag = version->marker ? "DeleteMarker" : "Version";
      lines += "<" + tag + ">" + element("Key", listed(call, key)) + element("VersionId", version->id) +
               element("IsLatest", version == versions.rbegin() ? "true" : "false") +
               element("LastModified", iso_time(version->stored));
      if (!version->marker) {
        lines += element("ETag", quoted_etag(version->etag)) + element("Size", std::to_string(version->size())) +
                 "<StorageClass>STANDARD</StorageClass>";
      }
      lines += "<Owner><ID>sandbox</ID><DisplayName></DisplayName></Owner></" + tag + ">";
      const bool last = std::next(version) == versions.rend() && std::next(each) == call.bucket.keys.end();
      if (++count == page->most && !last) {
        next = element("NextKeyMarker", listed(call, key)) + element("NextVersionIdMarker", version->id);
        break;
      }
    }
  }
  return xml("<ListVersionsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" + common_head(call, *page) +
             element("IsTruncated", next.empty() ? "false" : "true") + next + lines + "</ListVersionsResult>");
}

Answer list_uploads(Call& call) {
  const auto page = page_of(call, "", "max-uploads");
  if (!page) return error(400, "InvalidArgument", "max-uploads must be a whole number");
  // By key, then by age, which is the order of the ids' numbers.
  std::vector<const Upload*> uploads;
  for (const auto& [id, upload] : call.bucket.uploads) {
    if (upload.key.compare(0, page->prefix.size(), page->prefix) == 0) uploads.push_back(&upload);
  }
  std::sort(uploads.begin(), uploads.end(),
            [](const Upload* a, const Upload* b) { return std::tie(a->key, a->id) < std::tie(b->key, b->id); });
  const std::string key_marker = parameter(call, "key-marker"), id_marker = parameter(call, "upload-id-marker");
  std::string lines, next;
  std::int64_t count = 0;
  for (const Upload* upload : uploads) {
    if (upload->key < key_marker || (!key_marker.empty() && upload->key == key_marker && upload->id <= id_marker))
      continue;
    if (count++ == page->most) {
      next = "true";
      break;
    }
    lines +=
        "<Upload>" + element("Key", listed(call, upload->key)) + element("UploadId", upload->id) +
        "<Initiator><ID>sandbox</ID></Initiator><Owner><ID>sandbox</ID></Owner><StorageClass>STANDARD</StorageClass>" +
        element("Initiated", iso_time(upload->begun)) + "</Upload>";
    if (count == page->most) {
      next.clear();
    }
  }
  std::string out = "<ListMultipartUploadsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" +
                    element("Bucket", call.bucket.name) + element("Prefix", listed(call, page->prefix)) +
                    element("MaxUploads", std::to_string(page->most)) +
                    element("IsTruncated", next.empty() ? "false" : "true");
  if (!next.empty()) {
    // The last one given.
    const auto end = lines.rfind("<UploadId>") + 10;
    const auto key = lines.rfind("<Key>") + 5;
    out += "<NextKeyMarker>" + lines.substr(key, lines.find('<', key) - key) + "</NextKeyMarker><NextUploadIdMarker>" +
           lines.substr(end, lines.find('<', end) - end) + "</NextUploadIdMarker>";
  }
  return xml(out + lines + "</ListMultipartUploadsResult>");
}

Answer list_buckets(const World& world) {
  std::string out =
      "<ListAllMyBucketsResult "
      "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Owner><ID>sandbox</ID></Owner><Buckets>";
  for (const auto& [name, bucket] : world.store.buckets) {
    out += "<Bucket>" + element("Name", name) + element("CreationDate", iso_time(bucket.created)) + "</Bucket>";
  }
  return xml(out + "</Buckets></ListAllMyBucketsResult>");
}

}  // namespace failover::sandbox::b2
