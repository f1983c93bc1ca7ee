// Number literals, and the texts that double() reads.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "engine/expr/lexer.h"
#include "engine/expr/meant.h"

namespace failover::expr {
namespace {

std::size_t skip_digits(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

// Where the exponent that begins at `at` ends; `at` itself when there is none.
std::size_t skip_exponent(std::string_view text, std::size_t at) {
  if (at >= text.size() || (text[at] != 'e' && text[at] != 'E')) return at;
  std::size_t digits = at + 1;
  if (digits < text.size() && (text[digits] == '+' || text[digits] == '-')) ++digits;
  const std::size_t end = skip_digits(text, digits);
  return end == digits ? at : end;
}

// Is a decimal number that a double cannot hold too small for it rather than too large? Its first digit that is not
// zero says so, together with the exponent.
bool vanishes(std::string_view text) {
  const std::size_t exponent_at = text.find_first_of("eE");
  const std::string_view digits = text.substr(0, exponent_at);
  const std::size_t first = digits.find_first_of("123456789");
  if (first == std::string_view::npos) return true;
  const std::size_t point = std::min(digits.find('.'), digits.size());
  std::int64_t exponent = 0;
  if (exponent_at != std::string_view::npos) {
    std::string_view written = text.substr(exponent_at + 1);
    if (!written.empty() && written.front() == '+') written.remove_prefix(1);
    const auto read = std::from_chars(written.data(), written.data() + written.size(), exponent);
    if (read.ec != std::errc()) return !written.empty() && written.front() == '-';
    constexpr std::int64_t kFar = std::int64_t{1} << 62;  // from any number of digits
    exponent = std::clamp(exponent, -kFar, kFar);
  }
  return static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first) + exponent < 0;
}

void read_whole(std::string_view text, std::size_t digits, int radix, Token& token) {
  const char* from = text.data() + digits;
  const auto [end, error] = std::from_chars(from, text.data() + text.size(), token.whole, radix);
  if (end == from) fail_syntax(token.begin, digits, "the number has no digits", "hexadecimal is written 0x1F");
  token.end = static_cast<std::size_t>(end - text.data());
  if (error != std::errc()) fail_syntax(token.begin, token.end, "the number does not fit into 64 bits");
  token.kind = Token::Kind::integer;
  if (token.end < text.size() && (text[token.end] == 'u' || text[token.end] == 'U')) {
    token.kind = Token::Kind::uinteger;
    ++token.end;
  } else if (token.whole > std::uint64_t{1} << 63) {  // 2^63 itself may have a minus before it: the parser judges
    fail_syntax(token.begin, token.end, "the number does not fit into 64 bits",
                "a uint ends in u: 18446744073709551615u");
  }
}

}  // namespace

void read_number(std::string_view text, Token& token) {
  const std::size_t begin = token.begin;
  const bool hex = text.substr(begin, 2) == "0x" || text.substr(begin, 2) == "0X";
  const std::size_t whole_end = skip_digits(text, begin);
  std::size_t end = whole_end;
  if (end + 1 < text.size() && text[end] == '.' && is_digit(text[end + 1])) end = skip_digits(text, end + 1);
  end = skip_exponent(text, end);
  if (hex) {
    read_whole(text, begin + 2, 16, token);
  } else if (end == whole_end) {
    read_whole(text, begin, 10, token);
  } else {
    const auto value = read_double(text.substr(begin, end - begin));
    if (!value) fail_syntax(begin, end, "the number does not fit into a double");
    token.kind = Token::Kind::number;
    token.real = *value;
    token.end = end;
  }
  if (token.end < text.size() && (begins_name(text[token.end]) || is_digit(text[token.end]))) {
    while (token.end < text.size() && (begins_name(text[token.end]) || is_digit(text[token.end]))) ++token.end;
    const std::string unit = unit_meant(text.substr(begin, token.end - begin));
    fail_syntax(begin, token.end, "a number is followed by a letter",
                unit.empty() ? "units are written money('$0.50'), size('20 GB'), duration('5m')" : "write " + unit);
  }
}

std::optional<double> read_double(std::string_view text) {
  const bool minus = !text.empty() && text.front() == '-';
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  // from_chars knows NaN with a text in parentheses and takes a sign of its own; CEL has neither.
  if (text.empty() || text.front() == '-' || text.find('(') != std::string_view::npos) return std::nullopt;
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ptr != text.data() + text.size() || read.ec == std::errc::invalid_argument) return std::nullopt;
  if (read.ec == std::errc::result_out_of_range) {
    if (!vanishes(text)) return std::nullopt;
    value = 0;
  }
  return minus ? -value : value;
}

}  // namespace failover::expr
