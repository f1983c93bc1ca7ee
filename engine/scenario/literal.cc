#include <cmath>

#include "engine/base/spelling.h"
#include "engine/base/text.h"
#include "engine/expr/expression.h"
#include "engine/scenario/given.h"
#include "engine/source/scalar.h"

namespace failover::scenario {
namespace {

using base::Type;
using base::Value;
using K = Type::Kind;

// The word with its article and an example, for "expected ...".
std::string wanted(const Type& type) {
  switch (type.kind()) {
    case K::string: return "text";
    case K::integer:
    case K::uinteger: return "a whole number";
    case K::number: return "a number";
    case K::boolean: return "true or false";
    case K::money: return "money like $0.50";
    case K::size: return "a size like 20 GB";
    case K::rate: return "a rate like 100 Mb/s";
    case K::duration: return "a duration like 5m or 1h30m";
    case K::timestamp: return "a time like 2026-01-31T12:00:00Z";
    case K::null: return "nothing";
    case K::list: return "a list";
    case K::map:
    case K::object: return "a mapping";
    default: return type.name();
  }
}

std::string found(std::string_view text, const source::Meaning& meaning) {
  std::string shown = "`" + base::printable(text, 60) + "`";
  if (std::holds_alternative<bool>(meaning)) return "the boolean " + shown;
  if (std::holds_alternative<std::int64_t>(meaning) || std::holds_alternative<double>(meaning))
    return "the number " + shown;
  if (std::holds_alternative<source::NullWord>(meaning)) return text.empty() ? "nothing" : "null";
  return shown;
}

Literal wrong(std::string_view text, const source::Meaning& meaning, const Type& type, std::string hint) {
  return {std::nullopt, "expected " + wanted(type) + ", found " + found(text, meaning), std::move(hint)};
}

Literal text_literal(std::string_view text, bool quoted, const source::Meaning& meaning, const Type& type) {
  const bool plain_text = std::holds_alternative<source::Text>(meaning);
  const std::string trap = quoted ? std::string() : source::trap(text);
  const std::string hint = "write \"" + base::printable(text, 60) + "\" if the text is meant";
  if (!quoted && !trap.empty()) return {std::nullopt, trap, hint};
  if (quoted || plain_text) return {Value(std::string(text)), "", ""};
  return wrong(text, meaning, type, hint);
}

Literal number_literal(std::string_view text, bool quoted, const source::Meaning& meaning, const Type& type) {
  if (const std::string trap = quoted ? std::string() : source::trap(text); !trap.empty()) {
    return {std::nullopt, trap, "write the number in plain decimal digits"};
  }
  if (quoted) {
    const auto plain = source::meaning(text);
    const bool number = std::holds_alternative<std::int64_t>(plain) || std::holds_alternative<double>(plain);
    return {std::nullopt, "expected " + wanted(type) + ", found the text \"" + base::printable(text, 60) + "\"",
            number ? "remove the quotes" : ""};
  }
  if (const auto* unfit = std::get_if<source::Unfit>(&meaning)) {
    return {std::nullopt, "`" + base::printable(text, 60) + "` " + unfit->why, ""};
  }
  if (const auto* whole = std::get_if<std::int64_t>(&meaning)) {
    // `3` where a number is wanted is 3.0: expressions tell the two apart.
    return {type.kind() == K::number ? Value(static_cast<double>(*whole)) : Value(*whole), "", ""};
  }
  const auto* real = std::get_if<double>(&meaning);
  if (real != nullptr && type.kind() == K::number) return {Value(*real), "", ""};
  const bool whole_value = real != nullptr && std::floor(*real) == *real && std::abs(*real) < 1e15;
  return wrong(text, meaning, type,
               whole_value ? "write " + std::to_string(static_cast<std::int64_t>(*real)) : std::string());
}

Literal boolean_literal(std::string_view text, bool quoted, const source::Meaning& meaning, const Type& type) {
  const auto* yes = std::get_if<bool>(&meaning);
  if (!quoted && yes != nullptr) return {Value(*yes), "", ""};
  return wrong(text, meaning, type,
               quoted && (text == "true" || text == "false") ? "remove the quotes" : "write true or false");
}

// `2026-01-31 12:00` -> `2026-01-31T12:00:00Z`; empty for what is no time.
std::string time_spelled(std::string_view text) {
  const std::size_t day = std::min<std::size_t>(text.size(), 10);
  std::string_view rest = text.substr(day);
  while (!rest.empty() && (rest.front() == ' ' || rest.front() == 'T')) rest.remove_prefix(1);
  const std::size_t clock = std::min(rest.find_first_not_of("0123456789:."), rest.size());
  std::string_view zone = rest.substr(clock);
  while (!zone.empty() && zone.front() == ' ') zone.remove_prefix(1);
  std::string hours(rest.substr(0, clock));
  hours += std::string_view("00:00:00").substr(std::min<std::size_t>(hours.size(), 8));
  const std::string out =
      std::string(text.substr(0, day)) + "T" + hours + (zone.empty() || zone == "UTC" ? "Z" : std::string(zone));
  return expr::read_timestamp(out) ? out : std::string();
}

std::string spelled(std::string_view text, const Type& type) {
  switch (type.kind()) {
    case K::money: return base::money_spelled(text);
    case K::duration: return base::duration_spelled(text);
    case K::size: return base::size_spelled(text);
    case K::rate: return base::rate_spelled(text);
    case K::timestamp: return time_spelled(text);
    default: return {};
  }
}

const char* spelling(const Type& type) {
  switch (type.kind()) {
    case K::money: return "money is `$` and digits, with at most six decimals";
    case K::duration: return "the units are ms, s, m, h and d";
    case K::size: return "the units are B, KB, MB, GB, TB, KiB, MiB, GiB and TiB";
    case K::rate: return "the units are b/s, Kb/s, Mb/s and Gb/s";
    default: return "";
  }
}

std::string unit_hint(std::string_view text, const source::Meaning& meaning, const Type& type) {
  const bool number = std::holds_alternative<std::int64_t>(meaning) || std::holds_alternative<double>(meaning);
  const std::string shown(text);
  if (!text.empty() && text.front() == '-') return "it cannot be negative";
  if (!number) {
    const std::string other = spelled(text, type);
    if (!other.empty()) return "write " + other;
    return std::holds_alternative<source::Text>(meaning) ? spelling(type) : "";
  }
  switch (type.kind()) {
    case K::money: return "write $" + shown;
    case K::duration: return "write " + shown + "s for seconds, or " + shown + "m for minutes";
    case K::size: return text.size() > 4 ? "write " + shown + " B for bytes" : "write " + shown + " GB";
    case K::rate: return "write " + shown + " Mb/s";
    default: return "";
  }
}

template <class T>
Literal unit_literal(std::string_view text, const source::Meaning& meaning, const Type& type,
                     const std::optional<T>& read) {
  if (read) return {Value(*read), "", ""};
  return wrong(text, meaning, type, unit_hint(text, meaning, type));
}

// `sleep 5` -> `sleep, "5"`: a list's elements, where a command line is written.
std::string in_words(std::string_view text) {
  if (text.size() > 60 || text.find_first_of("'\"\\[]{},:#|&;<>*!%@`$\n") != std::string_view::npos)
    return base::printable(text, 60);
  std::string out;
  for (const auto& word : base::split(text, ' ')) {
    if (word.empty()) continue;
    const bool plain = base::trim(text) == word || std::holds_alternative<source::Text>(source::meaning(word));
    out += (out.empty() ? "" : ", ") + (plain ? word : "\"" + word + "\"");
  }
  return out;
}

Literal any_literal(std::string_view text, bool quoted, const source::Meaning& meaning, const Type& type) {
  if (quoted || std::holds_alternative<source::Text>(meaning)) return text_literal(text, quoted, meaning, type);
  if (const auto* yes = std::get_if<bool>(&meaning)) return {Value(*yes), "", ""};
  if (std::holds_alternative<source::NullWord>(meaning)) return {Value(), "", ""};
  return number_literal(text, quoted, meaning, std::holds_alternative<std::int64_t>(meaning) ? K::integer : K::number);
}

}  // namespace

Literal read_literal(std::string_view text, bool quoted, const Type& type) {
  const source::Meaning meaning = quoted ? source::Meaning(source::Text{}) : source::meaning(text);
  if (!quoted && type.nullable() && std::holds_alternative<source::NullWord>(meaning)) return {Value(), "", ""};
  switch (type.kind()) {
    case K::any: return any_literal(text, quoted, meaning, type);
    case K::string: return text_literal(text, quoted, meaning, type);
    case K::integer:
    case K::uinteger:
    case K::number: return number_literal(text, quoted, meaning, type);
    case K::boolean: return boolean_literal(text, quoted, meaning, type);
    case K::money: return unit_literal(text, meaning, type, base::parse_money(text));
    case K::size: return unit_literal(text, meaning, type, base::parse_size(text));
    case K::rate: return unit_literal(text, meaning, type, base::parse_rate(text));
    case K::duration: return unit_literal(text, meaning, type, base::parse_duration(text));
    case K::timestamp: return unit_literal(text, meaning, type, expr::read_timestamp(text));
    case K::list: return wrong(text, meaning, type, "put it in brackets: [" + in_words(text) + "]");
    default: return wrong(text, meaning, type, shape_hint(type));
  }
}

std::string shape_hint(const Type& type) {
  if (type.kind() == K::list) return "as in [a, b]";
  if (type.kind() == K::map) return "as in { NAME: value }";
  if (type.kind() != K::object) return {};
  std::vector<std::string> names;
  for (const auto& field : type.fields()) names.push_back(field.name);
  return "write { " + base::join(names, ": ..., ") + ": ... }, or give one that a step has made";
}

}  // namespace failover::scenario
