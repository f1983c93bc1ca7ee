// The faults that a sandbox can play, by name. Each counts down; a count of -1 lasts until it is disarmed.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"

namespace failover::sandbox {

struct FaultDescription {
  std::string name;
  std::string summary;  // one line
  int count = 1;        // how often it is played unless told; -1: for as long as the sandbox lives
};
// In the order of help.
const std::vector<FaultDescription>& fault_catalogue();

// What is armed now. Not thread-safe: the world's lock guards it.
class Faults {
 public:
  // `name` or `name:count`; Error{invalid} for a name that is not in the catalogue, with the nearest one as hint.
  base::Result<void> arm(std::string_view text);
  // count 0 disarms.
  base::Result<void> arm(std::string_view name, int count);
  [[nodiscard]] bool armed(std::string_view name) const;
  // Plays it once: true, and one fewer is left, when it is armed.
  bool take(std::string_view name);
  // How often each was played.
  [[nodiscard]] const std::map<std::string, int>& played() const { return played_; }

 private:
  std::map<std::string, int, std::less<>> left_;
  std::map<std::string, int> played_;
};

}  // namespace failover::sandbox
