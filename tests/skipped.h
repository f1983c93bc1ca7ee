// Says in one plain line what is not tested here, and why.
#pragma once

#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace failover::testing {

// `able`: where the tests are set up as they should be it is tested. Where the variable CI is set (and neither empty
// nor `false`) a skip is then a failure: nobody reads its line there.
inline void skipped(const std::string& why, bool able) {
  std::printf("skipped: %s\n", why.c_str());
  std::fflush(stdout);
  const char* set = std::getenv("CI");  // NOLINT(concurrency-mt-unsafe)
  const std::string ci = set == nullptr ? "" : set;
  if (able && !ci.empty() && ci != "false" && ci != "0") FAIL_CHECK("this must be tested where CI is set: " << why);
}

#ifdef __linux__
inline constexpr bool kOnLinux = true;
#else
inline constexpr bool kOnLinux = false;
#endif

}  // namespace failover::testing
