// A run's folder and the report.json in it.
#pragma once

#include <filesystem>

#include "engine/base/error.h"
#include "engine/report/report.h"
#include "tools/cli/parts/commands.h"

namespace failover::cli {

// The one that is asked for. Error{invalid, not_found}: none, or several.
base::Result<std::filesystem::path> chosen_run(const ReportOptions& options, const Environment& environment);

base::Result<void> write_report(const std::filesystem::path& folder, const report::Folder& folded);

}  // namespace failover::cli
