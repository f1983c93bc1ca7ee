// What create and restore agree on: `snapshots/<id>/part-00001` ... and `snapshots/<id>/manifest.json`, written last.
#pragma once

#include <string>
#include <vector>

#include "engine/plugin/step_type.h"
#include "steps/client/remote.h"
#include "steps/client/services.h"

namespace failover::steps::snapshot {

inline constexpr const char* kKind = "snapshot";
// What ids identify (base::Type::id_of).
inline constexpr const char* kASnapshot = "a snapshot";
inline constexpr std::int64_t kPartBytes = std::int64_t{64} << 20;
inline constexpr base::Duration kUrlLife = std::chrono::minutes(15);  // ours may be behind by almost as much
// How long after a URL was given something may still come to be by it. The service counts its life by its own clock
// from the time that ours has put into it, which may be 15 min ahead (b2-s3-api.md 3), and a part that began in time
// may take a while.
inline constexpr base::Duration kUrlSettle = kUrlLife + std::chrono::minutes(15) + std::chrono::minutes(10);

struct Part {
  std::string key;
  std::int64_t bytes = 0;
  std::string md5;  // lower-case hex
};

// What the runner writes beside the parts, and all that a restore believes.
struct Contents {
  std::string id;
  std::string codec;  // zstd, gzip
  client::Manifest files;
  std::vector<std::string> directories;  // below the manifest's directory
  std::vector<Part> parts;
};
std::string to_json_text(const Contents& contents);
// Error{corrupt}: not a manifest that a restore may follow.
base::Result<Contents> contents_from_json(std::string_view text, const std::string& id);

std::string prefix_of(const std::string& id);     // `snapshots/<id>/`
std::string manifest_key(const std::string& id);  // `snapshots/<id>/manifest.json`

// Shell functions that move one object with whatever the machine has (curl, wget, python3). The URL comes on standard
// input, never in an argument. `put FILE MD5_BASE64`, `get FILE`.
extern const char* const kTransferWords;

plugin::StepType create(client::Services& services);
plugin::StepType restore(client::Services& services);

}  // namespace failover::steps::snapshot
