// The Vast.ai door: an HTTP request in, the answer that the real service gives out (references/vastai-api.md).
#pragma once

#include "tools/sandbox/world/message.h"

namespace failover::sandbox {

class World;

// Everything under /api/; thread-safe. Answers only: sockets, delays and cut connections are the server's business.
Answer handle_vast(const Request& request, World& world);

}  // namespace failover::sandbox
