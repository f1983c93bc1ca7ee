#include "tools/sandbox/world/pacing.h"

namespace failover::sandbox {
namespace {

struct Limit {
  double interval_s;
  std::size_t calls;  // that many within the interval
};

std::optional<Limit> limit_of(const std::string& endpoint) {
  static const std::map<std::string, Limit> limits{
      {"PUT asks/{id}", {4.5, 1}},
      {"PUT launch_instance", {5.0, 1}},
      {"PUT instances/bid_price/{id}", {5.5, 1}},
      {"DELETE instances/{id}", {3.0, 1}},
      {"GET instances/{id}", {2.0, 1}},
      {"DELETE instances/{id}/ssh/{key}", {2.0, 1}},
      {"PUT instances/command/{id}", {1.5, 1}},
      {"PUT instances/{id}", {1.0, 1}},
      {"PUT instances/reboot/{id}", {1.0, 1}},
      {"PUT instances/recycle/{id}", {1.0, 1}},
      {"GET v1 instances", {1.0, 1}},
      {"POST ssh", {1.0, 1}},
      {"PUT ssh/{id}", {1.0, 1}},
      {"GET charges", {1.0, 1}},
      {"POST bundles", {60.0, 10}},
  };
  const auto found = limits.find(endpoint);
  if (found == limits.end()) return std::nullopt;
  return found->second;
}

}  // namespace

std::optional<Pacing::Refusal> Pacing::call(const std::string& endpoint, const std::string& identity,
                                            base::Instant now) {
  const auto limit = limit_of(endpoint);
  if (!limit) return std::nullopt;
  auto& calls = calls_[endpoint + " " + identity];
  const base::Duration interval{static_cast<std::int64_t>(limit->interval_s * 1e9)};
  while (!calls.empty() && now - calls.front() >= interval) calls.pop_front();
  if (calls.size() >= limit->calls) return Refusal{limit->interval_s, refusals_++};
  calls.push_back(now);
  return std::nullopt;
}

}  // namespace failover::sandbox
