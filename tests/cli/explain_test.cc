// `failover explain` and the page that it writes.
#include "engine/base/text.h"
#include "tests/cli/program.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)

TEST_CASE("the committed page of diagnostics is the one that the program writes") {
  Program failover;
  const auto place = fs::path(FAILOVER_SOURCE_DIR) / "schemas/diagnostics.md";
  const auto written = failover({"explain", "--format", "markdown"});
  REQUIRE(written.exit_code == 0);
  const bool update = std::getenv("UPDATE") != nullptr;  // NOLINT(concurrency-mt-unsafe)
  if (update) REQUIRE(base::write_file(place, written.out).ok());
  const auto committed = base::read_file(place, 1 << 20);
  REQUIRE(committed.ok());
  CHECK(written.out == *committed);
  CHECK_FALSE(base::invalid_utf8(written.out).has_value());
  CHECK(base::contains(written.out, "\n## unknown-output\n"));
  CHECK(base::contains(written.out, "| [unused-input](#unused-input) | warning | Nothing uses this input. |\n"));
}

TEST_CASE("explain shows one code in full and lists all of them") {
  Program failover;
  const auto one = failover({"explain", "unknown-output"});
  CHECK(one.exit_code == 0);
  CHECK(one.out.starts_with("unknown-output  (error)\nThe step has no such output.\n"));
  CHECK(base::contains(
      one.out, "    example.yaml:7:44: error: no output `output` on step `look` (local.exec) [unknown-output]"));
  CHECK(base::contains(one.out, "\nRight\n\n    name: example\n"));
  CHECK(base::contains(failover({"explain", "no-such-fragment"}).out, "with fragment.yaml beside it"));
  // Bytes that would disturb a terminal are shown, not sent.
  CHECK(base::contains(failover({"explain", "control-character"}).out, "\\x07"));
  CHECK(base::contains(failover({"explain", "not-utf8"}).out, "Caf\\xe9"));

  const auto all = failover({"explain"});
  CHECK(all.exit_code == 0);
  const auto json = nlohmann::json::parse(failover({"explain", "--format", "json"}).out, nullptr, false);
  REQUIRE(json.is_array());
  CHECK(json.size() > 70);
  for (const auto& rule : json) {
    const std::string code = rule["code"];
    CAPTURE(code);
    CHECK(base::contains(all.out, "\n" + code + " ") != all.out.starts_with(code + " "));
    CHECK(base::contains(rule["said"].get<std::string>(), "[" + code + "]"));
    CHECK(rule["good"].contains("example.yaml"));
  }
  CHECK(nlohmann::json::parse(failover({"explain", "wrong-type", "--format", "json"}).out, nullptr, false)["code"] ==
        "wrong-type");
  CHECK(failover({"explain", "wrong-type", "--format", "markdown"}).out.starts_with("# wrong-type\n"));

  const auto lost = failover({"explain", "unknown-outptu"});
  CHECK(lost.exit_code == 2);
  CHECK(lost.out.empty());
  CHECK(base::contains(lost.err, "did you mean `unknown-output`?"));
  CHECK(base::contains(failover({"explain", "zzzzzzzz"}).err, "`failover explain` lists them"));
}
