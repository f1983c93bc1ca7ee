// Taking back what was stored, versions and unfinished uploads, and proving it (references/b2-s3-api.md 9).
#include <algorithm>

#include "engine/base/text.h"
#include "steps/client/s3_client.h"

namespace failover::client::s3 {
namespace {

using base::Error;
using base::Fault;
using base::Result;
using plugin::Context;
using namespace std::chrono_literals;

// The service's clock and ours may differ by so much when we compare times.
constexpr base::Duration kClocks = 15min;

Error unreadable_time(const Pending& upload) {
  return {Fault::unavailable, "malformed_answer",
          "B2 does not say when the unfinished upload " + base::printable(upload.id, 120) +
              " was begun: whose it is cannot be told",
          "look at it, and abort it when it is this run's"};
}

bool no_bucket(const Error& error) { return error.code == "no_such_bucket"; }

}  // namespace

Result<void> HttpS3::remove_version(const std::string& bucket, const Version& version, const Context& context) {
  Call call{"DELETE", bucket, version.key, {{"versionId", version.id}}};
  auto response = wire_.ask(call, "removing a version of " + base::printable(version.key, 120), context);
  if (response || response.error().fault == Fault::not_found) return {};
  return std::move(response).error();
}

Result<std::optional<std::string>> HttpS3::label_of(const std::string& bucket, const Version& version,
                                                    const Context& context) {
  Call call{"HEAD", bucket, version.key, {{"versionId", version.id}}};
  auto response = wire_.ask(call, "looking at a version of " + base::printable(version.key, 120), context);
  if (!response) {
    if (response.error().fault == Fault::not_found) return std::optional<std::string>();
    return std::move(response).error();
  }
  const auto* label = response->header("x-amz-meta-failover");
  return std::optional<std::string>(label == nullptr ? std::string() : *label);
}

Result<HttpS3::Leftovers> HttpS3::under(const std::string& bucket, const std::string& prefix, Reach reach,
                                        bool versions, const Context& context) {
  Leftovers out;
  if (versions) {
    auto listed = list_versions(wire_, bucket, prefix, reach, context);
    if (!listed && !no_bucket(listed.error())) return std::move(listed).error();
    if (listed) out.versions = *std::move(listed);
  }
  auto uploads = list_uploads(wire_, bucket, prefix, reach, context);
  if (!uploads && !no_bucket(uploads.error())) return std::move(uploads).error();
  if (uploads) out.uploads = *std::move(uploads);
  return out;
}

template <class Look>
Result<void> HttpS3::until_gone(const std::string& bucket, const std::string& what, const Context& context, Look look) {
  constexpr int kRounds = 12;
  int empty = 0;
  for (int round = 0; round < kRounds; ++round) {
    Result<Leftovers> left = look();
    if (!left) return std::move(left).error().during(what);
    const bool nothing = left->empty() && !left->unsettled;
    if (nothing && !left->doubt && ++empty == 2) return {};
    if (!nothing) empty = 0;
    for (const Version& version : left->versions) {
      if (auto gone = remove_version(bucket, version, context); !gone) return std::move(gone).error().during(what);
    }
    for (const Pending& pending : left->uploads) {
      if (auto gone = abort(pending, bucket, context); !gone) return std::move(gone).error().during(what);
    }
    if (left->doubt) return (*std::move(left->doubt)).during(what);
    if (left->empty()) {
      if (auto slept = context.sleep(2s); !slept) return std::move(slept).error().during(what);
    }
  }
  return Error{Fault::unavailable, "still_there", "what was removed is still listed, " + what, "try again later"};
}

Result<void> HttpS3::purge(const std::string& bucket, const std::string& prefix, const Context& context) {
  if (prefix.empty()) return Error{Fault::internal, "purge_all", "a whole bucket is never purged", ""};
  return until_gone(bucket, "removing everything under " + base::printable(bucket + "/" + prefix, 160), context,
                    [&] { return under(bucket, prefix, Reach::prefix, true, context); });
}

Result<void> HttpS3::abort_uploads(const std::string& bucket, const std::string& prefix, const Context& context) {
  if (prefix.empty()) return Error{Fault::internal, "purge_all", "a whole bucket is never purged", ""};
  return until_gone(bucket, "aborting uploads under " + base::printable(bucket + "/" + prefix, 160), context,
                    [&] { return under(bucket, prefix, Reach::prefix, false, context); });
}

Result<void> HttpS3::take_back(const std::string& bucket, const std::string& key, const std::string& version,
                               const std::string& label, base::WallTime since, const Context& context) {
  if (key.empty()) return Error{Fault::internal, "purge_all", "a whole bucket is never purged", ""};
  const std::string doing = "taking back " + base::printable(bucket + "/" + key, 160);
  // A known version goes before anything is proven: listings may be refused where removing is not (a daily cap, 7).
  if (!version.empty()) {
    if (auto gone = remove_version(bucket, {key, version}, context); !gone && !no_bucket(gone.error()))
      return std::move(gone).error().during(doing);
  }
  const auto look = [&]() -> Result<Leftovers> {
    auto all = under(bucket, key, Reach::key, true, context);
    if (!all) return all;
    Leftovers ours;
    for (const Version& one : all->versions) {
      if (one.key != key || one.marker) continue;
      if (!version.empty() && one.id == version) {
        ours.versions.push_back(one);
        continue;
      }
      // One upload may have been stored more than once, and an answer names one version.
      if (label.empty() || (one.modified && *one.modified + kClocks < since)) continue;
      auto said = label_of(bucket, one, context);
      if (!said) return std::move(said).error();
      if (!*said) {
        ours.unsettled = true;
      } else if (**said == label) {
        ours.versions.push_back(one);
      }
    }
    // A known version came from an upload that was finished. An upload carries no label: its time alone says whose it
    // is.
    for (const Pending& one : all->uploads) {
      if (!version.empty() || one.key != key) continue;
      if (!one.begun) {
        ours.doubt = unreadable_time(one);
      } else if (*one.begun + kClocks >= since) {
        ours.uploads.push_back(one);
      }
    }
    return ours;
  };
  return until_gone(bucket, doing, context, look);
}

}  // namespace failover::client::s3
