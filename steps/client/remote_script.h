// How steps speak with a machine's shell: POSIX sh with GNU coreutils, findutils and tar. Values get in as quoted words
// alone; what comes back is a stranger's text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "steps/client/ssh.h"

namespace failover::client {

// Exit codes by which our scripts tell what went wrong, beside stderr (remote_failure reads them).
inline constexpr int kExitAbsent = 66;      // what was named is not there
inline constexpr int kExitFailed = 74;      // a tool failed; its words are on stderr
inline constexpr int kExitDigest = 75;      // bytes are not what they were
inline constexpr int kExitChanged = 76;     // it changed while it was read
inline constexpr int kExitUnsafe = 78;      // refused: it would leave its place, or carries set-id bits
inline constexpr int kExitUnanswered = 79;  // a request that changes something went out, and no answer came
inline constexpr int kExitNoTool = 127;     // a program is not installed

// A script in the making: variables first, then the body, which never sees a value spelled into it.
class Script {
 public:
  // `purpose` stands in the first line as a comment: `files.create`.
  explicit Script(std::string_view purpose);
  Script& set(std::string_view variable, std::string_view value);
  // The positional parameters.
  Script& arguments(const std::vector<std::string>& words);
  [[nodiscard]] std::string with(std::string_view body) const { return text_ + std::string(body); }

 private:
  std::string text_;
};

// The last lines of a stranger's text, made printable.
std::string tail(std::string_view text, std::size_t limit = 300);

// Why a script that ended with `finished` failed: no_space when a disk is full, not_found, corrupt, refused.
base::Error remote_failure(const Finished& finished, const std::string& doing);

}  // namespace failover::client
