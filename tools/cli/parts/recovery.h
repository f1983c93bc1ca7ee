// Finishing a run that ended without cleaning up, from its journal alone.
#pragma once

#include <filesystem>
#include <stop_token>

#include "tools/cli/parts/settings.h"

namespace failover::cli {

// Gives back everything that the journal in `folder` leaves open, journals it, writes report.json again. Target and
// endpoints are the journal's; the keys are the environment's and must be of the same account. The exit code.
int recover(const std::filesystem::path& folder, const Environment& environment, const std::stop_token& stop);

}  // namespace failover::cli
