#include "engine/plan/plan.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "engine/base/file.h"
#include "engine/base/text.h"
#include "engine/plan/schema.h"
#include "engine/scenario/given.h"
#include "steps/all/all.h"

using namespace failover;  // NOLINT(google-build-using-namespace)
namespace fs = std::filesystem;

namespace {

struct Bench {
  std::unique_ptr<client::Services> services = *client::make_services({});
  plugin::Registry registry = steps::all(*services);
  source::Diagnostics diagnostics;
  plan::Plan bind(const fs::path& path) {
    const auto text = base::read_file(path, 1 << 20);
    REQUIRE(text.ok());
    auto loaded = scenario::load(std::make_shared<const source::File>(path.filename().string(), *text), diagnostics);
    REQUIRE(loaded.has_value());
    return plan::bind(std::make_shared<const scenario::Scenario>(*std::move(loaded)), registry, diagnostics);
  }
};

std::shared_ptr<const scenario::Scenario> read(const std::string& text, source::Diagnostics& diagnostics,
                                               bool fragment) {
  const auto file = std::make_shared<const source::File>("x.yaml", text);
  auto loaded = fragment ? scenario::load_fragment(file, diagnostics) : scenario::load(file, diagnostics);
  REQUIRE(loaded.has_value());
  return std::make_shared<const scenario::Scenario>(*std::move(loaded));
}

}  // namespace

TEST_CASE("every shipped scenario has no findings") {
  int cases = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(FAILOVER_SOURCE_DIR) / "scenarios")) {
    if (entry.path().extension() != ".yaml") continue;
    ++cases;
    Bench bench;
    (void)bench.bind(entry.path());
    CHECK(source::to_text(bench.diagnostics) == "");
  }
  CHECK(cases >= 2);
}

TEST_CASE("realtime-sync: two rentals, cost within its limit, ordered interval") {
  Bench bench;
  const auto plan = bench.bind(fs::path(FAILOVER_SOURCE_DIR) / "scenarios/realtime-sync.yaml");
  const auto inputs = plan::default_inputs(*plan.scenario);
  const auto limits = plan::limits_of(*plan.scenario, inputs);
  REQUIRE(limits.ok());
  const auto figures = plan::estimate(plan, inputs, *limits);
  CHECK(figures.rentals.size() == 2);
  CHECK(figures.cost.best.micros > 0);
  CHECK(figures.cost.best <= figures.cost.expected);
  CHECK(figures.cost.expected <= figures.cost.worst);
  CHECK(figures.cost.worst <= limits->cost);
  CHECK(figures.time.best <= figures.time.expected);
  CHECK(figures.time.expected <= figures.time.worst);
}

TEST_CASE("a plan says which walls stand behind what it makes, and which do not") {
  Bench bench;
  const auto plan = bench.bind(fs::path(FAILOVER_SOURCE_DIR) / "scenarios/realtime-sync.yaml");
  const auto inputs = plan::default_inputs(*plan.scenario);
  const auto limits = plan::limits_of(*plan.scenario, inputs);
  REQUIRE(limits.ok());
  const auto kinds = plan::kinds_of(plan, bench.registry);
  const auto about = [&](const std::string& name) {
    const auto at = std::find_if(kinds.begin(), kinds.end(), [&](const auto* kind) { return kind->name == name; });
    REQUIRE(at != kinds.end());
    return std::pair(plan::walls_to_text({*at}), base::to_json(plan::walls_to_value({*at})).at(0));
  };
  const std::string timer = bench.registry.kind("vast.instance")->timer;
  const auto [machine, machine_json] = about("vast.instance");
  CHECK(machine.find("timer: " + timer) != std::string::npos);
  CHECK(machine.find("label: ") != std::string::npos);
  CHECK(machine.find("without") == std::string::npos);
  CHECK(machine_json["walls"]["timer"] == timer);
  CHECK(machine_json["walls"].size() == 4);
  const auto [snapshot, snapshot_json] = about("snapshot");
  CHECK(snapshot.find("without: label, timer") != std::string::npos);
  CHECK(snapshot.find("unless kept") != std::string::npos);
  CHECK(snapshot_json["walls"].size() == 2);
  CHECK_FALSE(snapshot_json["walls"].contains("timer"));
  // Nothing of a kind that no step of it holds.
  CHECK(std::none_of(kinds.begin(), kinds.end(), [](const auto* kind) { return kind->name == "b2.upload"; }));
  const auto text = plan::to_text(plan, inputs, *limits, {}, bench.registry);
  CHECK(text.find("Given back by\n" + machine.substr(machine.find('\n') + 1)) != std::string::npos);
  const auto json = base::to_json(plan::to_value(plan, inputs, *limits, {}, bench.registry));
  CHECK(json["resources"].size() == kinds.size());
}

TEST_CASE("a plan says each name once, when a step runs, and times as an author writes them") {
  Bench bench;
  const auto scenario = read(
      "name: x\ninputs: {n: {type: integer, default: 3}}\nlimits: {duration: 48h}\nsteps:\n"
      "  - id: a\n    uses: local.exec\n    with: {command: [echo, \"${{ string(inputs.n + inputs.n) }}\"]}\n"
      "    timeout: 90m\n    when: inputs.n > 2\n"
      "  - uses: local.exec\n    with: {command: [echo, \"${{ steps.a.stdout + steps.a.stdout }}\"]}\n"
      "    when: has(steps.a.stdout)\n",
      bench.diagnostics, false);
  const auto plan = plan::bind(scenario, bench.registry, bench.diagnostics);
  REQUIRE(source::to_text(bench.diagnostics) == "");
  const auto inputs = plan::default_inputs(*scenario);
  const auto limits = plan::limits_of(*scenario, inputs);
  const auto text = plan::to_text(plan, inputs, *limits, {}, bench.registry);
  CHECK(text.find("x\n\nSteps\n"
                  "  1. a: local.exec  (at most 1h30m)\n"
                  "       when inputs.n > 2\n"
                  "       command = [\"echo\", \"6\"]  (inputs.n)\n") == 0);
  CHECK(text.find("       when has(steps.a.stdout)\n       command = from steps.a.stdout\n") != std::string::npos);
  CHECK(text.find("Limit $1.00 and 2d\n") != std::string::npos);
  const auto json = base::to_json(plan::to_value(plan, inputs, *limits, {}, bench.registry));
  CHECK(json["steps"][0]["when"] == "inputs.n > 2");
}

TEST_CASE("inputs come from texts and defaults") {
  Bench bench;
  const auto plan = bench.bind(fs::path(FAILOVER_SOURCE_DIR) / "scenarios/realtime-sync.yaml");
  CHECK(plan::resolve_inputs(*plan.scenario, {{"file_count", "5"}})->at("file_count").display() == "5");
  CHECK(plan::resolve_inputs(*plan.scenario, {{"file_cuont", "5"}}).error().hint.find("file_count") !=
        std::string::npos);
  CHECK(plan::resolve_inputs(*plan.scenario, {{"file_count", "many"}}).error().fault == base::Fault::invalid);
  CHECK(plan::resolve_inputs(*plan.scenario, {{"file_count", "0"}}).error().fault == base::Fault::invalid);
}

TEST_CASE("a whole number is a double where a number is wanted, so that its type is what the checker said") {
  using K = base::Type::Kind;
  const auto read = [](const char* text, K kind) { return scenario::read_literal(text, false, kind).value; };
  CHECK(read("3", K::number)->is<double>());
  CHECK(read("3", K::integer)->is<std::int64_t>());
  CHECK(read("3", K::any)->is<std::int64_t>());
  CHECK(read("3.5", K::any)->is<double>());
}

TEST_CASE("every step type is declared in full") {
  Bench bench;
  for (const auto& type : bench.registry.steps) {
    CAPTURE(type.name);
    CHECK_FALSE(type.summary.empty());
    CHECK_FALSE(type.example.empty());
    CHECK(type.timeout <= std::chrono::minutes(10));
    for (const auto& input : type.inputs) CHECK_FALSE(input.summary.empty());
    for (const auto& output : type.outputs) {
      using K = base::Type::Kind;
      CHECK_FALSE(output.summary.empty());
      const K kind = output.type.kind() == K::list ? output.type.element().kind() : output.type.kind();
      CHECK((output.choices.empty() || kind == K::string));
    }
    for (const auto& kind : type.holds) CHECK(bench.registry.kind(kind) != nullptr);
    CHECK((type.effect != plugin::Effect::creates || !type.holds.empty()));
    CHECK(std::count_if(bench.registry.steps.begin(), bench.registry.steps.end(),
                        [&](const auto& other) { return other.name == type.name; }) == 1);
    // The example is a `with` that binds.
    source::Diagnostics diagnostics;
    const std::string text = "name: example\nsteps:\n  - uses: " + type.name + "\n    with: " + type.example + "\n";
    auto loaded = scenario::load(std::make_shared<const source::File>("example.yaml", text), diagnostics);
    REQUIRE(loaded.has_value());
    for (const auto& input : type.inputs) {
      if (input.required) CHECK(type.example.find(input.name) != std::string::npos);
    }
  }
}

TEST_CASE("the committed schemas are the ones that the declarations give") {
  Bench bench;
  const auto schemas = fs::path(FAILOVER_SOURCE_DIR) / "schemas";
  const auto scenario = base::read_file(schemas / "scenario.schema.json", 1 << 22);
  REQUIRE(scenario.ok());
  CHECK(plan::scenario_schema(bench.registry).dump(2) + "\n" == *scenario);
  const auto fragment = base::read_file(schemas / "fragment.schema.json", 1 << 22);
  REQUIRE(fragment.ok());
  CHECK(plan::fragment_schema(bench.registry).dump(2) + "\n" == *fragment);
}

TEST_CASE(
    "thousands of mistakes about thousands of names are all found; the program does not think about each for long") {
  constexpr int kMany = 6'000;
  std::string text = "name: h\nlimits: {cost: $0.1, duration: 5m}\ninputs: {";
  for (int i = 0; i < kMany; ++i) text += "i" + std::to_string(i) + ": {type: string, default: a}, ";
  text += "}\nsteps:\n";
  for (int i = 0; i < kMany; ++i) {
    const std::string n = std::to_string(i);
    text += "  - {id: s" + n + ", uses: local.exec, with: {command: [\"${{ inputs.x" + n + " }}\", \"${{ steps.t" + n +
            ".stdout }}\", \"${{ inputs.i" + n + " }}\"]}}\n";
  }
  Bench bench;
  auto loaded = scenario::load(std::make_shared<const source::File>("h.yaml", text), bench.diagnostics);
  REQUIRE(loaded.has_value());
  (void)plan::bind(std::make_shared<const scenario::Scenario>(*std::move(loaded)), bench.registry, bench.diagnostics);
  std::map<std::string, int> codes;
  for (const auto& one : bench.diagnostics.sorted()) ++codes[std::string(one.code.name())];
  CHECK(codes["unknown-input"] + codes["unknown-step-id"] == static_cast<int>(source::Diagnostics::kMost));
  CHECK(bench.diagnostics.errors() == 2 * kMany);
  // The first has a suggestion; in the end nobody thinks about one any more.
  const auto hint = bench.diagnostics.sorted().front().hint;
  CHECK_MESSAGE(hint.find("did you mean `i0`?") != std::string::npos, hint);
}

TEST_CASE("fragments that multiply are refused, not bound one by one") {
  Bench bench;
  const plan::Fragments each = [](const std::string& path, source::Diagnostics& said, std::string& why) {
    why.clear();
    const int level = path[path.size() - 6] - '0';  // 3.yaml
    std::string steps = "inputs: {n: {type: integer}}\nsteps:\n";
    for (int i = 0; i < 30; ++i) {
      steps += level < 7 ? "  - {uses: ./" + std::to_string(level + 1) + ".yaml, with: {n: \"${{ inputs.n }}\"}}\n"
                         : "  - {uses: local.exec, with: {command: [echo, \"${{ string(1 / inputs.n) }}\"]}}\n";
    }
    return read(steps, said, true);
  };
  const auto scenario = read("name: x\nsteps:\n  - {uses: ./1.yaml, with: {n: 1}}\n", bench.diagnostics, false);
  (void)plan::bind(scenario, bench.registry, bench.diagnostics, each);
  CHECK(base::contains(source::to_text(bench.diagnostics), "more than 50,000 steps"));
}

TEST_CASE("the inputs of a run are judged in place of the defaults") {
  const std::string text =
      "name: x\ninputs: {n: {type: integer, default: 0}}\nsteps:\n"
      "  - {uses: local.exec, with: {command: [echo, \"${{ string(1 / inputs.n) }}\"]}}\n";
  for (const std::int64_t given : {1, 0}) {
    CAPTURE(given);
    Bench bench;
    const base::Value::Map inputs{{"n", base::Value(given)}};
    (void)plan::bind(read(text, bench.diagnostics, false), bench.registry, bench.diagnostics, {}, &inputs);
    CHECK(bench.diagnostics.errors() == (given == 0 ? 1U : 0U));
  }
}

TEST_CASE("what a condition keeps out of a step is not held against it") {
  Bench bench;
  const auto scenario = read(R"y(name: x
inputs:
  algorithm: {type: enum, values: [md5, sha1], default: md5}
  unnamed: {type: string, default: x}
  n: {type: integer, default: 0}
  url: {type: string, default: ""}
steps:
  - when: inputs.algorithm != 'sha1'
    uses: checksum.manifest
    with: {host: {host: h, port: 22}, paths: [/a, /ab], algorithm: "${{ inputs.algorithm }}"}
  - when: inputs.n > 0
    uses: http.check
    with: {url: "${{ inputs.url }}", status: "${{ 400 / inputs.n }}"}
  - when: inputs.n > 0
    foreach: [1, 2]
    uses: http.check
    with: {url: "https://a.example/", status: "${{ 400 / (inputs.n * each) }}"}
  - must_fail: true
    uses: http.check
    with: {url: "https://a.example/"}
    assert: [outputs.status == 404]
  - foreach: [{a: 1, b: x}, {a: 2}]
    steps:
      - {when: has(each.b), uses: local.exec, with: {command: [echo, "${{ each.b }}"]}}
      - {when: each.a != 2, uses: local.exec, with: {command: [echo, "${{ string(10 / (each.a - 2)) }}"]}}
  - foreach: [[1, 2], [3]]
    steps:
      - {foreach: "${{ each }}", uses: local.exec, with: {command: [sleep, "${{ string(each) }}"]}}
  - {uses: local.exec, with: {command: [sh, -c, "cd /tmp && ls | wc"]}}
  - {uses: local.exec, with: {command: [tr, "|", ","]}}
  - {when: "inputs.all(k, k != '')", uses: local.exec, with: {command: [date]}}
  - {uses: local.exec, with: {command: [find, /tmp, -exec, rm, "{}", ";"]}}
  - {uses: local.exec, with: {command: [envsubst, "${HOME}"]}}
  - {uses: local.exec, with: {command: ["/opt/my tool/run"]}}
  - uses: local.exec
    with: {command: [echo, x]}
    assert: [{that: inputs.n == 0 || outputs.exit_code == 0, message: "per ${{ 10 / inputs.n }}"}]
  - must_fail: true
    steps:
      - {uses: http.check, with: {url: "https://a.example/"}, assert: [outputs.status == 503]}
  - id: race
    wait: first
    branches:
      a: [{uses: local.exec, with: {command: [echo, a]}, assert: [inputs.n > 0]}]
      b: [{uses: local.exec, with: {command: [echo, b]}}]
  - id: either
    wait: first
    branches:
      left: [{id: one, uses: local.exec, with: {command: [echo, a]}}]
      right: [{id: other, uses: local.exec, with: {command: [echo, b]}}]
  - uses: local.exec
    with: {command: [echo, "${{ has(steps.one.stdout) ? steps.one.stdout : steps.other.stdout }}"]}
  - uses: local.exec
    with: {command: [echo, "${{ steps.either.winner == 'left' ? steps.one.stdout : steps.other.stdout }}"]}
  - {when: steps.either.winner != 'left', uses: local.exec, with: {command: [echo, "${{ steps.other.stdout }}"]}}
  - foreach: [{k: s, v: x}, {k: i, v: 3}, {k: l, v: [a]}]
    steps:
      - {when: each.k == "s", uses: local.exec, with: {command: [echo, "${{ each.v }}"]}}
      - when: each.k == "i" && inputs.n == 0
        steps:
          - {uses: local.exec, with: {command: [echo, "${{ string(each.v + 1) }}"]}}
      - {when: each.k == "l", foreach: "${{ each.v }}", uses: local.exec, with: {command: [echo, "${{ each }}"]}}
  - foreach: [{a: {b: x}}, {a: {c: y}}, {n: 1}]
    steps:
      - {when: has(each.a) && has(each.a.b), uses: local.exec, with: {command: [echo, "${{ each.a.b }}"]}}
  - foreach: [{p: 80}, {p: null}]
    steps:
      - {uses: local.exec, with: {command: [echo, "${{ each.p != null ? string(each.p) : 'none' }}"]}}
      - {when: each.p != null && each.p > 10, uses: local.exec, with: {command: [echo, x]}}
  - foreach: [{kind: a, v: 1}, {kind: b, v: text}]
    uses: local.exec
    with: {command: [echo, "${{ each.kind == 'a' ? string(each.v + 1) : each.v + '!' }}"]}
  - uses: local.exec
    with: {command: [echo, "${{ steps.either.winner in ['left'] ? steps.one.stdout : steps.other.stdout }}"]}
  - foreach: [{p: x}, {p: null}]
    steps:
      - {when: each.p != null, uses: local.exec, with: {command: [echo, "${{ each.p }}"]}}
  - id: l
    foreach: [a]
    uses: local.exec
    with: {command: [echo, "${{ each }}"]}
  - uses: local.exec
    with: {command: [echo, "${{ size(steps.l) > 1 ? steps.l[1].stdout : steps.l[0].stdout }}"]}
  - id: m
    uses: checksum.manifest
    with: {host: {host: h, port: 22}, paths: [/a]}
  - uses: checksum.verify
    with: {host: {host: h, port: 22}, expect: "${{ steps.m.manifest }}", algorithm: ""}
  - id: latest
    uses: b2.get_object
    with: {bucket: index-bucket, key: latest.txt}
  - uses: snapshot.restore
    with: {host: {host: h, port: 22}, snapshot: "${{ steps.latest.text }}", bucket: data-bucket}
)y",
                             bench.diagnostics, false);
  (void)plan::bind(scenario, bench.registry, bench.diagnostics);
  CHECK(source::to_text(bench.diagnostics) == "");
}

// Each is placed without walking the text again from its start: a mebibyte of these took above a minute.
TEST_CASE("sixty thousand mistakes in one scalar are all counted, and each is where it stands") {
  const std::string one = "${{ steps.a.x }}";
  std::string text = "name: x\nsteps:\n  - {id: a, uses: local.exec, with: {command: [date]}}\n";
  text += "  - {uses: local.exec, with: {command: [\"";
  const std::size_t first = text.size();
  constexpr std::size_t kMany = 60'000;
  for (std::size_t i = 0; i < kMany; ++i) text += one;
  text += "\"]}}\n";
  Bench bench;
  const auto whole = read(text, bench.diagnostics, false);
  (void)plan::bind(whole, bench.registry, bench.diagnostics);
  CHECK(bench.diagnostics.errors() == kMany);
  const auto shown = bench.diagnostics.sorted();
  REQUIRE(shown.size() + bench.diagnostics.more() == kMany);
  for (std::size_t i = 0; i < shown.size(); ++i) {
    REQUIRE(shown[i].span.begin == first + i * one.size() + one.find('x'));
    REQUIRE(shown[i].span.end == shown[i].span.begin + 1);
  }
}

namespace {

// What a plan misses on a machine where everything is there but what has `missing` in its path.
std::string not_there(const std::string& steps) {
  Bench bench;
  const auto whole =
      read("name: x\ninputs:\n  file: {type: string, default: missing/in, description: One.}\nsteps:\n" + steps,
           bench.diagnostics, false);
  const auto plan = plan::bind(whole, bench.registry, bench.diagnostics);
  REQUIRE_MESSAGE(bench.diagnostics.errors() == 0, source::to_text(bench.diagnostics));
  const auto there = [](const std::string& path) { return !base::contains(path, "missing"); };
  source::Diagnostics found;
  plan::check_local(plan, plan::default_inputs(*whole), {there, there, there}, found);
  std::string out;
  for (const auto& one : found.sorted()) out += one.message + ";";
  return out;
}

}  // namespace

TEST_CASE("what steps look for on the runner is missed before the run, unless an earlier step may make it") {
  const std::string put = "  - {uses: b2.put_object, with: {bucket: drill-bucket, from: missing/model}}\n";
  CHECK(not_there(put) == "no file `missing/model`;");
  CHECK(not_there("  - {uses: b2.put_object, with: {bucket: drill-bucket, from: \"${{ inputs.file }}\"}}\n") ==
        "no file `missing/in`;");
  CHECK(not_there("  - {uses: b2.put_object, with: {bucket: drill-bucket, from: /there}}\n") == "");
  CHECK(not_there("  - {uses: b2.get_object, with: {bucket: drill-bucket, key: a, to: missing/out}}\n") ==
        "no directory `missing`;");
  CHECK(not_there("  - {uses: b2.get_object, with: {bucket: drill-bucket, key: a, to: missing-yet}}\n") == "");
  CHECK(not_there("  - {uses: b2.get_object, with: {bucket: drill-bucket, key: a, to: out/missing/}}\n") ==
        "no directory `out/missing/`;");
  CHECK(not_there("  - {uses: local.exec, with: {command: [missing-tool, -v]}}\n") == "no program `missing-tool`;");
  CHECK(not_there("  - {uses: local.exec, with: {command: [date], directory: missing}}\n") ==
        "no directory `missing`;");
  CHECK(not_there("  - {uses: local.exec, with: {command: [./missing-tool], directory: there}}\n") == "");
  CHECK(not_there("  - {uses: local.exec, with: {command: [missing-tool], env: {PATH: /opt/bin}}}\n") == "");
  SUBCASE("made before") {
    CHECK(not_there("  - {uses: local.exec, with: {command: [make]}}\n" + put) == "");
    CHECK(not_there("  - {uses: b2.get_object, with: {bucket: drill-bucket, key: a, to: b}}\n" + put) == "");
    CHECK(not_there("  - {when: inputs.file == 'x', uses: local.exec, with: {command: [make]}}\n" + put) == "");
  }
  SUBCASE("made too late") {
    CHECK(not_there(put + "  - {uses: local.exec, with: {command: [make]}}\n") == "no file `missing/model`;");
  }
  SUBCASE("it may fail, or may not come") {
    CHECK(not_there("  - {must_fail: true, uses: local.exec, with: {command: [missing-tool]}}\n") == "");
    CHECK(not_there("  - {when: run.target == 'live', uses: local.exec, with: {command: [missing-tool]}}\n") == "");
    CHECK(not_there("  - {when: inputs.file == 'missing/in', uses: local.exec, with: {command: [missing-tool]}}\n") ==
          "no program `missing-tool`;");
  }
  SUBCASE("side by side") {
    CHECK(not_there("  - branches:\n      a:\n      - {uses: local.exec, with: {command: [make]}}\n      b:\n      " +
                    put.substr(2) + "\n") == "");
  }
}

TEST_CASE("an output that one use of a fragment reads is not unread at another") {
  Bench bench;
  const auto two = read(
      "outputs: {a: \"${{ steps.x.stdout }}\", b: \"${{ steps.x.stderr }}\", c: \"${{ steps.x.exit_code }}\"}\n"
      "steps:\n  - {id: x, uses: local.exec, with: {command: [date]}}\n",
      bench.diagnostics, true);
  const auto whole = read(
      "name: x\nsteps:\n  - {id: e, uses: ./two.yaml}\n  - {id: g, uses: ./two.yaml}\n"
      "  - {uses: local.exec, with: {command: [echo, \"${{ steps.e.a }}${{ steps.g.b }}\"]}}\n",
      bench.diagnostics, false);
  const plan::Fragments fragments = [&](const std::string&, source::Diagnostics&, std::string&) { return two; };
  (void)plan::bind(whole, bench.registry, bench.diagnostics, fragments);
  const auto found = bench.diagnostics.sorted();
  REQUIRE_FALSE(found.empty());
  for (const auto& one : found) CHECK(one.message == "nothing reads the output `c`");
}
