// Any text as an expression and as a template: read, typed, evaluated, taken apart. It never crashes and always ends;
// every problem stands inside the text; what the checker calls typed does not fail on its types.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "engine/base/text.h"
#include "engine/expr/difference.h"
#include "engine/expr/template.h"
#include "tools/fuzz/property.h"

namespace {

using namespace failover;  // NOLINT(google-build-using-namespace)
using base::Type;
using base::Value;
using fuzz::hold;

const expr::Values& values() {
  static const expr::Values kAll = {
      {"i", Value(7)},
      {"u", Value(std::uint64_t{7})},
      {"d", Value(0.5)},
      {"b", Value(true)},
      {"s", Value("text\n\xC3\xA9")},
      {"y", Value(base::Bytes{std::string("\x00\xff", 2)})},
      {"n", Value()},
      {"l", Value(Value::List{1, 2, 3})},
      {"m", Value(Value::Map{{"a", "x"}, {"b", "y"}})},
      {"o", Value(Value::Map{{"id", 1}, {"names", Value(Value::List{"a", "b"})}, {"maybe", Value()}})},
      {"money_", Value(base::Money{500'000})},
      {"z", Value(base::Size{20'000'000'000})},
      {"r", Value(base::Rate{100'000'000})},
      {"t", Value(base::Duration(std::chrono::minutes(5)))},
      {"w", Value(base::WallTime(std::chrono::seconds(1'234'567'890)))},
      {"x", Value(Value::Map{{"y", Value(Value::List{1, "a", Value()})}})},
  };
  return kAll;
}

const expr::Scope& scope() {
  using K = Type::Kind;
  static const expr::Scope kAll = [] {
    expr::Scope out;
    out.names = {{"i", K::integer},
                 {"u", K::uinteger},
                 {"d", K::number},
                 {"b", K::boolean},
                 {"s", K::string},
                 {"y", K::bytes},
                 {"n", K::null},
                 {"l", Type::list_of(K::integer)},
                 {"m", Type::map_of(K::string)},
                 {"money_", K::money},
                 {"z", K::size},
                 {"r", K::rate},
                 {"t", K::duration},
                 {"w", K::timestamp},
                 {"x", Type()}};
    const Type object =
        Type::object({{"id", K::integer}, {"names", Type::list_of(K::string)}, {"maybe", Type(K::integer).or_null()}});
    out.resolvers["o"] = [object](const expr::Path& path) -> expr::Answer {
      hold(!path.parts.empty() && path.parts[0].name == "o", "a resolver is asked for its own names");
      if (path.parts.size() > 1 && path.parts[1].name == "no")
        return expr::Refusal{1, "unknown-output", "there is no no", ""};
      return expr::Known{object, 1};
    };
    return out;
  }();
  return kAll;
}

bool is_plain(const std::string& text) {
  return !base::invalid_utf8(text) && std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\t';
  });
}

void inside(const std::vector<expr::Problem>& problems, std::size_t size) {
  for (const auto& one : problems) {
    hold(one.begin <= one.end && one.end <= size, "a problem stands inside the text");
    hold(!one.code.empty() && !one.message.empty(), "a problem has a code and a message");
    hold(is_plain(one.message) && is_plain(one.hint), "a problem's text is safe to print: " + one.message);
  }
}

// Errors that no type can foresee.
bool foreseen(const std::string& code) {
  static constexpr std::array kCodes = {"overflow",      "division_by_zero", "index_out_of_range",
                                        "no_such_key",   "bad_conversion",   "bad_pattern",
                                        "bad_time_zone", "repeated_key",     "too_costly"};
  return std::find(kCodes.begin(), kCodes.end(), code) != kCodes.end();
}

std::size_t lines_of(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
}

void whole(const std::string& text) {
  const auto parsed = expr::parse(text);
  const auto again = expr::parse(text);
  hold(parsed.problems.size() == again.problems.size(), "reading a text twice gives the same");
  hold(parsed.problems.size() <= 1 && parsed.expression.empty() != parsed.problems.empty(),
       "there is an expression or one problem");
  inside(parsed.problems, text.size());
  if (parsed.expression.empty()) {
    hold(parsed.problems[0].begin == again.problems[0].begin && parsed.problems[0].message == again.problems[0].message,
         "reading a text twice gives the same problem");
    return;
  }
  hold(parsed.expression.text() == text, "an expression knows its text");
  std::size_t last = 0;
  for (const auto& path : expr::references(parsed.expression)) {
    hold(!path.parts.empty() && path.begin <= path.end && path.end <= text.size(), "a reference stands in the text");
    hold(path.begin >= last, "references are in order of place");
    last = path.begin;
  }
  const auto checked = expr::check(parsed.expression, scope());
  inside(checked.problems, text.size());
  const auto value = expr::evaluate(parsed.expression, values());
  if (!value) hold(is_plain(value.error().message), "an error's text is safe to print: " + value.error().message);
  if (checked.problems.empty() && !checked.dynamic) {
    hold(value || foreseen(value.error().code), value ? "" : "typed, but: " + value.error().message);
    hold(!value || checked.type.holds(*value), "the value is of the type " + checked.type.name());
  }
  const auto shown = expr::operands(parsed.expression, values());
  hold(shown.size() <= 200, "an assertion's tree is bounded");
  for (const auto& one : shown) {
    hold(one.begin <= one.end && one.end <= text.size(), "an operand stands inside the text");
    hold(one.value.size() <= 410 && is_plain(one.value), "an operand's value is short and safe to print");
    hold(lines_of(one.difference) <= expr::kMostDifferenceLines, "a difference is short");
  }
  if (!shown.empty() && shown[0].depth == 0)
    hold(value.ok() == (shown[0].value.rfind("error: ", 0) != 0), "the tree's root is the expression's value");
  if (!value) return;
  for (const char* other : {"s", "l", "x"}) {
    const std::string differs = expr::difference(*value, values().at(other));
    hold(lines_of(differs) <= expr::kMostDifferenceLines && differs.size() < 8'000, "a difference is short");
  }
}

void inside_text(const std::string& text) {
  const auto parsed = expr::parse_template(text);
  inside(parsed.problems, text.size());
  if (!parsed.problems.empty()) return;
  std::size_t last = 0;
  for (const auto& piece : parsed.value.pieces) {
    hold(piece.begin >= last && piece.begin <= piece.end && piece.end <= text.size(), "pieces follow each other");
    last = piece.end;
  }
  const auto checked = expr::check(parsed.value, scope());
  inside(checked.problems, text.size());
  const auto value = expr::evaluate(parsed.value, values());
  if (!parsed.value.constant()) return;
  hold(value && value->text() != nullptr && *value->text() == text, "text without expressions stays what it is");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  whole(text);
  inside_text(text);
  return 0;
}
