// tests/cases/plan/err/x.yaml and every finding about it, x.out. UPDATE=1 rewrites. About tests/cases/plan/good/x.yaml
// there is nothing to say.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "engine/base/file.h"
#include "engine/plan/plan.h"
#include "steps/all/all.h"

using namespace failover;  // NOLINT(google-build-using-namespace)
namespace fs = std::filesystem;

namespace {

std::string findings(const fs::path& path, const plugin::Registry& registry) {
  const auto text = base::read_file(path, 1 << 20);
  REQUIRE(text.ok());
  source::Diagnostics diagnostics;
  auto loaded = scenario::load(std::make_shared<const source::File>(path.filename().string(), *text), diagnostics);
  if (loaded) {
    const auto scenario = std::make_shared<const scenario::Scenario>(*std::move(loaded));
    const auto folder = path.parent_path();
    const plan::Fragments fragments = [&](const std::string& name, source::Diagnostics& found, std::string& why) {
      const auto inner = base::read_file(folder / name, 1 << 20);
      why = inner ? "" : "there is no fragment `" + name + "`";
      if (!inner) return std::shared_ptr<const scenario::Scenario>();
      auto read = scenario::load_fragment(std::make_shared<const source::File>(name, *inner), found);
      return read ? std::make_shared<const scenario::Scenario>(*std::move(read)) : nullptr;
    };
    const plan::Plan plan = plan::bind(scenario, registry, diagnostics, fragments);
    const auto inputs = plan::default_inputs(*scenario);
    if (const auto limits = plan::limits_of(*scenario, inputs); limits && diagnostics.errors() == 0) {
      plan::check_money(plan, inputs, *limits, diagnostics);
    }
  }
  return source::to_text(diagnostics);
}

}  // namespace

TEST_CASE("every planted mistake is found, at its place, and nothing else is") {
  auto services = client::make_services({});
  REQUIRE(services.ok());
  const auto registry = steps::all(**services);
  const bool update = std::getenv("UPDATE") != nullptr;  // NOLINT(concurrency-mt-unsafe)
  int cases = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(FAILOVER_SOURCE_DIR) / "tests/cases/plan/err")) {
    if (entry.path().extension() != ".yaml") continue;
    ++cases;
    const std::string found = findings(entry.path(), registry);
    const auto golden = fs::path(entry.path()).replace_extension(".out");
    if (update) REQUIRE(base::write_file(golden, found).ok());
    const auto wanted = base::read_file(golden, 1 << 20);
    CAPTURE(entry.path().filename().string());
    REQUIRE(wanted.ok());
    CHECK(found == *wanted);
    CHECK_FALSE(found.empty());
  }
  CHECK(cases >= 120);
}

TEST_CASE("about correct scenarios nothing is said") {
  auto services = client::make_services({});
  REQUIRE(services.ok());
  const auto registry = steps::all(**services);
  int cases = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(FAILOVER_SOURCE_DIR) / "tests/cases/plan/good")) {
    if (entry.path().extension() != ".yaml") continue;
    ++cases;
    CHECK(findings(entry.path(), registry) == "");
  }
  CHECK(cases >= 100);
}
