// Files of a drill in scenarios.
#pragma once

#include <vector>

#include "engine/plugin/step_type.h"
#include "steps/client/services.h"

namespace failover::steps {

// files.create
std::vector<plugin::StepType> files_steps(client::Services& services);

}  // namespace failover::steps
