// Reports as folds: of a journey on a scripted world, whole and cut at every event, and of events made by hand.
#include "engine/report/report.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "engine/base/file.h"
#include "engine/base/text.h"
#include "engine/report/console.h"
#include "engine/report/schema.h"
#include "engine/report/text.h"
#include "tests/run/scripted.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)
using base::Value;
using Json = nlohmann::ordered_json;

namespace {

// Type, required, additionalProperties, enum, items: what our schemas use.
void validate(const Json& schema, const Json& value, const std::string& path) {
  CAPTURE(path);
  if (schema.contains("enum")) {
    bool found = false;
    for (const auto& one : schema["enum"]) found = found || one == value;
    CHECK(found);
  }
  if (schema.contains("type")) {
    const auto fits = [&](const std::string& type) {
      return (type == "object" && value.is_object()) || (type == "array" && value.is_array()) ||
             (type == "string" && value.is_string()) || (type == "boolean" && value.is_boolean()) ||
             (type == "integer" && value.is_number_integer()) || (type == "number" && value.is_number()) ||
             (type == "null" && value.is_null());
    };
    bool one = false;
    for (const auto& type : schema["type"].is_array() ? schema["type"] : Json::array({schema["type"]}))
      one = one || fits(type);
    CHECK(one);
  }
  if (value.is_object() && schema.contains("properties")) {
    for (const auto& name : schema.value("required", Json::array())) CHECK(value.contains(name.get<std::string>()));
    for (const auto& [key, member] : value.items()) {
      const std::string name = key;
      const bool known = schema["properties"].contains(name);
      if (schema.value("additionalProperties", true) == false) {
        INFO("member ", std::string(name));
        CHECK(known);
      }
      if (known) validate(schema["properties"][name], member, path + "." + name);
    }
  }
  if (value.is_array() && schema.contains("items")) {
    for (const auto& item : value) validate(schema["items"], item, path + "[]");
  }
}

Played two_machines() {
  static base::FakeClock clock(base::WallTime(std::chrono::seconds(1'800'000'000)));
  World world(clock);
  return play(world, clock, {.yaml = R"(name: t
limits: {cost: $5, duration: 2h}
objectives: {rto: 1h}
steps:
  - {id: a, phase: One, uses: t.rent, with: {price: $0.36}}
  - {uses: t.wait, with: {time: 100s}}
  - {phase: Two, uses: t.give_back, with: {machine: "${{ steps.a.id }}"}, marks: [failure]}
  - {id: b, uses: t.rent, with: {price: $0.72}}
  - {uses: t.wait, with: {time: 50s}, marks: [recovered]}
)"});
}

report::Report fold(const std::vector<event::Event>& events, std::size_t count) {
  report::Folder folder;
  for (std::size_t i = 0; i < count; ++i) folder.on(events[i]);
  return folder.report();
}

event::Event make(const char* type, std::int64_t second, Value::Map data) {
  event::Event event;
  event.seq = 1;
  event.type = type;
  event.since_start = std::chrono::seconds(second);
  event.at = base::WallTime(std::chrono::seconds(1'800'000'000 + second));
  event.data = Value(std::move(data));
  return event;
}

}  // namespace

TEST_CASE("figures of a journey with two machines") {
  const auto played = two_machines();
  const auto report = fold(played.events, played.events.size());
  CHECK(report.verdict == "passed");
  REQUIRE(report.resources.size() == 2);
  CHECK(base::seconds(report.billed(report.resources[0])) == doctest::Approx(100));
  CHECK(report.cost(report.resources[0]) == doctest::Approx(0.01));
  CHECK(report.cost(report.resources[1]) == doctest::Approx(0.01));
  CHECK(report.total_cost() == doctest::Approx(0.02));
  REQUIRE(report.phases.size() == 3);
  CHECK(report.phases[0].name == "One");
  CHECK(base::seconds(report.phases[0].end - report.phases[0].begin) == doctest::Approx(100));
  CHECK(report.phases[2].name == "Cleanup");
  CHECK(base::seconds(report.objectives.at("rto")) == doctest::Approx(50));
  CHECK(report.leftovers.empty());
  const std::string text = report::text(report, {});
  for (const char* words : {"PASSED", "SANDBOX", "$0.02 for 2 machines", "rto", "met", "given back"}) {
    CAPTURE(words);
    CHECK(base::contains(text, words));
  }
}

TEST_CASE("cut at every event the report is whole, follows its schema, and never says passed") {
  const auto played = two_machines();
  const Json schema = report::report_schema();
  for (std::size_t count = 1; count <= played.events.size(); ++count) {
    CAPTURE(count);
    const auto report = fold(played.events, count);
    const Json json = report::to_json(report);
    validate(schema, json, "$");
    CHECK((json["verdict"] == "passed") == (count == played.events.size()));
    CHECK_FALSE(report::text(report, {}).empty());
    bool held = false;
    for (const auto& one : json["resources"]) held = held || (one["state"] != "released" && one["state"] != "kept");
    CHECK(json["leftovers"].empty() == !held);
    if (count < played.events.size()) CHECK(json["exit_code"] == (held ? 4 : 130));
  }
}

TEST_CASE("what was refused and made all the same costs from its sending to its end") {
  for (const char* after : {event::type::made, event::type::unclear}) {
    CAPTURE(after);
    report::Folder folder;
    folder.on(make(event::type::intent, 10,
                   {{"name", "n"}, {"kind", "vast.instance"}, {"per_hour_usd", 0.5}, {"step", "a"}}));
    folder.on(make(event::type::refused, 13, {{"name", "n"}, {"kind", "vast.instance"}}));
    CHECK(folder.report().cost(folder.report().resources[0]) == 0);
    folder.on(make(after, 60, {{"name", "n"}, {"kind", "vast.instance"}, {"id", "7"}}));
    folder.on(make(event::type::ended, 3610, {{"name", "n"}, {"kind", "vast.instance"}, {"id", "7"}}));
    folder.on(make(event::type::released, 3620, {{"name", "n"}, {"kind", "vast.instance"}, {"id", "7"}}));
    CHECK(folder.report().cost(folder.report().resources[0]) == doctest::Approx(0.5));
  }
}

TEST_CASE(
    "what was refused and never found costs nothing, whenever that is found out, and nothing of it is given back") {
  report::Folder folder;
  const auto about = [&](const char* type, int at, Value::Map more = {}) {
    more.insert({{"name", "n"}, {"kind", "vast.instance"}});
    folder.on(make(type, at, std::move(more)));
  };
  about(event::type::intent, 10, {{"per_hour_usd", 0.5}, {"step", "a"}});
  about(event::type::refused, 13);
  folder.on(make(event::type::cleanup_started, 14, {{"attempted", 0}}));
  about(event::type::unclear, 15);
  const Value left(Value::List{Value::Map{{"kind", "vast.instance"}, {"name", "n"}}});
  folder.on(make(event::type::cleanup_finished, 15, {{"attempted", 1}, {"released", 0}, {"left", left}}));
  folder.on(make(event::type::run_finished, 16, {{"exit_code", 4}}));
  CHECK(folder.report().cleanup.attempted == 1);
  const std::string early = report::text(folder.report(), {});
  CHECK(base::contains(early, "0 of 1"));
  CHECK(base::contains(early, "unknown (it was refused, and not looked for to the end)"));

  folder.on(make(event::type::recovery, 259'200, {}));
  folder.on(make(event::type::cleanup_started, 259'200, {{"attempted", 1}}));
  about(event::type::refused, 259'203, {{"certain", true}, {"why", "two looks have not found it"}});
  CHECK(folder.report().cleanup.attempted == 0);  // whatever becomes of this cleanup
  folder.on(make(event::type::cleanup_started, 259'300, {{"attempted", 0}}));
  folder.on(make(event::type::cleanup_finished, 259'303, {{"attempted", 0}, {"released", 0}}));
  CHECK(folder.report().cleanup.attempted == 0);
  CHECK(folder.report().cost(folder.report().resources[0]) == 0);
  const std::string late = report::text(folder.report(), {});
  CHECK(base::contains(late, "$0.00 (nothing rented)"));
  CHECK(base::contains(late, "0 of 0 that were still open"));
}

TEST_CASE("a refused thing says why it was not made: a no, or that looking did not find it") {
  std::string lines;
  report::PlainConsole console([&](std::string_view text) { lines += text; });
  const Value error(Value::Map{{"fault", "no_offer"}, {"code", "gone"}, {"message", "the offer is gone"}});
  console.on(make(event::type::refused, 1, {{"name", "n"}, {"kind", "k"}, {"error", error}}));
  console.on(make(event::type::refused, 2, {{"name", "n"}, {"kind", "k"}, {"certain", true}, {"why", "not there"}}));
  CHECK(base::contains(lines, "not made: k n: the offer is gone"));
  CHECK(base::contains(lines, "not made: k n: not there"));
}

TEST_CASE("the committed schemas of report and journal are the declared ones") {
  const auto schemas = std::filesystem::path(FAILOVER_SOURCE_DIR) / "schemas";
  const std::vector<std::pair<std::string, Json>> declared{{"report.schema.json", report::report_schema()},
                                                           {"journal.schema.json", report::journal_schema()}};
  for (const auto& one : declared) {
    const std::string& name = one.first;
    CAPTURE(name);
    const auto committed = base::read_file(schemas / name, 1 << 22);
    REQUIRE(committed);
    CHECK(one.second.dump(2) + "\n" == *committed);
  }
}

TEST_CASE("what a machine can end itself with is told, and loudly when it is nothing") {
  for (const auto& row : std::vector<std::pair<Value::List, std::string>>{
           {{"sh", "wget", "curl"}, "curl"}, {{"sh", "python3", "wget"}, "python3"}, {{"sh"}, "none"}}) {
    const Value::List& tools = row.first;
    const std::string& wanted = row.second;
    CAPTURE(wanted);
    report::Folder folder;
    folder.on(
        make(event::type::intent, 1, {{"name", "n"}, {"kind", "vast.instance"}, {"per_hour_usd", 0.5}, {"step", "a"}}));
    folder.on(make(event::type::made, 2, {{"name", "n"}, {"kind", "vast.instance"}, {"id", "7"}}));
    CHECK(report::to_json(folder.report())["resources"][0]["timer"].is_null());
    CHECK_FALSE(base::contains(report::text(folder.report(), {}), "does not stand"));
    folder.on(make(event::type::step_finished, 3,
                   {{"id", "b"},
                    {"uses", "vast.wait_until_ready"},
                    {"status", "passed"},
                    {"outputs", Value(Value::Map{{"instance", 7}, {"tools", Value(Value::List(tools))}})}}));
    CHECK(report::to_json(folder.report())["resources"][0]["timer"] == wanted);
    CHECK(base::contains(report::text(folder.report(), {}), "does not stand") == (wanted == "none"));
  }
}

TEST_CASE("what is proven to be gone stays so, whatever is told of its end later") {
  report::Folder folder;
  folder.on(make(event::type::intent, 1, {{"name", "n"}, {"kind", "vast.instance"}, {"per_hour_usd", 0.5}}));
  folder.on(make(event::type::made, 2, {{"name", "n"}, {"id", "7"}}));
  folder.on(make(event::type::released, 3, {{"name", "n"}, {"id", "7"}}));
  folder.on(make(event::type::ended, 4, {{"name", "n"}, {"id", "7"}}));
  CHECK(folder.report().resources[0].state == "released");
  CHECK(base::seconds(folder.report().billed(folder.report().resources[0])) == doctest::Approx(2));
}

TEST_CASE("what is still there after an accepted end goes on billing until the next one") {
  report::Folder folder;
  folder.on(make(event::type::intent, 1, {{"name", "n"}, {"kind", "vast.instance"}, {"per_hour_usd", 0.5}}));
  folder.on(make(event::type::made, 2, {{"name", "n"}, {"id", "7"}}));
  folder.on(make(event::type::ended, 11, {{"name", "n"}, {"id", "7"}}));
  folder.on(make(event::type::ended, 101, {{"name", "n"}, {"id", "7"}}));
  folder.on(make(event::type::released, 105, {{"name", "n"}, {"id", "7"}}));
  CHECK(base::seconds(folder.report().billed(folder.report().resources[0])) == doctest::Approx(100));
}

TEST_CASE("a recovery before the failure has no time; a limit of years is shown as it is") {
  report::Folder folder;
  folder.on(make("run_started", 0, {{"objectives", Value(Value::Map{{"rto_s", 1.728e9}})}}));
  folder.on(make("mark", 5, {{"name", "recovered"}, {"step", "r"}}));
  folder.on(make("mark", 8, {{"name", "failure"}, {"step", "f"}}));
  CHECK(report::to_json(folder.report())["objectives"]["rto_s"].is_null());
  folder.on(make("objective", 9, {{"name", "rto"}, {"wanted_s", 1.728e9}, {"actual_s", 1e12}, {"passed", false}}));
  const std::string text = report::text(folder.report(), {});
  CHECK(base::contains(text, "of 480000h00m00s allowed"));
  CHECK_FALSE(base::contains(text, "rto               0.00s"));
  CHECK(base::contains(text, "MISSED"));
  CHECK(report::short_time(std::chrono::seconds(65)) == "1m05s");
  CHECK(report::short_time(std::chrono::seconds(3'723)) == "1h02m03s");
}

TEST_CASE("a preflight alone is told as one, and is no drill that passed") {
  report::Folder folder;
  folder.on(make("run_started", 0, {{"run_id", "r"}, {"scenario", "t"}, {"target", "other"}, {"quick", true}}));
  folder.on(make("run_finished", 1, {{"verdict", "passed"}, {"exit_code", 0}}));
  CHECK(report::to_json(folder.report())["quick"] == true);
  CHECK(base::contains(report::text(folder.report(), {}), "none: the preflight alone"));
  CHECK(base::contains(report::text(folder.report(), {}), "PASSED  (preflight alone)"));
  CHECK(report::to_json(report::Folder().report())["quick"] == false);
}

TEST_CASE("what a snapshot leaves out is said") {
  const auto text = [](int skipped) {
    report::Folder folder;
    folder.on(make("step_finished", 1,
                   {{"id", "s"},
                    {"uses", "snapshot.create"},
                    {"status", "passed"},
                    {"section", "steps"},
                    {"outputs", Value(Value::Map{{"id", "x"}, {"files", 1}, {"skipped", skipped}})}}));
    return report::text(folder.report(), {});
  };
  CHECK(base::contains(text(3), "left out          3 links, sockets and the like"));
  CHECK_FALSE(base::contains(text(0), "left out"));
}

TEST_CASE("the money so far holds the traffic") {
  std::string drawn;
  report::PrettyConsole console({.width = 120, .color = false, .unicode = true},
                                [&](std::string_view text) { drawn += text; });
  console.on(make("run_started", 0, {{"run_id", "r"}}));
  console.on(
      make(event::type::intent, 0, {{"name", "n"}, {"kind", "k"}, {"per_hour_usd", 0.36}, {"per_gb_up_usd", 2.0}}));
  console.on(make(event::type::made, 0, {{"name", "n"}, {"id", "7"}}));
  console.on(make(event::type::traffic, 1, {{"name", "n"}, {"id", "7"}, {"up_bytes", 1e9}, {"down_bytes", 0}}));
  console.on(make("step_started", 100, {{"id", "s"}, {"uses", "t.wait"}, {"timeout_s", 60}}));
  CHECK(base::contains(drawn, "$2.01"));
}

TEST_CASE("records follow the journal's schema") {
  const auto played = two_machines();
  for (const auto& event : played.events)
    validate(report::journal_schema(), Json::parse(event::to_line(event)), event.type);
}

TEST_CASE("files survive, are lost, or were never compared") {
  const auto file = [](const char* path, const char* md5) {
    return Value(Value::Map{
        {"path", path}, {"size", 10}, {"md5", md5}, {"mode", "0644"}, {"mtime", "2026-01-01T00:00:00.000000Z"}});
  };
  const auto seen = [](const char* path, bool ok) {
    return Value(Value::Map{{"path", path}, {"size", 10}, {"md5", "x"}, {"ok", ok}});
  };
  report::Folder folder;
  folder.on(make("run_started", 0, {{"run_id", "r"}, {"scenario", "t"}, {"target", "other"}}));
  folder.on(make(
      "step_finished", 5,
      {{"id", "f"},
       {"uses", "files.create"},
       {"status", "passed"},
       {"section", "steps"},
       {"outputs", Value(Value::Map{{"files", Value(Value::List{file("a", "1"), file("b", "2"), file("c", "3")})}})}}));
  CHECK(folder.report().files_verified() == 0);
  CHECK(base::contains(report::text(folder.report(), {}), "not verified"));
  folder.on(make("step_finished", 9,
                 {{"id", "v"},
                  {"uses", "checksum.verify"},
                  {"status", "failed"},
                  {"section", "steps"},
                  {"outputs", Value(Value::Map{{"files", Value(Value::List{seen("a", true), seen("b", false)})}})},
                  {"error", Value(Value::Map{{"code", "assert"}, {"message", "1 of 3 differ"}, {"hint", ""}})}}));
  CHECK(folder.report().files_verified() == 1);
  CHECK(report::to_json(folder.report())["validation"]["success_rate"].get<double>() == doctest::Approx(1.0 / 3));
  const std::string text = report::text(folder.report(), {});
  CHECK(base::contains(text, "1/3"));
  CHECK(base::contains(text, "LOST"));
  CHECK(base::contains(text, "1 of 3 differ"));
  CHECK(base::contains(text, "the machine's word"));
  CHECK(report::to_json(folder.report())["validation"]["files"][0]["proof"] == "claim");
  CHECK(report::to_json(folder.report())["validation"]["files"][2]["proof"].is_null());
  folder.on(
      make("step_finished", 11,
           {{"id", "w"},
            {"uses", "checksum.verify"},
            {"status", "passed"},
            {"section", "steps"},
            {"outputs", Value(Value::Map{{"proof", "challenge"}, {"files", Value(Value::List{seen("b", true)})}})}}));
  CHECK(report::to_json(folder.report())["validation"]["files"][1]["proof"] == "challenge");
  CHECK(base::contains(report::text(folder.report(), {}),
                       "a challenge: the machine answered for the bytes under a new key, for 1"));
  CHECK_FALSE(base::contains(text, "SANDBOX"));
}

TEST_CASE("consoles: a line an event; the journal's own records; nothing wider than the terminal") {
  const auto played = two_machines();
  std::string plain;
  std::string json;
  std::string pretty;
  report::PlainConsole plain_console([&](std::string_view text) { plain += text; });
  report::JsonConsole json_console([&](std::string_view text) { json += text; });
  report::PrettyConsole pretty_console({.width = 40, .color = false, .unicode = true},
                                       [&](std::string_view text) { pretty += text; });
  for (const auto& event : played.events) {
    plain_console.on(event);
    json_console.on(event);
    pretty_console.on(event);
    pretty_console.tick(event.at + std::chrono::seconds(1));
  }
  for (const auto& line : base::split(plain, '\n')) CHECK((line.empty() || line.substr(0, 5) == "2027-"));
  std::size_t records = 0;
  for (const auto& line : base::split(json, '\n')) records += !line.empty() && event::from_line(line).ok() ? 1 : 0;
  CHECK(records == played.events.size());
  for (const auto& drawn : base::split(pretty, '\r')) {
    const std::size_t end = drawn.find('\n');
    if (drawn.rfind("\033[K", 0) == 0 && end == std::string::npos) CHECK(base::utf8_length(drawn.substr(3)) < 40);
  }
}

TEST_CASE("a counter-proof that passed says so, and how it failed") {
  report::Folder folder;
  const Value proof(Value::Map{{"fault", "assertion"}, {"code", "assertion"}, {"message", "2 of 3 files differ"}});
  folder.on(make(event::type::run_finished, 1, {{"verdict", "passed"}, {"exit_code", 0}, {"proof", proof}}));
  const std::string text = report::text(folder.report(), {});
  CHECK(base::contains(text, "PASSED"));
  CHECK(base::contains(text, "a counter-proof, which failed as it must: 2 of 3 files differ"));
  CHECK(report::to_json(folder.report())["proof"]["message"] == "2 of 3 files differ");
}
