// Groups, elements, branches and fragments.
#include <doctest/doctest.h>

#include <algorithm>

#include "engine/base/text.h"
#include "tests/run/scripted.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)

namespace {

using Statuses = std::vector<std::string>;

// Side by side is tested with the machine's own clock: who waits longer must really do so.
struct Bench {
  base::FakeClock clock{base::WallTime(std::chrono::seconds(1'800'000'000))};
  base::SystemClock real{};
  World world{clock};
  World real_world{real};
  Played play(const std::string& steps, std::map<std::string, std::string> fragments = {}) {
    return testing::play(world, clock, {.yaml = "name: t\nsteps:\n" + steps, .fragments = std::move(fragments)});
  }
  Played race(const std::string& steps, std::stop_token stop = {}, std::function<void(const event::Event&)> told = {}) {
    return testing::play(real_world, real,
                         {.yaml = "name: t\nsteps:\n" + steps, .stop = std::move(stop), .on_event = std::move(told)});
  }
};

bool has(const Statuses& all, const std::string& one) { return std::find(all.begin(), all.end(), one) != all.end(); }

std::size_t place(const Played& played, std::string_view type) {
  for (std::size_t i = 0; i < played.events.size(); ++i) {
    if (played.events[i].type == type) return i;
  }
  return played.events.size();
}

}  // namespace

TEST_CASE("a group: one timeout over several steps, whose outputs are seen behind it") {
  Bench bench;
  auto played = bench.play(R"(
  - id: g
    timeout: 10s
    steps:
      - {id: a, uses: t.echo, with: {number: 7}}
      - {uses: t.wait, with: {time: 3s}}
  - {id: b, uses: t.echo, with: {number: "${{ steps.a.number }}"}, assert: [outputs.number == 7]}
)");
  CHECK(played.outcome.verdict == "passed");
  CHECK(played.statuses() == Statuses{"a:passed", "step-3:passed", "g:passed", "b:passed"});

  played = bench.play(R"(
  - id: g
    timeout: 5s
    steps: [{uses: t.wait, with: {time: 3s}}, {uses: t.wait, with: {time: 3s}}, {uses: t.echo}]
)");
  CHECK(played.outcome.exit_code == 3);
  CHECK(played.outcome.error->fault == base::Fault::timeout);
  CHECK(played.statuses() == Statuses{"step-2:passed", "step-3:failed", "g:failed"});
}

TEST_CASE("a skipped group skips what is in it") {
  Bench bench;
  const auto played = bench.play(R"(
  - {id: a, uses: t.echo}
  - when: steps.a.number > 0
    steps: [{id: b, uses: t.echo}]
  - {id: c, uses: t.echo, with: {number: "${{ has(steps.b.number) ? 1 : 2 }}"}, assert: [outputs.number == 2]}
)");
  CHECK(played.statuses() == Statuses{"a:passed", "step-2:skipped", "c:passed"});
}

TEST_CASE("foreach: once for each element, in order; behind it a list") {
  Bench bench;
  auto played = bench.play(R"(
  - id: all
    foreach: [3, 4, 5]
    uses: t.echo
    with: {number: "${{ each * 10 }}"}
    assert: [outputs.number == each * 10]
  - uses: t.echo
    with: {number: "${{ steps.all[1].number }}"}
    assert: ["steps.all.map(x, x.number) == [30, 40, 50]", outputs.number == 40]
)");
  CHECK(played.outcome.verdict == "passed");
  CHECK(played.statuses() ==
        Statuses{"all[0]:passed", "all[1]:passed", "all[2]:passed", "all:passed", "step-2:passed"});

  played = bench.play(R"(
  - id: all
    foreach: [1, 0, 2]
    uses: t.echo
    with: {number: "${{ each }}"}
    assert: [outputs.number > 0]
)");
  CHECK(played.outcome.exit_code == 1);
  CHECK(played.statuses() == Statuses{"all[0]:passed", "all[1]:failed", "all:failed"});
}

TEST_CASE("foreach over a group, several at a time: each gives back what it made") {
  Bench bench;
  const auto played = bench.race(R"(
  - id: machines
    foreach: [1, 2, 3, 4, 5, 6]
    max_parallel: 3
    steps:
      - {id: one, uses: t.rent, with: {price: $0.01}}
      - {uses: t.use, with: {machine: "${{ steps.one.id }}"}}
)");
  CHECK(played.outcome.verdict == "passed");
  CHECK(played.entries.size() == 6);
  for (const auto& entry : played.entries) CHECK(entry.state == run::State::released);
  CHECK(has(played.statuses(), "machines[5].one:passed"));
  CHECK(bench.real_world.all().empty());
}

TEST_CASE("the purse holds side by side too: what does not fit is never asked for") {
  Bench bench;
  const auto played = testing::play(bench.real_world, bench.real, {.yaml = R"(name: t
limits: {cost: $0.05, duration: 1h}
steps:
  - foreach: [1, 2, 3, 4, 5, 6, 7, 8]
    max_parallel: 8
    uses: t.rent
    with: {price: $0.02}
)"});
  CHECK(played.outcome.exit_code == 3);
  CHECK(played.outcome.error->code == "limit_cost");
  CHECK(bench.real_world.created <= 2);
  CHECK(bench.real_world.all().empty());
}

TEST_CASE("branches: all must pass; what they gave is seen together") {
  Bench bench;
  auto played = bench.race(R"(
  - branches:
      left: [{id: a, uses: t.echo, with: {number: 1}}]
      right: [{id: b, uses: t.echo, with: {number: 2}}]
  - {uses: t.echo, with: {number: "${{ steps.a.number + steps.b.number }}"}, assert: [outputs.number == 3]}
)");
  CHECK(played.outcome.verdict == "passed");

  played = bench.race(R"(
  - branches:
      quick: [{uses: t.wait, with: {time: 500ms}}, {uses: t.fail}]
      slow: [{id: long, uses: t.wait, with: {time: 60s}}]
)");
  CHECK(played.outcome.exit_code == 3);
  CHECK(played.outcome.error->code == "scripted");
  CHECK(has(played.statuses(), "long:cancelled"));
}

TEST_CASE("a race: the first to pass wins, the losers are stopped and given back while the journey goes on") {
  Bench bench;
  const auto played = bench.race(R"y(
  - id: race
    wait: first
    branches:
      broken: [{uses: t.fail}]
      slow: [{id: m, uses: t.rent}, {id: long, uses: t.wait, with: {time: 60s}}]
      quick: [{uses: t.wait, with: {time: 500ms}}, {id: q, uses: t.echo, with: {number: 5}}]
  - {id: next, uses: t.wait, with: {time: 300ms}, assert: [steps.race.winner == "quick", "has(steps.q.number) && steps.q.number == 5", "!has(steps.m.id)"]}
)y");
  CHECK(played.outcome.verdict == "passed");
  CHECK(has(played.statuses(), "long:cancelled"));
  CHECK(place(played, "released") < place(played, "closing"));
  CHECK(played.entries.at(0).state == run::State::released);
  CHECK(played.outcome.cleanup.attempted == 0);
}

TEST_CASE("what others may rely on stays when the branch that made it loses, until the run's end") {
  Bench bench;
  const auto played = bench.race(R"(
  - wait: first
    branches:
      slow: [{id: own, uses: t.rent}, {id: s, uses: t.rent, with: {shared: true}}, {uses: t.wait, with: {time: 60s}}]
      quick: [{uses: t.wait, with: {time: 500ms}}]
  - {id: next, uses: t.wait, with: {time: 300ms}}
)");
  CHECK(played.outcome.verdict == "passed");
  CHECK(bench.real_world.all().empty());
  REQUIRE(played.entries.size() == 2);
  std::vector<std::string> released;
  for (const auto& event : played.events) {
    if (event.type == "released") released.push_back(event.text("name"));
    if (event.type == "closing") released.emplace_back("closing");
  }
  CHECK(released == std::vector<std::string>{played.entries[0].held.name, "closing", played.entries[1].held.name});
}

TEST_CASE("a race that nobody wins fails; a stop ends every branch") {
  Bench bench;
  auto played = bench.race(R"(
  - wait: first
    branches: {a: [{uses: t.fail}], b: [{uses: t.rent}, {uses: t.fail}]}
)");
  CHECK(played.outcome.exit_code == 3);
  CHECK(bench.real_world.all().empty());

  std::stop_source stop;
  played = bench.race(R"(
  - branches:
      a: [{uses: t.rent}, {id: x, uses: t.wait, with: {time: 60s}}]
      b: [{uses: t.rent}, {id: y, uses: t.wait, with: {time: 60s}}]
)",
                      stop.get_token(), [&](const event::Event& event) {
                        if (event.type == "step_started" && event.text("uses") == "t.wait") stop.request_stop();
                      });
  CHECK(played.outcome.exit_code == 130);
  CHECK(played.outcome.verdict == "interrupted");
  CHECK(bench.real_world.all().empty());
}

TEST_CASE("a stop within a loop: no further element begins; a loop in `finally` runs all the same") {
  for (const char* parallel : {"", "\n    max_parallel: 2"}) {
    CAPTURE(parallel);
    Bench bench;
    std::stop_source stop;
    const auto played = bench.race(std::string(R"(
  - id: all
    foreach: [60, 61, 62]
    uses: t.wait
    with: {time: "${{ duration(string(each) + 's') }}"}
finally:
  - id: last
    foreach: [1, 2, 3]
    uses: t.echo
    with: {number: "${{ each }}"})") + parallel +
                                       "\n",
                                   stop.get_token(), [&](const event::Event& event) {
                                     if (event.type == "step_started" && event.text("id") == "all[0]")
                                       stop.request_stop();
                                   });
    CHECK(played.outcome.exit_code == 130);
    auto statuses = played.statuses();
    std::sort(statuses.begin(), statuses.end());
    CHECK(base::join(statuses) ==
          "all:cancelled, all[0]:cancelled, last:passed, last[0]:passed, last[1]:passed, last[2]:passed");
  }
}

TEST_CASE("a fragment: inputs, outputs and steps in a scope of its own") {
  Bench bench;
  const std::map<std::string, std::string> files = {{"twice.yaml", R"(
inputs:
  number: {type: integer, minimum: 1}
  more: {type: integer, default: 1}
outputs:
  twice: "${{ steps.a.number * 2 }}"
steps:
  - {id: a, uses: t.echo, with: {number: "${{ inputs.number + inputs.more }}"}}
)"}};
  auto played = bench.play(R"(
  - {id: a, uses: t.echo, with: {number: 20}}
  - {id: t, uses: ./twice.yaml, with: {number: "${{ steps.a.number }}"}, assert: [outputs.twice == 42]}
  - {uses: t.echo, with: {number: "${{ steps.t.twice }}"}, assert: [outputs.number == 42, steps.a.number == 20]}
)",
                           files);
  CHECK(played.outcome.verdict == "passed");
  CHECK(played.statuses() == Statuses{"a:passed", "t.a:passed", "t:passed", "step-3:passed"});

  // What only the run shows is checked as well.
  played = bench.play(R"(
  - {id: a, uses: t.echo, with: {number: 0}}
  - {id: t, uses: ./twice.yaml, with: {number: "${{ steps.a.number }}"}, assert: [outputs.twice == 42]}
)",
                      files);
  CHECK(played.outcome.exit_code == 3);
  CHECK(base::contains(played.outcome.error->message, "below the minimum"));

  played = bench.play(R"(
  - {id: t, uses: ./twice.yaml, with: {number: 20}, foreach: [1, 2], assert: [outputs.twice == 42]}
)",
                      files);
  CHECK(played.statuses() == Statuses{"t[0].a:passed", "t[0]:passed", "t[1].a:passed", "t[1]:passed", "t:passed"});
}

TEST_CASE("until on a fragment runs it again") {
  Bench bench;
  const auto played = bench.play(R"(
  - {id: t, uses: ./look.yaml, timeout: 60s, every: 2s, until: outputs.look >= 3}
)",
                                 {{"look.yaml", R"(
outputs: {look: "${{ steps.a.look }}"}
steps: [{id: a, uses: t.echo}]
)"}});
  CHECK(played.outcome.verdict == "passed");
  CHECK(played.statuses() == Statuses{"t.a:passed", "t.a:passed", "t.a:passed", "t:passed"});
}

// What never holds for an author, and only the run can tell: `steps.a.number` is 0.
TEST_CASE("a branch in which no call ran does not win a race; of branches that all ran none, none wins") {
  Bench bench;
  auto played = bench.race(R"(
  - {id: a, uses: t.echo}
  - id: r
    wait: first
    branches:
      idle: [{id: i, when: steps.a.number > 0, uses: t.echo}]
      hollow: [{steps: [{when: steps.a.number > 0, uses: t.echo}]}, {foreach: "${{ [1].filter(x, x == steps.a.number) }}", uses: t.echo}]
      works: [{id: w, uses: t.wait, with: {time: 200ms}}]
  - {uses: t.echo, assert: [steps.r.winner == 'works']}
)");
  CHECK(played.outcome.verdict == "passed");
  CHECK(has(played.statuses(), "w:passed"));

  played = bench.race(R"(
  - {id: a, uses: t.echo}
  - wait: first
    branches:
      idle: [{when: steps.a.number > 0, uses: t.echo}]
      broken: [{uses: t.fail}]
)");
  CHECK(played.outcome.error->code == "scripted");

  played = bench.race(R"(
  - {id: a, uses: t.echo}
  - id: r
    wait: first
    must_fail: true
    branches:
      x: [{when: steps.a.number > 0, uses: t.echo}]
      y: [{steps: [{when: steps.a.number > 0, uses: t.echo}]}]
)");
  CHECK(played.outcome.exit_code == 3);
  CHECK(played.outcome.error->code == "nothing_ran");
  CHECK(has(played.statuses(), "r:failed"));
}

TEST_CASE("a mark on a step in which no call ran is an error: nothing was shown") {
  Bench bench;
  const std::map<std::string, std::string> files = {{"idle.yaml", R"(
inputs: {number: {type: integer}}
steps: [{when: inputs.number > 0, uses: t.echo}]
)"}};
  for (const char* mark : {"detected", "degraded", "recovered"}) {
    for (const char* shape : {"steps: [{when: steps.a.number > 0, uses: t.echo}]",
                              "steps: [{steps: [{when: steps.a.number > 0, uses: t.echo}]}]",
                              "steps: [{foreach: \"${{ [1].filter(x, x == steps.a.number) }}\", uses: t.echo}]",
                              "branches: {x: [{when: steps.a.number > 0, uses: t.echo}]}",
                              "uses: ./idle.yaml\n    with: {number: \"${{ steps.a.number }}\"}"}) {
      CAPTURE(mark);
      CAPTURE(shape);
      const auto played = bench.play("  - {id: a, uses: t.echo}\n  - id: g\n    marks: [" + std::string(mark) +
                                         "]\n    " + std::string(shape) + "\n",
                                     files);
      CHECK(played.outcome.exit_code == 3);
      REQUIRE(played.outcome.error);
      CHECK(played.outcome.error->code == "nothing_ran");
      CHECK(base::contains(played.outcome.error->message, "`" + std::string(mark) + "`"));
      CHECK(played.first("mark") == nullptr);
    }
  }
}

TEST_CASE("one call is enough for a mark, wherever it is; a counter-proof's too") {
  Bench bench;
  for (const char* shape :
       {"steps: [{when: steps.a.number > 0, uses: t.echo}, {uses: t.echo}]", "steps: [{foreach: [1], uses: t.echo}]",
        "steps: [{foreach: [1], max_parallel: 2, steps: [{uses: t.echo}]}]",
        "branches: {x: [{when: steps.a.number > 0, uses: t.echo}], y: [{steps: [{uses: t.echo}]}]}",
        "must_fail: true\n    steps: [{uses: t.fail}]", "must_fail: true\n    branches: {x: [{uses: t.fail}]}"}) {
    CAPTURE(shape);
    const auto played =
        bench.race("  - {id: a, uses: t.echo}\n  - id: g\n    marks: [recovered]\n    " + std::string(shape) + "\n");
    CHECK(played.outcome.verdict == "passed");
    REQUIRE(played.first("mark") != nullptr);
    CHECK(played.first("mark")->text("step") == "g");
  }
}

TEST_CASE("a failure is when the first call of its step begins; where none ran nothing was broken") {
  Bench bench;
  const std::string head =
      "name: t\nobjectives: {rto: 5s}\nsteps:\n  - {id: a, uses: t.echo}\n  - id: g\n    marks: "
      "[failure]\n    steps:\n      - ";
  const std::string tail = "\n  - {uses: t.echo, marks: [recovered]}\n";
  auto played =
      testing::play(bench.world, bench.clock, {.yaml = head + "{when: steps.a.number > 0, uses: t.fail}" + tail});
  CHECK(played.outcome.exit_code == 1);
  CHECK(base::contains(played.outcome.error->message, "could not be measured"));
  CHECK_FALSE(has(played.statuses(), "g:failed"));
  played = testing::play(bench.world, bench.clock, {.yaml = head + "{uses: t.wait, with: {time: 3s}}" + tail});
  CHECK(played.outcome.exit_code == 0);
  CHECK(played.first("mark")->text("step") == "g");
  CHECK(played.first("objective")->number("actual_s") == doctest::Approx(3));
}
