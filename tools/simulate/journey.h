// One hostile journey: the real engine and the real steps in a simulated world, from its start to the moment when the
// world is at rest; then every invariant is held against the world's truth (leak-safety.md, "Invariants").
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/value.h"
#include "engine/plugin/registry.h"
#include "engine/scenario/model.h"
#include "tools/simulate/fate.h"
#include "tools/simulate/network.h"

namespace failover::simulate {

// A mistake put into the program on purpose: what a campaign must find. Tests alone have any.
struct Sabotage {
  std::function<void(plugin::Registry&)> steps;
  std::function<std::unique_ptr<client::Http>(std::unique_ptr<client::Http>)> vast;
};

// What is played. Shared by all journeys; immutable.
struct Play {
  std::shared_ptr<const scenario::Scenario> scenario;  // validated
  base::Value::Map inputs;                             // resolved
  Sabotage sabotage{};
  std::vector<std::string> machines{};  // inputs that each get the id of an instance which the account has already
  std::string folder{};                 // the input that names a folder of the runner's: each thread works in its own
  bool passes = false;                  // it has to pass where nothing goes wrong
};

struct Result {
  std::vector<std::string> violations;  // `I1: ...`; empty: all invariants hold
  Cells cells;
  int calls = 0;       // to the outside, in the run's own life
  int records = 0;     // of the journal, in the run's own life
  int recoveries = 0;  // lives after the first
  std::string verdict;
  int exit_code = -1;  // -1: the runner died
  base::Duration took{0};
  int recovered = 0;        // records of the journal in the first recovery's life
  int recovered_calls = 0;  // to the outside, in it
  // How long after the world healed the end of the last of our machines was asked for; nullopt: none stood there.
  std::optional<base::Duration> quiet{};
  std::string journal;
};

// A pure function of its arguments: the same script gives the same journal, byte by byte. `trace` gets one line a call.
Result journey(const Play& play, const Script& script, const std::function<void(const std::string&)>& trace = {});

// Why it does not pass where nothing goes wrong, in a quick world or in a slow one; nullopt: it does.
std::optional<std::string> fails_when_calm(const Play& play);

}  // namespace failover::simulate
