// An upload in parts, and what is left of it: few journeys, since each reads and digests 100 MB several times.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "engine/base/digest.h"
#include "engine/base/file.h"
#include "engine/base/text.h"
#include "engine/plan/plan.h"
#include "tools/simulate/campaign.h"

using namespace failover;  // NOLINT(google-build-using-namespace)
using simulate::Blow;
using simulate::Death;
using simulate::Play;
using simulate::Script;
using simulate::Wire;

namespace {

// The smallest that goes in parts; sparse.
struct Large {
  std::filesystem::path folder = std::filesystem::temp_directory_path() / ("failover-large-" + base::random_id(10));
  std::filesystem::path file = folder / "large.bin";
  Large() {
    std::filesystem::create_directories(folder);
    std::ofstream(file).close();
    std::filesystem::resize_file(file, 100'000'001);
  }
  ~Large() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  Large(const Large&) = delete;
  Large& operator=(const Large&) = delete;
};

Play play_of(const Large& large) {
  const auto text = base::read_file(FAILOVER_SOURCE_DIR "/tests/simulate/large.yaml", 1 << 20);
  REQUIRE(text.ok());
  source::Diagnostics diagnostics;
  auto loaded = scenario::load(std::make_shared<const source::File>("large.yaml", *text), diagnostics);
  REQUIRE(loaded.has_value());
  Play play{std::make_shared<const scenario::Scenario>(*std::move(loaded)), {}};
  auto inputs = plan::resolve_inputs(*play.scenario, {{"file", large.file.string()}});
  REQUIRE(inputs.ok());
  play.inputs = *std::move(inputs);
  play.passes = true;
  return play;
}

// The calls of a calm journey, in their order.
std::vector<std::string> calls_of(const Play& play) {
  std::vector<std::string> out;
  const auto result = simulate::journey(play, Script{}, [&](const std::string& line) { out.push_back(line); });
  CHECK(result.violations.empty());
  CHECK(result.verdict == "passed");
  return out;
}

// The number of the first call of this method.
int call_of(const std::vector<std::string>& calls, const std::string& method, int which = 1) {
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (base::contains(calls[i], " " + method + " ") && --which == 0) return static_cast<int>(i) + 1;
  }
  FAIL("no such call: " << method);
  return 0;
}

Script at(int call, Wire wire) {
  Script out;
  out.call = call;
  out.wire = wire;
  return out;
}

plugin::Kind& kind_of(plugin::Registry& registry, const std::string& name) {
  return *std::find_if(registry.kinds.begin(), registry.kinds.end(),
                       [&](const auto& kind) { return kind.name == name; });
}

bool says(const simulate::Result& result, const std::string& begin) {
  return std::any_of(result.violations.begin(), result.violations.end(),
                     [&](const std::string& one) { return one.rfind(begin, 0) == 0; });
}

}  // namespace

TEST_CASE("an upload in parts that goes wrong or is died in leaves nothing unfinished, and somebody else's alone") {
  const Large large;
  const Play play = play_of(large);
  const auto calls = calls_of(play);
  const int begin = call_of(calls, "POST");
  const int part = call_of(calls, "PUT");
  const int complete = call_of(calls, "POST", 2);
  REQUIRE(complete == begin + 3);  // of two parts
  std::vector<Script> scripts{at(begin, Wire::effect_late), at(begin, Wire::answer_lost), at(part, Wire::answer_lost),
                              at(complete, Wire::answer_lost), at(complete, Wire::request_lost)};
  Script dies;
  dies.blows = {Blow{Death::durable, part, false, true}};
  scripts.push_back(dies);
  dies.blows = {Blow{Death::durable, begin, true, true}};
  scripts.push_back(dies);
  Script lost;
  lost.world = {{"complete_lost_answer", 1}};
  scripts.push_back(lost);
  const auto tally = simulate::run_all(play, scripts, 1);
  CHECK(tally.violated == 0);
  for (const auto& finding : tally.findings) {
    MESSAGE(finding.script.text());
    for (const auto& violation : finding.violations) MESSAGE(violation);
  }
  CHECK(tally.cells.count({"complete_lost_answer", "world"}) == 1);
}

TEST_CASE("museum: an upload that nobody aborts, and one of somebody else's that is aborted") {
  const Large large;
  Play play = play_of(large);
  Script dies;
  dies.blows = {Blow{Death::durable, call_of(calls_of(play), "PUT"), false, true}};
  play.sabotage.steps = [](plugin::Registry& registry) {
    kind_of(registry, "b2.object").undo = [](const auto&, const auto&) { return base::Result<void>(); };
  };
  const auto stays = simulate::journey(play, dies);
  CHECK(says(stays, "I13: there is still the unfinished upload of "));
  CHECK(says(stays, "I5: exit code 0 while there is the unfinished upload of "));
  play.sabotage.steps = [](plugin::Registry& registry) {
    auto& kind = kind_of(registry, "b2.object");
    kind.undo = [undo = kind.undo](plugin::Held held, const plugin::Context& context) {
      held.begun_at = {};  // whoever's it is: all that were ever begun under this name
      return undo(held, context);
    };
  };
  CHECK(says(simulate::journey(play, dies), "I6: the foreign unfinished upload of "));
}
