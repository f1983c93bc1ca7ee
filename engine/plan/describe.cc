#include <algorithm>

#include "engine/base/text.h"
#include "engine/plan/known.h"
#include "engine/plan/plan.h"

namespace failover::plan {
namespace {

using base::Value;

// What is known of a field before the run, or where it will come from.
std::string shown(const source::File& file, const scenario::Given& given, const Value::Map& inputs) {
  if (const auto value = known(file, given, inputs)) {
    std::string text = value->literal();
    std::vector<std::string> from;
    for (const auto& reference : scenario::references(file, given))
      from.push_back("inputs." + reference.path.parts.back().name);
    return from.empty() ? text : text + "  (" + base::join(from) + ")";
  }
  std::vector<std::string> from;
  for (const auto& reference : scenario::references(file, given)) {
    std::vector<std::string> parts;
    for (const auto& part : reference.path.parts) parts.push_back(part.name);
    from.push_back(base::join(parts, "."));
  }
  return "from " + base::join(from);
}

std::string interval(base::Duration best, base::Duration expected, base::Duration worst) {
  return "[" + base::format(best) + ", " + base::format(expected) + ", " + base::format(worst) + "]";
}

std::string interval(const Money3& money) {
  return "[" + base::format(money.best) + ", " + base::format(money.expected) + ", " + base::format(money.worst) + "]";
}

std::string undone(const plugin::StepType& type) {
  if (type.holds.empty()) return "";
  const std::string verb = type.effect == plugin::Effect::creates ? "makes " : "may make ";
  return verb + base::join(type.holds) + ", given back at the end";
}

Value describe(const source::File& file, const Step& step, const Value::Map& inputs) {
  Value::Map with;
  for (const auto& [input, given] : step.with) {
    const auto value = known(file, given, inputs);
    with.emplace(input->name, value ? *value : Value(shown(file, given, inputs)));
  }
  Value::List holds;
  for (const auto& kind : step.type->holds) holds.emplace_back(kind);
  return Value::Map{{"id", step.id},
                    {"uses", step.type->name},
                    {"phase", step.phase},
                    {"section", std::string(to_string(step.section))},
                    {"with", Value(std::move(with))},
                    {"holds", Value(std::move(holds))},
                    {"kept", step.written->keep.has_value()},
                    {"timeout_s", base::seconds(timeout_of(step, file, inputs))}};
}

}  // namespace

std::string to_text(const Plan& plan, const Value::Map& inputs, const Limits& limits,
                    const std::vector<std::string>& missing) {
  const auto& file = *plan.scenario->file();
  const Estimate figures = estimate(plan, inputs, limits);
  std::string out = plan.scenario->name.value + ": " + plan.scenario->description + "\n";
  std::string phase;
  int number = 0;
  for (const Step* step : plan.in_order()) {
    if (step->phase != phase) {
      phase = step->phase;
      out += "\n" + phase + "\n";
    }
    out += "  " + std::to_string(++number) + ". " + (step->named ? step->id + ": " : "") + step->type->name +
           "  (at most " + base::format(timeout_of(*step, file, inputs)) + ")\n";
    for (const auto& [input, given] : step->with)
      out += "       " + input->name + " = " + shown(file, given, inputs) + "\n";
    const std::string made = undone(*step->type);
    if (!made.empty()) {
      out += "       " + made;
      if (const auto& keep = step->written->keep) {
        const auto time = known(file, *keep, inputs);
        out += ", or kept" + (time ? " for " + time->display() : std::string());
      }
      out += "\n";
    }
  }
  out += "\nTime  " + interval(figures.time.best, figures.time.expected, figures.time.worst) + "\n";
  out += "Cost  " + interval(figures.cost) + "  [best, expected, worst]\n";
  for (const auto& reason : figures.reasons) out += "      " + reason + "\n";
  out += "Limit " + base::format(limits.cost) + " and " + base::format(limits.duration) + "\n";
  if (!plan.scenario->env.empty()) {
    out += "Environment\n";
    for (const auto& variable : plan.scenario->env) {
      const bool absent = std::find(missing.begin(), missing.end(), variable.name.value) != missing.end();
      out += "      " + variable.name.value + (absent ? "  (not set)" : "  (set)") + "\n";
    }
  }
  return out;
}

Value to_value(const Plan& plan, const Value::Map& inputs, const Limits& limits,
               const std::vector<std::string>& missing) {
  const auto& file = *plan.scenario->file();
  const Estimate figures = estimate(plan, inputs, limits);
  Value::List steps;
  for (const Step* step : plan.in_order()) steps.push_back(describe(file, *step, inputs));
  Value::List reasons;
  for (const auto& reason : figures.reasons) reasons.emplace_back(reason);
  Value::List absent;
  for (const auto& name : missing) absent.emplace_back(name);
  Value::List environment;
  for (const auto& variable : plan.scenario->env) environment.emplace_back(variable.name.value);
  return Value::Map{
      {"scenario", plan.scenario->name.value},
      {"steps", Value(std::move(steps))},
      {"time_s", Value(Value::List{base::seconds(figures.time.best), base::seconds(figures.time.expected),
                                   base::seconds(figures.time.worst)})},
      {"cost_usd", Value(Value::List{figures.cost.best, figures.cost.expected, figures.cost.worst})},
      {"reasons", Value(std::move(reasons))},
      {"limits", Value(Value::Map{{"cost_usd", limits.cost}, {"duration_s", base::seconds(limits.duration)}})},
      {"environment", Value(std::move(environment))},
      {"missing", Value(std::move(absent))}};
}

}  // namespace failover::plan
