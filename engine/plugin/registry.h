#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/plugin/kind.h"
#include "engine/plugin/step_type.h"

namespace failover::plugin {

// Everything that can be dispatched to. A plain value; order is declaration order.
struct Registry {
  std::vector<StepType> steps;
  std::vector<Kind> kinds;
  // Environment variables that hold the operator's own keys. The steps have them from the runner's settings; no
  // scenario may read them, since it could send them to a rented machine (leak-safety.md, secrets and hostile hosts).
  std::vector<std::string> keys;

  [[nodiscard]] const StepType* step(std::string_view name) const;
  [[nodiscard]] const Kind* kind(std::string_view name) const;
};

}  // namespace failover::plugin
