#include "tools/cli/parts/prepare.h"

#include <algorithm>
#include <set>

#include "engine/base/text.h"
#include "tools/cli/parts/output.h"

namespace failover::cli {
namespace {

template <class Visit>
void each_step(const std::vector<plan::Step>& steps, const Visit& visit) {
  for (const auto& step : steps) {
    if (step.type != nullptr) visit(step);
    each_step(step.steps, visit);
    for (const auto& branch : step.branches) each_step(branch.steps, visit);
    each_step(step.on_failure, visit);
  }
}

template <class Visit>
void each_step(const plan::Plan& plan, const Visit& visit) {
  each_step(plan.preflight, visit);
  each_step(plan.steps, visit);
  each_step(plan.finally, visit);
}

// Says every finding; true when none is an error.
bool fine(const source::Diagnostics& diagnostics) {
  if (!diagnostics.empty()) note_text(source::to_text(diagnostics));
  return diagnostics.errors() == 0;
}

}  // namespace

std::vector<std::string> Prepared::declared_variables() const {
  std::vector<std::string> out;
  for (const auto& variable : scenario().env) out.push_back(variable.name.value);
  return out;
}

std::vector<std::string> Prepared::secret_variables() const {
  std::vector<std::string> out;
  for (const auto& variable : scenario().env) {
    if (variable.secret) out.push_back(variable.name.value);
  }
  return out;
}

std::vector<std::string> Prepared::all_variables() const {
  std::set<std::string> types;
  each_step(plan, [&](const plan::Step& step) { types.insert(step.type->name); });
  auto out = needed_variables({types.begin(), types.end()});
  for (auto& name : declared_variables()) {
    if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(std::move(name));
  }
  return out;
}

bool Prepared::uses(std::string_view step_type) const {
  bool found = false;
  each_step(plan, [&](const plan::Step& step) { found = found || step.type->name == step_type; });
  return found;
}

std::optional<Prepared> prepare(const Wish& wish, const plugin::Registry& registry, const Environment& environment) {
  auto path = find_scenario(wish.name, environment);
  if (!path) {
    complain(path.error(), usage);
    return std::nullopt;
  }
  source::Diagnostics diagnostics;
  auto loaded = load(*path, diagnostics);
  if (!loaded) {
    complain(loaded.error(), usage);
    return std::nullopt;
  }
  Prepared out;
  out.loaded = *std::move(loaded);
  if (!out.loaded.scenario) {
    (void)fine(diagnostics);
    return std::nullopt;
  }
  auto inputs = plan::resolve_inputs(out.scenario(), wish.inputs);
  out.plan = plan::bind(out.loaded.scenario, registry, diagnostics, read_fragment, inputs ? &*inputs : nullptr);
  if (diagnostics.errors() > 0) {
    (void)fine(diagnostics);
    return std::nullopt;
  }
  auto limits = inputs ? plan::limits_of(out.scenario(), *inputs) : base::Result<plan::Limits>(inputs.error());
  auto objectives = inputs ? plan::objectives_of(out.scenario(), *inputs)
                           : base::Result<std::map<std::string, base::Duration>>(inputs.error());
  for (const auto* error : {limits ? nullptr : &limits.error(), objectives ? nullptr : &objectives.error()}) {
    if (error == nullptr) continue;
    complain(*error, usage);
    return std::nullopt;
  }
  out.inputs = *std::move(inputs);
  out.limits = *std::move(limits);
  out.objectives = *std::move(objectives);
  if (wish.limit_cost) out.limits.cost = std::min(out.limits.cost, *wish.limit_cost);
  plan::check_money(out.plan, out.inputs, out.limits, diagnostics);
  if (!fine(diagnostics)) return std::nullopt;
  return out;
}

base::Result<std::pair<std::string, std::string>> parse_assignment(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    return base::Error{base::Fault::invalid, "not_an_assignment",
                       "`" + base::printable(text, 80) + "` is not name=value", "write --input count=3"};
  }
  return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

}  // namespace failover::cli
