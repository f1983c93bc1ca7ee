// The command line: every command with its options, and who carries it out.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "tools/cli/parts/commands.h"
#include "tools/cli/parts/simulate.h"

namespace failover::cli {

// What reaches outside of this machine, or simulates the outside. Two programs have the same command line: `failover`
// reads declarations, files and journals, and hands everything else over to `failover-runner`, which can do all of it.
// So whoever validates does not wait for libcurl and libssh to be loaded (three quarters of a start).
struct Outside {
  // Becomes the program that can; returns an exit code only when that failed. Absent: this one can.
  std::function<int(char** argv)> hand_over;

  std::function<base::Result<void>(const std::string& level, const std::string& file)> begin_log;
  std::function<int(const RunOptions&, const Environment&)> run;
  std::function<int(const CleanupCommand&, const Environment&)> cleanup;
  std::function<int(const std::filesystem::path& folder, const Environment&)> reap;
  std::function<int(bool live, const Environment&)> doctor;
  std::function<int(const SandboxCommand&)> sandbox;
  std::function<int(const SimulateOptions&, const Environment&)> simulate;
  std::function<int(const ReportOptions&, const Environment&)> report_with_charges;
};

// Reads the command line, calls one command, returns its exit code.
int run_program(const Outside& outside, int argc, char** argv);

}  // namespace failover::cli
