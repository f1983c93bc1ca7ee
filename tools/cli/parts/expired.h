// `failover cleanup --expired`: the wall that needs neither journal nor runner.
#pragma once

#include <filesystem>
#include <optional>
#include <stop_token>

#include "tools/cli/parts/settings.h"

namespace failover::cli {

// Lists everything in the environment's account under a name like ours; gives back what its key signed and whose
// deadline has passed, and touches nothing else. What could not be listed keeps nothing else from being given back, and
// makes the exit code 4.
//
// Then what runs below `runs`, where there is such a place, have kept (`keep`) and whose time has passed, by their
// journals: a snapshot bears no label.
int cleanup_expired(const std::optional<std::filesystem::path>& runs, bool dry_run, const Environment& environment,
                    const std::stop_token& stop);

}  // namespace failover::cli
