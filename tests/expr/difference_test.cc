// In what two values differ, as people read it.
#include "engine/expr/difference.h"

#include <doctest/doctest.h>

#include "engine/base/text.h"
#include "engine/expr/expression.h"

using namespace failover;  // NOLINT(google-build-using-namespace)
using base::Value;
using expr::difference;

namespace {

// The difference of two expressions' values.
std::string between(const std::string& left, const std::string& right) {
  const auto value = [](const std::string& text) {
    const auto parsed = expr::parse(text);
    REQUIRE(parsed.problems.empty());
    auto out = expr::evaluate(parsed.expression, {});
    REQUIRE(out);
    return *std::move(out);
  };
  return difference(value(left), value(right));
}

struct Row {
  const char* left;
  const char* right;
  const char* difference;
};

}  // namespace

TEST_CASE("scalars, lists, maps") {
  const std::vector<Row> rows = {
      {"1", "1", ""},
      {"1", "1.0", ""},
      {"[1, {'a': 'x'}]", "[1u, {'a': 'x'}]", ""},
      {"1", "2", "1 != 2"},
      {"1", "'1'", "1 (int) != \"1\" (string)"},
      {"null", "[]", "null (null) != [] (list)"},
      {"'a'", "'b'", "\"a\" != \"b\""},
      {"money('$1')", "money('$2')", "$1.00 != $2.00"},
      {"[1, 2, 3]", "[1, 5, 3]", "[1]: 2 != 5"},
      {"[1, 2]", "[1, 2, 3]", "2 items != 3 items\n[2]: only on the right: 3"},
      {"[1, 2, 'x']", "[1]", "3 items != 1 items\n[1]: only on the left: 2\n[2]: only on the left: \"x\""},
      {"{'a': 1, 'b': 2}", "{'a': 1, 'b': 3}", "b: 2 != 3"},
      {"{'a': 1}", "{'b': 1}", "a: only on the left: 1\nb: only on the right: 1"},
      {"{'odd key': 1}", "{'odd key': 2}", "[\"odd key\"]: 1 != 2"},
      {"{'a': {'b': [1, {'c': 2}]}}", "{'a': {'b': [1, {'c': 3}]}}", "a.b[1].c: 2 != 3"},
      {"[{'a': 1}, {'a': 2}]", "[{'a': 1}, {'b': 2}]", "[1].a: only on the left: 2\n[1].b: only on the right: 2"},
      {"{'a': [1]}", "{'a': 1}", "a: [1] (list) != 1 (int)"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.left);
    CAPTURE(row.right);
    CHECK(between(row.left, row.right) == row.difference);
  }
}

TEST_CASE("texts: the lines that differ, and where") {
  CHECK(difference("the quick brown fox jumps over", "the quick brown cat jumps over") ==
        "the texts differ:\n"
        "  - the quick brown fox jumps over\n"
        "  + the quick brown cat jumps over\n"
        "                    ^");
  CHECK(difference("one\ntwo\nthree", "one\n2\nthree") ==
        "line 2:\n"
        "  - two\n"
        "  + 2\n"
        "    ^");
  CHECK(difference("one\ntwo", "one\ntwo\nthree") ==
        "line 3:\n"
        "  + three\n"
        "2 lines != 3 lines");
  CHECK(difference("a\n", "a") ==
        "line 2:\n"
        "  - \n"
        "2 lines != 1 lines");
  // The caret stands under characters, not bytes; control characters are shown as they are counted.
  CHECK(difference("h\xC3\xA9llo\nx", "h\xC3\xA8llo\nx") ==
        "line 1:\n"
        "  - h\xC3\xA9llo\n"
        "  + h\xC3\xA8llo\n"
        "     ^");
  CHECK(difference("\x1b[0m a\n", "\x1b[0m b\n") ==
        "line 1:\n"
        "  - \\x1b[0m a\n"
        "  + \\x1b[0m b\n"
        "            ^");
  CHECK(difference(Value(Value::Map{{"log", "a\nb"}}), Value(Value::Map{{"log", "a\nc"}})) ==
        "log: line 2:\n"
        "  - b\n"
        "  + c\n"
        "    ^");
}

TEST_CASE("long texts are shown where they part") {
  const std::string same(5'000, 'x');
  const std::string shown = difference(Value(same + "a" + same), Value(same + "b" + same));
  const auto lines = base::split(shown, '\n');
  REQUIRE(lines.size() == 4);
  CHECK(lines[1].substr(0, 7) == "  - ...");
  CHECK(lines[1].size() < 140);
  const std::size_t caret = lines[3].find('^');
  REQUIRE(caret < lines[1].size());
  CHECK(lines[1][caret] == 'a');
  CHECK(lines[2][caret] == 'b');
}

TEST_CASE("never more than twenty lines, never slow") {
  Value::List many;
  Value::List others;
  Value::Map keys;
  std::string text;
  std::string other;
  for (int i = 0; i < 200'000; ++i) {
    many.emplace_back(i);
    others.emplace_back(-i - 1);
    keys.emplace("k" + std::to_string(i), i);
    text += "line " + std::to_string(i) + "\n";
    other += "LINE " + std::to_string(i) + "\n";
  }
  const auto lines = [](const Value& a, const Value& b) { return base::split(difference(a, b), '\n'); };
  CHECK(lines(Value(many), Value(others)).size() == 20);
  CHECK(lines(Value(many), Value(others)).back() == "... and more");
  CHECK(lines(Value(many), Value(Value::List{})).size() == 20);
  CHECK(lines(Value(keys), Value(Value::Map{})).size() == 20);
  CHECK(lines(Value(text), Value(other)).size() == 17);
  CHECK(lines(Value(text), Value(other)).back() == "more lines differ");
  CHECK(lines(Value(many), Value(keys)).size() == 1);
  CHECK(lines(Value(many), Value(keys))[0].size() < 250);
  // Much that is equal before something that is not.
  Value::List nested = many;
  nested.emplace_back("end");
  Value::List last = many;
  last.emplace_back("END");
  CHECK(difference(Value(nested), Value(last)) == "[200000]: \"end\" != \"END\"");
  Value::List rows;
  for (int i = 0; i < 20; ++i) rows.emplace_back(many);
  Value::List changed = rows;
  changed.emplace_back(1);
  rows.emplace_back(2);
  CHECK(difference(Value(rows), Value(changed)).find("too large to compare further") != std::string::npos);
}

TEST_CASE("a false == of an assertion says in what its sides differ") {
  const expr::Values values{{"left", Value(Value::List{1, 2})}, {"right", Value(Value::List{1, 3})}, {"n", Value(5)}};
  const auto parsed = expr::parse("n == 5 && left == right && n == 6 && left != right");
  const auto shown = expr::operands(parsed.expression, values);
  std::vector<std::string> found;
  for (const auto& one : shown) {
    if (!one.difference.empty()) found.push_back(one.text + ": " + one.difference);
  }
  REQUIRE(found.size() == 1);
  CHECK(found[0] == "left == right: [1]: 2 != 3");
}
