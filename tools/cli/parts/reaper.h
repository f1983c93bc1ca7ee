// The detached reaper (leak-safety.md, "Four walls"): a process of its own session that outlives a killed runner and
// gives back what its journal leaves open. It holds no lock while the runner lives: the journal's lock, which goes with
// the runner, is what it waits for.
#pragma once

#include <sys/types.h>

#include <filesystem>

#include "engine/base/error.h"
#include "engine/base/fd.h"
#include "tools/cli/parts/settings.h"

namespace failover::cli {

// One that has said that it is armed. It goes on without this object.
class Reaper {
 public:
  Reaper(pid_t process, base::Fd life) : process_(process), life_(std::move(life)) {}
  [[nodiscard]] pid_t process() const { return process_; }
  // Asks the pipe that ends with it: its process id may be another's by now.
  [[nodiscard]] bool lives() const;

 private:
  pid_t process_;
  base::Fd life_;
};

// Starts one for the journal in `folder`, with what it needs of `environment` and nothing on its command line but the
// folder. Returns once it has said that it could clean up: it can wait for the journal's lock and has made its clients.
// Error: why it could not; nothing is left running then. What it says later goes to reaper.log in `folder`.
base::Result<Reaper> arm_reaper(const std::filesystem::path& folder, const Environment& environment);

// The reaper itself, `failover reap FOLDER`: waits until nobody writes the journal, then finishes what is unfinished.
// SIGTERM, SIGINT and SIGHUP do not end it while it waits; later they end what it does, like every cleanup.
int reap(const std::filesystem::path& folder, const Environment& environment);

// After a stop or a death: is the journal, which somebody writes, being worked on by a recovery (a reaper's or
// another's)? Waits shortly for a process that has just taken over to say so.
bool in_recovery(const std::filesystem::path& folder);
// Waits until nobody writes the journal. False when `stop` came first.
bool wait_until_free(const std::filesystem::path& folder, const std::stop_token& stop);

}  // namespace failover::cli
