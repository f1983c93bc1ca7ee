// What the past runs of this home say, read from their journals: for estimates and for `failover runs`. Offline,
// bounded in runs and bytes. Runs on different target kinds are never mixed, and nothing but figures is kept of another
// scenario.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "engine/plan/plan.h"
#include "engine/report/history.h"
#include "tools/cli/parts/prepare.h"

namespace failover::cli {

struct PastBounds {
  std::size_t runs = 1000;              // journals that are read whole
  std::size_t bytes = 256U << 20;       // of them together
  std::size_t one_journal = 16U << 20;  // bytes; a larger one is left out
};

// How the reading went.
struct PastRead {
  std::size_t read = 0;
  std::size_t damaged = 0;          // altered or unreadable: nothing of it is used
  std::size_t left_out = 0;         // beyond the bounds
  std::vector<base::Error> unread;  // where other runs may be
};

// Does a run that began like this count? Asked before the rest of its journal is read.
using PastFilter = std::function<bool(const event::Event& beginning)>;
using PastVisit = std::function<void(const event::Event& beginning, const report::Report& report)>;
// Newest first.
PastRead read_past(const std::filesystem::path& runs, const PastBounds& bounds, const PastFilter& wanted,
                   const PastVisit& visit);

// The history of one target kind for one scenario's estimates: its own last runs, and a few of others for the figures
// that it has none of.
class Past {
 public:
  // `runs` may be absent: no history.
  Past(const std::filesystem::path& runs, const std::string& target);
  // `inputs` tell runs like this one from others of the scenario.
  [[nodiscard]] plan::Past of(const scenario::Scenario& scenario, const base::Value::Map& inputs) const;

 private:
  struct Run {
    event::Event beginning;
    report::Report report;
  };
  std::string target_;
  std::vector<Run> runs_;  // newest first
};

// Where runs are kept unless told otherwise; empty when no home can be found.
std::filesystem::path default_runs(const Environment& environment);

}  // namespace failover::cli
