// The key by which clients know a machine again, and libssh's object that offers it.
#pragma once

#include <libssh/server.h>

#include <filesystem>
#include <memory>

#include "engine/base/error.h"

namespace failover::sandbox {

struct BindDeleter {
  void operator()(ssh_bind bind) const { ssh_bind_free(bind); }
};
using Bind = std::unique_ptr<ssh_bind_struct, BindDeleter>;

// A bind that offers the ed25519 key kept in `file` (0600); it is made where there is none, or where `fresh` asks.
base::Result<Bind> bind_with_key(const std::filesystem::path& file, bool fresh);

}  // namespace failover::sandbox
