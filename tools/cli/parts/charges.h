// The providers' books of a run that is over: they list what it took later than it ends.
#pragma once

#include <filesystem>
#include <stop_token>

#include "engine/base/error.h"
#include "tools/cli/parts/commands.h"
#include "tools/cli/parts/settings.h"

namespace failover::cli {

// Reads them with the caller's keys at the journal's endpoints, appends them to the journal and writes report.json
// again. Error: nothing was read, and nothing has changed.
base::Result<void> read_charges(const std::filesystem::path& folder, const Environment& environment,
                                const std::stop_token& stop);

// `failover report RUN --charges`: reads them, says why when that failed, and shows the report either way.
int report_with_charges(const ReportOptions& options, const Environment& environment);

}  // namespace failover::cli
