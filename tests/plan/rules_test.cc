// Every code has a page whose examples are true: what is called wrong is found, what is called right is not.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "engine/base/file.h"
#include "engine/base/text.h"
#include "engine/plan/example.h"
#include "steps/all/all.h"

using namespace failover;  // NOLINT(google-build-using-namespace)
namespace fs = std::filesystem;

TEST_CASE("every code has a rule, and every rule a code") {
  std::vector<std::string_view> declared;
  for (const auto& rule : source::rules()) declared.push_back(rule.code.name());
  CHECK(declared == std::vector<std::string_view>(source::kCodes.begin(), source::kCodes.end()));
  CHECK(std::set<std::string_view>(declared.begin(), declared.end()).size() == declared.size());
  for (const auto& rule : source::rules()) {
    CAPTURE(rule.code.name());
    CHECK(source::find_rule(rule.code.name()) == &rule);
    CHECK(rule.title.ends_with('.'));
    CHECK(rule.title.size() <= 90);
    CHECK(rule.why.ends_with('.'));
    const auto sentences = std::count(rule.why.begin(), rule.why.end(), '.');
    CHECK(sentences >= 1);
    CHECK(rule.why.size() <= 320);
  }
  CHECK(source::find_rule("no-such-code") == nullptr);
  CHECK(source::find_rule("") == nullptr);
  CHECK(source::rule_name("unknown-output") == "UnknownOutput");
  CHECK(source::rule_name("not-utf8") == "NotUtf8");
}

TEST_CASE("the wrong example gives a finding with its code, the right one none at all") {
  const auto services = client::declared_services();
  const auto registry = steps::all(*services);
  for (const auto& rule : source::rules()) {
    CAPTURE(rule.code.name());
    const auto bad = plan::findings(rule, rule.bad, registry).sorted();
    const std::string said = bad.empty() ? "" : source::to_text(bad.front()).substr(0, 1000);
    CAPTURE(said);
    // One mistake, one finding: the page shows nothing that it does not explain. An alias needs an anchor, refused too.
    CHECK(bad.size() == (rule.code == "yaml-alias" ? 2 : 1));
    REQUIRE_FALSE(bad.empty());
    CHECK((bad.back().code == rule.code));
    CHECK((bad.back().severity == rule.severity));
    CHECK(source::to_text(plan::findings(rule, rule.good, registry)) == "");
  }
}

// A code that no file of tests/cases and no example gives is one that nobody has seen.
TEST_CASE("the expected texts of the cases hold only codes with a page") {
  int seen = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(FAILOVER_SOURCE_DIR) / "tests/cases/plan/err")) {
    if (entry.path().extension() != ".out") continue;
    const auto text = base::read_file(entry.path(), 1 << 20);
    REQUIRE(text.ok());
    for (const auto& line : base::split(*text, '\n')) {
      if (!base::contains(line, ": error: ") && !base::contains(line, ": warning: ")) continue;
      const std::size_t open = line.rfind('[');
      REQUIRE(open != std::string::npos);
      CAPTURE(line);
      const auto* rule = source::find_rule(line.substr(open + 1, line.size() - open - 2));
      REQUIRE(rule != nullptr);
      CHECK((rule->severity == source::Severity::error) == base::contains(line, ": error: "));
      ++seen;
    }
  }
  CHECK(seen > 150);
}
