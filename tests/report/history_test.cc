// Histories as folds over reports of events made by hand: figures, what counts and what does not, how estimates held.
#include "engine/report/history.h"

#include <doctest/doctest.h>

using namespace failover;  // NOLINT(google-build-using-namespace)
using base::Value;
using namespace std::chrono_literals;

namespace {

event::Event make(const char* type, base::Duration at, Value::Map data) {
  event::Event event;
  event.type = type;
  event.since_start = at;
  event.at = base::WallTime(std::chrono::seconds(1'800'000'000)) + at;
  event.data = Value(std::move(data));
  return event;
}

struct Told {
  std::string scenario = "drill";
  std::string target = "live";
  std::string verdict = "passed";
  base::Duration step = 10s;  // how long its one step takes
  double price = 0.36;        // per hour of its one machine
  Value::Map estimate{{"best_usd", 0.0005}, {"expected_usd", 0.001}, {"worst_usd", 0.5},
                      {"best_s", 5.0},      {"expected_s", 10.0},    {"worst_s", 600.0}};
  std::string section = "steps";
  bool quick = false;
};

report::Report tell(const Told& told) {
  report::Folder folder;
  folder.on(make("run_started", 0s,
                 {{"run_id", "r"},
                  {"scenario", told.scenario},
                  {"target", told.target},
                  {"quick", told.quick},
                  {"estimate", Value(told.estimate)}}));
  const Value::Map step{{"id", "work[3].rest"}, {"uses", "t.work"}, {"section", told.section}};
  folder.on(make("step_started", 0s, step));
  folder.on(make("intent", 0s,
                 {{"name", "m"},
                  {"kind", "t.machine"},
                  {"per_hour_usd", told.price},
                  {"attributes", Value(Value::Map{{"gpu_name", "RTX 4090"}, {"gpu_count", 1}})}}));
  folder.on(make("made", 0s, {{"name", "m"}, {"id", "7"}}));
  Value::Map done = step;
  done.emplace("status", told.verdict == "passed" ? "passed" : "failed");
  folder.on(make("step_finished", told.step, std::move(done)));
  folder.on(make("closing", told.step, {}));
  folder.on(make("ended", told.step, {{"name", "m"}, {"id", "7"}}));
  folder.on(make("released", told.step + 5s, {{"name", "m"}, {"id", "7"}}));
  folder.on(make("run_finished", told.step + 5s, {{"verdict", told.verdict}, {"exit_code", 0}}));
  return folder.report();
}

}  // namespace

TEST_CASE("ranks are figures that were seen") {
  CHECK(report::spread(std::vector<double>{}).count == 0);
  const auto one = report::spread(std::vector<double>{3});
  CHECK(one.low == 3);
  CHECK(one.median == 3);
  CHECK(one.high == 3);
  std::vector<double> many;
  for (int i = 100; i > 0; --i) many.push_back(i);
  const auto all = report::spread(many);
  CHECK(all.count == 100);
  CHECK(all.least == 1);
  CHECK(all.low == 5);
  CHECK(all.median == 50);
  CHECK(all.high == 95);
  CHECK(all.most == 100);
  CHECK(report::spread(std::vector<double>{1, 2}).median == 1);
}

TEST_CASE("a step is looked up by scenario, id and type; rounds are one step; runs are counted once") {
  CHECK(report::without_rounds("machines[2].create") == "machines.create");
  CHECK(report::without_rounds("a[0].b[11]") == "a.b");
  report::History history;
  history.add(tell({.step = 10s}), true);
  history.add(tell({.step = 30s}), false);
  history.add(tell({.scenario = "other", .step = 90s}), false);
  CHECK(history.runs() == 3);
  const auto here = history.of_step("drill", "work.rest", "t.work", false);
  CHECK(here.spread.count == 2);
  CHECK(here.runs == 2);
  CHECK(here.spread.least == 10s);
  CHECK(here.spread.most == 30s);
  CHECK(history.of_step("drill", "work.rest", "t.work", true).spread.most == 10s);
  CHECK(history.of_type("t.work").spread.most == 90s);
  CHECK(history.of_step("drill", "work.rest", "t.other", false).spread.count == 0);
  CHECK(history.of_step("drill", "work[3].rest", "t.work", false).spread.count == 0);
}

TEST_CASE("what failed says nothing about how long success takes; what was refused was not paid") {
  report::History history;
  history.add(tell({.verdict = "failed", .step = 1s}), true);
  CHECK(history.of_type("t.work").spread.count == 0);
  CHECK(history.paid("RTX 4090").spread.median == base::Money{360'000});  // the machine was rented all the same
  CHECK(history.paid("RTX 3090").spread.count == 0);
  report::Folder folder;
  const Value::Map card{{"gpu_name", "H100"}};
  folder.on(
      make("intent", 0s, {{"name", "m"}, {"kind", "t.machine"}, {"per_hour_usd", 2.0}, {"attributes", Value(card)}}));
  folder.on(make("refused", 1s, {{"name", "m"}}));
  history.add(folder.report(), true);
  CHECK(history.paid("H100").spread.count == 0);
}

TEST_CASE("two cards in one machine are another model than one") {
  report::Resource machine;
  machine.attributes = Value(Value::Map{{"gpu_name", "RTX 4090"}, {"gpu_count", 2}});
  CHECK(report::model_of(machine) == "2 x RTX 4090");
  machine.attributes = Value(Value::Map{{"gpu_name", "RTX 4090"}});
  CHECK(report::model_of(machine) == "RTX 4090");
  CHECK(report::model_of({}).empty());
}

TEST_CASE("where reality fell: without giving back, at both ends, and not without an estimate") {
  const auto inside = tell({.step = 20s});
  REQUIRE(inside.time_fell().has_value());
  CHECK(inside.time_fell()->where == report::Fell::Where::inside);
  CHECK(*inside.time_fell()->ratio == doctest::Approx(2.0));  // 20 s of 10 s, not the 25 s until the end
  CHECK(inside.cost_fell()->where == report::Fell::Where::inside);
  CHECK(*inside.cost_fell()->ratio == doctest::Approx(2.0));
  CHECK(tell({.step = 2s}).time_fell()->where == report::Fell::Where::below);
  CHECK(tell({.step = 601s}).time_fell()->where == report::Fell::Where::above);
  CHECK(tell({.step = 5s}).time_fell()->where == report::Fell::Where::inside);
  CHECK_FALSE(tell({.estimate = {}}).time_fell().has_value());
  CHECK_FALSE(tell({.estimate = {}}).cost_fell().has_value());
  const auto free = report::fell(0, 0, 0, 0);
  CHECK(free.where == report::Fell::Where::inside);
  CHECK_FALSE(free.ratio.has_value());
}

TEST_CASE("a preflight alone is no drill that passed") {
  Told quick;
  quick.quick = true;
  Told before;  // by a journal that does not say so
  before.section = "preflight";
  const auto all =
      report::records({report::past_run(tell({})), report::past_run(tell(quick)), report::past_run(tell(before))});
  REQUIRE(all.size() == 1);
  CHECK(all[0].runs.size() == 3);
  CHECK(all[0].passed() == 1);
  CHECK(all[0].time().count == 1);
}

TEST_CASE("calibration counts whole runs alone, and never mixes target kinds") {
  std::vector<report::PastRun> runs;
  for (const auto step : {2s, 10s, 20s, 30s, 40s, 50s}) runs.push_back(report::past_run(tell({.step = step})));
  runs.push_back(report::past_run(tell({.verdict = "failed", .step = 1s})));
  runs.push_back(report::past_run(tell({.step = 1s, .section = "preflight"})));
  runs.push_back(report::past_run(tell({.target = "sandbox", .step = 1s})));
  const auto records = report::records(runs);
  REQUIRE(records.size() == 2);
  const auto& live = records[0];
  CHECK(live.target == "live");
  CHECK(live.runs.size() == 8);
  CHECK(live.passed() == 6);
  CHECK(live.time().count == 6);
  const auto held = live.time_calibration();
  CHECK(held.runs == 6);
  CHECK(held.inside == 5);
  CHECK(held.below == 1);
  CHECK(held.above == 0);
  CHECK(held.ratio.median == doctest::Approx(2.0));
  CHECK(held.ratio.high == doctest::Approx(5.0));
  CHECK(live.cost_calibration().runs == 6);
  REQUIRE(live.trend().has_value());
  CHECK(*live.trend() == doctest::Approx(4.0));  // 40 s over 10 s
  CHECK(records[1].target == "sandbox");
  CHECK_FALSE(records[1].trend().has_value());
}
