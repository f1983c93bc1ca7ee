// The one clock of a machine that nobody can set: how long it has been up. It tells how far the wall clock has been
// moved since a run began, on the same boot of the same machine.
#pragma once

#include <string>

#include "engine/base/clock.h"
#include "engine/event/event.h"

namespace failover::cli {

// This boot's name (empty: the system has none), and the time since then, sleep included.
std::string boot_name();
base::Duration uptime();

// How far the wall clock has run ahead of time that really passed, since the run that began with `begun` (run_started,
// with `boot` and `up_s`): zero where that cannot be told, and for a clock that was set back.
base::Duration clock_ahead(const event::Event& begun, base::WallTime now, const std::string& boot, base::Duration up);

}  // namespace failover::cli
