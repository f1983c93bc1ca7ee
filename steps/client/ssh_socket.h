// A TCP connection that a stop and a deadline can interrupt while it is made, name lookup included. Not for steps.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/clock.h"

namespace failover::client::ssh {

// A connected non-blocking socket, the caller's to close. Error{unavailable}: `dns`, `refused`, `connect`.
base::Result<int> connect_to(const std::string& host, std::int64_t port, const base::Patience& patience);

// Waits for one of poll()'s events on the descriptor, at most one slice.
void wait_slice(int fd, short events, const base::Patience& patience);

}  // namespace failover::client::ssh
