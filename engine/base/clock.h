// Time, and being told to stop. Nothing in this program waits except through a Patience, so that a fake
// clock can drive a whole journey and a stop request reaches every wait at once.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <type_traits>

#include "engine/base/error.h"

namespace failover::base {

using Duration = std::chrono::nanoseconds;
// Monotonic time: for deadlines and for measuring. It goes on while the host is suspended, as the remote's time does:
// a machine costs money and an unanswered request takes effect whether the laptop's lid is open or not. Never compared
// between processes, but by since_boot().
using Instant = std::chrono::time_point<std::chrono::steady_clock, Duration>;
// Wall-clock time, UTC: for journals, reports, signatures and labels.
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Instant now() const = 0;
  [[nodiscard]] virtual WallTime wall() const = 0;
  // Waits until `at` or until `stop` is asked for; true when the time came.
  virtual bool sleep_until(Instant at, const std::stop_token& stop) = 0;
};

// The machine's own clocks. Thread-safe.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override;
  [[nodiscard]] WallTime wall() const override;
  bool sleep_until(Instant at, const std::stop_token& stop) override;
};

// A clock that moves only when somebody sleeps on it or advances it: twenty minutes take microseconds. Thread-safe.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(WallTime start);
  [[nodiscard]] Instant now() const override;
  [[nodiscard]] WallTime wall() const override;
  bool sleep_until(Instant at, const std::stop_token& stop) override;
  void advance(Duration by);

 private:
  mutable std::mutex mutex_;
  WallTime start_;
  Duration passed_{0};
};

// How long a doing may take and who may stop it: passed to every blocking call. A value; copies share the
// clock (which must outlive them). A deadline only ever tightens.
class Patience {
 public:
  Patience(Clock& clock, Instant deadline, std::stop_token stop)
      : clock_(&clock), deadline_(deadline), stop_(std::move(stop)) {}

  [[nodiscard]] Clock& clock() const { return *clock_; }
  [[nodiscard]] Instant deadline() const { return deadline_; }
  [[nodiscard]] const std::stop_token& stop() const { return stop_; }

  // Time left, never negative.
  [[nodiscard]] Duration left() const;
  // The same, but no longer than `limit` from now.
  [[nodiscard]] Patience within(Duration limit) const;
  // An Error{cancelled} or Error{timeout} when there is no patience left.
  [[nodiscard]] Result<void> check() const;
  // Waits `time`; Error when stopped, or when the deadline comes first (it then returns at the deadline).
  [[nodiscard]] Result<void> sleep(Duration time) const;

  // Calls `probe` (-> Result<std::optional<T>>) now and then every `interval` until it yields a value or an
  // error, or patience ends.
  template <class Probe>
  auto poll(Duration interval, Probe probe) const
      -> Result<typename std::remove_cvref_t<decltype(*probe())>::value_type> {
    for (;;) {
      auto seen = probe();
      if (!seen) return std::move(seen).error();
      if (*seen) return **seen;
      if (auto slept = sleep(interval); !slept) return std::move(slept).error();
    }
  }

 private:
  Clock* clock_;
  Instant deadline_;
  std::stop_token stop_;
};

// How long this host has been up, suspension included where the system has a clock that tells it (Linux); the clock
// that nobody can set. The same for every process of one boot.
Duration since_boot();

// `2026-11-23T20:57:11.123456Z` (microseconds) in UTC.
std::string format_utc(WallTime at);
// Reads what format_utc writes (any number of fraction digits, zero included).
std::optional<WallTime> parse_utc(std::string_view text);
// Seconds with millisecond resolution, for reports.
double seconds(Duration time);

}  // namespace failover::base
