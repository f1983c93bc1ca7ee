// What the steps of this family share.
#pragma once

#include <string>
#include <vector>

#include "engine/plugin/step_type.h"
#include "steps/client/services.h"

namespace failover::steps::ssh {

plugin::StepType exec(client::Services& services);
plugin::StepType upload(client::Services& services);
plugin::StepType download(client::Services& services);
plugin::StepType wait_until_ready(client::Services& services);

// What any of them may answer with because there is a machine behind it.
inline std::vector<base::Fault> machine_errors(std::vector<base::Fault> more) {
  more.insert(more.end(), {base::Fault::unavailable, base::Fault::auth, base::Fault::host_key_changed,
                           base::Fault::unknown, base::Fault::refused});
  return more;
}

}  // namespace failover::steps::ssh
