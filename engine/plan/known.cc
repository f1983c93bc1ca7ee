#include "engine/plan/known.h"

#include <algorithm>

namespace failover::plan {

using base::Duration;
using base::Value;

namespace {

// The values that paths need, as far as they are there.
class Needed {
 public:
  explicit Needed(const Before& before) : before_(before) {}

  void add(const expr::Path& path) {
    const auto& parts = path.parts;
    const std::string& first = parts.front().name;
    const bool input = first == "inputs";
    const bool output = first == "outputs" && before_.outputs != nullptr && parts.size() > 1 &&
                        before_.outputs->count(parts[1].name) > 0;
    const auto at = input && parts.size() > 1 ? before_.inputs.find(parts[1].name) : before_.inputs.end();
    if (first == "each" && before_.each != nullptr) {
      each_ = true;
    } else if (output) {
      outputs_ = true;
    } else if (input && parts.size() < 2) {
      whole_ = true;
    } else if (at == before_.inputs.end()) {
      enough_ = false;
    } else if (!whole_) {
      named_.insert(*at);
    }
  }
  // All inputs may be more than what is known of them: then an error says nothing.
  [[nodiscard]] bool whole() const { return whole_; }
  std::optional<expr::Values> take() {
    if (!enough_) return std::nullopt;
    expr::Values out;
    if (whole_) named_ = before_.inputs;
    if (whole_ || !named_.empty()) out.emplace("inputs", Value(std::move(named_)));
    if (each_) out.emplace("each", *before_.each);
    if (outputs_) out.emplace("outputs", Value(*before_.outputs));
    return out;
  }

 private:
  const Before& before_;
  Value::Map named_;  // those that are named: a scenario may have thousands
  bool whole_ = false;
  bool each_ = false;
  bool outputs_ = false;
  bool enough_ = true;
};

template <class Evaluate>
std::optional<base::Result<Value>> from(Needed needed, const Before& before, const Evaluate& evaluate) {
  if (before.work_left != nullptr && *before.work_left <= 0) return std::nullopt;
  const auto values = needed.take();
  if (!values) return std::nullopt;
  std::int64_t spent = 0;
  auto value = evaluate(*values, &spent);
  if (before.work_left != nullptr) *before.work_left -= spent;
  if (!value && needed.whole()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<base::Result<Value>> computed(const scenario::Given& given, const Before& before) {
  if (given.partial) return std::nullopt;
  Needed needed(before);
  scenario::each_reference(given, [&](const scenario::Reference& reference) { needed.add(reference.path); });
  return from(std::move(needed), before, [&](const expr::Values& values, std::int64_t* spent) {
    return scenario::evaluate(given, values, spent);
  });
}

std::optional<base::Result<Value>> computed(const expr::Expression& expression, const Before& before) {
  if (expression.empty()) return std::nullopt;
  Needed needed(before);
  for (const auto& path : expr::references(expression)) needed.add(path);
  return from(std::move(needed), before, [&](const expr::Values& values, std::int64_t* spent) {
    return expr::evaluate(expression, values, spent);
  });
}

std::optional<Value> known(const scenario::Given& given, const Before& before) {
  auto value = computed(given, before);
  if (!value || !*value) return std::nullopt;
  return **std::move(value);
}

std::optional<bool> wanted(const Step& step, const Before& before) {
  if (!step.written->when) return true;
  const auto value = computed(step.written->when->expression, before);
  const bool* yes = value && *value ? (**value).get<bool>() : nullptr;
  return yes == nullptr ? std::nullopt : std::optional(*yes);
}

bool reads_each(const scenario::Given& given) {
  bool found = false;
  scenario::each_reference(given, [&](const scenario::Reference& reference) {
    found = found || reference.path.parts.front().name == "each";
  });
  return found;
}

bool reads_each(const expr::Expression& expression) {
  if (expression.empty()) return false;
  const auto& paths = expr::references(expression);
  return std::any_of(paths.begin(), paths.end(), [](const auto& path) { return path.parts.front().name == "each"; });
}

Value known_inputs(const Step& step, const Before& before) {
  Value::Map out;
  for (const auto& [input, given] : step.with) {
    if (auto value = known(given, before)) out.emplace(input->name, *std::move(value));
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
