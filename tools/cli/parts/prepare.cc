#include "tools/cli/parts/prepare.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
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

bool is_program(const std::string& name, const std::string& search_path) {
  if (base::contains(name, "/")) return ::access(name.c_str(), X_OK) == 0;
  for (const auto& folder : base::split(search_path, ':')) {
    if (::access((std::filesystem::path(folder.empty() ? "." : folder) / name).c_str(), X_OK) == 0) return true;
  }
  return false;
}

// A run would end by what is missing when it comes to it, after the rentals before it.
bool all_there(const Prepared& prepared, const Environment& environment, OnDisk on_disk) {
  const auto path = environment.find("PATH");
  std::error_code none;
  const plan::Disk disk{[&](const std::string& file) {
                          return std::filesystem::exists(file, none) && !std::filesystem::is_directory(file, none);
                        },
                        [&](const std::string& directory) { return std::filesystem::is_directory(directory, none); },
                        [&](const std::string& name) {
                          return is_program(name, path == environment.end() ? std::string() : path->second);
                        }};
  source::Diagnostics missing;
  plan::check_local(prepared.plan, prepared.inputs, disk, missing);
  (void)fine(missing);
  if (missing.empty() || on_disk == OnDisk::told) return true;
  complain("what the scenario's steps look for on this machine is not there", "nothing was started", usage);
  return false;
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
  if (wish.on_disk != OnDisk::unasked && !all_there(out, environment, wish.on_disk)) return std::nullopt;
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
