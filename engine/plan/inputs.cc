#include "engine/base/text.h"
#include "engine/plan/plan.h"

namespace failover::plan {
namespace {

using base::Error;
using base::Fault;
using base::Value;

expr::Values with_inputs(const Value::Map& inputs) { return {{"inputs", Value(inputs)}}; }

}  // namespace

base::Result<Value::Map> resolve_inputs(const scenario::Scenario& scenario,
                                        const std::vector<std::pair<std::string, std::string>>& given) {
  Value::Map out = default_inputs(scenario);
  for (const auto& [name, text] : given) {
    const auto* declared = scenario.input(name);
    if (declared == nullptr) {
      std::vector<std::string> legal;
      for (const auto& one : scenario.inputs) legal.push_back(one.name.value);
      const auto near = base::nearest(name, legal);
      return Error{Fault::invalid, "unknown_input",
                   "scenario `" + scenario.name.value + "` has no input `" + name + "`",
                   (near ? "did you mean `" + *near + "`? " : "") +
                       (legal.empty() ? std::string("it has none") : "inputs: " + base::join(legal))};
    }
    auto value = scenario::parse_input(*declared, text);
    if (!value) return std::move(value).error();
    out.insert_or_assign(name, *std::move(value));
  }
  for (const auto& declared : scenario.inputs) {
    if (out.count(declared.name.value) > 0) continue;
    return Error{
        Fault::invalid, "missing_input",
        "the input `" + declared.name.value + "` (" + declared.type().name() + ") has no default and was not given",
        "give it: --input " + declared.name.value + "=VALUE"};
  }
  return out;
}

Value::Map default_inputs(const scenario::Scenario& scenario) {
  Value::Map out;
  for (const auto& declared : scenario.inputs) {
    if (declared.fallback) out.emplace(declared.name.value, *declared.fallback);
  }
  return out;
}

base::Result<Limits> limits_of(const scenario::Scenario& scenario, const Value::Map& inputs) {
  Limits limits;
  if (scenario.cost_limit) {
    auto cost = scenario::evaluate(*scenario.cost_limit, with_inputs(inputs));
    if (!cost) return std::move(cost).error().during("computing limits.cost");
    if (const auto* money = cost->get<base::Money>()) limits.cost = *money;
  }
  if (scenario.duration_limit) {
    auto duration = scenario::evaluate(*scenario.duration_limit, with_inputs(inputs));
    if (!duration) return std::move(duration).error().during("computing limits.duration");
    if (const auto* time = duration->get<base::Duration>()) limits.duration = *time;
  }
  return limits;
}

base::Result<std::map<std::string, base::Duration>> objectives_of(const scenario::Scenario& scenario,
                                                                  const Value::Map& inputs) {
  std::map<std::string, base::Duration> out;
  for (const auto& objective : scenario.objectives) {
    auto value = scenario::evaluate(objective.limit, with_inputs(inputs));
    if (!value) return std::move(value).error().during("computing objectives." + objective.name.value);
    if (const auto* time = value->get<base::Duration>()) out.emplace(objective.name.value, *time);
  }
  return out;
}

}  // namespace failover::plan
