// What a journal says of the promises: honest ones keep all, and each broken one is named; what is not in it is not
// decided.
#include "engine/report/promises.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "engine/base/text.h"
#include "engine/report/report.h"
#include "engine/report/text.h"
#include "tests/run/scripted.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)
using base::Value;

namespace {

using Map = Value::Map;
using Records = std::vector<std::pair<std::string, Map>>;

// A second each.
std::vector<event::Event> journal(const Records& records) {
  std::vector<event::Event> out;
  for (const auto& [kind, data] : records) {
    event::Event event;
    event.seq = out.size() + 1;
    event.type = kind;
    event.since_start = std::chrono::seconds(out.size());
    event.at = base::WallTime(std::chrono::seconds(1'800'000'000 + out.size()));
    event.data = Value(Map(data));
    out.push_back(std::move(event));
  }
  return out;
}

report::Report fold(const std::vector<event::Event>& events) {
  report::Folder folder;
  for (const auto& event : events) folder.on(event);
  return folder.report();
}

// `I5 broken: why`, of those that are not held.
std::vector<std::string> not_held(const report::Report& report) {
  std::vector<std::string> out;
  for (const auto& one : report.promises.judged(report)) {
    if (one.verdict == report::Promise::Verdict::held) continue;
    out.push_back(std::string(one.id) + " " + std::string(to_string(one.verdict)) + ": " + one.what);
  }
  return out;
}

std::pair<std::string, Map> begins() {
  return {"run_started", {{"run_id", "r"}, {"target", "live"}, {"limits", Value(Map{{"cost_usd", 0.01}})}}};
}
std::pair<std::string, Map> about(const char* kind, Map more = {}) {
  more.emplace("name", "n");
  more.emplace("kind", "k");
  if (std::string(kind) != "intent") more.emplace("id", "7");
  return {kind, std::move(more)};
}
// 1 s of it: $0.001
std::pair<std::string, Map> intent() { return about("intent", {{"per_hour_usd", 3.6}, {"step", "a"}}); }
std::pair<std::string, Map> starts(const char* id) { return {"step_started", {{"id", id}, {"section", "steps"}}}; }
std::pair<std::string, Map> step(Map more = {}) {
  more.emplace("id", "s");
  more.emplace("section", "steps");
  more.emplace("status", "passed");
  return {"step_finished", std::move(more)};
}
Value assertion(bool passed) { return Value::List{Map{{"expression", "outputs.x == 1"}, {"passed", passed}}}; }
std::pair<std::string, Map> verifies(int matched, bool ok) {
  return step({{"uses", "checksum.verify"},
               {"outputs", Value(Map{{"expected", 1},
                                     {"matched", matched},
                                     {"mode_changed", 0},
                                     {"mtime_changed", 0},
                                     {"files", Value::List{Map{{"path", "a.bin"}, {"ok", ok}}}}})}});
}
std::pair<std::string, Map> closes() { return {"closing", {{"why", "the journey has ended"}}}; }
std::pair<std::string, Map> cleaned(const std::vector<std::string>& left = {}) {
  Value::List list;
  for (const auto& name : left) list.push_back(Map{{"kind", "k"}, {"name", name}, {"id", "7"}, {"why", "w"}});
  return {"cleanup_finished", {{"attempted", 1}, {"released", 1}, {"left", Value(std::move(list))}}};
}
Value error(const char* fault, const char* code) {
  return Map{{"fault", fault}, {"code", code}, {"message", "it broke"}, {"hint", ""}};
}
std::pair<std::string, Map> ends(const char* verdict, int code) {
  Map data{{"verdict", verdict}, {"exit_code", code}};
  if (std::string(verdict) != "passed") data.emplace("error", error("unavailable", "x"));
  return {"run_finished", std::move(data)};
}
std::pair<std::string, Map> recovers() { return {"recovery", {{"by", "cleanup"}, {"pid", 1}}}; }

struct Row {
  std::string name;
  Records records;
  std::vector<std::string> wanted;  // beginnings of what is not held
};

void check(const std::vector<Row>& rows) {
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const auto said = not_held(fold(journal(row.records)));
    CAPTURE(base::join(said, "\n"));
    CHECK(said.size() == row.wanted.size());
    for (std::size_t i = 0; i < std::min(said.size(), row.wanted.size()); ++i) {
      CAPTURE(row.wanted[i]);
      CHECK(said[i].rfind(row.wanted[i], 0) == 0);
    }
  }
}

}  // namespace

TEST_CASE("honest journals keep every promise") {
  check({
      {"nothing made", {begins(), starts("s"), step(), closes(), cleaned(), ends("passed", 0)}, {}},
      {"given back",
       {begins(), intent(), about("made"), closes(), about("ended"), about("released"), cleaned(), ends("passed", 0)},
       {}},
      {"kept", {begins(), intent(), about("made"), about("kept"), closes(), cleaned(), ends("passed", 0)}, {}},
      {"kept, and given back when its time was over, by the second who tried",
       {begins(), about("intent", {{"step", "a"}}), about("made"), about("kept"), closes(), cleaned(),
        ends("passed", 0), recovers(), about("lapsed"), recovers(), cleaned({"n"}), ends("passed", 4), recovers(),
        about("released"), cleaned(), ends("passed", 0)},
       {}},
      {"refused", {begins(), intent(), about("refused"), closes(), cleaned(), ends("error", 3)}, {}},
      {"an end that is told once more",
       {begins(), intent(), about("made"), about("released"), about("ended"), closes(), cleaned(), ends("failed", 1)},
       {}},
      {"counter-proof",
       {begins(), starts("s"), step({{"assertions", assertion(false)}, {"proof", error("assertion", "assertion")}}),
        closes(), cleaned(), ends("passed", 0)},
       {}},
      {"an author's own assertion over files",
       {begins(), verifies(0, false), closes(), cleaned(), ends("passed", 0)},
       {}},
      {"objective met and another missed",
       {begins(),
        {"objective", {{"name", "rto"}, {"wanted_s", 5}, {"actual_s", 5.0}, {"passed", true}}},
        {"objective", {{"name", "rpo"}, {"wanted_s", 5}, {"passed", false}}},
        closes(),
        cleaned(),
        ends("failed", 1)},
       {}},
      {"the books are read at the end",
       {begins(), closes(), cleaned(), ends("passed", 0), {"exchange", {}}, {"charges", {{"kind", "k"}}}},
       {}},
      {"killed, and recovered",
       {begins(),
        starts("s"),
        intent(),
        about("made"),
        recovers(),
        {"cleanup_started", {}},
        about("ended"),
        about("released"),
        cleaned(),
        ends("interrupted", 130)},
       {}},
      {"exit code 4, and recovered; the verdict is the run's own",
       {begins(),
        intent(),
        about("made"),
        closes(),
        cleaned({"n"}),
        ends("passed", 4),
        recovers(),
        {"cleanup_started", {}},
        about("released"),
        cleaned(),
        {"run_finished", {{"verdict", "passed"}, {"exit_code", 130}}}},
       {}},
  });
}

TEST_CASE("each broken promise is named, with the thing and the place") {
  const std::string open = "I1 unknown: k 7 (n) may still be held";
  check({
      {"open, and exit code 0",
       {begins(), intent(), about("made"), closes(), cleaned(), ends("passed", 0)},
       {open, "I3 unknown: k 7 (n) may still cost", "I5 broken: exit code 0 was given while k 7 (n) was still open"}},
      {"open, and a later recovery does not make the word true",
       {begins(), intent(), about("made"), closes(), cleaned(), ends("failed", 1), recovers(), about("released"),
        cleaned(), ends("interrupted", 130)},
       {"I5 broken: exit code 1 was given while k 7 (n) was still open"}},
      {"a write that was never answered, then a no to another",
       {begins(), intent(), about("unanswered"), about("refused"), closes(), cleaned(), ends("error", 3)},
       {"I1 unknown", "I3 unknown", "I5 broken: exit code 3 was given while k n was still open"}},
      {"left, and exit code 130",
       {begins(), closes(), cleaned({"n"}), ends("interrupted", 130)},
       {"I5 broken: exit code 130 was given while the cleanup had left n"}},
      {"exit code 4 for nothing",
       {begins(), closes(), cleaned(), ends("passed", 4)},
       {"I5 broken: exit code 4 was given while nothing was left"}},
      {"another thing is left than what is open",
       {begins(), intent(), about("made"), closes(), cleaned({"m"}), ends("passed", 4)},
       {open, "I3 unknown", "I5 broken: the cleanup says that it left 1, and the records leave 1 open"}},
      {"a verdict with another's code",
       {begins(), closes(), cleaned(), ends("failed", 3)},
       {"I5 broken: the verdict failed was given with exit code 3"}},
      {"made before it was named",
       {begins(), about("made"), intent(), about("released"), closes(), cleaned(), ends("passed", 0)},
       {"I2 broken: k 7 (n) is told of as made, and no intent had named it before"}},
      {"made after closing",
       {begins(), closes(), intent(), about("made"), about("released"), cleaned(), ends("passed", 0)},
       {"I11 broken: k n was asked for by the step a after the run had begun to close"}},
      {"sent after closing",
       {begins(), intent(), closes(), about("sending"), about("released"), cleaned(), ends("passed", 0)},
       {"I11 broken: k n was sent for after"}},
      {"two writers",
       {begins(), intent(), recovers(), starts("s"), about("released"), cleaned(), ends("interrupted", 130)},
       {"I12 broken: step_started (record 4) was written after another process had taken the run over"}},
      {"after the last word",
       {begins(), closes(), cleaned(), ends("passed", 0), step()},
       {"I12 broken: step_finished (record 5) was written after its writer's last word"}},
      {"begun twice", {begins(), begins(), closes(), cleaned(), ends("passed", 0)}, {"I12 broken: run_started"}},
      {"passed against its assertion",
       {begins(), step({{"assertions", assertion(false)}}), closes(), cleaned(), ends("passed", 0)},
       {"I4 broken: the step s passed, and its assertion `outputs.x == 1` did not hold"}},
      {"a lost file among the same ones",
       {begins(), verifies(1, false), closes(), cleaned(), ends("passed", 0)},
       {"I4 broken: the step s says that all 1 files are the same, and a.bin is not"}},
      {"an objective that was missed",
       {begins(),
        {"objective", {{"name", "rto"}, {"wanted_s", 5}, {"actual_s", 5.5}, {"passed", true}}},
        closes(),
        cleaned(),
        ends("passed", 0)},
       {"I4 broken: the objective rto is said to be met, and was measured as 5.5 s of 5 s"}},
      {"passed, with an error",
       {begins(),
        closes(),
        cleaned(),
        {"run_finished", {{"verdict", "passed"}, {"exit_code", 0}, {"error", error("assertion", "x")}}}},
       {"I4 broken: the verdict is passed, and there is an error: it broke"}},
      {"a step without an end",
       {begins(), starts("s"), closes(), cleaned(), ends("error", 3)},
       {"I4 broken: the step s began, and its end was never told"}},
  });
}

TEST_CASE("what a journal without an end, or with something left, does not decide") {
  const char* no_end = "the journal does not say how the run ended";
  const auto without = [&](const char* id) { return std::string(id) + " unknown: " + no_end; };
  check({
      {"killed at once", {begins()}, {without("I1"), without("I3"), without("I4"), without("I5")}},
      {"killed with a machine",
       {begins(), intent(), about("made")},
       {"I1 unknown: k 7 (n) may still be held: " + std::string(no_end), "I3 unknown: k 7 (n) may still cost",
        without("I4"), without("I5")}},
      {"killed, and what it said before was not true",
       {begins(), step({{"assertions", assertion(false)}})},
       {without("I1"), without("I3"), "I4 broken", without("I5")}},
      {"a recovery that is under way",
       {begins(), intent(), about("made"), closes(), cleaned({"n"}), ends("passed", 4), recovers()},
       {"I1 unknown", "I3 unknown", without("I4"), without("I5")}},
      {"exit code 4",
       {begins(), intent(), about("made"), closes(), cleaned({"n"}), ends("passed", 4)},
       {"I1 unknown: k 7 (n) may still be held", "I3 unknown: k 7 (n) may still cost"}},
      {"a disk that took no more records",
       {begins(),
        intent(),
        about("made"),
        closes(),
        cleaned(),
        {"run_finished", {{"verdict", "error"}, {"exit_code", 3}, {"error", error("no_space", "journal")}}}},
       {"I1 unknown", "I3 unknown",
        "I5 unknown: exit code 3 was given while k 7 (n) was still open; the journal lacks"}},
  });
}

TEST_CASE("the limit: our own count, the provider's books, and what nobody saw") {
  // `time` seconds at $0.001 each; the limit is $0.01.
  const auto costs = [](int time, bool ended, bool recovered) {
    auto events = journal({begins(), intent(), about("made"), closes()});
    const auto later = [&](const std::pair<std::string, Map>& record) {
      auto event = journal({record}).front();
      event.seq = events.size() + 1;
      event.since_start = std::chrono::seconds(1 + time);
      events.push_back(std::move(event));
    };
    if (recovered) later(recovers());
    if (ended) later(about("ended"));
    later(about("released"));
    later(cleaned());
    later(recovered ? ends("interrupted", 130) : ends("passed", 0));
    return events;
  };
  CHECK(not_held(fold(costs(10, true, false))).empty());
  CHECK(base::join(not_held(fold(costs(11, true, false)))) ==
        "I3 broken: by its own count the run cost $0.011, above the limit of $0.01; most of it k 7 (n)");
  // It may have gone by itself long before.
  CHECK(base::contains(base::join(not_held(fold(costs(11, false, false)))), "I3 unknown: by its own count"));
  CHECK(base::contains(base::join(not_held(fold(costs(11, true, true)))), "nobody saw when that ended"));
  auto events = costs(2, true, false);
  const auto books = [](double usd) {
    return journal(
               {{"charges", {{"kind", "k"}, {"asked", 1}, {"lines", Value::List{Map{{"name", "n"}, {"usd", usd}}}}}}})
        .front();
  };
  events.push_back(books(0.0105));  // within what the provider rounds to
  CHECK(not_held(fold(events)).empty());
  events.back() = books(0.02);
  CHECK(base::join(not_held(fold(events))) == "I3 broken: the provider charged $0.02 for k, above the limit of $0.01");
}

TEST_CASE("runs of the engine keep them; cut at any record, none is broken") {
  base::FakeClock clock(base::WallTime(std::chrono::seconds(1'800'000'000)));
  for (const char* steps : {
           "  - {id: a, uses: t.rent, with: {price: $0.36}}\n  - {uses: t.wait, with: {time: 100s}}\n",
           "  - {id: a, uses: t.rent, with: {price: $0.36}, assert: [\"outputs.id == 'no'\"]}\n",
           "  - {uses: t.rent, with: {price: $0.36}, assert: [\"outputs.id == 'no'\"], must_fail: true}\n",
           "  - {uses: t.fail, with: {times: 9, fault: unavailable}}\n",
       }) {
    CAPTURE(steps);
    World world(clock);
    const auto played =
        play(world, clock, {.yaml = "name: t\nlimits: {cost: $5, duration: 2h}\nsteps:\n" + std::string(steps)});
    CHECK(base::join(not_held(fold(played.events))) == "");
    for (std::size_t count = 0; count < played.events.size(); ++count) {
      CAPTURE(count);
      const std::vector<event::Event> cut(played.events.begin(), played.events.begin() + static_cast<long>(count));
      CHECK_FALSE(base::contains(base::join(not_held(fold(cut))), "broken"));
    }
  }
}

TEST_CASE("one line when all is kept, and one for each that is not") {
  const auto honest = fold(journal({begins(), closes(), cleaned(), ends("passed", 0)}));
  const std::string all = report::text(honest, {});
  CHECK(base::contains(all, "  promises          7 of 7 that the journal can decide were kept\n"));
  CHECK_FALSE(base::contains(all, "PROMISE"));
  CHECK(report::to_json(honest)["invariants"][0] ==
        nlohmann::ordered_json{
            {"id", "I1"}, {"promise", "nothing is left but what is kept"}, {"verdict", "held"}, {"what", nullptr}});
  const auto broken = fold(journal({begins(), intent(), about("made"), closes(), cleaned(), ends("passed", 0)}));
  const std::string some = report::text(broken, {});
  for (const char* words :
       {"4 of 5 that the journal can decide", "PROMISE BROKEN  the exit code says what is left (I5): ",
        "promise not known  nothing is left but what is kept (I1): k 7 (n) may"}) {
    CAPTURE(words);
    CHECK(base::contains(some, words));
  }
}
