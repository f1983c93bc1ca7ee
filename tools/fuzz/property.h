// What fuzz targets hold their subjects to.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace failover::fuzz {

// A property that does not hold ends the program: that is how a fuzzer sees it.
inline void hold(bool holds, std::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "violated: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

}  // namespace failover::fuzz
