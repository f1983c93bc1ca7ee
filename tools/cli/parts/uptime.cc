#include "tools/cli/parts/uptime.h"

#include "engine/base/file.h"
#include "engine/base/text.h"

namespace failover::cli {

std::string boot_name() {
  const auto text = base::read_file("/proc/sys/kernel/random/boot_id", 64);
  return text ? std::string(base::trim(*text)) : std::string();
}

std::optional<base::Duration> passed_since(const event::Event& begun, const std::string& boot, base::Duration up) {
  const base::Duration then = begun.time("up_s");
  if (boot.empty() || begun.text("boot") != boot || up < then) return std::nullopt;
  return up - then;
}

}  // namespace failover::cli
