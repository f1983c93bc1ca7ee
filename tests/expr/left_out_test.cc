// What CEL has and this has not: the table of engine/expr/README.md, row by row.
#include "engine/expr/left_out.h"

#include <doctest/doctest.h>

#include "engine/base/file.h"
#include "engine/base/text.h"
#include "tests/expr/rows.h"

using namespace failover;  // NOLINT(google-build-using-namespace)

namespace {

struct Refused {
  std::string example;
  std::string code;
};

std::string readme() {
  const auto text = base::read_file(std::string(FAILOVER_SOURCE_DIR) + "/engine/expr/README.md", 1 << 20);
  REQUIRE(text);
  return *text;
}

std::vector<Refused> table(const std::string& text) {
  std::vector<Refused> out;
  bool inside = false;
  for (const auto& line : base::split(text, '\n')) {
    if (line.rfind("| CEL has |", 0) == 0) {
      inside = true;
    } else if (line.rfind("| ", 0) != 0) {
      inside = false;
    } else if (inside && line.rfind("| --- ", 0) != 0) {
      const auto cells = base::split(line, '`');  // the last two pairs of backticks
      REQUIRE(cells.size() >= 5);
      out.push_back({cells[cells.size() - 4], cells[cells.size() - 2]});
    }
  }
  return out;
}

std::vector<expr::Problem> problems_of(const std::string& text) {
  const auto parsed = expr::parse(text);
  return parsed.problems.empty() ? expr::check(parsed.expression, tests::some_scope()).problems : parsed.problems;
}

}  // namespace

TEST_CASE("every example of the table is refused with its code, once, with a hint") {
  const auto rows = table(readme());
  CHECK(rows.size() > 50);
  for (const auto& row : rows) {
    CAPTURE(row.example);
    const auto problems = problems_of(row.example);
    REQUIRE_FALSE(problems.empty());
    CHECK(problems[0].code == row.code);
    CHECK(problems[0].end > problems[0].begin);
    CHECK(problems[0].end <= row.example.size());
    if (row.code != "not-supported") continue;
    CHECK_FALSE(problems[0].hint.empty());
    if (row.example.find("==") == std::string::npos) CHECK(problems.size() == 1);
  }
}

TEST_CASE("every name that is left out has an example in the table") {
  const std::string text = readme();
  for (const char* name :
       {"type", "charAt", "format", "indexOf", "join", "lastIndexOf", "lowerAscii", "replace", "split", "substring",
        "upperAscii", "orValue", "hasValue", "optMap", "transformList", "sort"}) {
    CAPTURE(name);
    CHECK(expr::left_out_function(name) != nullptr);
    CHECK(base::contains(text, name));
  }
  CHECK(expr::left_out_function("size") == nullptr);
  CHECK(expr::left_out_name("inputs") == nullptr);
}

TEST_CASE("a name in scope is not left out because CEL has a library of that name") {
  expr::Scope scope;
  scope.names["math"] = base::Type::map_of(base::Type::Kind::integer);
  scope.names["type"] = base::Type::Kind::string;
  const auto checked = expr::check(expr::parse("math.pi > 3 && type == 'x' && type.contains('x')").expression, scope);
  CHECK(checked.problems.empty());
}
