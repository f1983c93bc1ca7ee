#include "tests/expr/rows.h"

#include <doctest/doctest.h>

#include <array>
#include <cstdio>

#include "engine/base/text.h"

namespace failover::tests {
namespace {

using base::Type;
using base::Value;

std::string escaped(const std::string& bytes) {
  std::string out = "b\"";
  for (const char c : bytes) {
    char text[8];
    std::snprintf(text, sizeof text, c >= ' ' && c <= '~' ? "%c" : "\\x%02x", static_cast<unsigned char>(c));
    out += text;
  }
  return out + "\"";
}

// Like Value::literal(), but numbers of different kinds look different.
std::string literal(const Value& value) {
  if (value.is<std::uint64_t>()) return value.literal() + "u";
  if (const auto* bytes = value.get<base::Bytes>()) return escaped(bytes->data);
  if (value.is<double>()) {
    const std::string text = value.literal();
    return text.find_first_of(".eIN") == std::string::npos ? text + ".0" : text;
  }
  if (value.is_list()) {
    std::vector<std::string> items;
    for (const auto& one : *value.list()) items.push_back(literal(one));
    return "[" + base::join(items) + "]";
  }
  if (value.is_map()) {
    std::vector<std::string> items;
    for (const auto& [key, one] : *value.map()) items.push_back(key + ": " + literal(one));
    return "{" + base::join(items) + "}";
  }
  return value.literal();
}

// What a checked expression may still end in.
bool foreseen(const std::string& code) {
  static constexpr std::array kCodes = {"overflow",      "division_by_zero", "index_out_of_range",
                                        "no_such_key",   "bad_conversion",   "bad_pattern",
                                        "bad_time_zone", "repeated_key",     "too_costly"};
  return std::find(kCodes.begin(), kCodes.end(), code) != kCodes.end();
}

}  // namespace

expr::Values some_values() {
  const auto file = [](const char* path, int size) { return Value(Value::Map{{"path", path}, {"size", size}}); };
  return {{"inputs", Value(Value::Map{{"count", 3}, {"name", "gpu"}, {"price", base::Money{500'000}}})},
          {"outputs", Value(Value::Map{{"files", Value(Value::List{file("a", 1), file("b", 2)})},
                                       {"ratio", 0.5},
                                       {"none", Value()},
                                       {"disk", base::Size{20'000'000'000}},
                                       {"labels", Value(Value::Map{{"zone", "eu"}, {"odd-key", "x"}})},
                                       {"text", "one\ntwo\nthree"}})},
          {"elapsed", Value(base::Duration(std::chrono::minutes(5)))},
          {"whatever", Value(Value::Map{{"x", 1}, {"y", "text"}})}};
}

expr::Scope some_scope() {
  const Type file = Type::object({{"path", Type::Kind::string}, {"size", Type::Kind::integer}});
  expr::Scope out;
  out.names["inputs"] =
      Type::object({{"count", Type::Kind::integer}, {"name", Type::Kind::string}, {"price", Type::Kind::money}});
  out.names["outputs"] = Type::object({{"files", Type::list_of(file)},
                                       {"ratio", Type::Kind::number},
                                       {"none", Type(Type::Kind::integer).or_null()},
                                       {"disk", Type::Kind::size},
                                       {"labels", Type::map_of(Type::Kind::string)},
                                       {"text", Type::Kind::string}});
  out.names["elapsed"] = Type::Kind::duration;
  out.names["whatever"] = Type();
  return out;
}

std::string value_of(const std::string& text) {
  const auto parsed = expr::parse(text);
  if (!parsed.problems.empty()) return "problem " + parsed.problems.front().code;
  const auto checked = expr::check(parsed.expression, some_scope());
  const auto value = expr::evaluate(parsed.expression, some_values());
  if (checked.problems.empty() && !checked.dynamic) {
    if (value && !checked.type.holds(*value)) return "unsound: " + literal(*value) + " is no " + checked.type.name();
    if (!value && !foreseen(value.error().code)) return "unsound: " + value.error().code + " was not foreseen";
  }
  return value ? literal(*value) : "error " + value.error().code;
}

std::string type_of(const std::string& text) {
  const auto parsed = expr::parse(text);
  const auto checked = parsed.problems.empty() ? expr::check(parsed.expression, some_scope()) : expr::Checked{};
  std::vector<std::string> found;
  for (const auto* problems : {&parsed.problems, &checked.problems}) {
    for (const auto& one : *problems)
      found.push_back(std::to_string(one.begin) + "-" + std::to_string(one.end) + " " + one.code);
  }
  return found.empty() ? checked.type.name() : base::join(found, "; ");
}

void check_rows(const std::vector<Row>& rows, std::string (*run)(const std::string&)) {
  for (const auto& row : rows) {
    CAPTURE(row.text);
    CHECK(run(row.text) == row.result);
  }
}

}  // namespace failover::tests
