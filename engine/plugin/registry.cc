#include "engine/plugin/registry.h"

#include <algorithm>

namespace failover::plugin {

const StepType* Registry::step(std::string_view name) const {
  const auto at = std::ranges::find(steps, name, &StepType::name);
  return at == steps.end() ? nullptr : &*at;
}

const Kind* Registry::kind(std::string_view name) const {
  const auto at = std::ranges::find(kinds, name, &Kind::name);
  return at == kinds.end() ? nullptr : &*at;
}

}  // namespace failover::plugin
