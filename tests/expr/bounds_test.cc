// Nothing that is written can take long, much memory or much stack.
#include <doctest/doctest.h>

#include <chrono>

#include "engine/expr/template.h"
#include "tests/expr/rows.h"

using namespace failover;  // NOLINT(google-build-using-namespace)
using base::Value;
using tests::value_of;

namespace {

std::string repeated(const std::string& part, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += part;
  return out;
}

double seconds_of(const std::function<void()>& doing) {
  const auto begin = std::chrono::steady_clock::now();
  doing();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

std::string code_of(const std::string& text, const expr::Values& values) {
  const auto parsed = expr::parse(text);
  REQUIRE(parsed.problems.empty());
  const auto value = expr::evaluate(parsed.expression, values);
  return value ? "" : value.error().code;
}

}  // namespace

TEST_CASE("what is nested too deeply, too long, or too many in a row is a problem") {
  const std::string problem = "problem expression-syntax";
  CHECK(value_of(repeated("(", 90) + "1" + repeated(")", 90)) == "1");
  CHECK(value_of(repeated("(", 200) + "1" + repeated(")", 200)) == problem);
  CHECK(value_of(repeated("[", 8'000) + repeated("]", 8'000)) == problem);
  CHECK(value_of(repeated("{'a':", 1'000) + "1" + repeated("}", 1'000)) == problem);
  CHECK(value_of(repeated("!", 200) + "true") == problem);
  CHECK(value_of(repeated("-", 200) + "1") == problem);
  CHECK(value_of(repeated("true ? 1 : ", 1'000) + "1") == problem);
  CHECK(value_of(repeated("int(", 1'000) + "1" + repeated(")", 1'000)) == problem);
  CHECK(value_of("1" + repeated("+1", 450)) == "451");
  CHECK(value_of("1" + repeated("+1", 2'000)) == problem);
  CHECK(value_of("true" + repeated("&&true", 2'000)) == problem);
  CHECK(value_of("a" + repeated(".a", 200)) == problem);
  CHECK(value_of("a" + repeated("[0]", 200)) == problem);
  // Wide is fine, and so is a tree that is both wide and as deep as may be.
  CHECK(value_of("[" + repeated("1,", 8'000) + "].size()") == "8000");
  CHECK(value_of("((((1" + repeated(repeated("+1", 150) + ")", 4)) == problem);
  CHECK(value_of(std::string(20'000, ' ')) == problem);
  CHECK(value_of("1" + std::string(16'000, ' ')) == "1");
}

TEST_CASE("loops end") {
  const std::string ten = "[1,2,3,4,5,6,7,8,9,10]";
  std::string sums;
  std::string conditions;
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) {
    sums += ten + ".map(" + name + ", ";
    conditions += ten + ".all(" + name + ", ";
  }
  CHECK(value_of(sums + "a + b" + repeated(")", 6)) == "error too_costly");
  CHECK(value_of(conditions + "a < 100" + repeated(")", 6)) == "error too_costly");
  // An error that a loop would go past, and a side that would hide it, do not hide that there is no end.
  CHECK(value_of(conditions + "1 / 0 > 1 || a < 100" + repeated(")", 6)) == "error too_costly");
  CHECK(value_of(conditions + "a < 100" + repeated(")", 6) + " || true") == "error too_costly");
}

TEST_CASE("values that share their parts do not grow past the steps") {
  CHECK(value_of("[1]" + repeated(".map(x, [x, x])", 90)) != "");
  CHECK(value_of("[1]" + repeated(" + [1]", 400) + " == []") == "false");
  const std::string twice = repeated(".map(x, [x, x])", 1);
  CHECK(value_of("[[1, 1]]" + repeated(".map(x, x + x)", 30)) == "error too_costly");
  std::string nested = "x";
  for (int i = 0; i < 40; ++i) nested = "[" + nested + "].map(x, [x, x])[0]";
  CHECK(value_of("[1].map(x, " + nested + ").size() > 0") == "error too_costly");
  CHECK(value_of("['0123456789abcdef']" + repeated(".map(x, x + x)", 30)) == "error too_costly");
  CHECK(value_of("[b'0123456789abcdef']" + repeated(".map(x, x + x)", 30)) == "error too_costly");
}

TEST_CASE("large values are read in place") {
  Value::List numbers;
  for (int i = 0; i < 100'000; ++i) numbers.emplace_back(i);
  const expr::Values values{{"text", Value(std::string(10'000'000, 'x'))},
                            {"numbers", Value(std::move(numbers))},
                            {"short", Value(std::string(100, 'x'))}};
  CHECK(code_of("numbers.all(n, n >= 0 && n < 100000)", values).empty());
  CHECK(code_of("numbers.filter(n, n % 2 == 0).size() == 50000", values).empty());
  CHECK(code_of("text.size() == 10000000", values).empty());
  CHECK(code_of("text.contains('y')", values).empty());
  CHECK(code_of("text.matches('xy')", values).empty());
  // A copy of ten megabytes for each of a hundred thousand would be a terabyte.
  CHECK(seconds_of([&] { CHECK(code_of("numbers.all(n, text == text)", values) == "too_costly"); }) < 5);
  CHECK(seconds_of([&] { CHECK(code_of("numbers.all(n, text.size() > n)", values) == "too_costly"); }) < 5);
  CHECK(seconds_of([&] { CHECK(code_of("numbers.map(n, n in numbers).size()", values) == "too_costly"); }) < 5);
  CHECK(seconds_of([&] { CHECK(code_of("numbers.map(n, numbers).size()", values) == "too_costly"); }) < 5);
  CHECK(seconds_of([&] {
          CHECK(code_of("numbers.all(n, short.matches('(x+x+)+y' + string(n)) || true)", values) == "too_costly");
        }) < 5);
  CHECK(code_of("text + text", values) == "too_costly");
  CHECK(code_of("numbers + numbers + numbers == []", values).empty());
}

TEST_CASE("patterns: time is linear in the text, memory is bounded") {
  const expr::Values values{{"text", Value(std::string(1'000'000, 'a'))}};
  CHECK(seconds_of([&] { CHECK(code_of("text.matches('(a*)*b')", values).empty()); }) < 5);
  CHECK(seconds_of([&] { CHECK(code_of("text.matches('(x+x+)+y')", values).empty()); }) < 5);
  CHECK(code_of("'a'.matches('((a{1000}){1000}){1000}')", values) == "bad_pattern");
}

TEST_CASE("an assertion's tree costs no more than an evaluation, and is of bounded size") {
  const std::string ten = "[1,2,3,4,5,6,7,8,9,10]";
  std::string loops = "true";
  for (int i = 0; i < 20; ++i)
    loops += " && " + ten + ".all(a, " + ten + ".all(b, " + ten + ".all(c, a + b + c < 100)))";
  const auto parsed = expr::parse(loops);
  REQUIRE(parsed.problems.empty());
  CHECK(seconds_of([&] { CHECK(expr::operands(parsed.expression, {}).size() > 20); }) < 5);
  std::string many = "0";
  for (int i = 1; i < 400; ++i) many += "+" + std::to_string(i);
  CHECK(expr::operands(expr::parse(many).expression, {}).size() == 200);
  Value::List numbers;
  for (int i = 0; i < 100'000; ++i) numbers.emplace_back(i);
  const auto shown = expr::operands(expr::parse("numbers.size() == 1").expression, {{"numbers", Value(numbers)}});
  REQUIRE(shown.size() == 3);
  CHECK(shown[2].text == "numbers");
  CHECK(shown[2].value.size() < 410);
  CHECK(shown[2].value.substr(0, 16) == "[0, 1, 2, 3, 4, ");
}

TEST_CASE("many expressions are read and typed in little time") {
  const std::vector<std::string> texts = {"outputs.files.size() == inputs.count",
                                          "outputs.ratio >= 0.5 && inputs.price <= money('$0.50')",
                                          "outputs.files.all(f, f.size > 0 && f.path != '')",
                                          "has(outputs.labels.zone) ? outputs.labels.zone : inputs.name",
                                          "inputs.name.startsWith('g') || elapsed < duration('5m')"};
  const auto scope = tests::some_scope();
  std::size_t problems = 0;
  const double took = seconds_of([&] {
    for (int i = 0; i < 1'000; ++i) {
      for (const auto& text : texts) {
        const auto parsed = expr::parse(text);
        problems += expr::check(parsed.expression, scope).problems.size();
      }
    }
  });
  CHECK(problems == 0);
  MESSAGE("5,000 expressions took " << took * 1e3 << " ms");
  CHECK(took < 1);  // some 10 ms with optimisation on an idle machine; sanitizers and neighbours are slower
}
