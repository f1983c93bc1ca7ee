#include <doctest/doctest.h>

#include "engine/base/text.h"
#include "engine/run/timing.h"
#include "tests/run/scripted.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)

namespace {

using Statuses = std::vector<std::string>;

struct Bench {
  base::FakeClock clock{base::WallTime(std::chrono::seconds(1'800'000'000))};
  World world{clock};
  Played play(std::string yaml) { return testing::play(world, clock, {.yaml = "name: t\n" + std::move(yaml)}); }
  Played play(Play what) {
    what.yaml = "name: t\n" + what.yaml;
    return testing::play(world, clock, what);
  }
};

}  // namespace

TEST_CASE("a journey passes, and what it made is given back") {
  Bench bench;
  const auto played =
      bench.play("steps:\n  - {id: a, uses: t.rent}\n  - {uses: t.use, with: {machine: '${{ steps.a.id }}'}}\n");
  CHECK(played.outcome.exit_code == 0);
  CHECK(played.outcome.verdict == "passed");
  CHECK(played.statuses() == Statuses{"a:passed", "step-2:passed"});
  CHECK(bench.world.all().empty());
  REQUIRE(played.entries.size() == 1);
  CHECK(played.entries[0].state == run::State::released);
}

TEST_CASE("intent is told before the call and outcome after it") {
  Bench bench;
  std::vector<std::string> order;
  bench.world.before_call = [&](int) { order.emplace_back("call"); };
  bench.play(Play{.yaml = "steps:\n  - {id: a, uses: t.rent}\n", .on_event = [&](const event::Event& event) {
                    if (event.type == "intent" || event.type == "made" || event.type == "released")
                      order.push_back(event.type);
                  }});
  CHECK(order == std::vector<std::string>{"intent", "call", "made", "call", "released"});
}

TEST_CASE("the first failure ends the journey; finally runs; cleanup follows") {
  Bench bench;
  const auto played = bench.play(
      "steps:\n  - {id: a, uses: t.rent}\n  - {id: b, uses: t.fail}\n  - {id: c, uses: t.echo}\nfinally:\n  - {id: d, "
      "uses: t.echo}\n");
  CHECK(played.statuses() == Statuses{"a:passed", "b:failed", "d:passed"});
  CHECK(played.outcome.exit_code == 3);
  CHECK(played.outcome.verdict == "error");
  CHECK(bench.world.all().empty());
}

TEST_CASE("on_failure gathers evidence and does not hide the failure") {
  Bench bench;
  const auto played = bench.play(
      "steps:\n  - id: b\n    uses: t.fail\n    on_failure:\n      - {id: e, uses: t.fail}\n      - {id: f, uses: "
      "t.echo}\n");
  CHECK(played.statuses() == Statuses{"b:failed", "e:failed", "f:passed"});
  REQUIRE(played.outcome.error);
  CHECK(played.outcome.error->code == "scripted");
}

TEST_CASE("retry follows the error class, the attempts and the delays") {
  Bench bench;
  const std::string retry =
      "    retry: {errors: [unavailable], attempts: 4, delay: 2s, backoff: 2, max_delay: 3s, jitter: none}\n";
  SUBCASE("in time") {
    const auto begin = bench.clock.now();
    const auto played = bench.play("steps:\n  - id: b\n    uses: t.fail\n    with: {times: 3}\n" + retry);
    CHECK(played.outcome.exit_code == 0);
    CHECK(played.first("step_finished")->number("attempts") == 4);
    CHECK(bench.clock.now() - begin == 2s + 3s + 3s);
  }
  SUBCASE("too often") {
    const auto played = bench.play("steps:\n  - id: b\n    uses: t.fail\n" + retry);
    CHECK(played.outcome.exit_code == 3);
    CHECK(played.first("step_finished")->number("attempts") == 4);
  }
  SUBCASE("another class") {
    const auto played = bench.play("steps:\n  - id: b\n    uses: t.fail\n    with: {fault: rate_limited}\n" + retry);
    CHECK(played.first("step_finished")->number("attempts") == 1);
  }
}

TEST_CASE("a step ends at its timeout, the run at limits.duration") {
  Bench bench;
  const auto begin = bench.clock.now();
  SUBCASE("step") {
    const auto played = bench.play("steps:\n  - {uses: t.wait, with: {time: 1h}, timeout: 30s}\n");
    CHECK(played.outcome.exit_code == 3);
    CHECK(played.outcome.error->fault == base::Fault::timeout);
    CHECK(bench.clock.now() - begin == 30s);
  }
  SUBCASE("run") {
    const auto played = bench.play(
        "limits: {duration: 1m}\nsteps:\n  - {uses: t.wait, with: {time: 50s}}\n  - {uses: t.wait, with: {time: "
        "50s}}\n  - {uses: t.echo}\n");
    CHECK(played.outcome.exit_code == 3);
    CHECK(bench.clock.now() - begin == 60s);
  }
}

TEST_CASE("when skips; until looks again; assertions fail with their values") {
  Bench bench;
  SUBCASE("when") {
    const auto played =
        bench.play("steps:\n  - {id: a, uses: t.echo, when: 1 > 2}\n  - {id: b, uses: t.echo, when: 2 > 1}\n");
    CHECK(played.statuses() == Statuses{"a:skipped", "b:passed"});
  }
  SUBCASE("until") {
    const auto begin = bench.clock.now();
    const auto played = bench.play("steps:\n  - {id: a, uses: t.echo, until: outputs.look == 4, every: 7s}\n");
    CHECK(played.outcome.exit_code == 0);
    CHECK(bench.clock.now() - begin == 21s);
  }
  SUBCASE("until never") {
    const auto played =
        bench.play("steps:\n  - {id: a, uses: t.echo, until: outputs.look < 0, every: 7s, timeout: 1m}\n");
    CHECK(played.outcome.error->code == "until");
    CHECK(base::contains(played.outcome.error->message, "did not come to hold in the step's time"));
    CHECK_FALSE(base::contains(played.outcome.error->message, "last look"));
  }
  SUBCASE("until that cannot be evaluated") {
    const auto begin = bench.clock.now();
    for (const char* must_fail : {"false", "true"}) {  // and proves nothing
      const auto played = bench.play(
          "steps:\n  - {id: a, uses: t.echo, until: 7 / outputs.number < 0, every: 7s, "
          "timeout: 1m, must_fail: " +
          std::string(must_fail) + "}\n");
      CHECK(played.outcome.exit_code == 1);
      CHECK(played.outcome.error->code == "not_evaluated");
      CHECK(base::contains(played.outcome.error->message, "division by zero"));
      CHECK(played.outcome.error->hint != "");
    }
    CHECK(bench.clock.now() == begin);
  }
  SUBCASE("until over what is not there yet") {
    const std::string until =
        "steps:\n  - {id: a, uses: t.echo, until: \"[1, 2, 3].filter(x, x <= outputs.look)[2] == 3\", "
        "every: 7s, timeout: ";
    const auto begin = bench.clock.now();
    CHECK(bench.play(until + "1m}\n").outcome.exit_code == 0);
    CHECK(bench.clock.now() - begin == 14s);
    Bench again;
    const auto played = again.play(until + "10s}\n");
    CHECK(played.outcome.error->code == "until");
    CHECK(base::contains(played.outcome.error->message,
                         "at the last look it cannot be evaluated: index 2 is outside a list of 2"));
  }
  SUBCASE("assert") {
    const auto played =
        bench.play("steps:\n  - {id: a, uses: t.echo, with: {number: 3}, assert: [outputs.number == 4]}\n");
    CHECK(played.outcome.exit_code == 1);
    CHECK(played.outcome.verdict == "failed");
    const auto* assertions = (*played.first("step_finished"))["assertions"].list();
    REQUIRE(assertions != nullptr);
    REQUIRE(assertions->size() == 1);
    CHECK(assertions->front().find("passed")->display() == "false");
    CHECK(base::contains(assertions->front().find("values")->display(), "3"));
  }
  SUBCASE("assert two lists") {
    const auto played =
        bench.play("steps:\n  - {id: a, uses: t.echo, assert: ['[1, 2, outputs.look] == [1, 5, 7]']}\n");
    CHECK(played.outcome.exit_code == 1);
    const auto* assertions = (*played.first("step_finished"))["assertions"].list();
    REQUIRE(assertions != nullptr);
    const auto* differs = assertions->front().find("values")->list()->front().find("difference");
    REQUIRE(differs != nullptr);
    CHECK(differs->list()->front().display() == "[1]: 2 != 5");
  }
}

TEST_CASE("must_fail turns a step round") {
  Bench bench;
  CHECK(bench.play("steps:\n  - {uses: t.fail, must_fail: true}\n").outcome.exit_code == 0);
  CHECK(bench.play("steps:\n  - {uses: t.echo, must_fail: true}\n").outcome.exit_code == 1);
}

TEST_CASE("a counter-proof that fails by a mistake of its author proves nothing") {
  Bench bench;
  const auto unevaluated = bench.play(
      "steps:\n  - {id: a, uses: t.echo, with: {number: 0}, must_fail: true, assert: ['5 / outputs.number == 1']}\n");
  CHECK(unevaluated.outcome.exit_code == 1);
  CHECK(unevaluated.statuses() == Statuses{"a:failed"});
  const auto unknown = bench.play("steps:\n  - {id: a, uses: t.fail, with: {fault: internal}, must_fail: true}\n");
  CHECK(unknown.outcome.exit_code == 3);
  const auto proof = bench.play("steps:\n  - {id: a, uses: t.fail, with: {fault: not_found}, must_fail: true}\n");
  CHECK(proof.outcome.exit_code == 0);
  CHECK_FALSE((*proof.first("step_finished"))["proof"].is_null());
}

TEST_CASE("marks in the wrong order measure nothing") {
  run::Marks marks;
  marks.set(scenario::Mark::recovered, 1s);
  marks.set(scenario::Mark::failure, 3s);
  const run::Losses losses(marks);
  CHECK_FALSE(run::measured("rto", marks, losses).has_value());
  CHECK_FALSE(run::measured("rpo", marks, losses).has_value());
}

namespace {

// `before`, a failure 10 s after the journey's begin at the earliest, `after`.
std::string loss(const std::string& before, const std::string& after) {
  return "objectives: {rpo: 15s}\nsteps:\n" + before +
         "  - {uses: t.wait, with: {time: 10s}}\n  - {uses: t.wait, with: {time: 5s}, marks: [failure]}\n" + after;
}
std::string files(const std::string& uses, const std::string& files, const std::string& more = "") {
  return "  - {uses: " + uses + ", with: {files: [" + files + "], time: 5s}" + more + "}\n";
}
constexpr const char* kRecovered = ", marks: [recovered]";

// In seconds; -1: it could not be measured.
double rpo(const Played& played) {
  const auto* told = played.first("objective");
  REQUIRE(told != nullptr);
  const double actual = (*told)["actual_s"].is_null() ? -1 : told->number("actual_s");
  CHECK(((*told)["passed"] == base::Value(true)) == (actual >= 0 && actual <= 15));
  CHECK(played.outcome.exit_code == (actual >= 0 && actual <= 15 ? 0 : 1));
  return actual;
}

}  // namespace

TEST_CASE("rpo reaches back to the beginning of the earliest step whose files nobody showed after the failure") {
  Bench bench;
  const auto of = [&](const std::string& before, const std::string& after) {
    return rpo(bench.play(loss(before, after)));
  };
  const std::string two = files("t.write", "a=1") + files("t.write", "b=2");
  CHECK(of(two, files("t.see", "a=1, b=2", kRecovered)) == 0);
  CHECK(of(two, files("t.see", "a=1", kRecovered)) == doctest::Approx(15));
  CHECK(of(two, files("t.see", "b=2", kRecovered)) == doctest::Approx(20));
  CHECK(of(two, files("t.see", "a=1=no, b=2", kRecovered)) == doctest::Approx(20));
  CHECK(of(two, files("t.see", "a=7, b=2", kRecovered)) == doctest::Approx(20));
  CHECK(of(two, files("t.see", "a=1") + files("t.see", "b=2", kRecovered)) == 0);
  // What is nobody's writing can be lost too.
  CHECK(of(files("t.sums", "c=3"), files("t.see", "a=1", kRecovered)) == doctest::Approx(15));
  CHECK(of("", files("t.see", "a=1", kRecovered)) == 0);
}

TEST_CASE("only a comparison between the marks that passed shows files") {
  Bench bench;
  const auto of = [&](const std::string& before, const std::string& after) {
    return rpo(bench.play(loss(before, after)));
  };
  const std::string one = files("t.write", "a=1");
  const std::string other = files("t.see", "z=9", kRecovered);
  CHECK(of(one + files("t.see", "a=1"), other) == doctest::Approx(20));
  CHECK(of(one, other + files("t.see", "a=1")) == doctest::Approx(15));
  CHECK(of(one, files("t.see", "a=1", ", must_fail: true, assert: ['outputs.files.size() == 0']") + other) ==
        doctest::Approx(15));
  CHECK(of(one, "  - {uses: t.see, foreach: ['z=9', 'a=1'], with: {files: ['${{ each }}']}}\n" + other) == 0);
  CHECK(of(one, "  - branches:\n      x: [{uses: t.see, with: {files: [a=1]}}]\n      y: [{uses: t.wait}]\n" + other) ==
        0);
  CHECK(rpo(bench.play(loss(one,
                            "  - {when: 'run.target == \"live\"', uses: t.see, with: {files: [a=1]}}\n  - {uses: "
                            "t.wait, marks: [recovered]}\n"))) == -1);
}

TEST_CASE("a comparison that had begun before the failure shows nothing, whenever it ends") {
  plugin::StepType see;
  see.shows_files = "files";
  plugin::StepType write;
  write.effect = plugin::Effect::changes;
  write.records_files = "manifest";
  const auto row = [](const char* digest) {
    return base::Value(base::Value::Map{{"path", "a"}, {"size", std::int64_t{1}}, {digest, "0cc175b9"}, {"ok", true}});
  };
  const base::Value written(base::Value::Map{
      {"manifest", base::Value::Map{{"directory", "/d"}, {"files", base::Value::List{row("digest")}}}}});
  const base::Value seen(base::Value::Map{{"files", base::Value::List{row("md5")}}});
  for (const bool late : {false, true}) {
    CAPTURE(late);
    run::Marks marks;
    run::Losses losses(marks);
    losses.passed(losses.begun(1s), write, written);
    const auto early = losses.begun(2s);
    marks.set(scenario::Mark::failure, 3s);
    losses.passed(late ? losses.begun(4s) : early, see, seen);
    losses.passed(losses.begun(5s), see, base::Value(base::Value::Map{{"files", base::Value::List{}}}));
    marks.set(scenario::Mark::recovered, 6s);
    CHECK(run::measured("rpo", marks, losses) == std::optional<base::Duration>(late ? 0s : 2s));
  }
}

TEST_CASE("a try that looks several times is one try, also when its time ends") {
  Bench bench;
  const auto played = bench.play(
      "steps:\n  - {id: a, uses: t.echo, until: \"elapsed > duration('1h')\", every: 1s, timeout: "
      "5s}\n");
  const auto* told = played.first("step_finished");
  REQUIRE(told != nullptr);
  CHECK(told->text("status") == "failed");
  CHECK(told->integer("attempts") == 1);
}

TEST_CASE("a step that makes something beside what it is for is not tried again while that is unclear") {
  for (const bool unclear : {false, true}) {
    CAPTURE(unclear);
    Bench bench;
    bench.world.anomaly = unclear ? Anomaly::effect_late : Anomaly::refused;
    bench.world.anomaly_at = 1;
    Play play{.yaml =
                  "steps:\n  - {id: a, uses: t.rent, retry: {attempts: 3, delay: 1s, errors: [unknown, refused]}}\n"};
    play.more = [](plugin::Registry& registry) {
      for (auto& type : registry.steps) {
        if (type.name == "t.rent") type.effect = plugin::Effect::changes;
      }
    };
    const auto played = bench.play(play);
    CHECK((played.outcome.exit_code == 0) == !unclear);
    CHECK(played.first("step_finished")->integer("attempts") == (unclear ? 1 : 2));
    CHECK(bench.world.created == 1);
  }
}

TEST_CASE("a file is known by its machine and its whole path") {
  plugin::StepType see;
  see.shows_files = "files";
  plugin::StepType read;
  read.effect = plugin::Effect::reads;
  read.records_files = "manifest";
  const auto manifest = [](const char* directory, const char* path, const char* digest) {
    return base::Value(base::Value::Map{
        {"manifest",
         base::Value::Map{{"directory", directory},
                          {"files", base::Value::List{base::Value::Map{
                                        {"path", path}, {"size", std::int64_t{1}}, {"digest", digest}}}}}}});
  };
  const auto shown = [](const char* path, const char* digest) {
    return base::Value(
        base::Value::Map{{"files", base::Value::List{base::Value::Map{
                                       {"path", path}, {"size", std::int64_t{1}}, {"md5", digest}, {"ok", true}}}}});
  };
  const auto on = [](run::Losses::Call call, const char* machine) {
    call.machine = machine;
    return call;
  };
  run::Marks marks;
  run::Losses losses(marks);
  const auto rpo = [&] { return run::measured("rpo", marks, losses); };
  SUBCASE("of several paths at once, below the root, it is the same") {
    losses.passed(on(losses.begun(1s), "a"), read, manifest("/workspace/drill", "x", "11"));
    losses.passed(on(losses.begun(2s), "a"), read, manifest("/", "workspace/drill/x", "11"));
    marks.set(scenario::Mark::failure, 3s);
    losses.passed(on(losses.begun(4s), "b"), see, shown("workspace/drill/x", "11"));
    marks.set(scenario::Mark::recovered, 5s);
    CHECK(rpo() == std::optional<base::Duration>(0s));
  }
  SUBCASE("a replica that lags does not show what is lost; one that does not shows both") {
    for (const char* theirs : {"22", "11"}) {
      run::Marks instants;
      run::Losses lost(instants);
      lost.passed(on(lost.begun(1s), "a"), read, manifest("/db", "state", "11"));
      lost.passed(on(lost.begun(2s), "b"), read, manifest("/db", "state", theirs));
      instants.set(scenario::Mark::failure, 5s);
      lost.passed(on(lost.begun(6s), "b"), see, shown("state", theirs));
      instants.set(scenario::Mark::recovered, 7s);
      CHECK(run::measured("rpo", instants, lost) ==
            std::optional<base::Duration>(std::string(theirs) == "11" ? 0s : 4s));
    }
  }
  SUBCASE("what a list of its whole directory does not name any more was not lost by the failure") {
    losses.passed(on(losses.begun(1s), "a"), read, manifest("/d", "x", "11"));
    losses.passed(on(losses.begun(1s), "b"), read, manifest("/d", "x", "11"));
    losses.passed(on(losses.begun(1s), "a"), read, manifest("/e", "x", "33"));
    losses.passed(on(losses.begun(2s), "a"), read, manifest("/d", "y", "22"));
    marks.set(scenario::Mark::failure, 4s);
    losses.passed(on(losses.begun(5s), "b"), see, shown("y", "22"));
    losses.passed(on(losses.begun(5s), "b"), see, shown("e/x", "33"));
    base::Duration lost = 3s;  // with the other machine's
    SUBCASE("not all are seen") {}
    SUBCASE("all are") {
      losses.passed(on(losses.begun(5s), "c"), see, shown("d/x", "11"));
      lost = 0s;
    }
    marks.set(scenario::Mark::recovered, 6s);
    CHECK(rpo() == std::optional<base::Duration>(lost));
  }
  SUBCASE("what the failure itself compares shows nothing") {
    losses.passed(on(losses.begun(1s), "a"), read, manifest("/d", "x", "11"));
    marks.set(scenario::Mark::failure, 3s);
    losses.passed(on(losses.begun(3s, true), "a"), see, shown("x", "11"));
    marks.set(scenario::Mark::recovered, 5s);
    CHECK_FALSE(rpo().has_value());
  }
}

TEST_CASE("what was written again is another file; a copy elsewhere, and another checksum of it, are the same") {
  Bench bench;
  const auto of = [&](const std::string& before, const std::string& after) {
    return rpo(bench.play(loss(before, after)));
  };
  CHECK(of(files("t.write", "a=1") + files("t.write", "a=2"), files("t.see", "a=2", kRecovered)) == 0);
  CHECK(of(files("t.write", "a=1") + files("t.write", "a=2"), files("t.see", "a=1", kRecovered)) ==
        doctest::Approx(15));
  CHECK(of(files("t.write", "a=1") + files("t.sums", "a=1"), files("t.see", "z=9", kRecovered)) == doctest::Approx(20));
  CHECK(of(files("t.write", "a=1") + files("t.sums", "a=22"), files("t.see", "a=22", kRecovered)) == 0);
  CHECK(of(files("t.write", "a=1") + files("t.sums", "a=22"), files("t.see", "a=23", kRecovered)) ==
        doctest::Approx(20));
  CHECK(of(files("t.write", "a=1"), files("t.see", "w/a=1", kRecovered)) == 0);
  CHECK(of(files("t.write", "sub/a=1"), files("t.see", "a=1", kRecovered)) == 0);
  // One row shows one file.
  CHECK(of(files("t.write", "a=1, sub/a=1"), files("t.see", "a=1", kRecovered)) == doctest::Approx(15));
}

TEST_CASE("preflight comes first and quick stops behind it") {
  Bench bench;
  const auto played = bench.play(
      Play{.yaml = "preflight:\n  - {id: p, uses: t.echo}\nsteps:\n  - {id: a, uses: t.rent}\n", .quick = true});
  CHECK((*played.first("run_started"))["quick"] == base::Value(true));
  CHECK((*bench.play("steps:\n  - {uses: t.echo}\n").first("run_started"))["quick"].is_null());
  CHECK(played.statuses() == Statuses{"p:passed"});
  CHECK(bench.world.created == 0);
}

TEST_CASE("objectives are measured between marks") {
  Bench bench;
  const std::string steps =
      "steps:\n  - {uses: t.wait, with: {time: 10s}, marks: [failure]}\n  - {uses: t.wait, with: {time: 20s}, marks: "
      "[recovered]}\n";
  SUBCASE("held") {
    const auto played = bench.play("objectives: {rto: 30s}\n" + steps);
    CHECK(played.outcome.exit_code == 0);
    CHECK(played.first("objective")->number("actual_s") == doctest::Approx(30));
  }
  SUBCASE("missed") { CHECK(bench.play("objectives: {rto: 29s}\n" + steps).outcome.exit_code == 1); }
}

TEST_CASE("money is reserved to the run's end before anything is made") {
  Bench bench;
  // 1 h + 2 min margin at $0.40 is $0.4133 a machine.
  const std::string two = "steps:\n  - {id: a, uses: t.rent}\n  - {id: b, uses: t.rent}\n";
  SUBCASE("enough") { CHECK(bench.play("limits: {cost: $0.83, duration: 1h}\n" + two).outcome.exit_code == 0); }
  SUBCASE("not enough") {
    const auto played = bench.play("limits: {cost: $0.82, duration: 1h}\n" + two);
    CHECK(played.outcome.exit_code == 3);
    CHECK(played.outcome.error->code == "limit_cost");
    CHECK(bench.world.created == 1);
    CHECK(bench.world.all().empty());
  }
  SUBCASE("given back in between") {
    const auto played = bench.play(
        "limits: {cost: $0.50, duration: 1h}\nsteps:\n  - {id: a, uses: t.rent}\n  - {uses: t.give_back, with: "
        "{machine: '${{ steps.a.id }}'}}\n  - {id: b, uses: t.rent}\n");
    CHECK(played.outcome.exit_code == 0);
  }
}

TEST_CASE("a lost answer is not asked again; what came of it is destroyed") {
  Bench bench;
  bench.world.anomaly = Anomaly::reply_lost;
  bench.world.anomaly_at = 1;
  const auto played = bench.play("steps:\n  - {id: a, uses: t.rent, retry: {errors: [unavailable], attempts: 3}}\n");
  CHECK(bench.world.created == 1);
  CHECK(played.outcome.exit_code == 3);
  CHECK(bench.world.all().empty());
}

TEST_CASE("an effect later than the answer's loss is waited for through the settle window") {
  Bench bench;
  bench.world.anomaly = Anomaly::effect_late;
  bench.world.anomaly_at = 1;
  const auto played = bench.play("steps:\n  - {id: a, uses: t.rent}\n");
  CHECK(bench.world.created == 1);
  CHECK_FALSE(bench.world.waiting());
  CHECK(bench.world.all().empty());
  CHECK(played.outcome.exit_code == 3);
}

TEST_CASE("what cannot be given back is named and outranks every other code") {
  Bench bench;
  bench.world.anomaly = Anomaly::unavailable;
  bench.world.anomaly_at = 2;
  bench.world.lasting = true;
  const auto played = bench.play("steps:\n  - {id: a, uses: t.rent}\n");
  CHECK(played.outcome.exit_code == 4);
  CHECK(played.outcome.verdict == "passed");
  REQUIRE(played.outcome.cleanup.left.size() == 1);
  CHECK(played.outcome.cleanup.left[0].id == "m1");
}

TEST_CASE("a failed assertion never shows a secret, whatever is done to it") {
  base::FakeClock clock(*base::parse_utc("2026-01-02T03:04:05Z"));
  World world(clock);
  Play what;
  what.yaml =
      "name: t\nenv: {TOKEN: {secret: true}, PLAIN: {}}\nsteps:\n"
      "  - {id: a, uses: t.echo, assert: [\"env.TOKEN == env.PLAIN\", \"(env.TOKEN + '-') in [env.PLAIN]\"]}\n"
      "finally:\n  - {id: c, uses: t.echo, assert: [\"int(env.TOKEN) == 7\", \"bytes(env.TOKEN + '-') == "
      "bytes(env.PLAIN)\"]}\n";
  what.environment = {{"TOKEN", "hunter2secret"}, {"PLAIN", "visible"}};
  const auto played = play(world, clock, what);
  CHECK(played.outcome.exit_code == 1);
  std::string all;
  for (const auto& event : played.events) all += event::to_line(event) + "\n";
  CHECK(all.find("visible") != std::string::npos);
  CHECK(all.find("env.TOKEN == env.PLAIN") != std::string::npos);
  for (const char* part : {"hunter", "h-", "unter2", "secret\""}) {
    CAPTURE(part);
    CHECK(all.find(part) == std::string::npos);
  }
}

TEST_CASE("an `until` that cannot be evaluated does not show the secret that it is about") {
  base::FakeClock clock(*base::parse_utc("2026-01-02T03:04:05Z"));
  World world(clock);
  Play what;
  what.yaml =
      "name: t\nenv: {TOKEN: {secret: true}}\nsteps:\n  - {uses: t.echo, every: 1s, timeout: 5s, until: "
      "\"int(env.TOKEN + '-') == outputs.look\"}\n";
  what.environment = {{"TOKEN", "hunter2secret"}};
  const auto played = play(world, clock, what);
  REQUIRE(played.outcome.error);
  CHECK(played.outcome.error->code == "not_evaluated");
  CHECK_FALSE(base::contains(played.outcome.error->message, "hunter"));
}

TEST_CASE("a scenario that must fail passes by an assertion or an objective of its steps alone") {
  Bench bench;
  const std::string head = "must_fail: true\nsteps:\n";
  const auto played = bench.play(head + "  - {id: a, uses: t.echo, assert: [outputs.number == 9]}\n");
  CHECK(played.outcome.verdict == "passed");
  CHECK(base::contains(played.first("run_finished")->data.find("proof")->display(), "does not hold"));
  CHECK(bench.play(head + "  - {uses: t.echo}\n").outcome.error->code == "must_fail");
  CHECK(bench.play(head + "  - {uses: t.fail}\n").outcome.exit_code == 3);

  // A mistake of its author.
  const auto mistake = bench.play(head + "  - {uses: t.echo, assert: [5 / outputs.number == 1]}\n");
  CHECK(mistake.outcome.exit_code == 1);
  CHECK(mistake.outcome.error->code == "not_evaluated");
  CHECK(mistake.first("run_finished")->data.find("proof") == nullptr);

  // What comes before the steps, or after them.
  const std::string fails = "  - {id: f, uses: t.echo, assert: [outputs.number == 9]}\n";
  CHECK(bench.play("preflight:\n" + fails + head + "  - {uses: t.echo}\n").outcome.exit_code == 1);
  CHECK(bench.play(head + "  - {uses: t.echo}\nfinally:\n" + fails).outcome.error->code == "must_fail");
  CHECK(bench.play(head + "  - {uses: t.echo, assert: [outputs.number == 9]}\nfinally:\n" + fails).outcome.exit_code ==
        1);

  const std::string marks = "  - {uses: t.wait, with: {time: 10s}, marks: [failure]}\n";
  const auto missed = bench.play("objectives: {rto: 5s}\n" + head + marks + "  - {uses: t.echo, marks: [recovered]}\n");
  CHECK(missed.outcome.exit_code == 0);
  const auto unmeasured = bench.play("objectives: {rto: 5s}\n" + head + marks +
                                     "  - {id: e, uses: t.echo}\n  - {uses: t.echo, when: steps.e.number > 0, marks: "
                                     "[recovered]}\n");
  CHECK(unmeasured.outcome.exit_code == 1);
  CHECK(unmeasured.outcome.error->code == "unmeasured");
}

TEST_CASE("every step of `finally` runs, whatever became of the others; the first error is the run's") {
  Bench bench;
  const std::string finally =
      "finally:\n  - {id: b, uses: t.fail}\n  - {id: c, uses: t.fail, with: {fault: auth}}\n  - {id: d, uses: "
      "t.echo}\n";
  const auto played = bench.play("steps:\n  - {id: a, uses: t.echo}\n" + finally);
  CHECK(played.statuses() == Statuses{"a:passed", "b:failed", "c:failed", "d:passed"});
  CHECK(played.outcome.exit_code == 3);
  REQUIRE(played.outcome.error);
  CHECK(played.outcome.error->fault == base::Fault::unavailable);
  REQUIRE_FALSE(played.outcome.error->trail.empty());
  CHECK(base::contains(played.outcome.error->trail.back(), "`c` failed too: "));

  std::stop_source stop;
  std::stop_source give_up;
  stop.request_stop();
  const auto given_up = bench.play(Play{.yaml = "steps:\n  - {id: a, uses: t.echo}\n" + finally,
                                        .stop = stop.get_token(),
                                        .give_up = give_up.get_token(),
                                        .on_event = [&](const event::Event& event) {
                                          if (event.type == "step_started" && event.text("id") == "b")
                                            give_up.request_stop();
                                        }});
  CHECK(given_up.statuses() == Statuses{"b:failed"});
}
