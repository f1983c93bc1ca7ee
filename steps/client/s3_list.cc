// Listings, every page (references/b2-s3-api.md 9).
#include <pugixml.hpp>

#include "engine/base/text.h"
#include "steps/client/s3_wire.h"

namespace failover::client::s3 {
namespace {

using base::Error;
using base::Fault;
using base::Result;
using plugin::Context;

constexpr int kPages = 10'000;

Error unreadable(const std::string& what) {
  return {Fault::unavailable, "malformed_answer", "B2's answer cannot be read, " + what,
          "try again, or check B2_ENDPOINT"};
}

std::optional<base::WallTime> time_of(const pugi::xml_node& node, const char* name) {
  return base::parse_utc(base::trim(node.child_value(name)));
}

std::string etag_of(const pugi::xml_node& node) {
  const std::string text = node.child_value("ETag");
  return unquoted(&text);
}

struct Listing {
  const char* root;
  std::vector<std::pair<std::string, std::string>> query;
  const char* what;
  // Markers that a truncated page names, and the parameters that they go on as.
  std::vector<std::pair<const char*, const char*>> markers;
  std::string only{};  // a page that goes on behind this key was the last; empty: all of them are read
};

// Reads every page and hands its root to `take`; an absent marker on a truncated page is an error, not an end.
template <class Take>
Result<void> each_page(Wire& wire, const std::string& bucket, const Listing& listing, const Context& context,
                       Take take) {
  const std::string what = std::string(listing.what) + " bucket " + base::printable(bucket, 80);
  std::vector<std::pair<std::string, std::string>> marks;
  for (int page = 0; page < kPages; ++page) {
    Call call{"GET", bucket, "", listing.query};
    call.query.insert(call.query.end(), marks.begin(), marks.end());
    auto response = wire.ask(call, what, context);
    if (!response) return std::move(response).error();
    pugi::xml_document document;
    const bool parsed = document.load_buffer(response->body.data(), response->body.size(),
                                             pugi::parse_default | pugi::parse_ws_pcdata_single);
    const pugi::xml_node root = document.child(listing.root);
    if (!parsed || !root) return unreadable(what);
    take(root);
    const std::string_view truncated = root.child_value("IsTruncated");
    if (truncated == "false") return {};
    if (truncated != "true") return unreadable(what);
    std::vector<std::pair<std::string, std::string>> next;
    for (const auto& [element, parameter] : listing.markers) {
      if (const std::string value = root.child_value(element); !value.empty()) next.emplace_back(parameter, value);
    }
    if (next.empty() || next == marks) return unreadable(what);
    if (!listing.only.empty() && root.child_value(listing.markers.front().first) > listing.only) return {};
    marks = std::move(next);
  }
  return unreadable(what);
}

}  // namespace

Result<std::vector<Object>> list_objects(Wire& wire, const std::string& bucket, const std::string& prefix,
                                         const Context& context) {
  std::vector<Object> all;
  const Listing listing{"ListBucketResult",
                        {{"list-type", "2"}, {"prefix", prefix}},
                        "listing",
                        {{"NextContinuationToken", "continuation-token"}}};
  auto read = each_page(wire, bucket, listing, context, [&](const pugi::xml_node& root) {
    for (const pugi::xml_node row : root.children("Contents")) {
      all.push_back({row.child_value("Key"), row.child("Size").text().as_llong(), etag_of(row), ""});
    }
  });
  if (!read) return std::move(read).error();
  return all;
}

Result<std::vector<Version>> list_versions(Wire& wire, const std::string& bucket, const std::string& prefix,
                                           Reach reach, const Context& context) {
  std::vector<Version> all;
  const Listing listing{"ListVersionsResult",
                        {{"versions", ""}, {"prefix", prefix}},
                        "listing the versions of",
                        {{"NextKeyMarker", "key-marker"}, {"NextVersionIdMarker", "version-id-marker"}},
                        reach == Reach::key ? prefix : ""};
  auto read = each_page(wire, bucket, listing, context, [&](const pugi::xml_node& root) {
    for (const pugi::xml_node row : root.children()) {
      const std::string_view tag = row.name();
      if (tag != "Version" && tag != "DeleteMarker") continue;
      all.push_back(
          {row.child_value("Key"), row.child_value("VersionId"), tag == "DeleteMarker", time_of(row, "LastModified")});
    }
  });
  if (!read) return std::move(read).error();
  return all;
}

Result<std::vector<Pending>> list_uploads(Wire& wire, const std::string& bucket, const std::string& prefix, Reach reach,
                                          const Context& context) {
  std::vector<Pending> all;
  const Listing listing{"ListMultipartUploadsResult",
                        {{"uploads", ""}, {"prefix", prefix}},
                        "listing the unfinished uploads of",
                        {{"NextKeyMarker", "key-marker"}, {"NextUploadIdMarker", "upload-id-marker"}},
                        reach == Reach::key ? prefix : ""};
  auto read = each_page(wire, bucket, listing, context, [&](const pugi::xml_node& root) {
    for (const pugi::xml_node row : root.children("Upload")) {
      all.push_back({row.child_value("Key"), row.child_value("UploadId"), time_of(row, "Initiated")});
    }
  });
  if (!read) return std::move(read).error();
  return all;
}

}  // namespace failover::client::s3
