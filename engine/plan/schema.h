// The JSON Schema (draft-07) of scenario files, for editors and tools: a function of the step declarations.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "engine/plugin/step.h"

namespace failover::plan {

nlohmann::ordered_json scenario_schema(const plugin::Registry& registry);

}  // namespace failover::plan
