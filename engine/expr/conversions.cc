// int(), string() and the others: CEL's conversions, an error for what the type cannot hold.
#include <charconv>
#include <cmath>

#include "engine/base/text.h"
#include "engine/expr/lexer.h"
#include "engine/expr/operations.h"

namespace failover::expr {
namespace {

using base::Result;
using base::Value;
using Arguments = Function::Arguments;

constexpr double kTwoTo63 = 9223372036854775808.0;
constexpr double kTwoTo64 = 18446744073709551616.0;

Result<Value> beyond(const Value& value, const char* type) {
  return broken("bad_conversion", "`" + base::printable(value.display(), 80) + "` is outside the range of " + type);
}

// All of the text as a number of decimal digits, with a sign.
template <class T>
Result<Value> whole_number(const Value& value, const char* type) {
  std::string_view text = *value.text();
  if (text.size() > 1 && text.front() == '+' && is_digit(text[1])) text.remove_prefix(1);
  T out{};
  const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
  if (text.empty() || read.ptr != text.data() + text.size() || read.ec == std::errc::invalid_argument)
    return cannot_read(value, type);
  return read.ec == std::errc() ? Result<Value>(out) : beyond(value, type);
}

// CEL writes durations in seconds: `90s`, `0.25s`.
std::string in_seconds(base::Duration time) {
  const auto count = static_cast<std::uint64_t>(time.count());
  const std::uint64_t total = time.count() < 0 ? std::uint64_t{0} - count : count;
  constexpr std::uint64_t kNano = 1'000'000'000;
  std::string out = (time.count() < 0 ? "-" : "") + std::to_string(total / kNano);
  if (total % kNano != 0) {
    std::string fraction = std::to_string(kNano + total % kNano).substr(1);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    out += "." + fraction;
  }
  return out + "s";
}

template <class T, class Parse>
Result<Value> parsed(const char* name, const char* like, Arguments arguments, Parse parse) {
  if (arguments[0]->is<T>()) return *arguments[0];
  const auto* text = arguments[0]->text();
  if (text == nullptr) return wrong_arguments(name, arguments);
  const auto out = parse(*text);
  return out ? Result<Value>(Value(*out)) : Result<Value>(cannot_read(*arguments[0], like));
}

}  // namespace

base::Error cannot_read(const Value& value, const std::string& as) {
  return broken("bad_conversion", "`" + base::printable(value.display(), 80) + "` cannot be read as " + as);
}

base::Error wrong_arguments(const char* name, Arguments arguments) {
  std::vector<std::string> kinds;
  for (const Value* one : arguments) kinds.push_back(kind_name(*one));
  return no_overload(std::string(name) + "(" + base::join(kinds) + ")");
}

Result<Value> to_int(Arguments arguments) {
  const Value& value = *arguments[0];
  if (value.is<std::int64_t>()) return value;
  if (const auto* u = value.get<std::uint64_t>()) {
    return *u <= static_cast<std::uint64_t>(INT64_MAX) ? Result<Value>(static_cast<std::int64_t>(*u))
                                                       : beyond(value, "an int");
  }
  if (const auto* d = value.get<double>()) {
    return *d > -kTwoTo63 && *d < kTwoTo63 ? Result<Value>(static_cast<std::int64_t>(*d)) : beyond(value, "an int");
  }
  if (const auto* at = value.get<base::WallTime>()) {
    return Value(std::int64_t{std::chrono::floor<std::chrono::seconds>(at->time_since_epoch()).count()});
  }
  return value.text() != nullptr ? whole_number<std::int64_t>(value, "an int") : wrong_arguments("int", arguments);
}

Result<Value> to_uint(Arguments arguments) {
  const Value& value = *arguments[0];
  if (value.is<std::uint64_t>()) return value;
  if (const auto* i = value.get<std::int64_t>()) {
    return *i >= 0 ? Result<Value>(static_cast<std::uint64_t>(*i)) : beyond(value, "a uint");
  }
  if (const auto* d = value.get<double>()) {
    return *d >= 0 && *d < kTwoTo64 ? Result<Value>(static_cast<std::uint64_t>(*d)) : beyond(value, "a uint");
  }
  return value.text() != nullptr ? whole_number<std::uint64_t>(value, "a uint") : wrong_arguments("uint", arguments);
}

Result<Value> to_double(Arguments arguments) {
  const Value& value = *arguments[0];
  if (value.is<double>()) return value;
  if (const auto* i = value.get<std::int64_t>()) return Value(static_cast<double>(*i));
  if (const auto* u = value.get<std::uint64_t>()) return Value(static_cast<double>(*u));
  if (value.text() == nullptr) return wrong_arguments("double", arguments);
  const auto out = read_double(*value.text());
  return out ? Result<Value>(*out) : Result<Value>(cannot_read(value, "a double"));
}

Result<Value> to_text(Arguments arguments) {
  const Value& value = *arguments[0];
  if (value.text() != nullptr) return value;
  if (const auto* bytes = value.get<base::Bytes>()) {
    if (base::invalid_utf8(bytes->data)) return broken("bad_conversion", "the bytes are no text: they are not UTF-8");
    return Value(bytes->data);
  }
  if (const auto* time = value.get<base::Duration>()) return Value(in_seconds(*time));
  if (const auto* at = value.get<base::WallTime>()) return Value(format_timestamp(*at));
  if (value.is_null() || value.is_list() || value.is_map()) return wrong_arguments("string", arguments);
  return Value(value.display());
}

Result<Value> to_bool(Arguments arguments) {
  const Value& value = *arguments[0];
  if (value.is<bool>()) return value;
  const auto* text = value.text();
  if (text == nullptr) return wrong_arguments("bool", arguments);
  for (const char* yes : {"true", "True", "TRUE", "t", "1"}) {
    if (*text == yes) return Value(true);
  }
  for (const char* no : {"false", "False", "FALSE", "f", "0"}) {
    if (*text == no) return Value(false);
  }
  return cannot_read(value, "a bool: true or false");
}

Result<Value> to_bytes(Arguments arguments) {
  if (arguments[0]->is<base::Bytes>()) return *arguments[0];
  if (const auto* text = arguments[0]->text()) return Value(base::Bytes{*text});
  return wrong_arguments("bytes", arguments);
}

Result<Value> to_duration(Arguments arguments) {
  return parsed<base::Duration>("duration", "a duration like 5m or 1h30m", arguments, [](std::string_view text) {
    const bool minus = !text.empty() && text.front() == '-';
    if (minus || (!text.empty() && text.front() == '+')) text.remove_prefix(1);
    const auto out = base::parse_duration(text);
    return minus && out ? std::optional(-*out) : out;
  });
}

Result<Value> to_timestamp(Arguments arguments) {
  if (const auto* i = arguments[0]->get<std::int64_t>()) {
    constexpr std::int64_t kLimit = INT64_MAX / 1'000'000'000;
    if (*i < -kLimit || *i > kLimit) return beyond(*arguments[0], "a timestamp: 1677 to 2262");
    return Value(base::WallTime(std::chrono::seconds(*i)));
  }
  return parsed<base::WallTime>("timestamp", "a timestamp between 1677 and 2262 like 2026-01-31T12:00:00Z", arguments,
                                read_timestamp);
}

Result<Value> to_money(Arguments arguments) {
  return parsed<base::Money>("money", "money like $0.50", arguments, base::parse_money);
}

Result<Value> to_rate(Arguments arguments) {
  return parsed<base::Rate>("rate", "a rate like 100 Mb/s", arguments, base::parse_rate);
}

bool is_size_literal(std::string_view text) {
  const bool unit = text.find_first_of("Bb") != std::string_view::npos;
  return unit && base::parse_size(text).has_value();
}

}  // namespace failover::expr
