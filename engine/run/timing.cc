#include "engine/run/timing.h"

namespace failover::run {

using base::Duration;

bool Marks::set(scenario::Mark mark, Duration since_start) {
  const std::lock_guard lock(mutex_);
  return at_.emplace(mark, since_start).second;
}

std::optional<Duration> Marks::between(scenario::Mark from, scenario::Mark to) const {
  const std::lock_guard lock(mutex_);
  const auto first = at_.find(from);
  const auto second = at_.find(to);
  if (first == at_.end() || second == at_.end()) return std::nullopt;
  // The other way round measures nothing.
  if (second->second < first->second) return std::nullopt;
  return second->second - first->second;
}

// How much was lost: the `recovered` step proved that everything the journey wrote is there, so nothing. A journey
// that did not get there proves nothing, and the objective is missed.
std::optional<Duration> Marks::measured(const std::string& objective) const {
  using scenario::Mark;
  if (objective == "mttd") return between(Mark::failure, Mark::detected);
  const auto recovery = between(Mark::failure, Mark::recovered);
  if (objective == "rpo") return recovery ? std::optional<Duration>(0) : std::nullopt;
  return recovery;
}

}  // namespace failover::run
