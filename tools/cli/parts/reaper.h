// The detached reaper (leak-safety.md, "Four walls"): a process of its own session that outlives a killed runner and
// gives back what its journal leaves open. It holds no lock while the runner lives: the journal's lock, which goes with
// the runner, is what it waits for.
#pragma once

#include <sys/types.h>

#include <filesystem>

#include "engine/base/error.h"
#include "tools/cli/parts/settings.h"

namespace failover::cli {

// Starts one for the journal in `folder`, with what it needs of `environment` and nothing on its command line but the
// folder. Returns its process id once it has said that it could clean up: it can wait for the journal's lock and has
// made its clients. Error: why it could not; nothing is left running then. What it says later goes to reaper.log in
// `folder`.
base::Result<pid_t> arm_reaper(const std::filesystem::path& folder, const Environment& environment);

// The reaper itself, `failover reap FOLDER`: waits until nobody writes the journal, then finishes what is unfinished.
int reap(const std::filesystem::path& folder, const Environment& environment);

// After a stop or a death: is the journal, which somebody writes, being worked on by a recovery (a reaper's or
// another's)? Waits shortly for a process that has just taken over to say so.
bool in_recovery(const std::filesystem::path& folder);
// Waits until nobody writes the journal. False when `stop` came first.
bool wait_until_free(const std::filesystem::path& folder, const std::stop_token& stop);

}  // namespace failover::cli
