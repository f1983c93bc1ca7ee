// What the providers' books say of what a run rented, beside our own count. Read when everything else is over, in
// bounded time; a failure to read is journaled and changes nothing: not the verdict, not the exit code, not what is
// held.
#pragma once

#include <stop_token>

#include "engine/base/clock.h"
#include "engine/run/host.h"

namespace failover::run {

// Asks each kind that has books for everything billed in the ledger, and emits one `charges` event per kind. Nothing is
// sent when nothing was rented.
void read_charges(Shared& shared, const base::Patience& patience);

}  // namespace failover::run
