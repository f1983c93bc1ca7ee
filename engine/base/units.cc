#include "engine/base/units.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <utility>

namespace failover::base {
namespace {

__extension__ using Wide = __int128;  // wide enough for price x nanoseconds
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Digits with an optional fraction, as units of 10^-scale: `1.5` at scale 6 is 1500000. Consumes what it reads.
std::optional<Wide> take_decimal(std::string_view& text, int scale, bool exact) {
  Wide value = 0;
  std::size_t at = 0;
  while (at < text.size() && is_digit(text[at])) {
    if (at >= 18) return std::nullopt;
    value = value * 10 + (text[at] - '0');
    ++at;
  }
  if (at == 0) return std::nullopt;
  int digits = 0;
  if (at < text.size() && text[at] == '.') {
    ++at;
    const std::size_t first = at;
    while (at < text.size() && is_digit(text[at])) {
      if (digits < scale) {
        value = value * 10 + (text[at] - '0');
        ++digits;
      } else if (exact) {
        return std::nullopt;
      }
      ++at;
    }
    if (at == first) return std::nullopt;
  }
  for (; digits < scale; ++digits) value *= 10;
  text.remove_prefix(at);
  return value;
}

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

constexpr std::array<Unit, 10> kSizes{{{"B", 1},
                                       {"KB", 1'000},
                                       {"kB", 1'000},
                                       {"MB", 1'000'000},
                                       {"GB", 1'000'000'000},
                                       {"TB", 1'000'000'000'000},
                                       {"KiB", 1LL << 10},
                                       {"MiB", 1LL << 20},
                                       {"GiB", 1LL << 30},
                                       {"TiB", 1LL << 40}}};
constexpr std::array<Unit, 5> kRates{
    {{"b/s", 1}, {"Kb/s", 1'000}, {"kb/s", 1'000}, {"Mb/s", 1'000'000}, {"Gb/s", 1'000'000'000}}};

template <std::size_t N>
std::optional<std::int64_t> parse_quantity(std::string_view text, const std::array<Unit, N>& units) {
  constexpr int kScale = 6;
  const auto number = take_decimal(text, kScale, true);
  if (!number) return std::nullopt;
  if (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  for (const auto& unit : units) {
    if (text != unit.name) continue;
    const Wide scaled = *number * unit.factor;
    if (scaled % 1'000'000 != 0 || scaled / 1'000'000 > kMax) return std::nullopt;
    return static_cast<std::int64_t>(scaled / 1'000'000);
  }
  return std::nullopt;
}

// Of digits with a fraction.
std::string trim_zeros(std::string text) {
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string format_quantity(std::int64_t value, const char* const (&names)[5]) {
  double scaled = static_cast<double>(value);
  std::size_t unit = 0;
  while (std::abs(scaled) >= 1000.0 && unit + 1 < 5) {
    scaled /= 1000.0;
    ++unit;
  }
  char text[64];
  std::snprintf(text, sizeof text, "%.2f", scaled);
  return trim_zeros(text) + " " + names[unit];
}

}  // namespace

std::optional<Money> parse_money(std::string_view text) {
  if (text.empty() || text.front() != '$') return std::nullopt;
  text.remove_prefix(1);
  // `$010` may be meant as eight or as ten: nobody guesses about money.
  if (text.size() > 1 && text[0] == '0' && is_digit(text[1])) return std::nullopt;
  const auto micros = take_decimal(text, 6, true);
  if (!micros || !text.empty() || *micros > kMax) return std::nullopt;
  return Money{static_cast<std::int64_t>(*micros)};
}

std::string format(Money money) {
  const auto micros = static_cast<std::uint64_t>(money.micros);
  const std::uint64_t positive = money.micros < 0 ? std::uint64_t{0} - micros : micros;
  char text[64];
  std::snprintf(text, sizeof text, "%s$%llu.%06llu", money.micros < 0 ? "-" : "",
                static_cast<unsigned long long>(positive / 1'000'000),
                static_cast<unsigned long long>(positive % 1'000'000));
  std::string out = text;
  const std::size_t least = out.find('.') + 3;
  while (out.size() > least && out.back() == '0') out.pop_back();
  return out;
}

double usd(Money money) { return static_cast<double>(money.micros) / 1e6; }

std::optional<Money> money_from_usd(double usd) {
  if (!(usd >= 0.0) || usd > 1e9) return std::nullopt;
  return Money{std::llround(usd * 1e6)};
}

Money cost_of(Money per_hour, Duration time) {
  if (per_hour.micros <= 0 || time <= Duration::zero()) return {};
  constexpr Wide kHour = Wide{3'600} * 1'000'000'000;
  const Wide cost = (Wide{per_hour.micros} * time.count() + kHour - 1) / kHour;
  return {cost > kMax ? kMax : static_cast<std::int64_t>(cost)};
}

std::optional<Size> parse_size(std::string_view text) {
  const auto bytes = parse_quantity(text, kSizes);
  if (!bytes) return std::nullopt;
  return Size{*bytes};
}

std::string format(Size size) {
  static constexpr const char* kNames[5] = {"B", "KB", "MB", "GB", "TB"};
  return format_quantity(size.bytes, kNames);
}

std::optional<Rate> parse_rate(std::string_view text) {
  const auto bits = parse_quantity(text, kRates);
  if (!bits) return std::nullopt;
  return Rate{*bits};
}

std::string format(Rate rate) {
  static constexpr const char* kNames[5] = {"b/s", "Kb/s", "Mb/s", "Gb/s", "Tb/s"};
  return format_quantity(rate.bits_per_second, kNames);
}

std::optional<Duration> parse_duration(std::string_view text) {
  if (text == "0") return Duration::zero();
  static constexpr std::array<Unit, 8> kUnits{{{"ns", 1},
                                               {"us", 1'000},
                                               {"µs", 1'000},
                                               {"ms", 1'000'000},
                                               {"s", 1'000'000'000},
                                               {"m", 60'000'000'000},
                                               {"h", 3'600'000'000'000},
                                               {"d", 86'400'000'000'000}}};
  if (text.empty()) return std::nullopt;
  Wide total = 0;
  while (!text.empty()) {
    const auto number = take_decimal(text, 9, false);
    if (!number) return std::nullopt;
    std::size_t length = 0;
    while (length < text.size() && !is_digit(text[length]) && text[length] != '.') ++length;
    const std::string_view name = text.substr(0, length);
    const Unit* found = nullptr;
    for (const auto& unit : kUnits) {
      if (unit.name == name) found = &unit;
    }
    if (found == nullptr) return std::nullopt;
    constexpr Wide kScale = 1'000'000'000;
    if (*number > Wide{kMax} * kScale / found->factor) return std::nullopt;  // the product may not fit in Wide either
    total += *number * found->factor / kScale;
    if (total > kMax) return std::nullopt;
    text.remove_prefix(length);
  }
  return Duration(static_cast<std::int64_t>(total));
}

std::string format(Duration time) {
  if (time < Duration::zero()) {
    if (time == Duration::min()) return "-2562047h47m16.854775808s";
    return "-" + format(-time);
  }
  const std::int64_t nanos = time.count();
  if (nanos == 0) return "0s";
  char text[64];
  if (nanos < 1'000'000'000) {
    const auto [divisor, name] = nanos >= 1'000'000 ? std::pair{1e6, "ms"}
                                 : nanos >= 1'000   ? std::pair{1e3, "us"}
                                                    : std::pair{1.0, "ns"};
    std::snprintf(text, sizeof text, "%.6f", static_cast<double>(nanos) / divisor);
    return trim_zeros(text) + name;
  }
  std::string out;
  const std::int64_t whole = nanos / 1'000'000'000;
  if (whole >= 3600) out += std::to_string(whole / 3600) + "h";
  if (whole >= 60) out += std::to_string(whole % 3600 / 60) + "m";
  std::snprintf(text, sizeof text, "%lld.%09lld", static_cast<long long>(whole % 60),
                static_cast<long long>(nanos % 1'000'000'000));
  return out + trim_zeros(text) + "s";
}

std::string in_short(Duration time) {
  constexpr Duration kDay = std::chrono::hours(24);
  if (time >= kDay && time % kDay == Duration::zero()) return std::to_string(time / kDay) + "d";
  std::string out = format(time);
  if (out.ends_with("m0s")) out.resize(out.size() - 2);
  if (out.ends_with("h0m")) out.resize(out.size() - 2);
  return out;
}

}  // namespace failover::base
