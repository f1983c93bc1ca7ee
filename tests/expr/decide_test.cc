// What ranges of numbers say of conditions before the numbers are there.
#include <doctest/doctest.h>

#include <map>
#include <string>

#include "engine/expr/expression.h"

namespace failover::expr {
namespace {

// `three` is 3, `few` from 1 to 4, `many` at least 10; `list` has 2 elements.
std::optional<Range> known(const Path& path, bool size) {
  static const std::map<std::string, Range> kNumbers = {
      {"three", {3, 3}}, {"few", {1, 4}}, {"many", {10, std::numeric_limits<std::int64_t>::max()}}};
  if (path.parts.size() != 2) return std::nullopt;
  const std::string& name = path.parts[1].name;
  if (size) return name == "list" ? std::optional(Range{2, 2}) : std::nullopt;
  const auto at = kNumbers.find(name);
  return at == kNumbers.end() ? std::nullopt : std::optional(at->second);
}

std::string decision(const std::string& text) {
  const auto parsed = parse(text);
  REQUIRE(!parsed.expression.empty());
  const auto held = decided(parsed.expression, known);
  return held ? (*held ? "true" : "false") : "open";
}

struct Row {
  const char* text;
  const char* decision;
};

TEST_CASE("a condition is decided only where every number within the ranges agrees") {
  static constexpr Row kRows[] = {
      {"a.three == 3", "true"},
      {"a.three != 3", "false"},
      {"3 == a.three", "true"},
      {"a.three == 4", "false"},
      {"a.few == 3", "open"},
      {"a.few == 5", "false"},
      {"a.few != 5", "true"},
      {"a.few != 4", "open"},
      {"a.few < 5", "true"},
      {"a.few < 4", "open"},
      {"a.few < 1", "false"},
      {"a.few <= 4", "true"},
      {"a.few <= 0", "false"},
      {"a.few > 0", "true"},
      {"a.few > 4", "false"},
      {"a.few >= 1", "true"},
      {"a.few >= 5", "false"},
      {"0 < a.few", "true"},
      {"4 < a.few", "false"},
      {"a.few > -1", "true"},
      {"a.few == -1", "false"},
      {"a.few < a.many", "true"},
      {"a.many > 9", "true"},
      {"a.many > 10", "open"},
      {"a.many < 9223372036854775807", "open"},
      {"a.few in [7, 8]", "false"},
      {"a.few in [1, 8]", "open"},
      {"a.three in [1, 3]", "true"},
      {"a.few in []", "open"},
      {"a.list.size() == 2", "true"},
      {"size(a.list) > 2", "false"},
      {"a.other.size() == 2", "open"},
      {"a.other == 2", "open"},
      {"a.few == a.other", "open"},
      {"1 == 2", "open"},  // no range takes part: that is said elsewhere
      {"!(a.few > 4)", "true"},
      {"a.few > 4 && b", "false"},
      {"b && a.few > 4", "false"},
      {"a.few > 0 && b", "open"},
      {"a.few > 0 || b", "true"},
      {"a.few > 4 || b", "open"},
      {"b ? a.few > 4 : false", "open"},
      {"has(a.few) && a.few > 4", "false"},
  };
  for (const auto& row : kRows) {
    CAPTURE(row.text);
    CHECK(decision(row.text) == row.decision);
  }
}

std::string shown(const std::string& text) {
  const auto parsed = parse(text);
  REQUIRE(!parsed.expression.empty());
  std::string out;
  const Range open;
  for (const auto& bound : bounds(parsed.expression)) {
    out += (out.empty() ? "" : " ") + bound.path.parts.back().name + "[";
    out += (bound.range.least == open.least ? "" : std::to_string(bound.range.least)) + ",";
    out += (bound.range.most == open.most ? "" : std::to_string(bound.range.most)) + "]";
    if (!bound.same.parts.empty()) out += "=" + bound.same.parts.back().name;
  }
  return out;
}

TEST_CASE("what a condition that holds says of numbers") {
  static constexpr Row kRows[] = {
      {"a.x == 0", "x[0,0]"},
      {"0 == a.x", "x[0,0]"},
      {"a.x >= 2 && a.y < 5", "x[2,] y[,4]"},
      {"2 < a.x", "x[3,]"},
      {"a.x >= 2 || a.y < 5", ""},
      {"!(a.x >= 2 || a.y < 5)", "x[,1] y[5,]"},
      {"!(a.x != 4)", "x[4,4]"},
      {"a.x != 4", "x[,]"},
      {"a.x == a.y", "x[,]=y y[,]=x"},
      {"a.x == 'b'", ""},
      {"a.x > 9223372036854775807", "x[,]"},
      {"a.x.size() == 3", ""},
      {"b", ""},
  };
  for (const auto& row : kRows) {
    CAPTURE(row.text);
    CHECK(shown(row.text) == row.decision);
  }
}

}  // namespace
}  // namespace failover::expr
