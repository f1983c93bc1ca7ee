// Files of the runner: whole reads with a bound, atomic writes.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "engine/base/error.h"

namespace failover::base {

// The whole file; Error{not_found} when absent, Error{invalid} when larger than `limit` bytes or not readable.
Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit);
// Temporary file, fsync, rename, so that a reader sees the old or the new text, never half. Creates no directories.
// Error{no_space} on a full disk. `mode` as chmod takes it.
Result<void> write_file(const std::filesystem::path& path, std::string_view text, unsigned mode = 0644);
// mkdir -p with mode 0700 for what it creates, which outlives a power loss.
Result<void> make_directories(const std::filesystem::path& path);
// The entries of a directory outlive a power loss; best effort, since not every file system can.
void sync_directory(const std::filesystem::path& path);
// The Error for errno after a failed call on `path`: ENOSPC and EDQUOT are no_space.
Error system_error(int number, std::string_view doing, const std::filesystem::path& path);

}  // namespace failover::base
