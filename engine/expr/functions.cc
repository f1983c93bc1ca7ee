// The table of functions, and those of texts.
#include <algorithm>
#include <array>

#include "engine/base/text.h"
#include "engine/expr/operations.h"
#include "engine/expr/pattern.h"

namespace failover::expr {
namespace {

using base::Result;
using base::Type;
using base::Value;
using K = Type::Kind;
using Types = Function::Types;
using Arguments = Function::Arguments;
using MaybeType = std::optional<Type>;

bool one_of(const Type& type, std::initializer_list<K> kinds) {
  return type.kind() == K::any || std::find(kinds.begin(), kinds.end(), type.kind()) != kinds.end();
}
template <K Out, K... In>
MaybeType converts(Types arguments) {
  return one_of(arguments[0], {In...}) ? MaybeType(Out) : std::nullopt;
}
MaybeType two_texts(Types arguments) {
  return one_of(arguments[0], {K::string}) && one_of(arguments[1], {K::string}) ? MaybeType(K::boolean) : std::nullopt;
}
MaybeType any_type(Types) { return Type(); }
// Of a timestamp, with a time zone or without.
MaybeType date_part(Types arguments) {
  const bool fits =
      one_of(arguments[0], {K::timestamp}) && (arguments.size() == 1 || one_of(arguments[1], {K::string}));
  return fits ? MaybeType(K::integer) : std::nullopt;
}
// Of a duration too, which has no time zone.
MaybeType clock_part(Types arguments) {
  if (arguments.size() == 1 && arguments[0].kind() == K::duration) return K::integer;
  return date_part(arguments);
}

Result<Value> size(Arguments arguments) {
  const Value& value = *arguments[0];
  const auto count = [](std::size_t items) { return Value(static_cast<std::int64_t>(items)); };
  if (const auto* text = value.text()) return count(base::utf8_length(*text));
  if (const auto* bytes = value.get<base::Bytes>()) return count(bytes->data.size());
  if (value.is_list()) return count(value.list()->size());
  if (value.is_map()) return count(value.map()->size());
  return wrong_arguments("size", arguments);
}

template <class Test>
Result<Value> texts(const char* name, Arguments arguments, Test test) {
  if (arguments[0]->text() == nullptr || arguments[1]->text() == nullptr) return wrong_arguments(name, arguments);
  return Value(test(*arguments[0]->text(), *arguments[1]->text()));
}
Result<Value> contains(Arguments arguments) {
  return texts("contains", arguments, [](const auto& text, const auto& part) { return base::contains(text, part); });
}
Result<Value> starts_with(Arguments arguments) {
  return texts("startsWith", arguments, [](const std::string& text, const std::string& part) {
    return text.compare(0, part.size(), part) == 0;
  });
}
Result<Value> ends_with(Arguments arguments) {
  return texts("endsWith", arguments, [](const std::string& text, const std::string& part) {
    return text.size() >= part.size() && text.compare(text.size() - part.size(), part.size(), part) == 0;
  });
}
// White space by Unicode (the property White_Space), as CEL's strings extension says.
Result<Value> trim(Arguments arguments) {
  static constexpr std::array<std::string_view, 25> kSpaces = {
      " ",      "\t",     "\n",     "\v",     "\f",     "\r",     "\u0085", "\u00A0", "\u1680",
      "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006", "\u2007", "\u2008",
      "\u2009", "\u200A", "\u2028", "\u2029", "\u202F", "\u205F", "\u3000"};
  const std::string* text = arguments[0]->text();
  if (text == nullptr) return wrong_arguments("trim", arguments);
  std::string_view rest = *text;
  const auto cut = [&](auto has, auto remove) {
    for (bool any = true; any;) {
      const auto space = std::find_if(kSpaces.begin(), kSpaces.end(), [&](auto one) { return has(rest, one); });
      any = space != kSpaces.end();
      if (any) remove(space->size());
    }
  };
  cut([](auto all, auto one) { return all.starts_with(one); }, [&](std::size_t size) { rest.remove_prefix(size); });
  cut([](auto all, auto one) { return all.ends_with(one); }, [&](std::size_t size) { rest.remove_suffix(size); });
  return Value(std::string(rest));
}
// For values that are not both text: the evaluator answers the rest with match().
Result<Value> matches(Arguments arguments) { return wrong_arguments("matches", arguments); }

Result<Value> dyn(Arguments arguments) { return *arguments[0]; }

template <TimePart Part>
Result<Value> part(Arguments arguments) {
  return time_part(Part, arguments);
}

constexpr std::array kAll = {
    Function{"size", true, true, 1, 1, false, converts<K::integer, K::string, K::bytes, K::list, K::map, K::object>,
             size},
    Function{"contains", false, true, 2, 2, false, two_texts, contains},
    Function{"startsWith", false, true, 2, 2, false, two_texts, starts_with},
    Function{"endsWith", false, true, 2, 2, false, two_texts, ends_with},
    Function{"trim", false, true, 1, 1, false, converts<K::string, K::string>, trim},
    Function{"matches", true, true, 2, 2, false, two_texts, matches},
    Function{"int", true, false, 1, 1, true,
             converts<K::integer, K::integer, K::uinteger, K::number, K::string, K::timestamp>, to_int},
    Function{"uint", true, false, 1, 1, true, converts<K::uinteger, K::integer, K::uinteger, K::number, K::string>,
             to_uint},
    Function{"double", true, false, 1, 1, true, converts<K::number, K::integer, K::uinteger, K::number, K::string>,
             to_double},
    Function{"string", true, false, 1, 1, true,
             converts<K::string, K::boolean, K::integer, K::uinteger, K::number, K::string, K::bytes, K::money, K::size,
                      K::rate, K::duration, K::timestamp>,
             to_text},
    Function{"bool", true, false, 1, 1, true, converts<K::boolean, K::boolean, K::string>, to_bool},
    Function{"bytes", true, false, 1, 1, false, converts<K::bytes, K::bytes, K::string>, to_bytes},
    Function{"duration", true, false, 1, 1, true, converts<K::duration, K::duration, K::string>, to_duration},
    Function{"timestamp", true, false, 1, 1, true, converts<K::timestamp, K::timestamp, K::string, K::integer>,
             to_timestamp},
    Function{"money", true, false, 1, 1, true, converts<K::money, K::money, K::string>, to_money},
    Function{"rate", true, false, 1, 1, true, converts<K::rate, K::rate, K::string>, to_rate},
    Function{"dyn", true, false, 1, 1, false, any_type, dyn},
    Function{"getFullYear", false, true, 1, 2, true, date_part, part<TimePart::year>},
    Function{"getMonth", false, true, 1, 2, true, date_part, part<TimePart::month>},
    Function{"getDate", false, true, 1, 2, true, date_part, part<TimePart::date>},
    Function{"getDayOfMonth", false, true, 1, 2, true, date_part, part<TimePart::day_of_month>},
    Function{"getDayOfWeek", false, true, 1, 2, true, date_part, part<TimePart::day_of_week>},
    Function{"getDayOfYear", false, true, 1, 2, true, date_part, part<TimePart::day_of_year>},
    Function{"getHours", false, true, 1, 2, true, clock_part, part<TimePart::hours>},
    Function{"getMinutes", false, true, 1, 2, true, clock_part, part<TimePart::minutes>},
    Function{"getSeconds", false, true, 1, 2, true, clock_part, part<TimePart::seconds>},
    Function{"getMilliseconds", false, true, 1, 2, true, clock_part, part<TimePart::milliseconds>},
};

}  // namespace

std::span<const Function> functions() { return kAll; }

const Function* function(std::string_view name) {
  const auto* at = std::find_if(kAll.begin(), kAll.end(), [&](const Function& one) { return one.name == name; });
  return at == kAll.end() ? nullptr : at;
}

bool is_matches(const Function* function) { return function != nullptr && function->call == matches; }

Result<Value> match(const Value& text, const Pattern& written, Budget& budget) {
  const re2::RE2& pattern = written.compiled();
  if (!pattern.ok()) {
    return broken("bad_pattern", "`" + base::printable(pattern.pattern(), 80) +
                                     "` is no regular expression: " + base::printable(pattern.error(), 120));
  }
  // A text is read once, but in the worst case with every state of the pattern at every byte.
  const auto states = static_cast<std::size_t>(pattern.ProgramSize());
  if (!budget.spend_text(text.text()->size() * (1 + states / 64))) return too_costly();
  return Value(re2::RE2::PartialMatch(*text.text(), pattern));
}

}  // namespace failover::expr
