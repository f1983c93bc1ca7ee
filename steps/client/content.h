// The bytes that a drill writes. The runner can make them again, so it need not take a machine's word for what the
// machine holds (leak-safety.md, "Secrets and hostile hosts").
#pragma once

#include <set>
#include <string>
#include <vector>

#include "engine/base/digest.h"
#include "steps/client/manifest.h"
#include "steps/client/ssh.h"

namespace failover::client {

// For Manifest::seed: 64 hex digits from the operating system's generator.
std::string new_seed();

// A file's bytes, from the first on.
class Content {
 public:
  Content(const std::string& seed, const std::string& path, std::int64_t size);
  // The next ones, at most `count`; empty at the end.
  std::string next(std::size_t count);

 private:
  base::Keystream bytes_;
  std::int64_t left_;
};

// Challenges the machine to show that it holds these files of the manifest, below `directory`: under a key that is new
// each time it answers a digest of their bytes, which only who has the bytes can say. Answers with the paths that it
// could not show; up to 256 files are asked one by one, more in as many groups, of which it is all or none. The
// manifest has a seed. Errors: run_script()'s; corrupt when the machine answers something else, or when the seed does
// not make what the manifest lists.
base::Result<std::set<std::string>> unproven(Ssh& ssh, const Endpoint& at, const Manifest& manifest,
                                             const std::vector<const ManifestFile*>& files,
                                             const std::string& directory, const plugin::Context& context);

}  // namespace failover::client
