// Commands and single files on a machine, over SSH.
#pragma once

#include <vector>

#include "engine/plugin/step_type.h"
#include "steps/client/services.h"

namespace failover::steps {

// `services` must outlive them.
std::vector<plugin::StepType> ssh_steps(client::Services& services);

}  // namespace failover::steps
