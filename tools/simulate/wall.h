// The runner's own clock: time passes as it does for everybody, and its wall clock is set by somebody while it runs.
#pragma once

#include "engine/base/clock.h"

namespace failover::simulate {

class RunnersClock final : public base::Clock {
 public:
  // `time` is the true one. From `at` on, since the start, the wall clock is wrong by `by`.
  RunnersClock(base::Clock& time, base::Duration at, base::Duration by) : time_(time), at_(time.now() + at), by_(by) {}
  [[nodiscard]] base::Instant now() const override { return time_.now(); }
  [[nodiscard]] base::WallTime wall() const override {
    return time_.wall() + (time_.now() < at_ ? base::Duration(0) : by_);
  }
  bool sleep_until(base::Instant at, const std::stop_token& stop) override { return time_.sleep_until(at, stop); }

 private:
  base::Clock& time_;
  const base::Instant at_;
  const base::Duration by_;
};

}  // namespace failover::simulate
