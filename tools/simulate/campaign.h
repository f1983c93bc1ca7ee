// Many journeys, by seed or one for each point at which something can go wrong.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tools/simulate/journey.h"

namespace failover::simulate {

struct Finding {
  Script script;
  std::vector<std::string> violations;
  std::uint64_t number = 0;  // plays it again: the seed, or which of the scripts it was, from 1
};

struct Tally {
  std::uint64_t journeys = 0;
  std::uint64_t passed = 0;      // the run itself passed
  std::uint64_t deaths = 0;      // the runner died at least once
  std::uint64_t recoveries = 0;  // lives after the first
  std::uint64_t calls = 0;
  base::Duration simulated{0};
  std::map<std::int64_t, std::uint64_t> quiet;  // seconds from healing to the last destroy (I8), with how many journeys
  Cells cells;
  std::vector<Finding> findings;  // at most kMostFindings, the smallest seeds first
  std::uint64_t violated = 0;     // journeys
  static constexpr std::size_t kMostFindings = 20;

  void add(const Script& script, const Result& result, std::uint64_t number);
  void add(const Tally& other);
  // The seconds that so many per cent of the journeys with a machine to end did not need more than; nullopt: there is
  // none.
  [[nodiscard]] std::optional<std::int64_t> quiet_within(double per_cent) const;
};

// Journeys of the seeds [first, first + count), `jobs` side by side. `fail_fast`: none begins after the first
// violation.
Tally swarm(const Play& play, std::uint64_t first, std::uint64_t count, unsigned jobs, bool fail_fast = false);

// Every journal point x {before, torn, lost, durable} x {kill, power cut}, and an error of the disk from there on;
// every outside call x every fault of a call x {once, from then on}; a death before and after each call's effect; a
// stop before each call, once and twice.
std::vector<Script> every_point(const Play& play);
// Each death at a journal record of the run with each death at a record of the recovery after it, and with a death
// before and after the effect of each of its calls; of the run's records every `stride`-th.
std::vector<Script> every_pair(const Play& play, int stride = 1);
Tally run_all(const Play& play, const std::vector<Script>& scripts, unsigned jobs);

// With less: fewer faults, deaths and stops, as long as one of the promises that `script` breaks is still broken.
Script shrink(const Play& play, Script script);

}  // namespace failover::simulate
