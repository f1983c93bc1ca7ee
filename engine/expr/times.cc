// Timestamps as RFC 3339 writes them, and the parts of timestamps and durations.
#include <chrono>
#include <cstdio>

#include "engine/base/text.h"
#include "engine/expr/lexer.h"
#include "engine/expr/operations.h"

namespace failover::expr {
namespace {

using base::Duration;
using base::Result;
using base::Value;
using base::WallTime;
namespace time = std::chrono;

__extension__ using Wide = __int128;

// Takes exactly `digits` digits off the front.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (!is_digit(text[i])) return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

// `hh:mm` and the end.
std::optional<time::minutes> read_offset(std::string_view text) {
  const auto hours = take_number(text, 2);
  if (!hours || !take(text, ":")) return std::nullopt;
  const auto minutes = take_number(text, 2);
  if (!minutes || !text.empty() || *hours > 23 || *minutes > 59) return std::nullopt;
  return time::hours(*hours) + time::minutes(*minutes);
}

std::optional<time::sys_days> take_date(std::string_view& text) {
  const auto year = take_number(text, 4);
  if (!year || !take(text, "-")) return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take(text, "-")) return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day) return std::nullopt;
  const time::year_month_day date(time::year(*year), time::month(static_cast<unsigned>(*month)),
                                  time::day(static_cast<unsigned>(*day)));
  return date.ok() ? std::optional(time::sys_days(date)) : std::nullopt;
}

// Seconds of the day; there is no leap second in CEL.
std::optional<time::seconds> take_clock(std::string_view& text) {
  const auto hours = take_number(text, 2);
  if (!hours || !take(text, ":")) return std::nullopt;
  const auto minutes = take_number(text, 2);
  if (!minutes || !take(text, ":")) return std::nullopt;
  const auto seconds = take_number(text, 2);
  if (!seconds || *hours > 23 || *minutes > 59 || *seconds > 59) return std::nullopt;
  return time::hours(*hours) + time::minutes(*minutes) + time::seconds(*seconds);
}

// What is behind the point; digits past the ninth are dropped.
std::optional<std::int64_t> take_nanoseconds(std::string_view& text) {
  if (!take(text, ".")) return 0;
  if (text.empty() || !is_digit(text.front())) return std::nullopt;
  std::int64_t nanos = 0;
  for (std::int64_t unit = 100'000'000; !text.empty() && is_digit(text.front()); unit /= 10) {
    nanos += (text.front() - '0') * unit;
    text.remove_prefix(1);
  }
  return nanos;
}

std::int64_t part_of(TimePart part, WallTime at) {
  const auto day = time::floor<time::days>(at);
  const time::year_month_day date(day);
  // Not `at - day`: the first day that there is begins before the first moment that 64 bits can hold.
  constexpr std::int64_t kDay = Duration(time::days(1)).count();
  const Duration since((at.time_since_epoch().count() % kDay + kDay) % kDay);
  const auto in = [&](auto unit) { return std::int64_t{time::floor<decltype(unit)>(since).count()}; };
  switch (part) {
    case TimePart::year: return static_cast<int>(date.year());
    case TimePart::month: return static_cast<std::int64_t>(static_cast<unsigned>(date.month())) - 1;
    case TimePart::date: return static_cast<unsigned>(date.day());
    case TimePart::day_of_month: return static_cast<std::int64_t>(static_cast<unsigned>(date.day())) - 1;
    case TimePart::day_of_week: return time::weekday(day).c_encoding();
    case TimePart::day_of_year: return (day - time::sys_days(date.year() / time::January / 1)).count();
    case TimePart::hours: return in(time::hours());
    case TimePart::minutes: return in(time::minutes()) % 60;
    case TimePart::seconds: return in(time::seconds()) % 60;
    case TimePart::milliseconds: return in(time::milliseconds()) % 1000;
  }
  return 0;
}

// The whole duration in the unit; of milliseconds those behind the second.
std::int64_t part_of(TimePart part, Duration span) {
  switch (part) {
    case TimePart::hours: return time::duration_cast<time::hours>(span).count();
    case TimePart::minutes: return time::duration_cast<time::minutes>(span).count();
    case TimePart::seconds: return time::duration_cast<time::seconds>(span).count();
    default: return time::duration_cast<time::milliseconds>(span).count() % 1000;
  }
}

const char* name_of(TimePart part) {
  static constexpr const char* kNames[] = {"getFullYear",  "getMonth",       "getDate",  "getDayOfMonth",
                                           "getDayOfWeek", "getDayOfYear",   "getHours", "getMinutes",
                                           "getSeconds",   "getMilliseconds"};
  return kNames[static_cast<std::size_t>(part)];
}

}  // namespace

std::optional<WallTime> read_timestamp(std::string_view text) {
  const auto day = take_date(text);
  if (!day || !take(text, "Tt")) return std::nullopt;
  const auto clock = take_clock(text);
  if (!clock) return std::nullopt;
  const auto nanos = take_nanoseconds(text);
  if (!nanos) return std::nullopt;
  std::optional<time::minutes> offset;
  if (text == "Z" || text == "z") {
    offset = time::minutes(0);
  } else if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
    offset = read_offset(text.substr(1));
    if (offset && text.front() == '-') offset = -*offset;
  }
  if (!offset) return std::nullopt;
  const Wide seconds = Wide{time::seconds(day->time_since_epoch()).count()} + clock->count() - offset->count() * 60;
  const Wide total = seconds * 1'000'000'000 + *nanos;
  if (total > INT64_MAX || total < INT64_MIN) return std::nullopt;
  return WallTime(Duration(static_cast<std::int64_t>(total)));
}

std::string format_timestamp(WallTime at) {
  const auto second = time::floor<time::seconds>(at);
  const auto day = time::floor<time::days>(second);
  const time::year_month_day date(day);
  const time::hh_mm_ss clock(second - day);
  char text[80];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  std::string out = text;
  // `at - second` would leave 64 bits at the very first moment that there is.
  std::int64_t nanos = at.time_since_epoch().count() % 1'000'000'000;
  if (nanos < 0) nanos += 1'000'000'000;
  if (nanos != 0) {
    std::string fraction = std::to_string(1'000'000'000 + nanos).substr(1);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    out += "." + fraction;
  }
  return out + "Z";
}

std::optional<Duration> read_zone(std::string_view text) {
  if (text == "UTC" || text == "Z") return Duration::zero();
  const bool minus = !text.empty() && text.front() == '-';
  if (minus || (!text.empty() && text.front() == '+')) text.remove_prefix(1);
  const auto offset = read_offset(text);
  if (!offset) return std::nullopt;
  return minus ? -*offset : *offset;
}

Result<Value> time_part(TimePart part, Function::Arguments arguments) {
  const auto* at = arguments[0]->get<WallTime>();
  if (const auto* span = arguments[0]->get<Duration>();
      span != nullptr && arguments.size() == 1 && part >= TimePart::hours) {
    return Value(part_of(part, *span));
  }
  if (at == nullptr) return wrong_arguments(name_of(part), arguments);
  if (arguments.size() == 1) return Value(part_of(part, *at));
  const auto* zone = arguments[1]->text();
  if (zone == nullptr) return wrong_arguments(name_of(part), arguments);
  const auto offset = read_zone(*zone);
  if (!offset) {
    return broken("bad_time_zone", "`" + base::printable(*zone, 60) +
                                       "` is no time zone that is known here: UTC, or an offset like +02:00");
  }
  std::int64_t shifted = 0;
  if (__builtin_add_overflow(at->time_since_epoch().count(), offset->count(), &shifted)) return overflow();
  return Value(part_of(part, WallTime(Duration(shifted))));
}

}  // namespace failover::expr
