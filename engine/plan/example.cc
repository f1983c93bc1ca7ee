#include "engine/plan/example.h"

#include "engine/plan/plan.h"

namespace failover::plan {

source::Diagnostics findings(const source::Rule& rule, const source::Example& example,
                             const plugin::Registry& registry) {
  const auto files = source::files_of(rule, example);
  plugin::Registry cripple = registry;  // for a mistake that only a broken build can make
  if (rule.code == "nothing-undoes" && &example == &rule.bad) cripple.kinds.clear();
  const Fragments fragments = [&](const std::string& path, source::Diagnostics& found, std::string& why) {
    const auto at = files.find(path);
    why = at == files.end() ? "there is no fragment `" + path + "`" : "";
    if (at == files.end()) return std::shared_ptr<const scenario::Scenario>();
    auto read = scenario::load_fragment(std::make_shared<const source::File>(path, at->second), found);
    return read ? std::make_shared<const scenario::Scenario>(*std::move(read)) : nullptr;
  };
  source::Diagnostics out;
  auto loaded = scenario::load(std::make_shared<const source::File>("example.yaml", files.at("example.yaml")), out);
  if (!loaded) return out;
  const Plan plan = plan::bind(std::make_shared<const scenario::Scenario>(*std::move(loaded)), cripple, out, fragments);
  const auto inputs = default_inputs(*plan.scenario);
  if (const auto limits = limits_of(*plan.scenario, inputs)) check_money(plan, inputs, *limits, out);
  const auto there = [](const std::string& path) { return path.find("missing") == std::string::npos; };
  check_local(plan, inputs, {there, there, there}, out);
  return out;
}

}  // namespace failover::plan
