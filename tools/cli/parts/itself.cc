#include "tools/cli/parts/itself.h"

#ifdef __APPLE__
#include <mach-o/dyld.h>

#include <array>
#include <cstdint>
#endif

namespace failover::cli {
namespace fs = std::filesystem;

fs::path own_program() {
#ifdef __APPLE__
  std::array<char, 4096> path{};
  std::uint32_t size = path.size();
  return _NSGetExecutablePath(path.data(), &size) == 0 ? fs::path(path.data()) : fs::path();
#else
  return "/proc/self/exe";
#endif
}

fs::path own_file() {
  std::error_code error;
  auto file = fs::canonical(own_program(), error);
  return error ? fs::path() : file;
}

}  // namespace failover::cli
