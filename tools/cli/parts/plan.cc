#include <nlohmann/json.hpp>

#include "engine/base/digest.h"
#include "tools/cli/parts/commands.h"
#include "tools/cli/parts/company.h"
#include "tools/cli/parts/output.h"
#include "tools/cli/parts/past.h"

namespace failover::cli {
namespace {

using base::Value;

plan::Past past_of(const Prepared& prepared, const std::string& target, const Environment& environment) {
  return Past(default_runs(environment), target).of(prepared.scenario(), prepared.inputs);
}

std::string basis(const plan::Past& past, const std::string& target) {
  if (past.runs == 0) return "stated figures: no " + target + " run in the history";
  return "from the last " + std::to_string(past.runs) + " " + target + (past.runs == 1 ? " run" : " runs");
}

Value interval(double best, double expected, double worst) { return Value::List{best, expected, worst}; }

Value figures_of(const plan::Estimate& figures, const plan::Past& past) {
  return Value::Map{{"time_s", interval(base::seconds(figures.time.best), base::seconds(figures.time.expected),
                                        base::seconds(figures.time.worst))},
                    {"cost_usd", Value::List{figures.cost.best, figures.cost.expected, figures.cost.worst}},
                    {"history_runs", static_cast<std::int64_t>(past.runs)}};
}

}  // namespace

int plan(Wish wish, bool json, bool live, const Environment& environment) {
  const Company company = rehearse();
  wish.on_disk = OnDisk::told;
  const auto prepared = prepare(wish, company.registry, environment);
  if (!prepared) return usage;
  std::vector<std::string> missing;
  for (const auto& name : prepared->all_variables()) {
    const auto at = environment.find(name);
    if (at == environment.end() || at->second.empty()) missing.push_back(name);
  }
  const std::string real = target_of(settings_from(environment));
  const std::string target = live ? real : "sandbox";
  const plan::Past past = past_of(*prepared, target, environment);
  // Whoever reads a plan before paying must not take the sandbox's quick figures for it.
  const plan::Past other = live ? plan::Past{} : past_of(*prepared, real, environment);
  const auto paid = plan::estimate(prepared->plan, prepared->inputs, prepared->limits, other);
  if (json) {
    const Value value =
        plan::to_value(prepared->plan, prepared->inputs, prepared->limits, missing, company.registry, past);
    Value::Map out = *value.map();
    out.emplace("target", target);
    if (!live) out.emplace("live", figures_of(paid, other));
    say_line(base::to_json(Value(std::move(out))).dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
    return passed;
  }
  say(plan::to_text(prepared->plan, prepared->inputs, prepared->limits, missing, company.registry, past));
  say_line("Figures " + std::string(live ? "of a run on target " + target : "of the sandbox") + ", " +
           basis(past, target));
  if (!live) say_line("--live  " + plan::in_short(paid) + "; " + basis(other, real));
  for (const auto& name : missing) say_line("      with --live, set " + name + ": " + origin_of(name));
  return passed;
}

}  // namespace failover::cli
