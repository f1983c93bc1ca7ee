// What is sent to a machine's shell: the wrapper that makes a command's process group known, the end of such a group,
// and the separation of our own words from the command's output. Pure. Not for steps.
#pragma once

#include <string>
#include <string_view>

namespace failover::client::ssh {

// Runs `script` as `sh -c` does, in a process group of its own, after one line `MARK` on standard output and one line
// `MARK PGID` on standard error. `MARK 0` when no group of its own could be had.
std::string wrapped(const std::string& script, const std::string& mark);
// Ends the group: TERM, a moment, KILL. Prints `MARK gone` when only zombies are left of it, else `MARK alive`.
std::string group_end(const std::string& group, const std::string& mark);

// Takes everything up to and with the line that begins with the mark out of a stream: shells may print on their way to
// the command. A stream without the mark comes through whole.
class MarkFilter {
 public:
  explicit MarkFilter(std::string mark) : mark_(std::move(mark)) {}
  // What of these bytes is the command's.
  std::string take(std::string_view bytes);
  // What was held back, once the stream has ended.
  std::string finish();
  [[nodiscard]] bool found() const { return found_; }
  // What stood behind the mark.
  [[nodiscard]] const std::string& word() const { return word_; }

 private:
  std::string mark_;
  std::string held_;
  std::string word_;
  bool found_ = false;
  bool given_up_ = false;
};

}  // namespace failover::client::ssh
