// The question before the first cent.
#pragma once

#include <stop_token>
#include <string>

namespace failover::cli {

// Asks on the terminal; true on `y` or `yes`. False without a terminal, at end of input and when stopped.
bool can_ask();
bool confirmed(const std::string& question, const std::stop_token& stop);

}  // namespace failover::cli
