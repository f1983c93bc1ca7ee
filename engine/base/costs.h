// Arithmetic of costs in integers: never wraps round, so that a sum that is too large stays above every limit.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "engine/base/units.h"

namespace failover::base {

// Saturates at both ends.
inline Money sum_of(Money a, Money b) {
  std::int64_t out = 0;
  if (!__builtin_add_overflow(a.micros, b.micros, &out)) return {out};
  return {a.micros < 0 ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max()};
}

// price per GB (10^9 bytes) x bytes, rounded up to the millionth; saturates. Nothing for what is not positive.
inline Money traffic_cost(Money per_gb, std::int64_t bytes) {
  if (per_gb.micros <= 0 || bytes <= 0) return {};
  __extension__ using Wide = __int128;
  constexpr Wide kGigabyte = 1'000'000'000;
  const Wide cost = (Wide{per_gb.micros} * bytes + kGigabyte - 1) / kGigabyte;
  return {static_cast<std::int64_t>(std::min<Wide>(cost, std::numeric_limits<std::int64_t>::max()))};
}

}  // namespace failover::base
