// The command line's own description, for shells and for man: functions of the declared options, never written by hand.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace failover::cli {

// For bash, zsh or fish; empty for any other word.
std::string completion(const CLI::App& app, const std::string& shell);
// failover(1), in roff.
std::string manual(const CLI::App& app, const std::string& version);

}  // namespace failover::cli
