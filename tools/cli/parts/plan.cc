#include <nlohmann/json.hpp>

#include "engine/base/digest.h"
#include "tools/cli/parts/commands.h"
#include "tools/cli/parts/output.h"
#include "tools/cli/parts/stage.h"

namespace failover::cli {

int plan(const Wish& wish, bool json, const Environment& environment) {
  const Company company = rehearse();
  const auto prepared = prepare(wish, company.registry, environment);
  if (!prepared) return usage;
  std::vector<std::string> missing;
  for (const auto& name : prepared->all_variables()) {
    const auto at = environment.find(name);
    if (at == environment.end() || at->second.empty()) missing.push_back(name);
  }
  if (json) {
    const auto value = plan::to_value(prepared->plan, prepared->inputs, prepared->limits, missing, company.registry);
    say_line(base::to_json(value).dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
    return passed;
  }
  say(plan::to_text(prepared->plan, prepared->inputs, prepared->limits, missing, company.registry));
  for (const auto& name : missing) say_line("      with --live, set " + name + ": " + origin_of(name));
  return passed;
}

}  // namespace failover::cli
