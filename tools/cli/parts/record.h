// report.json beside its journal.
#pragma once

#include <filesystem>

#include "engine/base/error.h"
#include "engine/report/report.h"

namespace failover::cli {

base::Result<void> write_report(const std::filesystem::path& folder, const report::Folder& folded);

}  // namespace failover::cli
