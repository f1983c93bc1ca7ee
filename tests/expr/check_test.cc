// Types are known before anything runs, and every problem stands at its part, in bytes.
#include <doctest/doctest.h>

#include "engine/expr/expression.h"
#include "tests/expr/rows.h"

using namespace failover;  // NOLINT(google-build-using-namespace)
using base::Type;
using tests::check_rows;
using tests::some_scope;
using tests::type_of;

TEST_CASE("types of expressions that are right") {
  check_rows({{"1", "integer"},
              {"1u", "uint"},
              {"1.5", "number"},
              {"'a'", "string"},
              {"b'a'", "bytes"},
              {"null", "null"},
              {"true", "boolean"},
              {"[]", "list of any"},
              {"[1, 2]", "list of integer"},
              {"[1, 2.5]", "list of any"},
              {"[1, null]", "list of integer or null"},
              {"[[1], [2]]", "list of list of integer"},
              {"{}", "{}"},
              {"{'a': 1, 'b': 'x'}", "{a: integer, b: string}"},
              {"{'a' + 'b': 1}", "map of any"},
              {"inputs.count + 1", "integer"},
              {"inputs.price * 2", "money"},
              {"inputs.price * 2.5", "money"},
              {"inputs.price / inputs.price", "number"},
              {"outputs.disk + size('1 GB')", "size"},
              {"rate('1 Mb/s') * 2", "rate"},
              {"outputs.files[0].path", "string"},
              {"outputs['files'][0]['size']", "integer"},
              {"outputs.labels.zone", "string"},
              {"outputs.labels['zo' + 'ne']", "string"},
              {"outputs.labels.`odd-key`", "string"},
              {"outputs.files.map(f, f.size)", "list of integer"},
              {"outputs.files.map(f, f.size > 1, f.path)", "list of string"},
              {"outputs.files.filter(f, f.size > 1)", "list of {path: string, size: integer}"},
              {"outputs.files.all(f, f.size > 0)", "boolean"},
              {"outputs.labels.map(k, k)", "list of string"},
              {"outputs.labels.all(k, k == 'zone')", "boolean"},
              {"outputs.files.map(f, outputs.files.map(g, f.size + g.size))", "list of list of integer"},
              {"[1] + [2]", "list of integer"},
              {"[1] + ['a']", "list of any"},
              {"true ? 1 : 2", "integer"},
              {"true ? 1 : null", "integer or null"},
              {"true ? dyn(1) : 'a'", "any"},
              {"has(outputs.ratio) ? outputs.ratio : 0.0", "number"},
              {"1 == 1.0", "boolean"},
              {"1 < 1u", "boolean"},
              {"null == inputs.count", "boolean"},
              {"outputs.none == null ? 0 : outputs.none", "integer or null"},
              {"1 in [1.0]", "boolean"},
              {"'a' in inputs", "boolean"},
              {"dyn(1) == 'a'", "boolean"},
              {"whatever.x.y[0] + 1", "any"},
              {"-elapsed", "duration"},
              {"-inputs.count", "integer"},
              {"elapsed + elapsed", "duration"},
              {"timestamp(0) - timestamp(1)", "duration"},
              {"timestamp(0) + elapsed", "timestamp"},
              {"elapsed + timestamp(0)", "timestamp"},
              {"elapsed.getHours()", "integer"},
              {"timestamp(0).getHours('+02:00')", "integer"},
              {"timestamp(0).getHours(inputs.name)", "integer"},
              {"string(inputs.price)", "string"},
              {"bytes('a').size()", "integer"},
              {"size('20 GB')", "size"},
              {"size(inputs.name)", "integer"},
              {"size('20 GB'.contains('G') ? 'a' : 'b')", "integer"},
              {"inputs.name.matches('a' + 'b')", "boolean"},
              {"{'a': 1} == {'b': 1}", "boolean"},
              {"{'a': 1} == outputs.labels", "0-26 no-overload"},
              {"{'zone': 'eu'} == outputs.labels", "boolean"},
              {"[1].map(inputs, inputs + 1)", "list of integer"}},
             type_of);
}

TEST_CASE("names and fields") {
  check_rows({{"input.count", "0-5 unknown-name"},
              {"1 + nothing", "4-11 unknown-name"},
              {"nothing + 1.5 + nowhere", "0-7 unknown-name; 16-23 unknown-name"},
              {"inputs.cuont", "7-12 unknown-field"},
              {"inputs['cuont']", "7-14 unknown-field"},
              {"inputs.`cuont`", "7-14 unknown-field"},
              {"{'a': 1}.b", "9-10 unknown-field"},
              {"{'a': 1}['b']", "9-12 unknown-field"},
              {"outputs.files.path", "14-18 no-fields"},
              {"outputs.files[0].pth", "17-20 unknown-field"},
              {"outputs.files.map(f, f.pth)", "23-26 unknown-field"},
              {"outputs.files.map(f, g.path)", "21-22 unknown-name"},
              {"inputs.name.length", "12-18 no-fields"},
              {"inputs.name[0]", "12-13 no-overload"},
              {"outputs.files['a']", "14-17 no-fields"},
              {"outputs.files[inputs.name]", "14-25 no-overload"},
              {"outputs.files[1.0]", "14-17 no-overload"},
              {"outputs.files[1u]", "14-16 no-overload"},
              {"inputs[1]", "7-8 no-overload"},
              {"outputs.labels[1]", "15-16 no-overload"},
              {"has(inputs.cuont)", "11-16 unknown-field"},
              {"has(outputs.files[0].pth)", "21-24 unknown-field"},
              {"f", "0-1 unknown-name"},
              {"[1].all(x, true) && x", "20-21 unknown-name"}},
             type_of);
}

TEST_CASE("operators") {
  check_rows({{"inputs.price > 1", "0-16 no-overload"},
              {"inputs.price > size('1 GB')", "0-27 no-overload"},
              {"inputs.count + 1.5", "0-18 no-overload"},
              {"1 + 1u", "0-6 no-overload"},
              {"true && (1 + 'a') == 'b'", "9-16 no-overload"},
              {"1.5 % 2.5", "0-9 no-overload"},
              {"'a' - 'b'", "0-9 no-overload"},
              {"[1] < [2]", "0-9 no-overload"},
              {"dyn(1) < [2]", "0-12 no-overload"},
              {"null < null", "0-11 no-overload"},
              {"1 == 'a'", "0-8 no-overload"},
              {"[1] == ['a']", "0-12 no-overload"},
              {"1 in ['a']", "0-10 no-overload"},
              {"1 in inputs", "0-11 no-overload"},
              {"'a' in 'abc'", "0-12 no-overload"},
              {"inputs.count && true", "0-12 wrong-type"},
              {"true || inputs.name", "8-19 wrong-type"},
              {"1 && 'a'", "0-1 wrong-type; 5-8 wrong-type"},
              {"!inputs.count", "0-13 no-overload"},
              {"-inputs.name", "0-12 no-overload"},
              {"-1u", "0-3 no-overload"},
              {"-inputs.price", "0-13 no-overload"},
              {"inputs.price * inputs.price", "0-27 no-overload"},
              {"elapsed * 2", "0-11 no-overload"},
              {"elapsed - timestamp(0)", "0-22 no-overload"},
              {"inputs.count ? 1 : 2", "0-12 wrong-type"},
              {"true ? 1 : 'a'", "0-14 no-overload"},
              {"true ? 1 : 2.5", "0-14 no-overload"},
              {"true ? [1] : ['a']", "0-18 no-overload"},
              {"(true ? nothing : 'a') + 1", "8-15 unknown-name"}},  // one mistake, one problem
             type_of);
}

TEST_CASE("functions and macros") {
  check_rows({{"sizee(inputs.name)", "0-5 unknown-function"},
              {"inputs.name.contain('a')", "12-19 unknown-function"},
              {"nothing.contain('a')", "0-7 unknown-name; 8-15 unknown-function"},
              {"contains('a', 'b')", "0-8 no-overload"},
              {"'a'.int()", "4-7 no-overload"},
              {"size(1)", "0-7 no-overload"},
              {"size()", "0-4 no-overload"},
              {"size('a', 'b')", "0-4 no-overload"},
              {"'a'.contains()", "4-12 no-overload"},
              {"'a'.contains('a', 'b')", "4-12 no-overload"},
              {"timestamp(0).getHours('UTC', 1)", "13-21 no-overload"},
              {"inputs.name.contains(1)", "0-23 no-overload"},
              {"string([1])", "0-11 no-overload"},
              {"elapsed.getHours('UTC')", "0-23 no-overload"},
              {"elapsed.getMonth()", "0-18 no-overload"},
              {"inputs.count.all(x, true)", "0-12 no-overload"},
              {"outputs.files.all(f, f.size)", "21-27 wrong-type"},
              {"outputs.files.filter(f, f.path)", "24-30 wrong-type"},
              {"outputs.files.map(f, f.size, f.path)", "21-27 wrong-type"},
              {"outputs.files.all(f, f.size > 'a')", "21-33 no-overload"},
              {"{'a': 1, 'a': 2}", "9-12 repeated-key"}},
             type_of);
}

TEST_CASE("literals that cannot be read") {
  check_rows({{"duration('5 minutes')", "9-20 bad-literal"},
              {"timestamp('yesterday')", "10-21 bad-literal"},
              {"timestamp('0001-01-01T00:00:00Z')", "10-32 bad-literal"},
              {"money('0.50')", "6-12 bad-literal"},
              {"rate('fast')", "5-11 bad-literal"},
              {"int('x')", "4-7 bad-literal"},
              {"int(1e30)", "4-8 bad-literal"},
              {"uint(-1)", "5-7 bad-literal"},
              {"double('x')", "7-10 bad-literal"},
              {"bool('yes')", "5-10 bad-literal"},
              {"string(b'\\xff')", "7-14 bad-literal"},
              {"inputs.name.matches('(')", "20-23 bad-literal"},
              {"matches(inputs.name, '(')", "21-24 bad-literal"},
              {"timestamp(0).getHours('Europe/Paris')", "22-36 bad-literal"},
              {"timestamp(0).getHours('+25:00')", "22-30 bad-literal"}},
             type_of);
}

TEST_CASE("syntax problems stand at their place") {
  check_rows({{"1 +", "3-3 expression-syntax"},
              {"1 + )", "4-5 expression-syntax"},
              {"(1 + 2", "6-6 expression-syntax"},
              {"a.1", "1-3 expression-syntax"},
              {"a.", "2-2 expression-syntax"},
              {"a ? b", "5-5 expression-syntax"},
              {"'abc", "0-4 expression-syntax"},
              {"1 + 'a\\qb'", "6-8 expression-syntax"},
              {"'\\\xC3\xA9'", "1-4 expression-syntax"},
              {"'\\u12'", "1-6 expression-syntax"},
              {"5minutes", "0-8 expression-syntax"},
              {"a && for", "5-8 expression-syntax"},
              {"a = 1", "2-3 expression-syntax"},
              {"99999999999999999999", "0-20 expression-syntax"},
              {"[1, 2", "5-5 expression-syntax"},
              {"has(x)", "0-6 expression-syntax"},
              {"[1].map(2, 3)", "8-9 expression-syntax"},
              {"[1].map(x)", "4-10 expression-syntax"}},
             type_of);
}

TEST_CASE("an unknown function says what is near it, or what there is") {
  const auto hint = [](const std::string& text) {
    return expr::check(expr::parse(text).expression, some_scope()).problems.at(0).hint;
  };
  CHECK(hint("sizee('a')") == "did you mean `size`?");
  CHECK(hint("[1].exist(x, true)") == "did you mean `exists`?");
  CHECK(hint("'a'.startswith('b')") == "did you mean `startsWith`?");
  CHECK(hint("xyzzy(1)").find("there are: all, bool, bytes,") == 0);
  CHECK(hint("inputs.cuont") == "did you mean `count`? it has: count, name, price");
  CHECK(hint("input") == "did you mean `inputs`? in scope: elapsed, inputs, outputs, whatever");
  CHECK(hint("inputs.count + 1.5") == "convert one: double(x) or int(x)");
  CHECK(hint("inputs.price > 1") == "write money('$1') for `1`");
}

TEST_CASE("what only the run knows is said") {
  const auto dynamic = [](const std::string& text) {
    const auto checked = expr::check(expr::parse(text).expression, some_scope());
    REQUIRE(checked.problems.empty());
    return checked.dynamic;
  };
  CHECK_FALSE(dynamic("inputs.count + outputs.files.map(f, f.size)[0] > 1"));
  CHECK_FALSE(dynamic("[1, 2.5].size()"));
  CHECK_FALSE(dynamic("outputs.labels.zone"));
  CHECK(dynamic("dyn(1)"));
  CHECK(dynamic("whatever.x"));
  CHECK(dynamic("[1, 2.5][0] == 1"));
  CHECK(dynamic("outputs.none == 1"));
}

// A resolver's answers: types from any part on, refusals at any part, silence for what was said elsewhere.
TEST_CASE("resolvers") {
  expr::Scope scope;
  std::vector<expr::Path> asked;
  scope.resolvers["steps"] = [&](const expr::Path& path) -> expr::Answer {
    asked.push_back(path);
    if (path.parts.size() < 3) return expr::Refusal{0, "incomplete-reference", "name an output", ""};
    if (path.parts[1].name == "lost") return expr::Refusal{1, {}, "", ""};
    if (path.parts[2].name == "id") return expr::Known{Type::Kind::integer, 3};
    return expr::Refusal{2, "unknown-output", "no output", "it has: id"};
  };
  const auto typed = [&](const std::string& text) {
    const auto checked = expr::check(expr::parse(text).expression, scope);
    if (checked.problems.empty()) return checked.type.name();
    return std::to_string(checked.problems[0].begin) + " " + checked.problems[0].code;
  };
  CHECK(typed("steps.a.id + 1") == "integer");
  CHECK(typed("steps.a.id.x") == "11 no-fields");
  CHECK(typed("steps.a.idd") == "8 unknown-output");
  CHECK(typed("steps['a']['idd']") == "11 unknown-output");
  CHECK(typed("steps") == "0 incomplete-reference");
  CHECK(typed("steps.lost.x > 1") == "boolean");
  asked.clear();
  CHECK(typed("has(steps.a.id) && steps.a.id > 1 || steps.b.id > 1") == "boolean");
  REQUIRE(asked.size() == 3);
  CHECK((asked[0].in_has && !asked[0].guarded));
  CHECK((!asked[1].in_has && asked[1].guarded));
  CHECK_FALSE(asked[2].guarded);
  asked.clear();
  CHECK(typed("!has(steps.a.id) || steps.a.id == 1") == "boolean");
  CHECK(typed("!has(steps.a.id) ? 1 : steps.a.id") == "integer");
  REQUIRE(asked.size() == 4);
  CHECK(asked[1].guarded);
  CHECK(asked[3].guarded);
}

// Compiling all the regular expressions that a file may hold could take minutes.
TEST_CASE("regular expressions have a budget, and each is compiled once") {
  expr::Scope scope;
  scope.names["x"] = Type::Kind::string;
  std::int64_t left = 10'000;
  scope.patterns_left = &left;
  const auto code = [&](const expr::Expression& expression) {
    const auto checked = expr::check(expression, scope);
    return checked.problems.empty() ? std::string() : std::string(checked.problems[0].code.name());
  };
  const auto small = expr::parse("x.matches('^a+$')").expression;
  CHECK(code(small).empty());
  const std::int64_t after = left;
  CHECK(after < 10'000);
  CHECK(code(small).empty());
  CHECK(left == after);
  CHECK(code(expr::parse("x.matches('(a|b')").expression) == "bad-literal");
  CHECK(left < 0);
  CHECK(code(expr::parse("x.matches('b')").expression) == "too-large");
  CHECK(code(expr::parse("x.matches('b' + 'c')").expression).empty());  // said
}
