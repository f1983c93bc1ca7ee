// Turns that all processes of one machine take at one account: an endpoint that a service spaces out by the account,
// and where being sent away leaves open what was done (vastai-api.md 4 and 10: a 429 for a rental).
#pragma once

#include <filesystem>
#include <optional>

#include "engine/base/clock.h"

namespace failover::client {

// Not thread-safe.
class Turns {
 public:
  // `file` is made with its folder when the first turn is taken. Empty: every turn is free.
  explicit Turns(std::filesystem::path file) : file_(std::move(file)) {}

  // Zero: it is this process's turn, and the next one is `window` later. Else how long to wait before asking again.
  // Only a courtesy: where the file cannot be used, or another process sits on it, the turn is free.
  base::Duration take(base::Duration window, base::Instant now);
  // The turn that this process took last is used only now: the next one is its window later.
  void use(base::Instant now);

 private:
  std::filesystem::path file_;
  std::optional<base::Instant> waiting_;  // for another process to let go of the file
};

}  // namespace failover::client
