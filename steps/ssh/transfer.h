// Files of the runner, read in a stream.
#pragma once

#include <cstdint>
#include <string>

#include "engine/plugin/context.h"

namespace failover::steps::ssh {

struct LocalFile {
  std::int64_t bytes = 0;
  unsigned mode = 0644;
  std::string sha256;  // lower-case hex
};

// Size, permission bits and digest. Error{invalid, no_file} when it is not a readable regular file.
base::Result<LocalFile> read_local(const std::string& path, const plugin::Context& context);

// Says now and then how far a stream of `whole` bytes is; `whole` 0: not known.
std::function<void(std::int64_t)> progress(const plugin::Context& context, std::string verb, std::int64_t whole);

}  // namespace failover::steps::ssh
