// Vast.ai in scenarios: the account, offers, instances.
#pragma once

#include <vector>

#include "engine/plugin/kind.h"
#include "engine/plugin/step_type.h"
#include "steps/client/services.h"

namespace failover::steps {

// `services` must outlive them.
std::vector<plugin::StepType> vast_steps(client::Services& services);
// `vast.instance` and `vast.ssh_key`.
std::vector<plugin::Kind> vast_kinds(client::Services& services);

}  // namespace failover::steps
