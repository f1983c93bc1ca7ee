// How often the Vast service may be asked (references/vastai-api.md 10): a minimum interval per endpoint and caller.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>

#include "engine/base/clock.h"

namespace failover::sandbox {

// Not thread-safe: the world's lock guards it. A refused call does not restart the interval.
class Pacing {
 public:
  struct Refusal {
    double threshold_s = 0;  // the interval that was not kept
    int number = 0;          // of refusals so far: its rest by 4 picks the shape of the answer
  };
  // Notes a call of `endpoint` (`GET instances/{id}`) by `identity`; a refusal when it comes too soon.
  std::optional<Refusal> call(const std::string& endpoint, const std::string& identity, base::Instant now);
  // The next number, for a refusal that has another reason.
  int next_number() { return refusals_++; }

 private:
  std::map<std::string, std::deque<base::Instant>> calls_;
  int refusals_ = 0;
};

}  // namespace failover::sandbox
