#include <algorithm>
#include <functional>
#include <utility>

#include "engine/base/text.h"
#include "engine/plan/known.h"
#include "engine/plan/plan.h"

namespace failover::plan {
namespace {

using base::Value;

// The names in it, each once.
std::vector<std::string> names_in(const scenario::Given& given) {
  std::vector<std::string> out;
  scenario::each_reference(given, [&](const scenario::Reference& reference) {
    std::vector<std::string> parts;
    for (const auto& part : reference.path.parts) parts.push_back(part.name);
    std::string name = base::join(parts, ".");
    if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(std::move(name));
  });
  return out;
}

// What is known of a field before the run, or where it will come from.
std::string shown(const scenario::Given& given, const Value::Map& inputs) {
  const auto from = names_in(given);
  const auto value = known(given, inputs);
  if (!value) return "from " + base::join(from);
  const auto* time = value->get<base::Duration>();
  const std::string text = time != nullptr ? base::in_short(*time) : value->literal();
  return from.empty() ? text : text + "  (" + base::join(from) + ")";
}

std::string interval(const plugin::Span& time) {
  const auto shown = [](base::Duration one) {
    return base::in_short(std::chrono::round<std::chrono::milliseconds>(one));
  };
  return "[" + shown(time.best) + ", " + shown(time.expected) + ", " + shown(time.worst) + "]";
}

std::string interval(const Money3& money) {
  return "[" + base::format(money.best) + ", " + base::format(money.expected) + ", " + base::format(money.worst) + "]";
}

std::string undone(const plugin::StepType& type) {
  if (type.holds.empty()) return "";
  const std::string verb = type.effect == plugin::Effect::creates ? "makes " : "may make ";
  return verb + base::join(type.holds) + ", given back at the end";
}

template <class Each>
void each_argument(const Step& step, const Each& each) {
  for (const auto& [input, given] : step.with) each(input->name, given);
  for (const auto& [input, given] : step.arguments) each(input->name.value, given);
}

std::string manner(const Step& step) {
  std::string out;
  if (step.shape == Step::Shape::branches)
    out += step.written->wait == scenario::Wait::first ? "side by side, the first to pass wins" : "side by side";
  if (step.shape == Step::Shape::group) out += "one after the other";
  if (!step.written->foreach) return out;
  const auto& most = step.written->max_parallel;
  return out + (out.empty() ? "" : "; ") + "once for each element" +
         (most && most->value > 1 ? ", " + std::to_string(most->value) + " at a time" : "");
}

// Where a step stands in the journey.
struct Place {
  Value::Map inputs;  // what is known of them there
  std::size_t depth = 0;
  std::string branch;  // that it is the first of
  std::string prefix;  // of the composites around
};
using Visit = std::function<void(const Step&, const Place&)>;

void walk(const std::vector<Step>& steps, Place place, const Visit& visit) {
  for (const auto& step : steps) {
    visit(step, place);
    place.branch.clear();
    const bool composite = step.shape == Step::Shape::composite;
    walk(step.steps,
         {composite ? arguments(step, place.inputs) : place.inputs, place.depth + 1, "",
          composite ? place.prefix + step.id + "." : place.prefix},
         visit);
    for (const auto& one : step.branches)
      walk(one.steps, {place.inputs, place.depth + 1, one.name, place.prefix}, visit);
  }
}

const StepTime* time_of(const Step& step, const Place& place, const Estimate& figures) {
  const auto known = figures.steps.find(place.prefix + step.id);
  return step.shape != Step::Shape::call || known == figures.steps.end() ? nullptr : &known->second;
}

Value in_seconds(const plugin::Span& time) {
  return Value::List{base::seconds(time.best), base::seconds(time.expected), base::seconds(time.worst)};
}

Value describe(const Step& step, const Place& place, const Estimate& figures) {
  const auto& [inputs, depth, branch, prefix] = place;
  Value::Map with;
  // clang 14 captures no name of a structured binding.
  each_argument(step, [&with, &inputs = place.inputs](const std::string& name, const scenario::Given& given) {
    const auto value = known(given, inputs);
    with.emplace(name, value ? *value : Value(shown(given, inputs)));
  });
  Value::List holds;
  if (step.type != nullptr) {
    for (const auto& kind : step.type->holds) holds.emplace_back(kind);
  }
  Value::Map out{{"id", step.id},
                 {"uses", step.uses()},
                 {"phase", step.phase},
                 {"section", std::string(to_string(step.section))},
                 {"with", Value(std::move(with))},
                 {"holds", Value(std::move(holds))},
                 {"kept", step.written->keep.has_value()},
                 {"depth", static_cast<std::int64_t>(depth)}};
  if (const auto timeout = timeout_of(step, inputs); timeout != base::Duration::max())
    out.emplace("timeout_s", base::seconds(timeout));
  if (!branch.empty()) out.emplace("branch", branch);
  if (const auto& when = step.written->when; when && !when->expression.empty())
    out.emplace("when", when->expression.text());
  if (step.written->foreach) out.emplace("foreach", shown(*step.written->foreach, inputs));
  if (const StepTime* taken = time_of(step, place, figures)) {
    out.emplace("time_s", in_seconds(taken->time));
    out.emplace("time_from", taken->from);
  }
  return out;
}

}  // namespace

std::string in_short(const Estimate& estimate) {
  return "time " + interval(estimate.time) + ", cost " + interval(estimate.cost);
}

std::string to_text(const Plan& plan, const Value::Map& inputs, const Limits& limits,
                    const std::vector<std::string>& missing, const plugin::Registry& registry, const Past& past) {
  const Estimate figures = estimate(plan, inputs, limits, past);
  const std::string& about = plan.scenario->description;
  std::string out = plan.scenario->name.value + (about.empty() ? "" : ": " + about) + "\n";
  std::string phase;
  int number = 0;
  const auto line = [&](const Step& step, const Place& place) {
    const Value::Map& known_here = place.inputs;
    if (step.phase != phase) {
      phase = step.phase;
      out += "\n" + phase + "\n";
    }
    const std::string indent(2 * place.depth, ' ');
    if (!place.branch.empty()) out += indent + "  " + place.branch + ":\n";
    out += indent + "  " + std::to_string(++number) + ". " + (step.named ? step.id + ": " : "") + step.uses();
    const auto timeout = timeout_of(step, known_here);
    if (timeout != base::Duration::max()) out += "  (at most " + base::in_short(timeout) + ")";
    if (const std::string how = manner(step); !how.empty()) out += "  (" + how + ")";
    out += "\n";
    if (const auto& when = step.written->when; when && !when->expression.empty())
      out += indent + "       when " + base::printable(when->expression.text(), 200) + "\n";
    if (step.written->foreach) out += indent + "       each = " + shown(*step.written->foreach, known_here) + "\n";
    each_argument(step, [&](const std::string& name, const scenario::Given& given) {
      out += indent + "       " + name + " = " + shown(given, known_here) + "\n";
    });
    if (const StepTime* taken = time_of(step, place, figures)) {
      out += indent + "       takes " + interval(taken->time) + "  (" + taken->from + ")\n";
    }
    if (step.type == nullptr) return;
    const std::string made = undone(*step.type);
    if (made.empty()) return;
    out += indent + "       " + made;
    if (const auto& keep = step.written->keep) {
      out += known(*keep, known_here) ? ", or kept for " + shown(*keep, known_here) : ", or kept";
    }
    out += "\n";
  };
  for (const auto* section : {&plan.preflight, &plan.steps, &plan.finally}) walk(*section, {inputs, 0, "", ""}, line);
  out += "\nTime  " + interval(figures.time) + "\n";
  out += "Cost  " + interval(figures.cost) + "  [best, expected, worst]\n";
  for (const auto& reason : figures.reasons) out += "      " + reason + "\n";
  out += "Limit " + base::format(limits.cost) + " and " + base::in_short(limits.duration) + "\n";
  out += walls_to_text(kinds_of(plan, registry));
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
               const std::vector<std::string>& missing, const plugin::Registry& registry, const Past& past) {
  const Estimate figures = estimate(plan, inputs, limits, past);
  Value::List steps;
  const auto add = [&](const Step& step, const Place& place) { steps.push_back(describe(step, place, figures)); };
  for (const auto* section : {&plan.preflight, &plan.steps, &plan.finally}) walk(*section, {inputs, 0, "", ""}, add);
  Value::List reasons;
  for (const auto& reason : figures.reasons) reasons.emplace_back(reason);
  Value::List absent;
  for (const auto& name : missing) absent.emplace_back(name);
  Value::List environment;
  for (const auto& variable : plan.scenario->env) environment.emplace_back(variable.name.value);
  return Value::Map{
      {"scenario", plan.scenario->name.value},
      {"steps", Value(std::move(steps))},
      {"time_s", in_seconds(figures.time)},
      {"cost_usd", Value(Value::List{figures.cost.best, figures.cost.expected, figures.cost.worst})},
      {"reasons", Value(std::move(reasons))},
      {"history_runs", static_cast<std::int64_t>(past.runs)},
      {"limits", Value(Value::Map{{"cost_usd", limits.cost}, {"duration_s", base::seconds(limits.duration)}})},
      {"resources", walls_to_value(kinds_of(plan, registry))},
      {"environment", Value(std::move(environment))},
      {"missing", Value(std::move(absent))}};
}

}  // namespace failover::plan
