#include "engine/plan/known.h"

#include <algorithm>

namespace failover::plan {

using base::Duration;
using base::Value;

std::optional<base::Result<Value>> computed(const scenario::Given& given, const Value::Map& inputs) {
  bool enough = !given.partial;
  bool whole = false;
  Value::Map named;  // those that it names: a scenario may have thousands
  scenario::each_reference(given, [&](const scenario::Reference& reference) {
    const auto& parts = reference.path.parts;
    enough = enough && parts.front().name == "inputs";
    whole = whole || parts.size() < 2;
    if (!enough || whole) return;
    const auto at = inputs.find(parts[1].name);
    enough = at != inputs.end();
    if (enough) named.insert(*at);
  });
  if (!enough) return std::nullopt;
  auto value = scenario::evaluate(given, {{"inputs", Value(whole ? inputs : std::move(named))}});
  if (!value && whole) return std::nullopt;
  return value;
}

std::optional<Value> known(const scenario::Given& given, const Value::Map& inputs) {
  auto value = computed(given, inputs);
  if (!value || !*value) return std::nullopt;
  return **std::move(value);
}

Value known_inputs(const Step& step, const Value::Map& inputs) {
  Value::Map out;
  for (const auto& [input, given] : step.with) {
    if (auto value = known(given, inputs)) out.emplace(input->name, *std::move(value));
  }
  return out;
}

Value::Map arguments(const Step& step, const Value::Map& inputs) {
  Value::Map out;
  for (const auto& input : step.fragment->inputs) {
    const auto given = std::find_if(step.arguments.begin(), step.arguments.end(),
                                    [&](const auto& one) { return one.first == &input; });
    if (given == step.arguments.end()) {
      if (input.fallback) out.emplace(input.name.value, *input.fallback);
    } else if (auto value = known(given->second, inputs)) {
      out.emplace(input.name.value, *std::move(value));
    }
  }
  return out;
}

std::vector<std::string> steps_behind(const scenario::Given& given) {
  std::vector<std::string> out;
  scenario::each_reference(given, [&](const scenario::Reference& reference) {
    const auto& parts = reference.path.parts;
    if (parts.size() > 1 && parts[0].name == "steps") out.push_back(parts[1].name);
  });
  return out;
}

Duration timeout_of(const Step& step, const Value::Map& inputs) {
  const Duration own = step.type == nullptr ? Duration::max() : step.type->timeout;
  if (!step.written->timeout) return own;
  const auto value = known(*step.written->timeout, inputs);
  const auto* time = value ? value->get<Duration>() : nullptr;
  return time == nullptr ? own : *time;
}

}  // namespace failover::plan
