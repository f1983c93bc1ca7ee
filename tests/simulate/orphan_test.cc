// What the simulator plays beside the journal's own recovery: the stop as the program plays it, what nobody has a
// journal of, a machine at the place of another, and the report. Each with a mistake in the program that it finds.
#include <doctest/doctest.h>

#include <algorithm>

#include "engine/base/file.h"
#include "engine/base/text.h"
#include "engine/plan/plan.h"
#include "tools/simulate/campaign.h"
#include "tools/simulate/oracle.h"
#include "tools/simulate/turns.h"

using namespace failover;  // NOLINT(google-build-using-namespace)
using simulate::Play;
using simulate::Script;

namespace {

// The least scenario that fails over.
Play bare() {
  const auto text = base::read_file(FAILOVER_SOURCE_DIR "/tests/simulate/bare.yaml", 1 << 20);
  REQUIRE(text.ok());
  source::Diagnostics diagnostics;
  auto loaded = scenario::load(std::make_shared<const source::File>("bare.yaml", *text), diagnostics);
  REQUIRE(loaded.has_value());
  Play play{std::make_shared<const scenario::Scenario>(*std::move(loaded)), {}};
  play.passes = true;
  return play;
}

plugin::Kind& kind_of(plugin::Registry& registry, const std::string& name) {
  const auto at =
      std::find_if(registry.kinds.begin(), registry.kinds.end(), [&](const auto& kind) { return kind.name == name; });
  REQUIRE(at != registry.kinds.end());
  return *at;
}

// The run dies at each of its records, its journal is lost, and somebody else gives back by the labels.
std::vector<Script> orphans(const Play& play) {
  std::vector<Script> out;
  const int records = simulate::journey(play, Script{}).records;
  for (int record = 1; record <= records; ++record) {
    Script script;
    script.orphaned = true;
    script.blows = {simulate::Blow{simulate::Death::durable, record, false, false}};
    out.push_back(script);
  }
  return out;
}

std::string first_of(const simulate::Tally& tally) {
  return tally.findings.empty() ? std::string() : tally.findings.front().violations.front();
}

std::size_t line_of(const std::string& journal, const std::string& words) {
  const auto lines = base::split(journal, '\n');
  const auto at = std::find_if(lines.begin(), lines.end(), [&](const auto& one) { return base::contains(one, words); });
  return static_cast<std::size_t>(at - lines.begin());
}

// The SSH ports under which the journey's machines answered.
std::vector<std::string> ports_of(const std::string& journal) {
  std::vector<std::string> out;
  for (const auto& line : base::split(journal, '\n')) {
    const auto at = line.find(R"("port":)");
    if (!base::contains(line, "step_finished") || !base::contains(line, "vast.wait_until_ready")) continue;
    if (at != std::string::npos) out.push_back(line.substr(at + 7, line.find_first_of(",}", at) - at - 7));
  }
  return out;
}

}  // namespace

TEST_CASE("what a lost journal knew of is given back by its labels alone, and nothing else is touched") {
  const Play play = bare();
  const auto tally = simulate::run_all(play, orphans(play), 2);
  CHECK(first_of(tally) == "");
  CHECK(tally.deaths == tally.journeys);
  CHECK(tally.recoveries == 0);
}

TEST_CASE("who does not find by labels is found out") {
  Play play = bare();
  play.sabotage.steps = [](plugin::Registry& registry) {
    kind_of(registry, "vast.instance").find = [](const auto&) { return base::Result<plugin::Found>(plugin::Found{}); };
  };
  CHECK(base::contains(first_of(simulate::run_all(play, orphans(play), 2)), "I1: there is still instance "));
}

TEST_CASE("who cannot look by labels says so") {
  Play play = bare();
  play.sabotage.steps = [](plugin::Registry& registry) {
    kind_of(registry, "vast.instance").find = [](const auto&) {
      return base::Result<plugin::Found>(base::Error{base::Fault::unavailable, "down", "out of order"});
    };
  };
  CHECK(base::contains(first_of(simulate::run_all(play, orphans(play), 2)), "I8: nobody can look: "));
}

TEST_CASE("a stop asks at once for the end of what there is, before the steps have wound down") {
  const Play play = bare();
  const int calls = simulate::journey(play, Script{}).calls;
  int at_once = 0;
  for (int call = 1; call <= calls; ++call) {
    Script script;
    script.interrupt.at = call;
    const auto result = simulate::journey(play, script);
    CHECK(result.violations.empty());
    const std::size_t end = base::split(result.journal, '\n').size();
    const std::size_t asked =
        line_of(result.journal, R"("method":"DELETE","outcome":"","peer":"vast","status":200,"step":"cleanup")");
    const std::size_t closing = line_of(result.journal, R"("type":"closing")");
    CHECK(closing < end);
    at_once += asked < closing ? 1 : 0;
  }
  // One machine or the other is there for most of the journey.
  CHECK(at_once > calls / 2);
}

TEST_CASE("from any record on the journal cannot be written: all is given back, and the report says how it ended") {
  const Play play = bare();
  const int records = simulate::journey(play, Script{}).records;
  std::vector<Script> scripts;
  for (int record = 1; record <= records; ++record) {
    Script script;
    script.breaks = record;
    scripts.push_back(script);
    const auto result = simulate::journey(play, script);
    CHECK((result.verdict == "error" || record == records));
    CHECK(result.exit_code != -1);
    CHECK(result.recoveries > 0);
  }
  CHECK(first_of(simulate::run_all(play, scripts, 2)) == "");
}

TEST_CASE("the machine that replaces another gets its port too, and is not taken for it") {
  Play play = bare();
  const auto result = simulate::journey(play, Script{});
  CHECK(result.verdict == "passed");
  const auto ports = ports_of(result.journal);
  REQUIRE(ports.size() == 2);
  CHECK(ports[0] == ports[1]);
}

TEST_CASE("a report that says what is not so is found out") {
  simulate::Turns clock(base::WallTime(std::chrono::seconds(1'767'225'600)), 1);
  sandbox::World world({}, clock);
  simulate::Oracle oracle(world);
  const auto rented = [&] {
    const auto lock = world.enter();
    sandbox::Rental rental;
    rental.offer_id = world.offers.front().id;
    rental.label = "failover-ours";
    return world.rent(rental).id;
  }();
  report::Report report;
  report.verdict = "passed";
  report.exit_code = 0;
  run::Outcome outcome;
  outcome.verdict = "passed";
  const auto says = [&](std::optional<std::size_t> written = std::nullopt) {
    const std::size_t before = oracle.violations().size();
    oracle.told(report, outcome, base::Instant{}, written);
    return oracle.violations().size() == before ? std::string() : oracle.violations().back();
  };
  CHECK(says() == "I4: the report knows nothing of instance " + std::to_string(rented));
  report::Resource line;
  line.kind = "vast.instance";
  line.id = std::to_string(rented);
  line.state = "made";
  report.resources.push_back(line);
  CHECK(says() == "");
  CHECK(says(2) == "I4: the report says that 0 files were found again, of 2");
  report.resources[0].state = "released";
  CHECK(says() == "I4: the report says that instance " + std::to_string(rented) + " is released, and it is there");
  clock.advance(std::chrono::hours(1));
  {
    const auto lock = world.enter();
    world.destroy(*world.find(rented));
  }
  report.resources[0].until = std::chrono::hours(2);
  CHECK(base::contains(says(), " cost $0.000000, and it cost $"));
  report.resources[0].usd_per_hour = 100;
  CHECK(says() == "");
  report.exit_code = 3;
  CHECK(base::contains(says(), "I4: the report says passed and 3, and the run was passed and 0"));
}
