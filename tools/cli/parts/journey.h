// One run from its folder to its report: journal, ledger, console, engine.
#pragma once

#include <filesystem>
#include <stop_token>
#include <string>

#include "tools/cli/parts/prepare.h"
#include "tools/cli/parts/stage.h"

namespace failover::cli {

struct JourneyOptions {
  std::filesystem::path runs;
  std::string output;  // pretty, plain, json
  bool quick = false;
  bool reaper = true;  // outside the sandbox: a process that finishes the run's work if this one dies
  std::stop_token stop;
  std::stop_token give_up;
};

// Runs it, writes report.json beside the journal, prints the console report; the exit code.
int play(const Prepared& prepared, const Stage& stage, const JourneyOptions& options, base::Clock& clock);

}  // namespace failover::cli
