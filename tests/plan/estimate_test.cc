// Time and money beforehand: where the figures come from, and that the worst is never less than the hard bounds.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "engine/base/text.h"
#include "engine/plan/plan.h"
#include "engine/plugin/step.h"

using namespace failover;  // NOLINT(google-build-using-namespace)
using base::Money;
using namespace std::chrono_literals;

namespace {

// A market of its own, so that the figures are this test's.
struct OffersIn {
  std::string gpu_name = "RTX 4090";
  Money max_price{500'000};
};
struct Number {
  std::int64_t id = 0;
};
struct RentIn {
  std::int64_t offer = 0;
};
struct MachineIn {
  std::int64_t machine = 0;
};
struct None {};
struct Things {
  std::vector<std::string> things;
};

template <class In, class Out>
std::function<base::Result<Out>(const In&, const plugin::Context&)> never() {
  return [](const In&, const plugin::Context&) -> base::Result<Out> { return Out{}; };
}

plugin::Registry market() {
  plugin::Registry out;
  out.steps.push_back(
      plugin::step<OffersIn, Number>({.name = "t.offers",
                                      .summary = "s",
                                      .inputs = {plugin::optional("gpu_name", &OffersIn::gpu_name, "s"),
                                                 plugin::optional("max_price", &OffersIn::max_price, "s")},
                                      .outputs = {plugin::output("id", &Number::id, "s")},
                                      .timeout = 2min,
                                      .estimate =
                                          [](const OffersIn& in) {
                                            return plugin::Estimate{{1s, 2s, 3s}, in.max_price, in.gpu_name};
                                          },
                                      .run = never<OffersIn, Number>()}));
  out.steps.push_back(plugin::step<RentIn, Number>({.name = "t.rent",
                                                    .summary = "s",
                                                    .effect = plugin::Effect::creates,
                                                    .inputs = {plugin::required("offer", &RentIn::offer, "s")},
                                                    .outputs = {plugin::output("id", &Number::id, "s")},
                                                    .holds = {"t.machine"},
                                                    .priced_by = "offer",
                                                    .timeout = 5min,
                                                    .estimate =
                                                        [](const RentIn&) {
                                                          return plugin::Estimate{{1s, 2s, 90s}, {}};
                                                        },
                                                    .run = never<RentIn, Number>()}));
  out.steps.push_back(plugin::step<MachineIn, None>({.name = "t.ready",
                                                     .summary = "s",
                                                     .inputs = {plugin::required("machine", &MachineIn::machine, "s")},
                                                     .timeout = 10min,
                                                     .estimate =
                                                         [](const MachineIn&) {
                                                           return plugin::Estimate{{30s, 75s, 2min}, {}};
                                                         },
                                                     .run = never<MachineIn, None>()}));
  out.steps.push_back(plugin::step<MachineIn, None>({.name = "t.give_back",
                                                     .summary = "s",
                                                     .effect = plugin::Effect::changes,
                                                     .inputs = {plugin::required("machine", &MachineIn::machine, "s")},
                                                     .frees = "machine",
                                                     .estimate =
                                                         [](const MachineIn&) {
                                                           return plugin::Estimate{{1s, 2s, 3s}, {}};
                                                         },
                                                     .run = never<MachineIn, None>()}));
  out.steps.push_back(plugin::step<None, Things>({.name = "t.look",
                                                  .summary = "s",
                                                  .outputs = {plugin::output("things", &Things::things, "s")},
                                                  .timeout = 2min,
                                                  .estimate =
                                                      [](const None&) {
                                                        return plugin::Estimate{{200ms, 1s, 10s}, {}};
                                                      },
                                                  .run = never<None, Things>()}));
  plugin::Kind machine;
  machine.name = "t.machine";
  out.kinds.push_back(machine);
  return out;
}

struct Bench {
  plugin::Registry registry = market();
  source::Diagnostics diagnostics;
  plan::Plan plan;
  base::Value::Map inputs;
  plan::Limits limits;

  explicit Bench(const std::string& text, const std::map<std::string, std::string>& files = {}) {
    auto loaded = scenario::load(std::make_shared<const source::File>("t.yaml", text), diagnostics);
    REQUIRE(loaded.has_value());
    const plan::Fragments fragments = [&](const std::string& path, source::Diagnostics& findings, std::string& why) {
      const auto known = files.find(path);
      why = known == files.end() ? "no fragment " + path : "";
      if (!why.empty()) return std::shared_ptr<const scenario::Scenario>();
      auto read = scenario::load_fragment(std::make_shared<const source::File>(path, known->second), findings);
      REQUIRE(read.has_value());
      return std::make_shared<const scenario::Scenario>(*std::move(read));
    };
    plan = plan::bind(std::make_shared<const scenario::Scenario>(*std::move(loaded)), registry, diagnostics, fragments);
    INFO(source::to_text(diagnostics));
    REQUIRE(diagnostics.errors() == 0);
    inputs = plan::default_inputs(*plan.scenario);
    limits = *plan::limits_of(*plan.scenario, inputs);
  }
  [[nodiscard]] plan::Estimate estimate(const plan::Past& past = {}) const {
    return plan::estimate(plan, inputs, limits, past);
  }
  // What check_money says of it.
  std::string money() {
    source::Diagnostics found;
    plan::check_money(plan, inputs, limits, found);
    return source::to_text(found);
  }
};

std::string drill(const std::string& limits, const std::string& steps) {
  return "name: t\n" + limits + "steps:\n" + steps;
}

std::string machine(const std::string& id, const std::string& price, const std::string& indent = "  ") {
  return indent + "- {id: " + id + "_offer, uses: t.offers, with: {max_price: " + price + "}}\n" + indent +
         "- {id: " + id + ", uses: t.rent, with: {offer: \"${{ steps." + id + "_offer.id }}\"}}\n";
}

std::string give_back(const std::string& id, const std::string& indent = "  ") {
  return indent + "- {uses: t.give_back, with: {machine: \"${{ steps." + id + ".id }}\"}}\n";
}

plan::Past past(base::Duration low, base::Duration median, bool certain = true) {
  plan::Past out;
  out.runs = 7;
  out.took = [=](const std::string&, const std::string& uses) -> std::optional<plan::Past::Times> {
    if (uses == "t.offers") return std::nullopt;
    return plan::Past::Times{low, median, certain, "median of 7 live runs"};
  };
  return out;
}

}  // namespace

TEST_CASE("without a history the figures are stated, and say so") {
  const Bench bench(drill("limits: {cost: $1, duration: 30m}\n", machine("a", "$0.40")));
  const auto figures = bench.estimate();
  CHECK(figures.steps.at("a").from == "stated: no history");
  REQUIRE(figures.rentals.size() == 1);
  CHECK(figures.rentals[0].model == "RTX 4090");
  CHECK(base::contains(base::join(figures.reasons, "\n"),
                       "a: expected $0.20/h (stated as half of the ceiling: no history), "
                       "at most $0.40/h (the ceiling of its search)"));
}

TEST_CASE("a history gives best and expected; the worst stays the timeouts and the ceiling") {
  const Bench bench(drill("limits: {cost: $1, duration: 30m}\n", machine("a", "$0.40") +
                                                                     "  - {id: r, uses: t.ready, with: "
                                                                     "{machine: \"${{ steps.a.id }}\"}}\n"));
  auto seen = past(7s, 11s);
  seen.paid = [](const std::string& model) -> std::optional<plan::Past::Prices> {
    CHECK(model == "RTX 4090");
    return plan::Past::Prices{Money{250'000}, Money{300'000}, true, "paid for RTX 4090 in the last 5 live runs"};
  };
  const auto stated = bench.estimate();
  const auto figures = bench.estimate(seen);
  const auto& ready = figures.steps.at("r");
  CHECK(ready.time.best == 7s);
  CHECK(ready.time.expected == 11s);
  CHECK(ready.time.worst == 10min);
  CHECK(ready.from == "median of 7 live runs");
  CHECK(figures.steps.at("a_offer").from == "stated: no history");
  CHECK(figures.time.worst == stated.time.worst);
  CHECK(figures.cost.worst == stated.cost.worst);
  // create and ready, 11 s each
  CHECK(figures.rentals[0].cost.expected == base::cost_of(Money{300'000}, 22s));
  CHECK(figures.rentals[0].cost.best == base::cost_of(Money{250'000}, 14s));
  CHECK(base::contains(base::join(figures.reasons, "\n"), "paid for RTX 4090 in the last 5 live runs"));
}

TEST_CASE("every worst is at least the step's timeout, whatever its type states or its past was") {
  const Bench bench(drill("limits: {cost: $1, duration: 1h}\n",
                          "  - {id: s, uses: t.offers}\n"
                          "  - {id: t, uses: t.look, timeout: 90s}\n"));
  for (const auto& seen : {plan::Past{}, past(1ms, 2ms), past(30min, 40min)}) {
    const auto figures = bench.estimate(seen);
    CHECK(figures.steps.at("s").time.worst == 2min);  // it states 3 s
    CHECK(figures.steps.at("t").time.worst == 90s);
    CHECK(figures.time.worst == 210s);
    for (const auto& one : figures.steps) {
      CAPTURE(one.first);
      CHECK(one.second.time.best <= one.second.time.expected);
      CHECK(one.second.time.expected <= one.second.time.worst);
    }
  }
}

TEST_CASE("a figure that was seen too rarely does not narrow the best case; a price above the ceiling cannot be paid") {
  const Bench bench(drill("", "  - {id: t, uses: t.look}\n"));
  CHECK(bench.estimate(past(5s, 6s, true)).steps.at("t").time.best == 5s);
  CHECK(bench.estimate(past(5s, 6s, false)).steps.at("t").time.best == 200ms);  // as stated
  const Bench rents(drill("limits: {cost: $1, duration: 30m}\n", machine("a", "$0.40")));
  plan::Past dear;
  dear.runs = 1;
  dear.paid = [](const std::string&) { return plan::Past::Prices{Money{700'000}, Money{900'000}, true, "paid"}; };
  const auto figures = rents.estimate(dear);
  CHECK(figures.cost.expected == base::cost_of(Money{400'000}, figures.rentals[0].time.expected));
  CHECK(figures.cost.expected <= figures.cost.worst);
}

TEST_CASE("the past is asked for the ids of the journal: composites in front, rounds left out") {
  const Bench bench(drill("", "  - {id: part, uses: ./f.yaml, foreach: [1, 2]}\n"),
                    {{"f.yaml", "steps:\n  - {id: inner, uses: t.look}\n"}});
  std::vector<std::string> asked;
  plan::Past seen;
  seen.took = [&](const std::string& id, const std::string&) -> std::optional<plan::Past::Times> {
    asked.push_back(id);
    return plan::Past::Times{1s, 2s, true, "seen"};
  };
  const auto figures = bench.estimate(seen);
  CHECK(asked == std::vector<std::string>{"part.inner", "part.inner"});
  CHECK(figures.time.expected == 4s);
  CHECK(figures.steps.at("part.inner").from == "seen");
}

TEST_CASE("what cannot be bounded beforehand is bounded by the limits alone, never understated") {
  const std::string head = "limits: {cost: $1, duration: 30m}\n";
  const Bench unknown(drill(head,
                            "  - {id: l, uses: t.look}\n"
                            "  - {uses: t.look, foreach: \"${{ steps.l.things }}\", timeout: 1s}\n"));
  CHECK(unknown.estimate().time.worst == 30min);
  const Bench unpriced(drill(head, "  - {id: a, uses: t.rent, with: {offer: 7}}\n"));
  CHECK(unpriced.estimate().cost.worst == Money{1'000'000});
  CHECK(base::contains(base::join(unpriced.estimate().reasons, "\n"), "no earlier step quotes a price"));
}

TEST_CASE("nested rounds multiply: past what is counted the limits are the bound") {
  std::string steps;
  std::string indent = "  ";
  for (int level = 0; level < 12; ++level, indent += "    ") {
    steps += indent + "- foreach: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\n" + indent + "  steps:\n";
  }
  steps += indent + "- {uses: t.look, timeout: 1ms}\n";
  const Bench bench(drill("limits: {cost: $1, duration: 30m}\n", steps));
  CHECK(bench.estimate().time.worst == 30min);
}

TEST_CASE("rentals that cannot fit at their ceilings are an error: also in branches, races and rounds") {
  // $0.40 x (58m + 2m) = $0.40 each
  const auto head = [](const char* cost) { return "limits: {cost: " + std::string(cost) + ", duration: 58m}\n"; };
  const auto branches = [](const std::string& how) {
    return "  - branches:\n      x:\n" + machine("a", "$0.40", "        ") + give_back("a", "        ") + "      y:\n" +
           machine("b", "$0.40", "        ") + give_back("b", "        ") + how;
  };
  const auto rounds = [](const std::string& extra) {
    return "  - {id: o, uses: t.offers, with: {max_price: $0.40}}\n"
           "  - {id: m, uses: t.rent, foreach: [1, 2, 3], with: {offer: \"${{ steps.o.id }}\"}" +
           extra + "}\n";
  };
  struct Case {
    const char* name;
    std::string steps;
    const char* enough;
    const char* short_of;
    const char* machines;
  };
  for (const auto& one : std::vector<Case>{
           {"one after the other, both held", machine("a", "$0.40") + machine("b", "$0.40"), "$0.80", "$0.79", "2"},
           {"side by side, given back inside", branches(""), "$0.80", "$0.79", "2"},
           {"a race", branches("    wait: first\n"), "$0.80", "$0.79", "2"},
           {"rounds one by one, all held", rounds(""), "$1.20", "$1.19", "3"},
           {"rounds side by side, all held", rounds(", max_parallel: 2"), "$1.20", "$1.19", "3"},
           {"two, then one more where one was given back",
            machine("a", "$0.40") + machine("b", "$0.40") + give_back("a") + machine("c", "$0.40"), "$0.80", "$0.79",
            "2"}}) {
    CAPTURE(one.name);
    Bench fits(drill(head(one.enough), one.steps));
    CHECK(fits.money() == "");
    Bench does_not(drill(head(one.short_of), one.steps));
    const std::string said = does_not.money();
    CHECK(base::contains(said, "rentals-above-limit"));
    CHECK(base::contains(said, std::string(one.machines) + " machines at their highest price"));
  }
  // Given back before the next is rented: one at a time.
  Bench in_turn(drill(head("$0.40"), machine("a", "$0.40") + give_back("a") + machine("b", "$0.40")));
  CHECK(in_turn.money() == "");
}

TEST_CASE("what a `when` leaves out is not counted, and what may be left out gives nothing back") {
  // $0.40 x (58m + 2m) = $0.40 each
  const std::string one_fits = "inputs: {yes: {type: boolean, default: true}}\nlimits: {cost: $0.79, duration: 58m}\n";
  const auto when = [](const std::string& condition, const std::string& steps) {
    return "  - when: " + condition + "\n    steps:\n" + steps;
  };
  const std::string a = machine("a", "$0.40");
  const std::string b = machine("b", "$0.40");
  const std::string unknown = "run.target == 'live'";
  const std::string other = "\"!(run.target == 'live')\"";
  const std::string no = "\"!inputs.yes\"";
  struct Case {
    const char* name;
    std::string steps;
    const char* code;  // nullptr: nothing is said
  };
  for (const auto& one : std::vector<Case>{
           {"a rental whose condition does not hold", a + when(no, machine("b", "$0.40", "      ")), nullptr},
           {"two conditions that exclude each other",
            when("inputs.yes", machine("a", "$0.40", "      ")) + when(no, machine("b", "$0.40", "      ")), nullptr},
           {"a rental whose condition is not known", a + when(unknown, machine("b", "$0.40", "      ")),
            "rentals-may-exceed-limit"},
           {"neither is known",
            when(unknown, machine("a", "$0.40", "      ")) + when(other, machine("b", "$0.40", "      ")),
            "rentals-may-exceed-limit"},
           {"given back for sure", a + when("inputs.yes", give_back("a", "      ")) + b, nullptr},
           {"given back under a condition that does not hold", a + when(no, give_back("a", "      ")) + b,
            "rentals-above-limit"},
           {"given back under a condition that is not known", a + when(unknown, give_back("a", "      ")) + b,
            "rentals-may-exceed-limit"},
           {"given back in one branch of a race",
            a + "  - wait: first\n    branches:\n      x:\n" + give_back("a", "        ") +
                "      y:\n        - {uses: t.look}\n" + b,
            "rentals-may-exceed-limit"},
           {"given back in each branch of a race",
            a + "  - wait: first\n    branches:\n      x:\n" + give_back("a", "        ") + "      y:\n" +
                give_back("a", "        ") + b,
            nullptr},
           {"given back in one of the branches that all pass",
            a + "  - branches:\n      x:\n" + give_back("a", "        ") + "      y:\n        - {uses: t.look}\n" + b,
            nullptr},
           {"given back by a step that must fail",
            a + "  - must_fail: true\n    steps:\n" + give_back("a", "      ") + b, "rentals-above-limit"},
           {"given back once for each element of a list that may be empty",
            a + "  - {id: l, uses: t.look}\n  - foreach: \"${{ steps.l.things }}\"\n    steps:\n" +
                give_back("a", "      ") + b,
            "rentals-may-exceed-limit"},
           {"given back as the element of a list",
            a + "  - {foreach: [\"${{ steps.a.id }}\"], uses: t.give_back, with: {machine: \"${{ each }}\"}}\n" + b,
            nullptr},
           {"and as what an element has",
            a + "  - {foreach: [\"${{ steps.a }}\"], uses: t.give_back, with: {machine: \"${{ each.id }}\"}}\n" + b,
            nullptr},
           {"an element stands for something else",
            a + "  - {foreach: [7], uses: t.give_back, with: {machine: \"${{ each }}\"}}\n" + b, "rentals-above-limit"},
           {"given back as the element of a list that is computed",
            a + "  - {foreach: \"${{ [steps.a.id] }}\", uses: t.give_back, with: {machine: \"${{ each }}\"}}\n" + b,
            "rentals-may-exceed-limit"},
           {"each round gives back what it has rented itself",
            "  - foreach: [1, 2, 3]\n    steps:\n" + machine("a", "$0.40", "      ") + give_back("a", "      "),
            nullptr},
           {"two as the elements of a computed list",
            a +
                "  - {foreach: \"${{ [steps.a.id, steps.a.id] }}\", uses: t.give_back, with: {machine: \"${{ each "
                "}}\"}}\n" +
                b,
            "rentals-may-exceed-limit"},
           {"in a round of another loop",
            a +
                "  - foreach: [\"${{ steps.a.id }}\"]\n    steps:\n      - {foreach: [1], uses: t.look}\n"
                "      - {uses: t.give_back, with: {machine: \"${{ each }}\"}}\n" +
                b,
            nullptr},
           {"one or the other is given back",
            a + "  - {uses: t.give_back, with: {machine: \"${{ inputs.yes ? steps.a.id : 7 }}\"}}\n" + b,
            "rentals-may-exceed-limit"},
           {"one or the other of three is given back",
            a + b + machine("c", "$0.40") +
                "  - {uses: t.give_back, with: {machine: \"${{ inputs.yes ? steps.a.id : steps.b.id }}\"}}\n",
            "rentals-above-limit"},
           {"one of two rounds is given back",
            "  - {id: o, uses: t.offers, with: {max_price: $0.20}}\n"
            "  - {id: m, uses: t.rent, foreach: [1, 2], with: {offer: \"${{ steps.o.id }}\"}}\n"
            "  - {uses: t.give_back, with: {machine: \"${{ steps.m[0].id }}\"}}\n" +
                b,
            nullptr},
       }) {
    CAPTURE(one.name);
    Bench bench(drill(one_fits, one.steps));
    const std::string said = bench.money();
    CAPTURE(said);
    if (one.code == nullptr) {
      CHECK(said == "");
    } else {
      CHECK(base::contains(said, "[" + std::string(one.code) + "]"));
      CHECK(base::contains(said, " machines at their highest price"));
    }
  }
}

TEST_CASE("a fragment gives back what it is given, and its caller what it has made") {
  const std::string limits = "limits: {cost: $0.79, duration: 58m}\n";
  const std::map<std::string, std::string> files = {
      {"lose.yaml",
       "inputs: {gone: {type: integer}}\nsteps:\n"
       "  - {uses: t.give_back, with: {machine: \"${{ inputs.gone }}\"}}\n"},
      {"rent.yaml",
       "inputs: {offer: {type: integer}}\noutputs: {made: \"${{ steps.m.id }}\"}\nsteps:\n"
       "  - {id: m, uses: t.rent, with: {offer: \"${{ inputs.offer }}\"}}\n"}};
  const std::string offer = "  - {id: o, uses: t.offers, with: {max_price: $0.40}}\n";
  const auto rent = [](const std::string& id) {
    return "  - {id: " + id + ", uses: ./rent.yaml, with: {offer: \"${{ steps.o.id }}\"}}\n";
  };
  const auto lose = [](const std::string& what) {
    return "  - {uses: ./lose.yaml, with: {gone: \"${{ steps." + what + " }}\"}}\n";
  };
  Bench both(drill(limits, offer + rent("a") + rent("b")), files);
  CHECK(base::contains(both.money(), "2 machines at their highest price"));
  CHECK(both.estimate().rentals[0].ceiling == Money{400'000});
  Bench in_turn(drill(limits, offer + rent("a") + lose("a.made") + rent("b")), files);
  CHECK(in_turn.money() == "");
  Bench own(drill(limits, machine("a", "$0.40") + lose("a.id") + machine("b", "$0.40")), files);
  CHECK(own.money() == "");
  Bench wrong_one(drill(limits, offer + rent("a") + lose("a.made") + rent("b") + rent("c")), files);
  CHECK(base::contains(wrong_one.money(), "2 machines at their highest price"));
}

TEST_CASE("a step whose `when` is not known is at best not there, one whose `when` does not hold never is") {
  const std::string head = "inputs: {no: {type: boolean, default: false}}\nlimits: {cost: $1, duration: 30m}\n";
  const Bench maybe(drill(
      head, "  - when: run.target == 'live'\n    steps:\n" + machine("a", "$0.40", "      ") + "  - {uses: t.look}\n"));
  const auto figures = maybe.estimate();
  CHECK(figures.time.best == 200ms);
  CHECK(figures.time.expected == 5s);
  CHECK(figures.time.worst == 9min);
  CHECK(figures.cost.best == Money{0});
  CHECK(figures.cost.expected > Money{0});
  const Bench never(
      drill(head, "  - when: inputs.no\n    steps:\n" + machine("a", "$0.40", "      ") + "  - {uses: t.look}\n"));
  CHECK(never.estimate().time.worst == 2min);
  CHECK(never.estimate().cost.worst == Money{0});
  CHECK(never.estimate().rentals.empty());
  // At worst nothing is given back.
  const auto bill = [&](const std::string& how) {
    return Bench(drill(head, machine("a", "$0.40") + how + "  - {uses: t.look}\n")).estimate().rentals[0].time;
  };
  const auto kept = bill("");
  const auto freed = bill(give_back("a"));
  const auto perhaps = bill("  - when: run.target == 'live'\n    steps:\n" + give_back("a", "      "));
  CHECK(freed.worst < perhaps.worst);
  CHECK(perhaps.expected == freed.expected);
  CHECK(perhaps.best <= kept.best);
}

TEST_CASE("a scenario that rents without limits gets an hour and a dollar") {
  const Bench bench(drill("", machine("a", "$0.40")));
  CHECK(bench.limits.cost == Money{1'000'000});
  CHECK(bench.limits.duration == 1h);
}

TEST_CASE("the plan says of each step where its time comes from, as text and as data") {
  const Bench bench(drill("limits: {cost: $1, duration: 30m}\n", machine("a", "$0.40")));
  const auto seen = past(7s, 11s);
  const std::string text = plan::to_text(bench.plan, bench.inputs, bench.limits, {}, bench.registry, seen);
  CHECK(base::contains(text, "takes [7s, 11s, 5m]  (median of 7 live runs)"));
  CHECK(base::contains(text, "takes [1s, 2s, 2m]  (stated: no history)"));
  const auto json = base::to_json(plan::to_value(bench.plan, bench.inputs, bench.limits, {}, bench.registry, seen));
  CHECK(json["history_runs"] == 7);
  CHECK(json["steps"][1]["time_s"] == nlohmann::json::parse("[7.0, 11.0, 300.0]"));
  CHECK(json["steps"][1]["time_from"] == "median of 7 live runs");
  CHECK(json["steps"][0]["time_from"] == "stated: no history");
}
