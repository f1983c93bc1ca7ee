// What the steps of this family share.
#pragma once

#include "engine/plugin/step_type.h"
#include "steps/client/remote.h"
#include "steps/client/services.h"

namespace failover::steps::checksum {

plugin::StepType manifest(client::Services& services);
plugin::StepType verify(client::Services& services);

// `md5`, `sha256`, `blake2b`
std::vector<std::string> algorithms();

}  // namespace failover::steps::checksum
