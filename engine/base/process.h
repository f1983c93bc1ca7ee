// A program of the runner's own machine, run to its end: `local.exec` and the tools that steps call.
// It gets exactly the environment it is told, its own process group, and no file descriptor of this process.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/error.h"

namespace failover::base {

struct ProcessSpec {
  std::vector<std::string> command{};                // program and arguments; no shell in between
  std::map<std::string, std::string> environment{};  // exact: nothing is inherited
  std::string directory{};                           // where it runs; empty: here
  std::string input{};                               // its standard input, then end of file
  std::int64_t output_limit = 16 * 1024 * 1024;      // bytes kept of each stream; the rest is read and dropped
};

struct ProcessResult {
  int exit_code = 0;   // -1 when a signal ended it
  std::string signal;  // that signal without its prefix: `KILL`; empty otherwise
  std::string out;
  std::string err;
  bool truncated = false;  // a stream was longer than output_limit
};

// Runs `spec` until the program ends; what is left of its process group then is killed. A name without a slash is
// looked up in the PATH of `spec.environment`, or in this process's when that has none.
// Error{not_found} `no_program` or `no_directory`; Error{refused} `not_executable`; Error{timeout} or
// Error{cancelled} when patience ends: the whole group is then gone within a second (TERM, 300 ms, KILL).
Result<ProcessResult> run_process(const ProcessSpec& spec, const Patience& patience);

// `KILL` for SIGKILL, without the prefix; `SIG<number>` becomes the number for unnamed ones.
std::string signal_name(int number);

}  // namespace failover::base
