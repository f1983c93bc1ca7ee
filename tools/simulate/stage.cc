#include "tools/simulate/stage.h"

#include <algorithm>

namespace failover::simulate {

std::optional<std::size_t> machines_of(const plan::Plan& plan, const base::Value::Map& inputs) {
  std::size_t count = 0;
  for (const plan::Step* step : plan.in_order()) {
    const auto& each = step->written->foreach;
    const bool rents = step->type != nullptr && step->type->effect == plugin::Effect::creates &&
                       std::count(step->type->holds.begin(), step->type->holds.end(), "vast.instance") > 0;
    if (each && !rents) return std::nullopt;
    base::Result<base::Value> elements = base::Value(base::Value::List(1));
    if (each) elements = scenario::evaluate(*each, {{"inputs", base::Value(inputs)}});
    const auto* list = elements ? elements->list() : nullptr;
    if (rents && list == nullptr) return std::nullopt;
    if (rents) count += list->size();
  }
  return count;
}

bool verifies(const plan::Plan& plan) {
  const auto steps = plan.in_order();
  return std::any_of(steps.begin(), steps.end(), [](const plan::Step* step) {
    return step->type != nullptr && step->type->name == "checksum.verify";
  });
}

}  // namespace failover::simulate
