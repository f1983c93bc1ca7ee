#include "engine/base/clock.h"

#include <cmath>
#include <cstdio>
#include <ctime>

namespace failover::base {

Instant SystemClock::now() const { return std::chrono::steady_clock::now(); }
WallTime SystemClock::wall() const { return std::chrono::system_clock::now(); }

bool SystemClock::sleep_until(Instant at, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any woken;
  std::unique_lock lock(mutex);
  woken.wait_until(lock, stop, at, [] { return false; });
  return !stop.stop_requested();
}

FakeClock::FakeClock(WallTime start) : start_(start) {}

Instant FakeClock::now() const {
  const std::lock_guard lock(mutex_);
  return Instant(passed_);
}

WallTime FakeClock::wall() const {
  const std::lock_guard lock(mutex_);
  return start_ + passed_;
}

bool FakeClock::sleep_until(Instant at, const std::stop_token& stop) {
  if (stop.stop_requested()) return false;
  const std::lock_guard lock(mutex_);
  if (at > Instant(passed_)) passed_ = at.time_since_epoch();
  return true;
}

void FakeClock::advance(Duration by) {
  const std::lock_guard lock(mutex_);
  passed_ += by;
}

Duration Patience::left() const {
  const Duration rest = deadline_ - clock_->now();
  return rest > Duration::zero() ? rest : Duration::zero();
}

Patience Patience::within(Duration limit) const {
  const Instant now = clock_->now();
  // A limit so long that it would overflow leaves the deadline as it is.
  if (limit >= deadline_ - now) return *this;
  return {*clock_, now + limit, stop_};
}

Result<void> Patience::check() const {
  if (stop_.stop_requested()) return Error{Fault::cancelled, "stopped", "stopped on request"};
  if (clock_->now() >= deadline_) return Error{Fault::timeout, "deadline", "the time for this ran out"};
  return {};
}

Result<void> Patience::sleep(Duration time) const {
  if (auto alive = check(); !alive) return alive;
  const Instant now = clock_->now();
  const Instant end = time >= deadline_ - now ? deadline_ : now + time;
  clock_->sleep_until(end, stop_);
  return check();
}

std::string format_utc(WallTime at) {
  using std::chrono::floor;
  const auto micros = floor<std::chrono::microseconds>(at.time_since_epoch()).count();
  std::time_t whole = static_cast<std::time_t>(micros / 1'000'000);
  long rest = static_cast<long>(micros % 1'000'000);
  if (rest < 0) {
    rest += 1'000'000;
    --whole;
  }
  std::tm parts{};
  gmtime_r(&whole, &parts);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%06ldZ", parts.tm_year + 1900, parts.tm_mon + 1,
                parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, rest);
  return text;
}

std::optional<WallTime> parse_utc(std::string_view text) {
  std::tm parts{};
  int used = 0;
  const std::string copy(text);
  if (std::sscanf(copy.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &parts.tm_year, &parts.tm_mon, &parts.tm_mday,
                  &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &used) != 6) {
    return std::nullopt;
  }
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  std::string_view rest = text.substr(static_cast<std::size_t>(used));
  std::int64_t nanos = 0;
  if (!rest.empty() && rest.front() == '.') {
    rest.remove_prefix(1);
    std::int64_t unit = 100'000'000;
    while (!rest.empty() && rest.front() >= '0' && rest.front() <= '9') {
      nanos += (rest.front() - '0') * unit;
      unit /= 10;
      rest.remove_prefix(1);
    }
  }
  if (rest != "Z") return std::nullopt;
  return WallTime(std::chrono::seconds(timegm(&parts)) + Duration(nanos));
}

double seconds(Duration time) { return std::round(static_cast<double>(time.count()) / 1e6) / 1e3; }

}  // namespace failover::base
