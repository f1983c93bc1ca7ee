#include "engine/run/retries.h"

#include <algorithm>
#include <cmath>

#include "engine/base/digest.h"

namespace failover::run {
namespace {

using base::Duration;
using namespace std::chrono_literals;

template <class T>
T value_or(const std::optional<scenario::Given>& given, const expr::Values& values, T fallback) {
  if (!given) return fallback;
  const auto value = scenario::evaluate(*given, values);
  const T* held = value ? value->template get<T>() : nullptr;
  return held == nullptr ? fallback : *held;
}

double number_or(const std::optional<scenario::Given>& given, const expr::Values& values, double fallback) {
  const auto whole = value_or<std::int64_t>(given, values, -1);
  return whole >= 0 ? static_cast<double>(whole) : value_or<double>(given, values, fallback);
}

}  // namespace

Retries::Retries(const scenario::Seldom<scenario::Retry>& written, const expr::Values& values) {
  if (!written) return;
  for (const auto& fault : written->errors) faults_.push_back(fault.value);
  attempts_ = value_or<std::int64_t>(written->attempts, values, 3);
  delay_ = value_or<Duration>(written->delay, values, 2s);
  max_ = value_or<Duration>(written->max_delay, values, 60s);
  backoff_ = number_or(written->backoff, values, 2.0);
  full_jitter_ = written->jitter == scenario::Jitter::full;
}

bool Retries::again(base::Fault fault, int attempt) const {
  return attempt < attempts_ && std::find(faults_.begin(), faults_.end(), fault) != faults_.end();
}

Duration Retries::delay(int attempt) const {
  const double grown = static_cast<double>(delay_.count()) * std::pow(backoff_, attempt - 1);
  const double capped = std::min(grown, static_cast<double>(max_.count()));
  const double share =
      full_jitter_ ? static_cast<double>(static_cast<unsigned char>(base::random_bytes(1)[0])) / 255.0 : 1.0;
  return Duration(static_cast<std::int64_t>(capped * share));
}

}  // namespace failover::run
