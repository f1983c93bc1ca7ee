#include "tools/cli/parts/uptime.h"

#include <time.h>

#include <algorithm>

#include "engine/base/file.h"
#include "engine/base/text.h"

namespace failover::cli {

std::string boot_name() {
  const auto text = base::read_file("/proc/sys/kernel/random/boot_id", 64);
  return text ? std::string(base::trim(*text)) : std::string();
}

base::Duration uptime() {
#ifdef CLOCK_BOOTTIME
  constexpr clockid_t kClock = CLOCK_BOOTTIME;
#else
  constexpr clockid_t kClock = CLOCK_MONOTONIC;
#endif
  timespec at{};
  if (::clock_gettime(kClock, &at) != 0) return base::Duration::zero();
  return std::chrono::seconds(at.tv_sec) + std::chrono::nanoseconds(at.tv_nsec);
}

std::optional<base::Duration> passed_since(const event::Event& begun, const std::string& boot, base::Duration up) {
  const base::Duration then = begun.time("up_s");
  if (boot.empty() || begun.text("boot") != boot || up < then) return std::nullopt;
  return up - then;
}

}  // namespace failover::cli
