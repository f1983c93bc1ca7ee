// Which libssh may be used: the floor of dependencies.md 11. Pure. Not for steps.
#pragma once

#include <string_view>

#include "engine/base/error.h"

namespace failover::client::ssh {

// `library` as libssh says it (`0.10.6/openssl/zlib`), `package` as dpkg does, empty where there is none: fixes that a
// distribution carries back do not show in the library's own version. Error{invalid, libssh_too_old}.
base::Result<void> check_libssh(std::string_view library, std::string_view package);

}  // namespace failover::client::ssh
