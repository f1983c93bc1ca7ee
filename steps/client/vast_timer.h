// The last wall (leak-safety.md, "timer"): a rented machine that ends itself when nobody else did.
#pragma once

#include <string>

#include "engine/base/clock.h"

namespace failover::client::vast {

// Shell text for the beginning of a start script: `after` its first start the machine destroys itself with its own
// limited key (vastai-api.md 11), trying until it is gone. Holds no secret, returns at once, and may run again at each
// start: a restart does not move the deadline, which a file beside the user's own keeps. Needs curl, wget or python3
// in the image, and a host that lets it out: a wall, never the proof.
std::string end_script(const std::string& api_url, base::Duration after);

}  // namespace failover::client::vast
