// `failover simulate --replay N --shrink`: what is left of a journey that breaks a promise is what breaks it.
#include <algorithm>

#include "engine/base/text.h"
#include "engine/plan/plan.h"
#include "tests/cli/program.h"
#include "tools/simulate/campaign.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)
using simulate::Script;
using simulate::Wire;

namespace {

// A program that believes an end without proof.
simulate::Play believing() {
  const auto text = base::read_file(FAILOVER_SOURCE_DIR "/scenarios/realtime-sync.yaml", 1 << 20);
  REQUIRE(text.ok());
  source::Diagnostics diagnostics;
  auto loaded = scenario::load(std::make_shared<const source::File>("realtime-sync.yaml", *text), diagnostics);
  REQUIRE(loaded.has_value());
  simulate::Play play{std::make_shared<const scenario::Scenario>(*std::move(loaded)), {}};
  auto inputs = plan::resolve_inputs(*play.scenario, {{"file_size", "1KB"}, {"file_count", "2"}});
  REQUIRE(inputs.ok());
  play.inputs = *std::move(inputs);
  play.sabotage.steps = [](plugin::Registry& registry) {
    for (auto& kind : registry.kinds) {
      if (kind.name != "vast.instance") continue;
      kind.hurry = nullptr;
      kind.undo = [](const auto&, const auto&) { return base::Result<void>(); };
    }
  };
  return play;
}

bool is_broken(const simulate::Play& play, const Script& script, const std::string& promise) {
  const auto found = simulate::journey(play, script).violations;
  return std::any_of(found.begin(), found.end(),
                     [&](const std::string& one) { return one.rfind(promise + ":", 0) == 0; });
}

}  // namespace

TEST_CASE("a planted leak that a stop makes: shrinking keeps the stop and takes away everything else") {
  const simulate::Play play = believing();
  REQUIRE(simulate::journey(play, Script{}).violations.empty());  // the scenario's own steps give back
  Script script;
  script.seed = 5;
  script.rate = 20;
  script.wires = {Wire::answer_late, Wire::duplicate, Wire::too_many};
  script.world = {{"create_502_after_effect", 1}};
  script.call = 3;
  script.wire = Wire::answer_late;
  const auto broken = [&] { return !simulate::journey(play, script).violations.empty(); };
  const int calls = simulate::journey(play, Script{}).calls;
  for (script.interrupt.at = 1; !broken() && script.interrupt.at < calls;) ++script.interrupt.at;
  REQUIRE(broken());
  const Script least = simulate::shrink(play, script);
  INFO(script.text() << "\n" << least.text());
  CHECK_FALSE(simulate::journey(play, least).violations.empty());
  CHECK(least.interrupt.at == script.interrupt.at);
  CHECK(least.rate == 0);
  CHECK(least.wires.empty());
  CHECK(least.world.empty());
  CHECK(least.call == 0);
  CHECK(least.seed == 5);  // the world is the same
  CHECK(simulate::shrink(play, least).text() == least.text());
}

TEST_CASE("a planted lie that one fault makes: shrinking keeps that fault") {
  simulate::Play play = believing();
  // What was asked for is believed, and the one request that did not arrive is not sent again.
  play.sabotage.steps = [](plugin::Registry& registry) {
    for (auto& kind : registry.kinds) {
      if (kind.name != "vast.instance") continue;
      kind.hurry = nullptr;
      kind.undo = [undo = kind.undo](const plugin::Held& held, const plugin::Context& context) -> base::Result<void> {
        (void)undo(held, context);
        return {};
      };
    }
  };
  Script script;
  script.world = {{"vast_unavailable", 0}};
  script.wire = Wire::server_error;
  script.lasting = true;
  const int calls = simulate::journey(play, Script{}).calls;
  bool found = false;
  for (script.call = 1; script.call <= calls && !found; ++script.call) {
    found = is_broken(play, script, "I5");
    if (found) break;
  }
  REQUIRE(found);
  const Script least = simulate::shrink(play, script);
  INFO(script.text() << "\n" << least.text());
  CHECK(is_broken(play, least, "I5"));
  CHECK(least.world.empty());
  CHECK(least.call == script.call);
  CHECK(least.wire == Wire::server_error);
}

TEST_CASE("simulate --replay N --shrink: a sound journey stays as it is, and ends 0") {
  Program failover;
  const std::vector<std::string> words{"simulate", "realtime-sync", "--input", "file_size=1KB", "--replay", "4"};
  auto more = words;
  more.emplace_back("--shrink");
  const auto whole = failover(words, 100s);
  const auto least = failover(more, 100s);
  CHECK(whole.exit_code == 0);
  CHECK(least.exit_code == 0);
  CHECK(least.out == whole.out);
}
