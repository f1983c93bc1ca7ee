// CEL's documented behaviour for the subset, row by row; types and places of problems.
#include <doctest/doctest.h>

#include "engine/expr/template.h"

using namespace failover;  // NOLINT(google-build-using-namespace)
using base::Type;
using base::Value;

namespace {

expr::Values values() {
  return {{"inputs", Value(Value::Map{{"count", 3}, {"name", "gpu"}, {"price", base::Money{500'000}}})},
          {"outputs", Value(Value::Map{{"files", Value(Value::List{Value(Value::Map{{"path", "a"}, {"size", 1}}),
                                                                   Value(Value::Map{{"path", "b"}, {"size", 2}})})},
                                       {"ratio", 0.5},
                                       {"none", Value()}})},
          {"elapsed", Value(base::Duration(std::chrono::minutes(5)))}};
}

// The value as a literal, or `error CODE`, or `problem CODE`.
std::string result(const std::string& text) {
  const auto parsed = expr::parse(text);
  if (!parsed.problems.empty()) return "problem " + parsed.problems.front().code;
  const auto value = expr::evaluate(parsed.expression, values());
  return value ? value->literal() : "error " + value.error().code;
}

expr::Scope scope() {
  const Type file = Type::object({{"path", Type::Kind::string}, {"size", Type::Kind::integer}});
  expr::Scope out;
  out.names["inputs"] =
      Type::object({{"count", Type::Kind::integer}, {"name", Type::Kind::string}, {"price", Type::Kind::money}});
  out.names["outputs"] =
      Type::object({{"files", Type::list_of(file)}, {"ratio", Type::Kind::number}, {"disk", Type::Kind::size}});
  out.names["elapsed"] = Type::Kind::duration;
  return out;
}

// The type's name, or `begin-end code` of the first problem.
std::string typed(const std::string& text) {
  const auto parsed = expr::parse(text);
  if (!parsed.problems.empty()) return "unparsed";
  const auto checked = expr::check(parsed.expression, scope());
  if (checked.problems.empty()) return checked.type.name();
  const auto& first = checked.problems.front();
  return std::to_string(first.begin) + "-" + std::to_string(first.end) + " " + first.code;
}

struct Row {
  const char* text;
  const char* result;
};

void check_rows(const std::vector<Row>& rows, std::string (*run)(const std::string&)) {
  for (const auto& row : rows) {
    const std::string text = row.text;
    CAPTURE(text);
    CHECK(run(text) == row.result);
  }
}

}  // namespace

TEST_CASE("literals") {
  check_rows({{"1", "1"},
              {"-1", "-1"},
              {"0x1F", "31"},
              {"-9223372036854775808", "-9223372036854775808"},
              {"9223372036854775808", "problem expression-syntax"},
              {"true", "true"},
              {"null", "null"},
              {"'a'", "\"a\""},
              {"\"a'b\"", "\"a'b\""},
              {"'a\\x41\\u00e9\\101'",
               "\"aA\xC3\xA9"
               "A\""},
              {"r'\\n'", "\"\\\\n\""},
              {"'''a'b'''", "\"a'b\""},
              {"'\\q'", "problem expression-syntax"},
              {"'a", "problem expression-syntax"},
              {"[1, 2,]", "[1, 2]"},
              {"{'a': 1}['a']", "1"},
              {"1.5e2", "150"},
              {"5u == 5u", "true"}},
             result);
}

TEST_CASE("operators and their precedence") {
  check_rows({{"1 + 2 * 3", "7"},
              {"(1 + 2) * 3", "9"},
              {"7 / 2", "3"},
              {"-7 / 2", "-3"},
              {"-7 % 2", "-1"},
              {"1 - 2 - 3", "-4"},
              {"1 < 2 == true", "true"},
              {"!true || true && false", "false"},
              {"1 > 2 ? 'a' : 2 > 1 ? 'b' : 'c'", "\"b\""},
              {"'a' + 'b'", "\"ab\""},
              {"[1] + [2]", "[1, 2]"},
              {"2 in [1, 2]", "true"},
              {"'a' in {'a': 1}", "true"},
              {"1 == 1.0", "true"},
              {"1 < 1.5", "true"},
              {"1u < 2", "true"},
              {"[1, 2] == [1, 2]", "true"},
              {"1 == 'a'", "false"},
              {"!1", "error no_such_overload"},
              {"1 + 1.0", "error no_such_overload"},
              {"1 + ", "problem expression-syntax"},
              {"1 = 1", "problem expression-syntax"}},
             result);
}

TEST_CASE("arithmetic ends in errors, never in nonsense") {
  check_rows({{"9223372036854775807 + 1", "error overflow"},
              {"-9223372036854775808 - 1", "error overflow"},
              {"9223372036854775807 * 2", "error overflow"},
              {"-(-9223372036854775807 - 1)", "error overflow"},
              {"1 / 0", "error division_by_zero"},
              {"1 % 0", "error division_by_zero"},
              {"0u - 1u", "error overflow"},
              {"[1][1]", "error index_out_of_range"},
              {"[1][-1]", "error index_out_of_range"},
              {"{'a': 1}.b", "error no_such_key"}},
             result);
}

TEST_CASE("a side that decides hides the error of the other") {
  check_rows({{"false && 1 / 0 > 0", "false"},
              {"1 / 0 > 0 && false", "false"},
              {"true || 1 / 0 > 0", "true"},
              {"1 / 0 > 0 || true", "true"},
              {"true && 1 / 0 > 0", "error division_by_zero"},
              {"false ? 1 / 0 : 1", "1"},
              {"[1, 0].exists(x, 1 / x > 0)", "true"},
              {"[0, 2].all(x, 1 / x > 0)", "false"},
              {"[0, 1].all(x, 1 / x > 0)", "error division_by_zero"}},
             result);
}

TEST_CASE("functions, conversions and macros") {
  check_rows({{"size('h\xC3\xA9')", "2"},
              {"outputs.files.size()", "2"},
              {"'abc'.contains('b') && 'abc'.startsWith('a') && 'abc'.endsWith('c')", "true"},
              {"'a1'.matches('^[a-z][0-9]$')", "true"},
              {"matches('abc', 'b')", "true"},
              {"'a'.matches('(')", "error bad_pattern"},
              {"int('12') + int(3.9)", "15"},
              {"int('x')", "error bad_conversion"},
              {"int(1e30)", "error bad_conversion"},
              {"double('1.5')", "1.5"},
              {"string(12) + string(true)", "\"12true\""},
              {"string(duration('1h30m'))", "\"5400s\""},
              {"bool('true')", "true"},
              {"outputs.files.map(f, f.path)", "[\"a\", \"b\"]"},
              {"outputs.files.map(f, f.size > 1, f.path)", "[\"b\"]"},
              {"outputs.files.filter(f, f.size > 1).size()", "1"},
              {"outputs.files.exists_one(f, f.path == 'a')", "true"},
              {"has(outputs.ratio) && !has(outputs.absent)", "true"},
              {"has(nothing.at.all)", "false"},
              {"has(1)", "problem expression-syntax"}},
             result);
}

TEST_CASE("units add, compare and divide with their own kind") {
  check_rows({{"money('$0.50') + money('$0.25') == money('$0.75')", "true"},
              {"inputs.price * 2", "$1.00"},
              {"inputs.price / money('$0.25')", "2"},
              {"size('20 GB') > size('20 GiB')", "false"},
              {"size('1 KiB') == size('1024 B')", "true"},
              {"rate('100 Mb/s') / 2 == rate('50 Mb/s')", "true"},
              {"elapsed < duration('5m1s')", "true"},
              {"duration('1m') + duration('30s') == duration('90s')", "true"},
              {"timestamp('2026-01-01T00:00:00Z') + duration('24h') == timestamp('2026-01-02T00:00:00Z')", "true"},
              {"money('$0.50') > size('1 GB')", "error no_such_overload"},
              {"money('0.50')", "error bad_conversion"}},
             result);
}

TEST_CASE("types are known before anything runs, problems stand at their bytes") {
  check_rows({{"inputs.count + 1", "integer"},
              {"inputs.price * 2", "money"},
              {"outputs.files[0].path", "string"},
              {"outputs.files.map(f, f.size)", "list of integer"},
              {"outputs.files.all(f, f.size > 0)", "boolean"},
              {"inputs.cuont", "7-12 unknown-field"},
              {"input.count", "0-5 unknown-name"},
              {"outputs.files.path", "14-18 no-fields"},
              {"sizee(inputs.name)", "0-5 unknown-function"},
              {"inputs.price > 1", "0-16 no-overload"},
              {"inputs.price > size('1 GB')", "0-27 no-overload"},
              {"inputs.count + 1.5", "0-18 no-overload"},
              {"inputs.count && true", "0-12 wrong-type"},
              {"duration('5 minutes')", "9-20 bad-literal"},
              {"inputs.name.matches('(')", "20-23 bad-literal"},
              {"elapsed.getHours()", "integer"},
              {"type(elapsed)", "0-4 not-supported"},
              {"inputs.count ? 1 : 2", "0-12 wrong-type"},
              {"true ? 1 : 'a'", "0-14 no-overload"}},
             typed);
}

TEST_CASE("evaluation is bounded") {
  CHECK(
      result("[1,2,3,4,5,6,7,8,9,10].map(a, [1,2,3,4,5,6,7,8,9,10].map(b, [1,2,3,4,5,6,7,8,9,10].map(c, "
             "[1,2,3,4,5,6,7,8,9,10].map(d, [1,2,3,4,5,6,7,8,9,10].map(e, [1,2,3,4,5,6,7,8,9,10].map(f, a + b))))))") ==
      "error too_costly");
  CHECK(result(std::string(200, '(') + "1" + std::string(200, ')')) == "problem expression-syntax");
  CHECK(result(std::string(200, '!') + "true") == "problem expression-syntax");
  std::string chain = "1";
  for (int i = 0; i < 2'000; ++i) chain += "+1";
  CHECK(result(chain) == "problem expression-syntax");
  CHECK(result(std::string(20'000, ' ')) == "problem expression-syntax");
}

TEST_CASE("references, with and without has()") {
  const auto parsed = expr::parse("has(steps.a.x) ? steps.a.x : steps.b['y'].z + [1].map(v, v + inputs.count)[0]");
  REQUIRE(parsed.problems.empty());
  const auto paths = expr::references(parsed.expression);
  REQUIRE(paths.size() == 4);
  CHECK(paths[0].in_has);
  CHECK(paths[1].guarded);
  CHECK_FALSE(paths[2].guarded);
  REQUIRE(paths[2].parts.size() == 4);
  CHECK(paths[2].parts[2].name == "y");
  CHECK(paths[3].parts[1].name == "count");
}

TEST_CASE("what a condition proves when it is true") {
  const auto proven = [](const std::string& text) {
    std::string out;
    for (const auto& fact : expr::proven(expr::parse(text).expression)) {
      if (!fact.holds) out += "not ";
      out += fact.first + "." + fact.second + (fact.word ? "." + fact.third + " is " + *fact.word : "") + " ";
    }
    return out;
  };
  CHECK(proven("has(steps.a.x)") == "steps.a ");
  CHECK(proven("has(steps.a.x) && (1 > 0 && has(steps.b.y))") == "steps.a steps.b ");
  CHECK(proven("has(steps.a.x) || true").empty());
  CHECK(proven("!has(steps.a.x)") == "not steps.a ");
  CHECK(proven("steps.r.winner == 'a' && 'b' != steps.s.winner") == "steps.r.winner is a not steps.s.winner is b ");
  CHECK(proven("steps.r.winner == 'a' || 'b' != steps.s.winner").empty());
  CHECK(proven("!(!has(steps.a.x) || !has(steps.b.x))") == "steps.a steps.b ");
  CHECK(proven("!(has(steps.a.x) && has(steps.b.x))").empty());
  CHECK(proven("has(steps.a.x) ? true : false").empty());
}

TEST_CASE("templates") {
  const auto value = [](const std::string& text) {
    const auto parsed = expr::parse_template(text);
    if (!parsed.problems.empty()) return "problem at " + std::to_string(parsed.problems[0].begin);
    const auto out = expr::evaluate(parsed.value, values());
    return out ? out->literal() : "error " + out.error().code;
  };
  CHECK(value("plain") == "\"plain\"");
  CHECK(value("${{ inputs.count }}") == "3");
  CHECK(value("n=${{ inputs.count }}, p=${{ inputs.price }}") == "\"n=3, p=$0.50\"");
  CHECK(value("${{ '}}' }}") == "\"}}\"");
  CHECK(value("${{ {'a': {'b': 1}}.a.b }}") == "1");
  CHECK(value("a ${{ }} b") == "problem at 2");
  CHECK(value("a ${{ 1 ") == "problem at 2");
  CHECK(value("ab ${{ 1 + }}") != "");
}

TEST_CASE("an assertion's tree shows every part with its value") {
  const auto parsed = expr::parse("inputs.count == outputs.files.size() && inputs.name == 'x'");
  const auto shown = expr::operands(parsed.expression, values());
  REQUIRE(shown.size() == 7);
  CHECK(shown[0].value == "false");
  CHECK(shown[1].text == "inputs.count == outputs.files.size()");
  CHECK(shown[2].text == "inputs.count");
  CHECK(shown[2].value == "3");
  CHECK(shown[3].value == "2");
}
