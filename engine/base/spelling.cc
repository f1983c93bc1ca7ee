#include "engine/base/spelling.h"

#include <algorithm>
#include <initializer_list>

#include "engine/base/text.h"
#include "engine/base/units.h"

namespace failover::base {
namespace {

constexpr std::size_t kLongest = 60;

struct Spelling {
  std::string_view unit;
  std::initializer_list<std::string_view> others;
};

const Spelling kDurations[] = {{"ms", {"ms", "msec", "msecs", "millisecond", "milliseconds"}},
                               {"s", {"s", "sec", "secs", "second", "seconds"}},
                               {"m", {"m", "min", "mins", "minute", "minutes"}},
                               {"h", {"h", "hr", "hrs", "hour", "hours"}},
                               {"d", {"d", "day", "days"}}};
const Spelling kSizes[] = {{"B", {"b", "byte", "bytes"}},
                           {"KB", {"k", "kb", "kilobyte", "kilobytes"}},
                           {"MB", {"m", "mb", "megabyte", "megabytes"}},
                           {"GB", {"g", "gb", "gigabyte", "gigabytes"}},
                           {"TB", {"t", "tb", "terabyte", "terabytes"}},
                           {"KiB", {"ki", "kib"}},
                           {"MiB", {"mi", "mib"}},
                           {"GiB", {"gi", "gib"}},
                           {"TiB", {"ti", "tib"}}};
const Spelling kRates[] = {{"b/s", {"bps", "b/s", "bit/s", "bits/s"}},
                           {"Kb/s", {"kbps", "kb/s", "kbit/s", "kbits/s"}},
                           {"Mb/s", {"mbps", "mb/s", "mbit/s", "mbits/s"}},
                           {"Gb/s", {"gbps", "gb/s", "gbit/s", "gbits/s"}}};

template <std::size_t N>
std::string_view unit_of(const Spelling (&all)[N], std::string_view word) {
  const std::string lowered = lower(word);
  for (const auto& one : all) {
    if (std::find(one.others.begin(), one.others.end(), lowered) != one.others.end()) return one.unit;
  }
  return {};
}

// Takes the number that `text` begins with; empty without one.
std::string_view take_number(std::string_view& text) {
  text = trim(text);
  const std::size_t end = std::min(text.find_first_not_of("0123456789."), text.size());
  const std::string_view number = text.substr(0, end);
  text = trim(text.substr(end));
  return number;
}

}  // namespace

std::string money_spelled(std::string_view text) {
  if (text.size() > kLongest) return {};
  std::string bare(trim(text));
  std::string lowered = lower(bare);
  for (const std::string_view sign : {"us$", "usd", "$", "dollars", "dollar"}) {
    if (lowered.starts_with(sign)) lowered.erase(0, sign.size());
    if (lowered.ends_with(sign)) lowered.resize(lowered.size() - sign.size());
  }
  bool cents = false;
  for (const std::string_view sign : {"cents", "cent", "ct", "c", "\u00A2"}) {
    if (cents || !lowered.ends_with(sign)) continue;
    lowered.resize(lowered.size() - sign.size());
    cents = true;
  }
  std::string number(trim(lowered));
  // A comma before one or two digits at the end is no thousands' one.
  if (const std::size_t comma = number.find(','); comma != std::string::npos && number.size() - comma <= 3)
    number[comma] = '.';
  if (number.starts_with('.')) number.insert(0, 1, '0');
  const auto read = parse_money("$" + number);
  if (!read || (cents && read->micros % 1'000'000 != 0)) return {};
  return cents ? format(Money{read->micros / 100}) : "$" + number;
}

std::string size_spelled(std::string_view text) {
  if (text.size() > kLongest) return {};
  const std::string number(take_number(text));
  const std::string out = number + " " + std::string(unit_of(kSizes, text));
  return parse_size(out) ? out : std::string();
}

std::string rate_spelled(std::string_view text) {
  if (text.size() > kLongest) return {};
  std::string number(take_number(text));
  const auto count = parse_integer(number);
  // A large B is a byte.
  if (text.find('B') != std::string_view::npos && count && *count < 1'000'000) number = std::to_string(*count * 8);
  const std::string out = number + " " + std::string(unit_of(kRates, text));
  return parse_rate(out) ? out : std::string();
}

std::string duration_spelled(std::string_view text) {
  if (text.size() > kLongest) return {};
  std::string out;
  while (!text.empty()) {
    out += take_number(text);
    const std::size_t end = std::min(text.find_first_of("0123456789. ,"), text.size());
    const std::string_view unit = unit_of(kDurations, text.substr(0, end));
    if (unit.empty()) return {};
    out += unit;
    text = trim(text.substr(end));
    if (text.starts_with(',')) text = trim(text.substr(1));
    if (text.starts_with("and ")) text = trim(text.substr(4));
  }
  return parse_duration(out) ? out : std::string();
}

}  // namespace failover::base
