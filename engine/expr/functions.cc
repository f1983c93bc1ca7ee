#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "engine/base/text.h"
#include "engine/expr/operations.h"

namespace failover::expr {
namespace {

using base::Result;
using base::Type;
using base::Value;
using K = Type::Kind;
using Types = std::vector<Type>;
using Values = std::vector<Value>;
using MaybeType = std::optional<Type>;

bool one_of(const Type& type, std::initializer_list<K> kinds) {
  return type.kind() == K::any || std::find(kinds.begin(), kinds.end(), type.kind()) != kinds.end();
}
template <K Out, K... In>
MaybeType converts(const Types& arguments) {
  return one_of(arguments[0], {In...}) ? MaybeType(Out) : std::nullopt;
}
MaybeType two_texts(const Types& arguments) {
  return one_of(arguments[0], {K::string}) && one_of(arguments[1], {K::string}) ? MaybeType(K::boolean) : std::nullopt;
}
MaybeType any_type(const Types&) { return Type(); }

base::Error cannot(const Value& value, const char* to) {
  return broken("bad_conversion", "`" + base::printable(value.display(), 80) + "` cannot be read as " + to);
}
base::Error wrong(const char* name, const Values& arguments) {
  std::vector<std::string> kinds;
  for (const auto& one : arguments) kinds.push_back(kind_name(one));
  return no_overload(std::string(name) + "(" + base::join(kinds) + ")");
}

Result<Value> size(const Values& arguments) {
  const Value& value = arguments[0];
  if (const auto* text = value.text()) return Value(static_cast<std::int64_t>(base::utf8_length(*text)));
  if (const auto* bytes = value.get<base::Bytes>()) return Value(static_cast<std::int64_t>(bytes->data.size()));
  if (value.is_list()) return Value(static_cast<std::int64_t>(value.list()->size()));
  if (value.is_map()) return Value(static_cast<std::int64_t>(value.map()->size()));
  return wrong("size", arguments);
}

template <class Test>
Result<Value> texts(const char* name, const Values& arguments, Test test) {
  if (arguments[0].text() == nullptr || arguments[1].text() == nullptr) return wrong(name, arguments);
  return Value(test(*arguments[0].text(), *arguments[1].text()));
}
Result<Value> contains(const Values& arguments) {
  return texts("contains", arguments, [](const auto& text, const auto& part) { return base::contains(text, part); });
}
Result<Value> starts_with(const Values& arguments) {
  return texts("startsWith", arguments, [](const std::string& text, const std::string& part) {
    return text.compare(0, part.size(), part) == 0;
  });
}
Result<Value> ends_with(const Values& arguments) {
  return texts("endsWith", arguments, [](const std::string& text, const std::string& part) {
    return text.size() >= part.size() && text.compare(text.size() - part.size(), part.size(), part) == 0;
  });
}
Result<Value> matches(const Values& arguments) {
  if (arguments[0].text() == nullptr || arguments[1].text() == nullptr) return wrong("matches", arguments);
  re2::RE2::Options options;
  options.set_log_errors(false);
  const re2::RE2 pattern(*arguments[1].text(), options);
  if (!pattern.ok())
    return broken("bad_pattern",
                  "`" + base::printable(*arguments[1].text(), 80) + "` is no regular expression: " + pattern.error());
  return Value(re2::RE2::PartialMatch(*arguments[0].text(), pattern));
}

Result<Value> to_int(const Values& arguments) {
  const Value& value = arguments[0];
  if (value.is<std::int64_t>()) return value;
  if (const auto* u = value.get<std::uint64_t>()) {
    return *u <= static_cast<std::uint64_t>(INT64_MAX) ? Result<Value>(static_cast<std::int64_t>(*u))
                                                       : Result<Value>(cannot(value, "an int"));
  }
  if (const auto* d = value.get<double>()) {
    constexpr double kLimit = 9223372036854775807.0;
    return *d > -kLimit && *d < kLimit ? Result<Value>(static_cast<std::int64_t>(*d))
                                       : Result<Value>(cannot(value, "an int"));
  }
  if (const auto* at = value.get<base::WallTime>()) {
    return Value(std::int64_t{std::chrono::floor<std::chrono::seconds>(at->time_since_epoch()).count()});
  }
  if (const auto* text = value.text()) {
    std::int64_t out = 0;
    const auto read = std::from_chars(text->data(), text->data() + text->size(), out);
    if (read.ec == std::errc() && read.ptr == text->data() + text->size() && !text->empty()) return Value(out);
    return cannot(value, "an int");
  }
  return wrong("int", arguments);
}

Result<Value> to_uint(const Values& arguments) {
  const Value& value = arguments[0];
  if (value.is<std::uint64_t>()) return value;
  if (const auto* i = value.get<std::int64_t>()) {
    return *i >= 0 ? Result<Value>(static_cast<std::uint64_t>(*i)) : Result<Value>(cannot(value, "a uint"));
  }
  if (const auto* d = value.get<double>()) {
    constexpr double kLimit = 18446744073709551615.0;
    return *d > -1 && *d < kLimit ? Result<Value>(static_cast<std::uint64_t>(*d))
                                  : Result<Value>(cannot(value, "a uint"));
  }
  if (const auto* text = value.text()) {
    std::uint64_t out = 0;
    const auto read = std::from_chars(text->data(), text->data() + text->size(), out);
    if (read.ec == std::errc() && read.ptr == text->data() + text->size() && !text->empty()) return Value(out);
    return cannot(value, "a uint");
  }
  return wrong("uint", arguments);
}

Result<Value> to_double(const Values& arguments) {
  const Value& value = arguments[0];
  if (value.is<double>()) return value;
  if (const auto* i = value.get<std::int64_t>()) return Value(static_cast<double>(*i));
  if (const auto* u = value.get<std::uint64_t>()) return Value(static_cast<double>(*u));
  if (const auto* text = value.text()) {
    double out = 0;
    const auto read = std::from_chars(text->data(), text->data() + text->size(), out);
    if (read.ec == std::errc() && read.ptr == text->data() + text->size() && !text->empty()) return Value(out);
    return cannot(value, "a double");
  }
  return wrong("double", arguments);
}

// CEL writes durations in seconds: `90s`, `0.25s`.
std::string in_seconds(base::Duration time) {
  const auto total = static_cast<std::uint64_t>(time.count() < 0 ? -time.count() : time.count());
  constexpr std::uint64_t kNano = 1'000'000'000;
  std::string out = (time.count() < 0 ? "-" : "") + std::to_string(total / kNano);
  if (total % kNano != 0) {
    std::string fraction = std::to_string(kNano + total % kNano).substr(1);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    out += "." + fraction;
  }
  return out + "s";
}

Result<Value> to_text(const Values& arguments) {
  const Value& value = arguments[0];
  if (const auto* bytes = value.get<base::Bytes>()) {
    if (base::invalid_utf8(bytes->data)) return cannot(value, "a string: it is not UTF-8");
    return Value(bytes->data);
  }
  if (const auto* time = value.get<base::Duration>()) return Value(in_seconds(*time));
  if (value.is_null() || value.is_list() || value.is_map()) return wrong("string", arguments);
  return Value(value.display());
}

Result<Value> to_bool(const Values& arguments) {
  const Value& value = arguments[0];
  if (value.is<bool>()) return value;
  if (const auto* text = value.text()) {
    for (const char* yes : {"true", "True", "TRUE", "t", "1"}) {
      if (*text == yes) return Value(true);
    }
    for (const char* no : {"false", "False", "FALSE", "f", "0"}) {
      if (*text == no) return Value(false);
    }
    return cannot(value, "a bool");
  }
  return wrong("bool", arguments);
}

Result<Value> to_bytes(const Values& arguments) {
  if (arguments[0].is<base::Bytes>()) return arguments[0];
  if (const auto* text = arguments[0].text()) return Value(base::Bytes{*text});
  return wrong("bytes", arguments);
}

template <class T, class Parse>
Result<Value> parsed(const char* name, const char* like, const Values& arguments, Parse parse) {
  if (arguments[0].is<T>()) return arguments[0];
  const auto* text = arguments[0].text();
  if (text == nullptr) return wrong(name, arguments);
  const auto out = parse(*text);
  return out ? Result<Value>(Value(*out)) : Result<Value>(cannot(arguments[0], like));
}
Result<Value> to_duration(const Values& arguments) {
  return parsed<base::Duration>("duration", "a duration like 5m or 1h30m", arguments, [](const std::string& text) {
    const bool minus = !text.empty() && text[0] == '-';
    auto out = base::parse_duration(minus ? text.substr(1) : text);
    return minus && out ? std::optional(-*out) : out;
  });
}
Result<Value> to_timestamp(const Values& arguments) {
  if (const auto* i = arguments[0].get<std::int64_t>()) {
    constexpr std::int64_t kLimit = 9'000'000'000;
    if (*i < -kLimit || *i > kLimit) return cannot(arguments[0], "a timestamp");
    return Value(base::WallTime(std::chrono::seconds(*i)));
  }
  return parsed<base::WallTime>("timestamp", "a timestamp like 2026-01-31T12:00:00Z", arguments, base::parse_utc);
}
Result<Value> to_money(const Values& arguments) {
  return parsed<base::Money>("money", "money like $0.50", arguments, base::parse_money);
}
Result<Value> to_rate(const Values& arguments) {
  return parsed<base::Rate>("rate", "a rate like 100 Mb/s", arguments, base::parse_rate);
}
Result<Value> dyn(const Values& arguments) { return arguments[0]; }

}  // namespace

bool is_size_literal(std::string_view text) {
  const bool unit = text.find_first_of("Bb") != std::string_view::npos;
  return unit && base::parse_size(text).has_value();
}

const std::vector<Function>& functions() {
  static const std::vector<Function> kAll = {
      {"size", true, true, 1, converts<K::integer, K::string, K::bytes, K::list, K::map, K::object>, size},
      {"contains", false, true, 2, two_texts, contains},
      {"startsWith", false, true, 2, two_texts, starts_with},
      {"endsWith", false, true, 2, two_texts, ends_with},
      {"matches", true, true, 2, two_texts, matches},
      {"int", true, false, 1, converts<K::integer, K::integer, K::uinteger, K::number, K::string, K::timestamp>,
       to_int},
      {"uint", true, false, 1, converts<K::uinteger, K::integer, K::uinteger, K::number, K::string>, to_uint},
      {"double", true, false, 1, converts<K::number, K::integer, K::uinteger, K::number, K::string>, to_double},
      {"string", true, false, 1,
       converts<K::string, K::boolean, K::integer, K::uinteger, K::number, K::string, K::bytes, K::money, K::size,
                K::rate, K::duration, K::timestamp>,
       to_text},
      {"bool", true, false, 1, converts<K::boolean, K::boolean, K::string>, to_bool},
      {"bytes", true, false, 1, converts<K::bytes, K::bytes, K::string>, to_bytes},
      {"duration", true, false, 1, converts<K::duration, K::duration, K::string>, to_duration},
      {"timestamp", true, false, 1, converts<K::timestamp, K::timestamp, K::string, K::integer>, to_timestamp},
      {"money", true, false, 1, converts<K::money, K::money, K::string>, to_money},
      {"rate", true, false, 1, converts<K::rate, K::rate, K::string>, to_rate},
      {"dyn", true, false, 1, any_type, dyn},
  };
  return kAll;
}

const Function* function(std::string_view name) {
  for (const auto& one : functions()) {
    if (one.name == name) return &one;
  }
  return nullptr;
}

}  // namespace failover::expr
