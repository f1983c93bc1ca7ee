#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/base/digest.h"
#include "engine/base/text.h"
#include "tools/cli/parts/catalogue.h"
#include "tools/cli/parts/commands.h"
#include "tools/cli/parts/company.h"
#include "tools/cli/parts/output.h"
#include "tools/cli/parts/past.h"

namespace failover::cli {
namespace {

nlohmann::ordered_json describe(const std::filesystem::path& path, const plugin::Registry& registry, const Past& past) {
  nlohmann::ordered_json out{{"name", path.stem().string()}, {"file", path.lexically_normal().string()}};
  source::Diagnostics diagnostics;
  auto loaded = load(path, diagnostics);
  const auto plan = loaded ? check(*loaded, registry, diagnostics) : std::nullopt;
  out["valid"] = plan.has_value() && diagnostics.errors() == 0;
  if (!plan) return out;
  const auto& scenario = *loaded->scenario;
  out["description"] = scenario.description;
  out["tags"] = scenario.tags;
  if (!out["valid"].get<bool>()) return out;
  const auto inputs = plan::default_inputs(scenario);
  const auto limits = plan::limits_of(scenario, inputs);
  if (!limits) return out;
  const plan::Past seen = past.of(scenario, inputs);
  const auto figures = plan::estimate(*plan, inputs, *limits, seen);
  out["expected_s"] = base::seconds(figures.time.expected);
  out["expected_usd"] = base::usd(figures.cost.expected);
  out["history_runs"] = seen.runs;
  return out;
}

std::string row(const nlohmann::ordered_json& one, std::size_t width) {
  const std::string name = one["name"];
  std::string out = name + std::string(width - name.size() + 2, ' ');
  if (!one["valid"].get<bool>()) return out + "(has mistakes: failover validate " + name + ")\n";
  const auto time = std::chrono::seconds(std::llround(one.value("expected_s", 0.0)));
  const auto cost = base::money_from_usd(one.value("expected_usd", 0.0)).value_or(base::Money{});
  const std::vector<std::string> tags = one["tags"];
  const std::size_t seen = one.value("history_runs", std::size_t{0});
  out += one["description"].get<std::string>() + "\n" + std::string(width + 2, ' ');
  out += "about " + base::format(base::Duration(time)) + ", " +
         (cost.micros == 0 ? std::string("nothing rented") : base::format(cost)) +
         (tags.empty() ? "" : "  [" + base::join(tags) + "]") +
         (seen == 0 ? "  (stated: no history)" : "  (from " + std::to_string(seen) + " past runs)") + "\n";
  return out;
}

}  // namespace

int list(bool json, bool live, const Environment& environment) {
  const Company company = rehearse();
  const Past past(default_runs(environment), live ? target_of(settings_from(environment)) : "sandbox");
  const auto paths = all_scenarios(environment);
  auto out = nlohmann::ordered_json::array();
  std::size_t width = 0;
  for (const auto& path : paths) {
    out.push_back(describe(path, company.registry, past));
    width = std::max(width, out.back()["name"].get<std::string>().size());
  }
  if (json) {
    say_line(out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
    return passed;
  }
  if (paths.empty()) note("no scenarios under scenarios/ or $FAILOVER_SCENARIOS");
  for (const auto& one : out) say(row(one, width));
  return passed;
}

}  // namespace failover::cli
