// Backblaze B2 in scenarios: a bucket and the objects in it.
#pragma once

#include <vector>

#include "engine/plugin/kind.h"
#include "engine/plugin/step_type.h"
#include "steps/client/services.h"

namespace failover::steps {

// `services` must outlive them.
std::vector<plugin::StepType> b2_steps(client::Services& services);
// `b2.object` (attributes: bucket, key, version once stored) and `b2.upload` (bucket, key).
std::vector<plugin::Kind> b2_kinds(client::Services& services);

}  // namespace failover::steps
