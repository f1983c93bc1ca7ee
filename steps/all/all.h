// The list of everything that a scenario can use.
#pragma once

#include "engine/plugin/registry.h"
#include "steps/client/services.h"

namespace failover::steps {

// Every step type and every kind of resource. `services` must outlive the registry.
plugin::Registry all(client::Services& services);

}  // namespace failover::steps
