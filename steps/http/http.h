// Health of a service, asked over HTTP by the runner.
#pragma once

#include <vector>

#include "engine/plugin/step_type.h"
#include "steps/client/services.h"

namespace failover::steps {

// `services` must outlive them.
std::vector<plugin::StepType> http_steps(client::Services& services);

}  // namespace failover::steps
