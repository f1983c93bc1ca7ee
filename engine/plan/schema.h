// The JSON Schemas (draft-07) of scenario and fragment files, for editors and tools: functions of the step
// declarations.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "engine/plugin/registry.h"

namespace failover::plan {

nlohmann::ordered_json scenario_schema(const plugin::Registry& registry);
nlohmann::ordered_json fragment_schema(const plugin::Registry& registry);

}  // namespace failover::plan
