// The one clock of a machine that nobody can set: how long it has been up. It tells how much time has passed since a
// run began, on the same boot of the same machine.
#pragma once

#include <optional>
#include <string>

#include "engine/base/clock.h"
#include "engine/event/event.h"

namespace failover::cli {

// This boot's name; empty: the system has none.
std::string boot_name();

// How long ago the run began that did with `begun` (run_started, with `boot` and `up_s`); nullopt on another boot.
std::optional<base::Duration> passed_since(const event::Event& begun, const std::string& boot, base::Duration up);

}  // namespace failover::cli
