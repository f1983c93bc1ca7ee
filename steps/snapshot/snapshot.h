// Snapshots of file trees in B2, in scenarios.
#pragma once

#include <vector>

#include "engine/plugin/kind.h"
#include "engine/plugin/step_type.h"
#include "steps/client/services.h"

namespace failover::steps {

// snapshot.create, snapshot.restore
std::vector<plugin::StepType> snapshot_steps(client::Services& services);
// `snapshot` (attributes: bucket, prefix)
std::vector<plugin::Kind> snapshot_kinds(client::Services& services);

}  // namespace failover::steps
