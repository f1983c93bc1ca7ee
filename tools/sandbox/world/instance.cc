#include "tools/sandbox/world/instance.h"

#include <algorithm>

namespace failover::sandbox {
namespace {

using namespace std::chrono_literals;

// When the current boot stopped using the GPU, or `now`.
base::Instant gpu_until(const Instance& instance, base::Instant now) {
  base::Instant end = now;
  if (instance.halted) end = std::min(end, *instance.halted);
  if (instance.offline) end = std::min(end, *instance.offline);
  if (instance.destroyed) end = std::min(end, *instance.destroyed);
  return end;
}

// A reboot keeps the GPU, so it is billed through.
base::Instant gpu_from(const Instance& instance) {
  return instance.boot_kind == Instance::Boot::reboot ? instance.booted : instance.running_from();
}

std::string image_words(const Instance& instance) {
  std::string image = instance.image;
  std::replace(image.begin(), image.end(), ':', '_');
  return image;
}

Status stopped_status(const Instance& instance, base::Instant now) {
  Status status{.actual = "exited", .intended = "stopped", .current = "stopped", .next = "stopped", .message = {}};
  if (instance.never_scheduled) status.actual = std::nullopt;
  if (instance.mishaps.is_outbid && now - *instance.halted < 1s) status.actual = "running";  // it lags
  return status;
}

std::optional<std::string> before_running(const Instance& instance, base::Instant now) {
  const base::Duration since = now - instance.booted;
  switch (instance.boot_kind) {
    case Instance::Boot::create:
      return since < instance.timing.loading ? std::nullopt : std::optional<std::string>("loading");
    case Instance::Boot::start:
      return since < instance.timing.loading / 2 ? "exited" : "loading";  // the old value stays a while (6)
    case Instance::Boot::reboot: return "rebooting";
    case Instance::Boot::recycle: return "recycling";
  }
  return std::nullopt;
}

}  // namespace

Timing timing_of(Pace pace, std::mt19937_64& random) {
  Timing timing;
  const double spread = unit(random);
  if (pace == Pace::quick) {
    timing.visible = 100ms;
    timing.loading = 300ms;
    timing.running = 900ms + std::chrono::milliseconds(static_cast<int>(spread * 200));
    timing.listening = 300ms;
    timing.key_accepted = 300ms;
    timing.late_effect = 1500ms;
    timing.mishap = 2500ms;
    timing.stuck = 20s;
    return timing;
  }
  timing.search = 1300ms;
  timing.create = 1600ms;
  timing.visible = 700ms;
  timing.loading = 20s;
  timing.running = 30s + std::chrono::milliseconds(static_cast<int>(spread * 45000));
  timing.listening = 12s;
  timing.key_accepted = 10s + std::chrono::milliseconds(static_cast<int>(unit(random) * 10000));
  timing.late_effect = 20s;
  timing.mishap = 90s;
  timing.stuck = 7min;
  return timing;
}

Status status_of(const Instance& instance, base::Instant now) {
  if (instance.offline && now >= *instance.offline) {
    const bool fresh = now - *instance.offline < 1s;
    return {.actual = fresh ? "unknown" : "offline",
            .intended = "running",
            .current = "running",
            .next = "running",
            .message = "host disconnected"};
  }
  if (instance.halted && now >= *instance.halted) return stopped_status(instance, now);
  Status status{.actual = "running", .intended = "running", .current = "running", .next = "running", .message = {}};
  if (instance.mishaps.stuck_loading) {
    status.actual = before_running(instance, now);
    if (status.actual == "loading") {
      status.message = "Error response from daemon: manifest for " + instance.image + " not found: manifest unknown";
    }
    if (now - instance.booted >= instance.timing.stuck) status.intended = status.current = status.next = "stopped";
    return status;
  }
  if (now < instance.running_from()) {
    status.actual = before_running(instance, now);
    if (status.actual == "loading") status.message = "pulling image " + instance.image;
    return status;
  }
  status.message = "success, running " + image_words(instance) + "/ssh";
  return status;
}

double gpu_seconds(const Instance& instance, base::Instant now) {
  base::Duration total = instance.gpu_before;
  if (!instance.mishaps.stuck_loading && !instance.never_scheduled) {
    total += std::max(base::Duration::zero(), gpu_until(instance, now) - gpu_from(instance));
  }
  return static_cast<double>(total.count()) / 1e9;
}

double storage_seconds(const Instance& instance, base::Instant now) {
  base::Instant end = instance.destroyed ? std::min(now, *instance.destroyed) : now;
  if (instance.offline) end = std::min(end, *instance.offline);
  return static_cast<double>(std::max(base::Duration::zero(), end - instance.created).count()) / 1e9;
}

double storage_usd_per_hour(const Offer& offer, double gb) { return offer.storage_usd_gb_month * gb / 720.0; }

double traffic_usd(const Instance& instance) {
  return traffic_usd(instance.offer, instance.bytes_out, instance.bytes_in);
}

double traffic_usd(const Offer& offer, std::int64_t up, std::int64_t down) {
  return static_cast<double>(up) / 1e9 * offer.up_usd_gb + static_cast<double>(down) / 1e9 * offer.down_usd_gb;
}

double cost_usd(const Instance& instance, base::Instant now) {
  const double gpu = gpu_seconds(instance, now) / 3600.0 * instance.gpu_usd_per_hour;
  const double disk = storage_seconds(instance, now) / 3600.0 * storage_usd_per_hour(instance.offer, instance.disk_gb);
  return gpu + disk + traffic_usd(instance);
}

}  // namespace failover::sandbox
