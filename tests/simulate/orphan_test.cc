// What the simulator plays beside the journal's own recovery: the stop as the program plays it, what nobody has a
// journal of, a machine at the place of another, and the report. Each with a mistake in the program that it finds.
#include <doctest/doctest.h>

#include <algorithm>

#include "engine/base/file.h"
#include "engine/base/text.h"
#include "engine/plan/plan.h"
#include "tests/client/fake_host.h"
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

// Does the first journey that broke a promise say this, whatever else it says?
bool first_says(const simulate::Tally& tally, const std::string& words) {
  const auto all = tally.findings.empty() ? std::vector<std::string>{} : tally.findings.front().violations;
  return std::any_of(all.begin(), all.end(), [&](const std::string& one) { return base::contains(one, words); });
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
  const auto tally = simulate::run_all(play, orphans(play), 2);
  CHECK(first_says(tally, "I1: there is still instance "));
  CHECK(first_says(tally, "I5: by the labels nothing is left, and there is instance "));
}

// Died at each record; then whoever gives back by the labels meets such a day, is killed in the middle of it, and comes
// again when all is well.
std::vector<Script> stormy(const Play& play, std::vector<simulate::Wire> wires, int rate) {
  auto out = orphans(play);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i].seed = i + 1;
    out[i].labels_in_weather = true;
    out[i].wires = wires;
    out[i].rate = rate;
    if (i % 2 == 1) out[i].blows.push_back(simulate::Blow{simulate::Death::durable, static_cast<int>(i), false, false});
  }
  return out;
}

TEST_CASE("labels read in bad weather: nothing foreign is touched, and a calm day finds the rest") {
  const Play play = bare();
  using simulate::Wire;
  auto scripts = stormy(play, {Wire::denied, Wire::garbled, Wire::captive, Wire::answer_lost, Wire::effect_late}, 300);
  for (std::size_t i = 0; i < scripts.size(); ++i)
    scripts[i].world = {{i % 3 == 0 ? "list_page_lost" : i % 3 == 1 ? "destroy_500" : "malformed_json", 3}};
  const auto tally = simulate::run_all(play, scripts, 2);
  CHECK(first_of(tally) == "");
  CHECK(tally.recoveries == 0);
  // It was hit itself, and killed.
  CHECK(tally.cells.count({"denied", "labels"}) == 1);
  CHECK(tally.cells.count({"kill", "labels"}) == 1);
}

TEST_CASE("who says in bad weather that by the labels nothing is left, while something is, is found out") {
  Play play = bare();
  // A listing that fails reads as an empty one.
  play.sabotage.steps = [](plugin::Registry& registry) {
    auto& find = kind_of(registry, "vast.instance").find;
    find = [find](const plugin::Context& context) {
      auto found = find(context);
      return found ? found : base::Result<plugin::Found>(plugin::Found{});
    };
  };
  const auto scripts = stormy(play, {simulate::Wire::denied}, 300);
  CHECK(base::contains(first_of(simulate::run_all(play, scripts, 2)),
                       "I5: by the labels nothing is left, and there is instance "));
}

TEST_CASE("who takes what looks like ours for ours is found out, by the labels as well") {
  Play play = bare();
  play.sabotage.steps = [](plugin::Registry& registry) {
    auto& key = kind_of(registry, "vast.ssh_key");
    key.find = [find = key.find, undo = key.undo](const plugin::Context& context) {
      auto found = find(context);
      for (const auto& held : found ? found->things : std::vector<plugin::Held>{}) {
        if (held.name.rfind("failover-", 0) == 0) (void)undo(held, context);
      }
      return found;
    };
  };
  CHECK(base::contains(first_of(simulate::run_all(play, orphans(play), 2)), "I6: the foreign account key "));
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
  bool calm = false;
  const auto says = [&](std::optional<std::size_t> written = std::nullopt) {
    const std::size_t before = oracle.violations().size();
    // Of several the first.
    oracle.told(report, outcome, {.begun = base::Instant{}, .written = written, .excused_usd = 0, .calm = calm});
    return oracle.violations().size() == before ? std::string() : oracle.violations()[before];
  };
  const std::string name = "instance " + std::to_string(rented);
  const std::string there = name + " (failover-ours)";
  CHECK(says() == "I4: the report knows nothing of " + there);
  report::Resource line;
  line.kind = "vast.instance";
  line.id = std::to_string(rented);
  line.state = "made";
  report.resources.push_back(line);
  CHECK(says() == "");
  CHECK(says(2) == "I4: the report says that 0 files were found again, of 2");
  report.resources[0].state = "released";
  CHECK(says() == "I4: the report says that " + there + " is released, and it is there");
  clock.advance(std::chrono::hours(1));
  {
    const auto lock = world.enter();
    world.destroy(*world.find(rented));
  }
  report.duration = std::chrono::hours(2);
  report.resources[0].until = std::chrono::hours(2);
  CHECK(base::contains(says(), " cost $0.000000, and it cost $"));
  const auto& instance = world.instances.at(rented);
  const double per_hour = instance.gpu_usd_per_hour + sandbox::storage_usd_per_hour(instance.offer, instance.disk_gb);
  report.resources[0].until = std::chrono::hours(1);
  report.resources[0].usd_per_hour = per_hour;
  CHECK(says() == "");
  SUBCASE("dearer than it is") {
    report.resources[0].usd_per_hour = per_hour + 0.01;
    CHECK(base::contains(says(), " costs $" + std::to_string(per_hour + 0.01) + " an hour, and it costs $"));
  }
  SUBCASE("for longer than the run goes on") {
    report.resources[0].until = std::chrono::hours(2);
    CHECK(base::contains(says(), " cannot have cost more than $"));
  }
  SUBCASE("for longer than it lived, on a calm day") {
    clock.advance(std::chrono::hours(1));
    report.resources[0].until = std::chrono::minutes(90);
    CHECK(says() == "");
    calm = true;
    CHECK(base::contains(says(), " cannot have cost more than $"));
    report.resources[0].until = std::chrono::minutes(61);
    CHECK(says() == "");
  }
  SUBCASE("a count that does not come out even") {
    report.cleanup.attempted = 2;
    report.cleanup.released = 1;
    CHECK(says() == "I4: the report says that 1 of 2 were given back, and that 0 are left");
    report.cleanup.released = 2;
    CHECK(says() == "");
  }
  SUBCASE("what is left") {
    outcome.cleanup.left.push_back({"vast.instance", "failover-ours", "", "", ""});
    CHECK(says() == "I4: the report says that 0 are left, and the cleanup left 1");
    report.leftovers.push_back(base::Value(base::Value::Map{{"name", "failover-ours"}}));
    report.cleanup.attempted = 1;
    CHECK(says() == "");
    report.leftovers[0] = base::Value(base::Value::Map{{"name", "failover-other"}});
    CHECK(base::contains(says(), "the cleanup left 1"));
  }
  SUBCASE("what is kept, and what is stored") {
    report::Resource kept;
    kept.kind = "snapshot";
    kept.name = "failover-kept";
    kept.state = "kept";
    report.resources.push_back(kept);
    CHECK(says() == "I4: the report says that snapshot failover-kept is kept, and it is not there");
    world.store.buckets.begin()->second.keys["snapshots/failover-kept/manifest.json"].push_back({});
    CHECK(says() == "");
    report.resources.back().state = "released";
    CHECK(base::contains(says(), "snapshots/failover-kept/manifest.json is released, and it is there"));
    report.resources.pop_back();
    CHECK(base::contains(says(), "the report knows nothing of the object snapshots/failover-kept/manifest.json"));
  }
  SUBCASE("a key") {
    world.account.ssh_keys.push_back(world.make_key("ssh-ed25519 AAAA failover-key"));
    CHECK(base::contains(says(), "the report knows nothing of account key ssh-ed25519 AAAA failover-key"));
  }
  SUBCASE("its own word that a promise was broken") {
    event::Event event;
    event.type = event::type::made;
    event.data = base::Value(base::Value::Map{{"kind", "vast.instance"}, {"id", "7"}, {"name", "failover-unnamed"}});
    report.promises.on(event);
    CHECK(base::contains(says(), "I2: the report itself says that a promise was broken: "));
  }
  report.exit_code = 3;
  CHECK(base::contains(says(), "I4: the report says passed and 3, and the run was passed and 0"));
}

TEST_CASE("an exit code that does not go with the verdict, with what is left or with the world is found out") {
  simulate::Turns clock(base::WallTime(std::chrono::seconds(1'767'225'600)), 1);
  sandbox::World world({}, clock);
  simulate::Oracle oracle(world);
  const run::Ledger ledger;
  run::Outcome outcome;
  const auto says = [&](const std::string& verdict, int code) {
    outcome.verdict = verdict;
    outcome.exit_code = code;
    const std::size_t before = oracle.violations().size();
    oracle.at_exit(outcome, true, ledger);
    return oracle.violations().size() == before ? std::string() : oracle.violations().back();
  };
  const auto recovered = [&](int code) {
    const std::size_t before = oracle.violations().size();
    oracle.at_exit(code, outcome.cleanup, ledger);
    return oracle.violations().size() == before ? std::string() : oracle.violations().back();
  };
  for (const auto& [verdict, code] :
       {std::pair{"passed", 0}, std::pair{"failed", 1}, std::pair{"error", 3}, std::pair{"interrupted", 130}}) {
    CHECK(says(verdict, code) == "");
    CHECK(says(verdict, code + 5) ==
          "I5: the verdict " + std::string(verdict) + " was given with exit code " + std::to_string(code + 5));
    CHECK(says(verdict, 4) == "I5: exit code 4 and nothing is left");
  }
  CHECK(recovered(0) == "");
  CHECK(recovered(4) == "I5: exit code 4 and nothing is left");
  outcome.cleanup.attempted = 2;
  outcome.cleanup.released = 1;
  CHECK(recovered(0) == "I4: of 2 things 1 were given back and 0 are left");
  outcome.cleanup.left.push_back({"vast.instance", "failover-ours", "", "", ""});
  CHECK(recovered(4) == "");
  CHECK(recovered(0) == "I5: something is left and the exit code is not 4");
  CHECK(says("passed", 4) == "");
  // Named by its label, and by nothing else.
  sandbox::Rental rental;
  rental.offer_id = world.offers.front().id;
  rental.label = "failover-ours";
  const std::string id = std::to_string(world.rent(rental).id);
  CHECK(recovered(4) == "");
  outcome.cleanup.left[0].name = "failover-other";
  CHECK(base::contains(recovered(4), "while there is instance " + id + " (failover-ours), which is not among what"));
  outcome.cleanup.left[0].id = id;
  CHECK(recovered(4) == "");
  world.store.buckets.begin()->second.keys["drill/file"].push_back({});
  CHECK(base::contains(recovered(4), "while there is the object drill/file, which is not among what is left"));
}

// What the run says of itself as it ends is held against what its report makes of it.
TEST_CASE("a step that says of all what is not so of one: the report's own promises find it") {
  Play play = bare();
  play.sabotage.steps = [](plugin::Registry& registry) {
    for (auto& step : registry.steps) {
      if (step.name != "checksum.verify") continue;
      step.run = [run = step.run](const base::Value& with, const plugin::Context& context) {
        auto out = run(with, context);
        if (!out) return out;
        base::Value::Map all = *out->map();
        base::Value::List files = *all.at("files").list();
        files.pop_back();
        all.insert_or_assign("files", base::Value(std::move(files)));
        return base::Result<base::Value>(base::Value(std::move(all)));
      };
    }
  };
  const auto result = simulate::journey(play, Script{});
  CHECK(std::any_of(result.violations.begin(), result.violations.end(), [](const std::string& one) {
    return base::contains(one, "I4: the report itself says that a promise was broken: ");
  }));
}

TEST_CASE("who recovers a run and says that all is well while something is there is found out") {
  Play play = bare();
  play.sabotage.steps = [](plugin::Registry& registry) {
    kind_of(registry, "vast.instance").undo = [](const auto&, const auto&) { return base::Result<void>(); };
    kind_of(registry, "vast.instance").hurry = nullptr;
  };
  std::vector<Script> scripts;
  const int records = simulate::journey(play, Script{}).records;
  for (int record = 1; record <= records; record += 5) {
    Script script;
    script.blows = {simulate::Blow{simulate::Death::durable, record, false, false}};
    scripts.push_back(script);
  }
  const auto tally = simulate::run_all(play, scripts, 2);
  CHECK(first_says(tally, "I5: exit code 0 while there is instance "));
  CHECK(first_says(tally, " is released, and it is there"));
}

// Recovering twice is recovering once (I10): the second time there is nothing to ask for.
TEST_CASE("who recovers a recovered run once more and still asks for something is found out") {
  Play play = bare();
  Script script;
  script.blows = {simulate::Blow{simulate::Death::durable, simulate::journey(play, script).records / 2, false, false}};
  CHECK(simulate::journey(play, script).violations.empty());
  // From the third life on, as if the journal had told of nothing: everything that is listed goes.
  play.sabotage.vast = [lives = 0](std::unique_ptr<client::Http> inner) mutable -> std::unique_ptr<client::Http> {
    if (++lives < 3) return inner;
    testing::FakeHost host;
    base::FakeClock clock(base::WallTime(std::chrono::seconds(1'767'225'600)));
    client::HttpRequest request;
    request.method = "DELETE";
    request.url = "http://127.0.0.1:1/api/v0/instances/36700001/";
    (void)inner->send(request, plugin::Context(host, base::Patience(clock, clock.now() + std::chrono::seconds(9), {})));
    return inner;
  };
  const auto result = simulate::journey(play, script);
  REQUIRE_FALSE(result.violations.empty());
  CHECK(result.violations.front() == "I10: who recovers it once more asks for something, 1 times");
}

TEST_CASE("a world that is another one looks like another one") {
  simulate::Turns clock(base::WallTime(std::chrono::seconds(1'767'225'600)), 1);
  sandbox::World world({}, clock);
  simulate::Oracle oracle(world);
  oracle.foreign().plant("20260101T000000Z-s1mu1at10n", false);
  std::string before = oracle.picture();
  CHECK(oracle.picture() == before);
  const auto changed = [&] { return std::exchange(before, oracle.picture()) != before; };
  world.halt(world.instances.begin()->second);
  CHECK(changed());
  world.destroy(world.instances.begin()->second);
  CHECK(changed());
  world.account.ssh_keys.pop_back();
  CHECK(changed());
  auto& bucket = world.store.buckets.begin()->second;
  bucket.keys.begin()->second.push_back({});
  CHECK(changed());
  bucket.uploads.erase(bucket.uploads.begin());
  CHECK(changed());
  CHECK_FALSE(changed());
}

// realtime-sync, seed 11972: the run was stopped twice and ended 4; the first recovery gave both back and died before
// it could say how many; the second found nothing to do, and the report said that 0 of 2 had been given back.
TEST_CASE("what a recovery has given back counts, although it died before it told its end") {
  const Play play = bare();
  Script script;
  script.interrupt.at = 14;
  script.give_up.at = 16;
  const auto first = simulate::journey(play, script);
  REQUIRE(first.exit_code == 4);
  for (int record = 1; record <= first.recovered; ++record) {
    CAPTURE(record);
    script.blows = {simulate::Blow{}, simulate::Blow{simulate::Death::torn, record, false, false}};
    const auto result = simulate::journey(play, script);
    CHECK((result.violations.empty() ? std::string() : result.violations.front()) == "");
  }
}
