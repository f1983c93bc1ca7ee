// `failover simulate`: hostile journeys on virtual time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/cli/parts/settings.h"

namespace failover::cli {

struct SimulateOptions {
  std::string name;
  std::vector<std::pair<std::string, std::string>> inputs;
  std::vector<std::string> machines;  // inputs that are ids of instances which the account has already
  std::string folder;                 // the input that names a folder of the runner's
  std::uint64_t seeds = 1000;
  std::uint64_t first = 1;
  std::optional<std::uint64_t> replay;
  bool shrink = false;
  bool every_point = false;
  bool every_pair = false;
  int stride = 1;  // with every_pair: of the run's records each so many-th
  bool fail_fast = false;
  bool may_fail = false;  // it need not pass where nothing goes wrong
  bool require_cells = false;
  unsigned jobs = 0;  // 0: one for each core
};
// 0: no violation; 1: a violation, or with require_cells an unreached cell; 2: cannot be played.
int simulate(const SimulateOptions& options, const Environment& environment);

}  // namespace failover::cli
