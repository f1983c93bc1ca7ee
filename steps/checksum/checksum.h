// Checksums of files on machines in scenarios.
#pragma once

#include <vector>

#include "engine/plugin/step_type.h"
#include "steps/client/services.h"

namespace failover::steps {

// checksum.manifest, checksum.verify
std::vector<plugin::StepType> checksum_steps(client::Services& services);

}  // namespace failover::steps
