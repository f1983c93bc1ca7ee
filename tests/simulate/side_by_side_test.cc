// What runs side by side in a scenario, simulated: two machines rented at once, a race whose loser is undone, a fleet.
#include <doctest/doctest.h>

#include "engine/base/file.h"
#include "engine/base/text.h"
#include "engine/plan/plan.h"
#include "tools/simulate/campaign.h"

using namespace failover;  // NOLINT(google-build-using-namespace)
using simulate::Play;
using simulate::Script;

namespace {

Play play_of(const std::string& name) {
  const auto text = base::read_file(FAILOVER_SOURCE_DIR "/tests/simulate/" + name, 1 << 20);
  REQUIRE(text.ok());
  source::Diagnostics diagnostics;
  auto loaded = scenario::load(std::make_shared<const source::File>(name, *text), diagnostics);
  REQUIRE(loaded.has_value());
  Play play{std::make_shared<const scenario::Scenario>(*std::move(loaded)), {}};
  play.passes = true;
  return play;
}

void check_clean(const simulate::Tally& tally) {
  CHECK(tally.violated == 0);
  for (const auto& finding : tally.findings) {
    MESSAGE(finding.script.text());
    for (const auto& violation : finding.violations) MESSAGE(violation);
  }
}

// The lines of the events of a type that hold a text.
std::vector<std::size_t> lines_of(const std::string& journal, const std::string& type, const std::string& text = {}) {
  std::vector<std::size_t> out;
  const auto lines = base::split(journal, '\n');
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const bool same = base::contains(lines[i], "\"type\":\"" + type + "\"");
    if (same && base::contains(lines[i], text)) out.push_back(i);
  }
  return out;
}

// Each record and each call, every `stride`-th of the scripts.
std::vector<Script> some_points(const Play& play, std::size_t stride) {
  std::vector<Script> out;
  const auto all = simulate::every_point(play);
  for (std::size_t i = 0; i < all.size(); i += stride) out.push_back(all[i]);
  return out;
}

}  // namespace

TEST_CASE("two machines rented at the same time: one fails over to the other") {
  const Play play = play_of("side-by-side.yaml");
  Script unhurried;
  unhurried.seed = 31;  // machines take as long as real ones
  const auto once = simulate::journey(play, unhurried);
  CHECK(once.violations.empty());
  CHECK(once.verdict == "passed");
  // Side by side indeed: the second machine is asked for before the first one is ready.
  const auto intents = lines_of(once.journal, "intent");
  REQUIRE(intents.size() == 3);
  const auto ready = lines_of(once.journal, "step_finished", "\"id\":\"source_ready\"");
  REQUIRE(ready.size() == 1);
  CHECK(intents[1] < ready[0]);
}

TEST_CASE("a race: the machine that lost is given back while the journey goes on") {
  const Play play = play_of("race.yaml");
  const auto once = simulate::journey(play, Script{});
  CHECK(once.violations.empty());
  CHECK(once.verdict == "passed");
  const auto released = lines_of(once.journal, "released");
  REQUIRE(released.size() == 5);
  CHECK(released[0] < lines_of(once.journal, "closing").at(0));
}

TEST_CASE("where the proxy alone leads to the machines the winner keeps the account's key, whoever registered it") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    Script script;
    script.seed = seed;
    script.proxied = true;
    const auto once = simulate::journey(play_of("race.yaml"), script);
    CHECK(once.verdict == "passed");
    CHECK(once.violations.empty());
  }
}

TEST_CASE("the same script gives the same journal, also where lanes take turns and die") {
  for (const char* name : {"side-by-side.yaml", "race.yaml"}) {
    const Play play = play_of(name);
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
      CAPTURE(name);
      CAPTURE(seed);
      const auto first = simulate::journey(play, Script::swarm(seed));
      const auto second = simulate::journey(play, Script::swarm(seed));
      CHECK(first.journal == second.journal);
      CHECK(first.cells == second.cells);
      CHECK(first.calls == second.calls);
    }
  }
}

TEST_CASE("hostile journeys with machines side by side break no promise") {
  for (const char* name : {"side-by-side.yaml", "race.yaml"}) {
    CAPTURE(name);
    const Play play = play_of(name);
    const auto tally = simulate::swarm(play, 1, FAILOVER_SEEDS / 2, 2);
    check_clean(tally);
    CHECK(tally.deaths > 0);
    check_clean(simulate::run_all(play, some_points(play, FAILOVER_STRIDE * 40), 2));
  }
}
