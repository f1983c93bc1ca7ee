#include "engine/base/clock.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>

namespace failover::base {
namespace {

constexpr std::int64_t kDay = 86'400;

struct Date {
  int year, month, day;
};

// Of a day counted from 1970-01-01, in the Gregorian calendar (H. Hinnant, "chrono-Compatible Low-Level Date
// Algorithms", civil_from_days): a journal has a time in every record, and gmtime_r with snprintf is slow.
Date date_of(std::int64_t day) {
  day += 719'468;  // from 0000-03-01: the leap day ends a year
  const std::int64_t era = (day >= 0 ? day : day - 146'096) / 146'097;
  const std::int64_t of_era = day - era * 146'097;
  const std::int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36'524 - of_era / 146'096) / 365;
  const std::int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t from_march = (5 * of_year + 2) / 153;
  const std::int64_t month = from_march < 10 ? from_march + 3 : from_march - 9;
  return {static_cast<int>(year_of_era + era * 400 + (month <= 2 ? 1 : 0)), static_cast<int>(month),
          static_cast<int>(of_year - (153 * from_march + 2) / 5 + 1)};
}

// Writes the last `count` digits of `number`.
void put_digits(std::string& text, std::size_t at, std::size_t count, int number) {
  for (std::size_t i = count; i > 0; --i, number /= 10) text[at + i - 1] = static_cast<char>('0' + number % 10);
}

// The inverse (days_from_civil).
std::int64_t day_of(const Date& date) {
  const std::int64_t year = date.year - (date.month <= 2 ? 1 : 0);
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t of_era = year - era * 400;
  const std::int64_t of_year = (153 * (date.month > 2 ? date.month - 3 : date.month + 9) + 2) / 5 + date.day - 1;
  return era * 146'097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719'468;
}

constexpr std::size_t kWholeSeconds = 19;  // `2026-11-23T20:57:11`

// Seconds since 1970 of a text that begins as format_utc writes it, each part in its range.
std::optional<std::int64_t> as_written(std::string_view text) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00";
  if (text.size() < kWholeSeconds) return std::nullopt;
  for (std::size_t i = 0; i < kWholeSeconds; ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kShape[i] == '0' ? !digit : text[i] != kShape[i]) return std::nullopt;
  }
  const auto number = [&](std::size_t at, std::size_t count) {
    int out = 0;
    for (std::size_t i = 0; i < count; ++i) out = out * 10 + (text[at + i] - '0');
    return out;
  };
  const Date date{number(0, 4), number(5, 2), number(8, 2)};
  const int hour = number(11, 2), minute = number(14, 2), second = number(17, 2);
  if (date.month < 1 || date.month > 12 || date.day < 1 || date.day > 28 || hour > 23 || minute > 59 || second > 59)
    return std::nullopt;  // rare, or not a date: the library's business
  return day_of(date) * kDay + hour * 3600 + minute * 60 + second;
}

// Years of more or less than four digits.
std::string far_off(std::int64_t whole, long rest) {
  const auto second = static_cast<std::time_t>(whole);
  std::tm parts{};
  gmtime_r(&second, &parts);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%06ldZ", parts.tm_year + 1900, parts.tm_mon + 1,
                parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, rest);
  return text;
}

}  // namespace

Duration since_boot() {
#ifdef CLOCK_BOOTTIME
  timespec at{};
  if (::clock_gettime(CLOCK_BOOTTIME, &at) == 0) return std::chrono::seconds(at.tv_sec) + Duration(at.tv_nsec);
#endif
  return std::chrono::steady_clock::now().time_since_epoch();
}

Instant SystemClock::now() const { return Instant(since_boot()); }
WallTime SystemClock::wall() const { return std::chrono::system_clock::now(); }

bool SystemClock::sleep_until(Instant at, const std::stop_token& stop) {
  // A wait's own clock stands still while the host is suspended: it looks at ours now and then.
  constexpr Duration kLook = std::chrono::seconds(1);
  std::mutex mutex;
  std::condition_variable_any woken;
  std::unique_lock lock(mutex);
  for (Duration left = at - now(); left > Duration::zero() && !stop.stop_requested(); left = at - now())
    woken.wait_for(lock, stop, std::min(left, kLook), [] { return false; });
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
  std::int64_t whole = micros / 1'000'000;
  long rest = static_cast<long>(micros % 1'000'000);
  if (rest < 0) {
    rest += 1'000'000;
    --whole;
  }
  const std::int64_t day = whole >= 0 ? whole / kDay : (whole - kDay + 1) / kDay;
  const Date date = date_of(day);
  if (date.year < 0 || date.year > 9999) return far_off(whole, rest);
  const auto second = static_cast<int>(whole - day * kDay);
  std::string out = "0000-00-00T00:00:00.000000Z";
  put_digits(out, 0, 4, date.year);
  put_digits(out, 5, 2, date.month);
  put_digits(out, 8, 2, date.day);
  put_digits(out, 11, 2, second / 3600);
  put_digits(out, 14, 2, second / 60 % 60);
  put_digits(out, 17, 2, second % 60);
  put_digits(out, 20, 6, static_cast<int>(rest));
  return out;
}

std::optional<WallTime> parse_utc(std::string_view text) {
  std::tm parts{};
  std::int64_t seconds = 0;
  std::size_t used = 0;
  if (const auto exact = as_written(text)) {
    seconds = *exact;
    used = kWholeSeconds;
  } else {
    int scanned = 0;
    const std::string copy(text);
    if (std::sscanf(copy.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &parts.tm_year, &parts.tm_mon, &parts.tm_mday,
                    &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &scanned) != 6) {
      return std::nullopt;
    }
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    const std::tm said = parts;
    seconds = timegm(&parts);
    // It makes a day of March of the 30th of February.
    if (parts.tm_mday != said.tm_mday || parts.tm_hour != said.tm_hour || parts.tm_min != said.tm_min ||
        (parts.tm_sec != said.tm_sec && said.tm_sec != 60))
      return std::nullopt;
    used = static_cast<std::size_t>(scanned);
  }
  std::string_view rest = text.substr(used);
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
  return WallTime(std::chrono::seconds(seconds) + Duration(nanos));
}

double seconds(Duration time) { return std::round(static_cast<double>(time.count()) / 1e6) / 1e3; }

}  // namespace failover::base
