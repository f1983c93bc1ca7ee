// The Backblaze B2 door: its S3-compatible API, path style (references/b2-s3-api.md).
#pragma once

#include "tools/sandbox/world/message.h"

namespace failover::sandbox {

class World;

// Thread-safe. Signatures are verified for real; bodies come with their digests and are not copied.
Answer handle_b2(const Request& request, World& world);

}  // namespace failover::sandbox
