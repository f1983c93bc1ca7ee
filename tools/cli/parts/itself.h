// Where this program is.
#pragma once

#include <filesystem>

namespace failover::cli {

// The file that runs, without links; empty where the system does not say.
std::filesystem::path own_file();
// The name to start it again with: on Linux it holds even after an upgrade has replaced the file.
std::filesystem::path own_program();

}  // namespace failover::cli
