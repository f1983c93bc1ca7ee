#include "engine/source/scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "engine/base/text.h"

namespace failover::source {
namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }
bool all_digits(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), digit); }

bool number_shape(std::string_view text) {
  std::size_t at = 0;
  const auto digits = [&] {
    const std::size_t first = at;
    while (at < text.size() && digit(text[at])) ++at;
    return at - first;
  };
  const std::size_t whole = digits();
  std::size_t fraction = 0;
  if (at < text.size() && text[at] == '.') {
    ++at;
    fraction = digits();
  }
  if (whole + fraction == 0) return false;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (digits() == 0) return false;
  }
  return at == text.size();
}

Meaning integer(std::string_view digits, bool negative, int base) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  const bool whole = end == digits.data() + digits.size();
  if (error == std::errc::invalid_argument || !whole) return Text{};
  const std::uint64_t limit = (std::uint64_t{1} << 63U) - (negative ? 0 : 1);
  if (error != std::errc() || value > limit) return Unfit{"does not fit into 64 bits"};
  return negative ? static_cast<std::int64_t>(0 - value) : static_cast<std::int64_t>(value);
}

bool one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

Meaning meaning(std::string_view plain) {
  if (plain.empty() || one_of(plain, {"~", "null", "Null", "NULL"})) return NullWord{};
  if (one_of(plain, {"true", "True", "TRUE"})) return true;
  if (one_of(plain, {"false", "False", "FALSE"})) return false;
  if (plain.starts_with("0x") && plain.size() > 2) return integer(plain.substr(2), false, 16);
  if (plain.starts_with("0o") && plain.size() > 2) return integer(plain.substr(2), false, 8);
  const bool negative = plain.front() == '-';
  const std::string_view bare = negative || plain.front() == '+' ? plain.substr(1) : plain;
  if (one_of(bare, {".inf", ".Inf", ".INF"})) return Unfit{"is infinite"};
  if (one_of(plain, {".nan", ".NaN", ".NAN"})) return Unfit{"is not a number"};
  if (all_digits(bare)) {
    if (bare.size() > 1 && bare.front() == '0') return Unfit{"is octal for some readers and decimal for others"};
    return integer(bare, negative, 10);
  }
  if (!number_shape(bare)) return Text{};
  const double value = std::strtod(std::string(plain).c_str(), nullptr);
  if (!std::isfinite(value)) return Unfit{"is too large for a number"};
  return value;
}

std::string trap(std::string_view plain) {
  const std::string lower = base::lower(plain);
  if (one_of(lower, {"yes", "no", "on", "off"}) && !plain.empty()) {
    return "`" + std::string(plain) + "` is a boolean for many YAML readers";
  }
  if (all_digits(plain) && plain.size() > 1 && plain.front() == '0') {
    return "`" + std::string(plain) + "` is octal for some readers and decimal for others";
  }
  if (plain.empty() || !digit(plain.front())) return {};
  const auto made_of = [&](char extra) {
    return plain.find(extra) != std::string_view::npos && digit(plain.back()) &&
           std::all_of(plain.begin(), plain.end(), [&](char c) { return digit(c) || c == extra; });
  };
  if (made_of('_')) return "`" + std::string(plain) + "` is a number only for YAML 1.1 readers";
  if (made_of(':')) return "`" + std::string(plain) + "` is a number in base 60 for YAML 1.1 readers";
  return {};
}

}  // namespace failover::source
