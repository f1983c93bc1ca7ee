// The instants that a journey marks, and the objectives measured between them. Thread-safe.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "engine/base/clock.h"
#include "engine/scenario/model.h"

namespace failover::run {

class Marks {
 public:
  // false: it is set already; a mark is one instant.
  bool set(scenario::Mark mark, base::Duration since_start);
  // `rto`, `rpo`, `mttd`; nullopt: the journey did not get there.
  [[nodiscard]] std::optional<base::Duration> measured(const std::string& objective) const;

 private:
  [[nodiscard]] std::optional<base::Duration> between(scenario::Mark from, scenario::Mark to) const;
  mutable std::mutex mutex_;
  std::map<scenario::Mark, base::Duration> at_;
};

}  // namespace failover::run
