// What past runs say: in plans, lists, estimates, and in `runs`. Journals are written by hand but for one real run.
#include <fcntl.h>
#include <sys/stat.h>

#include <array>

#include "engine/base/text.h"
#include "engine/event/journal.h"
#include "tests/cli/program.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)
using base::Value;
using Json = nlohmann::json;

namespace {

constexpr const char* kScenario =
    "name: drill\nlimits: {cost: $1, duration: 30m}\nsteps:\n"
    "  - {id: o, uses: vast.search_offers, with: {max_price: $0.50}}\n"
    "  - {id: m, uses: vast.create_instance, with: {offer: \"${{ steps.o.best.id }}\", image: i}}\n";

struct Told {
  std::string scenario = "drill";
  std::string target = "sandbox";
  base::Duration step = 4s;
  double price = 0.3;
  std::string word = "harmless";  // said in inputs and outputs
};

// A run's journal, whole, as run `number`.
void tell(const fs::path& home, int number, const Told& told) {
  const std::string digits = std::to_string(100 + number).substr(1);
  const std::string id = "20260101T0000" + digits + "Z-aaaaaaaaaa";
  base::FakeClock clock(base::WallTime(std::chrono::seconds(1'800'000'000 + number)));
  auto journal = event::Journal::create(home / "runs" / id);
  REQUIRE(journal.ok());
  const base::Redactor redactor;
  event::Stream stream(clock, redactor);
  stream.attach(journal->get());
  const auto say = [&](const char* type, Value::Map data) { REQUIRE(stream.emit(type, std::move(data)).ok()); };
  const Value::Map estimate{{"best_usd", 0.0001}, {"expected_usd", 0.001}, {"worst_usd", 0.5},
                            {"best_s", 1.0},      {"expected_s", 4.0},     {"worst_s", 420.0}};
  say("run_started", {{"run_id", id},
                      {"scenario", told.scenario},
                      {"target", told.target},
                      {"estimate", Value(estimate)},
                      {"inputs", Value(Value::Map{{"word", told.word}})}});
  const auto step = [&](const char* name, const char* uses) {
    const Value::Map about{{"id", name}, {"uses", uses}, {"section", "steps"}};
    say("step_started", about);
    if (std::string(name) == "m") {
      say("intent", {{"name", "label"},
                     {"kind", "vast.instance"},
                     {"per_hour_usd", told.price},
                     {"attributes", Value(Value::Map{{"gpu_name", "RTX 4090"}, {"gpu_count", 1}})}});
      say("made", {{"name", "label"}, {"kind", "vast.instance"}, {"id", "7"}});
    }
    clock.advance(told.step);
    Value::Map done = about;
    done.emplace("status", "passed");
    done.emplace("outputs", Value(Value::Map{{"word", told.word}}));
    say("step_finished", std::move(done));
  };
  step("o", "vast.search_offers");
  step("m", "vast.create_instance");
  say("closing", {{"why", told.word}});
  say("released", {{"name", "label"}, {"kind", "vast.instance"}, {"id", "7"}});
  say("run_finished", {{"verdict", "passed"}, {"exit_code", 0}});
}

struct Desk : Program {
  fs::path file = home.path() / "drill.yaml";
  Desk() { REQUIRE(base::write_file(file, kScenario).ok()); }
  Json json(std::vector<std::string> line) {
    line.emplace_back("--json");
    const auto done = (*this)(line);
    CHECK(done.exit_code == 0);
    return Json::parse(done.out, nullptr, false);
  }
};

}  // namespace

TEST_CASE("a plan rests on past runs of its own target kind, and says so") {
  Desk failover;
  CHECK(failover.json({"plan", failover.file.string()})["history_runs"] == 0);
  for (int i = 0; i < 6; ++i) tell(failover.home.path(), i, {.step = std::chrono::seconds(4 + i)});
  for (int i = 6; i < 9; ++i) tell(failover.home.path(), i, {.target = "live", .step = 40s, .price = 0.44});

  const auto plan = failover.json({"plan", failover.file.string()});
  CHECK(plan["target"] == "sandbox");
  CHECK(plan["history_runs"] == 6);
  CHECK(plan["steps"][1]["time_s"] == Json::parse("[4.0, 6.0, 300.0]"));
  CHECK(base::contains(plan["steps"][1]["time_from"].get<std::string>(), "median of 6 sandbox runs"));
  CHECK(plan["live"]["history_runs"] == 3);
  // Of a scenario without any step of theirs they say nothing.
  const auto other = failover.home.path() / "other.yaml";
  REQUIRE(
      base::write_file(other, "name: other\nsteps: [{uses: http.check, with: {url: 'http://127.0.0.1:1/'}}]\n").ok());
  CHECK(failover.json({"plan", other.string()})["history_runs"] == 0);
  CHECK(plan["live"]["time_s"][1] == 80.0);
  const std::string text = failover({"plan", failover.file.string()}).out;
  CHECK(base::contains(text, "expected $0.30/h (paid for RTX 4090 in the last 6 sandbox runs)"));
  CHECK(base::contains(text, "Figures of the sandbox, from the last 6 sandbox runs"));
  CHECK(base::contains(text, "from the last 3 live runs"));

  const auto live = failover.json({"plan", failover.file.string(), "--live"});
  CHECK(live["target"] == "live");
  CHECK(live["history_runs"] == 3);
  CHECK(live["steps"][1]["time_s"][1] == 40.0);
  CHECK_FALSE(live.contains("live"));
  // The hard bounds are what they were.
  CHECK(live["time_s"][2] == plan["time_s"][2]);
  CHECK(live["cost_usd"][2] == plan["cost_usd"][2]);
  // Endpoints that are not the real services have a history of their own: none.
  failover.environment["VAST_API_URL"] = "http://127.0.0.1:1";
  CHECK(failover.json({"plan", failover.file.string(), "--live"})["history_runs"] == 0);
}

TEST_CASE("of another scenario only figures are known: nothing that it was given or told") {
  Desk failover;
  tell(failover.home.path(), 0, {.scenario = "other", .step = 7s, .word = "canary-7f3a"});
  for (const std::vector<std::string>& line :
       std::vector<std::vector<std::string>>{{"plan", failover.file.string()},
                                             {"plan", failover.file.string(), "--json"},
                                             {"runs"},
                                             {"runs", "--json"}}) {
    const auto done = failover(line);
    CHECK(done.exit_code == 0);
    CHECK_FALSE(base::contains(done.out + done.err, "canary-7f3a"));
  }
  const auto plan = failover.json({"plan", failover.file.string()});
  CHECK(plan["steps"][1]["time_s"][1] == 7.0);
  CHECK(plan["steps"][1]["time_from"] == "median of 1 such steps in 1 sandbox run, none of this scenario");
}

TEST_CASE("damaged journals are counted and their figures are not used; a torn end is no damage") {
  Desk failover;
  for (int i = 0; i < 3; ++i) tell(failover.home.path(), i, {.step = 4s});
  tell(failover.home.path(), 3, {.step = 400s});
  const auto journal = [&](int number) {
    return failover.home.path() / "runs" / ("20260101T00000" + std::to_string(number) + "Z-aaaaaaaaaa/journal.jsonl");
  };
  std::string text = *base::read_file(journal(3), 1 << 20);
  text[text.find("vast.create_instance")] = 'w';
  REQUIRE(base::write_file(journal(3), text).ok());
  text = *base::read_file(journal(2), 1 << 20);
  REQUIRE(base::write_file(journal(2), text.substr(0, text.size() - 9)).ok());
  const auto plan = failover.json({"plan", failover.file.string()});
  CHECK(plan["history_runs"] == 3);
  CHECK(plan["steps"][1]["time_s"][1] == 4.0);
  const auto runs = failover.json({"runs"});
  CHECK(runs["damaged"] == 1);
  REQUIRE(runs["scenarios"].size() == 1);
  CHECK(runs["scenarios"][0]["runs"] == 3);
  CHECK(runs["scenarios"][0]["passed"] == 2);
  CHECK(base::contains(failover({"runs"}).err, "1 damaged"));
}

TEST_CASE("runs: per scenario and target kind, what they took and how their estimates held") {
  Desk failover;
  CHECK(base::contains(failover({"runs"}).out, "no runs yet"));
  CHECK(failover.json({"runs"})["scenarios"].empty());
  for (int i = 0; i < 4; ++i) tell(failover.home.path(), i, {.step = std::chrono::seconds(2 + i)});
  tell(failover.home.path(), 4, {.step = 300s});  // 600 s in all: beyond the worst of 420 s
  tell(failover.home.path(), 5, {.target = "live", .step = 200ms});
  const auto runs = failover.json({"runs"});
  REQUIRE(runs["scenarios"].size() == 2);
  const auto& live = runs["scenarios"][0];
  CHECK(live["target"] == "live");
  CHECK(live["calibration"]["time"]["below"] == 1);
  const auto& sandbox = runs["scenarios"][1];
  CHECK(sandbox["runs"] == 5);
  CHECK(sandbox["calibration"]["time"]["inside"] == 4);
  CHECK(sandbox["calibration"]["time"]["above"] == 1);
  CHECK(sandbox["calibration"]["time"]["of_expected"]["p50"] == 2.0);
  CHECK(sandbox["calibration"]["time"]["of_expected"]["p95"] == 150.0);
  CHECK(sandbox["calibration"]["cost"]["runs"] == 5);
  CHECK(sandbox["time_s"]["p50"] == 8.0);
  CHECK(sandbox["history"].size() == 5);
  const auto text = failover({"runs", "drill"});
  CHECK(base::contains(text.out, "time estimates  4 of 5 inside [best, worst], 1 ABOVE; actual / expected p50 2.00"));
  CHECK(base::contains(text.out, "20260101T000004Z-aaaaaaaaaa  passed"));
  const auto wrong = failover({"runs", "dril"});
  CHECK(wrong.exit_code == 2);
  CHECK(base::contains(wrong.err, "did you mean `drill`"));
}

TEST_CASE("validate reads no journal; plan does") {
  Desk failover;
  tell(failover.home.path(), 0, {});
  const auto journal = failover.home.path() / "runs/20260101T000000Z-aaaaaaaaaa/journal.jsonl";
  // Long ago, before its last change, so that a read shows wherever the file system keeps times of reads.
  const std::array<timespec, 2> times{timespec{1'000'000'000, 0}, timespec{1'100'000'000, 0}};
  const auto last_read = [&] {
    struct stat about {};
    REQUIRE(::stat(journal.c_str(), &about) == 0);
    return about.st_atime;
  };
  REQUIRE(::utimensat(AT_FDCWD, journal.c_str(), times.data(), 0) == 0);
  CHECK(failover({"validate", failover.file.string()}).exit_code == 0);
  CHECK(last_read() == 1'000'000'000);
  CHECK(failover({"plan", failover.file.string()}).exit_code == 0);
  if (last_read() == 1'000'000'000) MESSAGE("this file system keeps no times of reads");
}

TEST_CASE("a real run: its estimate is in its report, and the next one rests on it") {
  Desk failover;
  const auto first = failover({"run", failover.file.string()});
  INFO(first.out << first.err);
  REQUIRE(first.exit_code == 0);
  const auto report = failover.report();
  CHECK(report["cost"]["estimate"]["history_runs"] == 0);
  CHECK(report["timing"]["estimate"]["expected_s"].get<double>() > 0);
  CHECK(report["cost"]["fell"]["where"].is_string());
  CHECK(report["timing"]["fell"]["of_expected"].get<double>() ==
        doctest::Approx(report["timing"]["journey_s"].get<double>() /
                        report["timing"]["estimate"]["expected_s"].get<double>())
            .epsilon(0.01));
  CHECK(base::contains(first.out, "best, expected, worst; "));
  CHECK(base::contains(first.out, "stated figures: there was no history"));
  const auto plan = failover.json({"plan", failover.file.string()});
  CHECK(plan["history_runs"] == 1);
  CHECK(plan["steps"][1]["time_from"] == "median of 1 sandbox run");
  const auto second = failover({"run", failover.file.string()});
  CHECK(base::contains(second.out, "1 past sandbox runs"));
  const auto record = failover.json({"runs", "drill"})["scenarios"][0];
  CHECK(record["runs"] == 2);
  CHECK(record["calibration"]["cost"]["above"] == 0);
}
