#include "steps/client/s3_by_hand.h"

#include <nlohmann/json.hpp>

#include "engine/base/text.h"

namespace failover::client {
namespace {

using base::shell_quote;
using namespace std::chrono_literals;

// In a shell of their own: what is defined there for `commands` is gone afterwards.
std::string at(const Settings& settings, const std::string& bucket, const std::string& commands) {
  const std::string endpoint =
      settings.b2_endpoint.empty() ? R"("https://${B2_ENDPOINT#https://}")" : shell_quote(settings.b2_endpoint);
  const std::string region = settings.b2_region.empty() ? R"("${B2_REGION:-$(echo "$B2_ENDPOINT" | cut -d. -f2)}")"
                                                        : shell_quote(settings.b2_region);
  return R"((b2s3() { AWS_ACCESS_KEY_ID="$B2_KEY_ID" AWS_SECRET_ACCESS_KEY="$B2_APPLICATION_KEY" AWS_SESSION_TOKEN= )"
         R"(AWS_PAGER= aws s3api "$@" --endpoint-url )" +
         endpoint + " --region " + region + " --bucket " + shell_quote(bucket) + "; }; " + commands + ")";
}

std::string each(const std::string& list, const std::string& query, const std::string& rest) {
  return "b2s3 " + list + " --query " + shell_quote(query) + " --output text | " + rest;
}

// The entries of a list whose key is this one, in JMESPath; a list that is not there is an empty one.
std::string with_key(const std::string& list, const std::string& key) {
  std::string literal;
  for (const char c : nlohmann::json(key).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)) {
    if (c == '`') literal += '\\';
    literal += c;
  }
  return "(" + list + "||`[]`)[?Key==`" + literal + "`]";
}

}  // namespace

std::string purge_by_hand(const Settings& settings, const std::string& bucket, const std::string& prefix) {
  if (bucket.empty() || prefix.empty()) return {};
  const std::string below = "--prefix=" + shell_quote(prefix);
  return at(settings, bucket,
            each("list-object-versions " + below, "[Versions,DeleteMarkers][][].[VersionId,Key]",
                 R"(while read -r id key; do b2s3 delete-object --key="$key" --version-id="$id"; done; )") +
                each("list-multipart-uploads " + below, "(Uploads||`[]`)[].[UploadId,Key]",
                     R"(while read -r id key; do b2s3 abort-multipart-upload --key="$key" --upload-id="$id"; done)"));
}

std::string take_back_by_hand(const Settings& settings, const StoredObject& object) {
  if (object.bucket.empty() || object.key.empty()) return {};
  const std::string key = "--key=" + shell_quote(object.key);
  const std::string there = "--prefix=" + shell_quote(object.key);
  std::string commands;
  if (!object.version.empty()) {
    commands = "b2s3 delete-object " + key + " --version-id=" + shell_quote(object.version) + "; ";
  }
  if (!object.label.empty()) {
    commands +=
        each("list-object-versions " + there, with_key("Versions", object.key) + ".[VersionId]",
             R"(while read -r id; do [ "$(b2s3 head-object )" + key +
                 R"~( --version-id="$id" --query Metadata.failover --output text)" = )~" + shell_quote(object.label) +
                 " ] && b2s3 delete-object " + key + R"( --version-id="$id"; done; )");
  }
  if (!object.version.empty()) return at(settings, object.bucket, commands);
  // Their clock may be off by as much as S3::take_back() allows.
  const std::string since = base::format_utc(object.since - 15min).substr(0, std::string("2026-01-02T03:04:05").size());
  commands += each("list-multipart-uploads " + there, with_key("Uploads", object.key) + ".[Initiated,UploadId]",
                   "awk '$1 >= \"" + since + "\" {print $2}' | while read -r id; do b2s3 abort-multipart-upload " +
                       key + R"( --upload-id="$id"; done)");
  return at(settings, object.bucket, commands);
}

}  // namespace failover::client
