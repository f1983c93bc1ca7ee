// Runs a plan: steps in order, each with its deadline, retries and assertions; then what `finally` says; then
// everything that was made is given back. What happens is told as events and nothing else.
#pragma once

#include <map>
#include <optional>
#include <stop_token>
#include <string>

#include "engine/base/crew.h"
#include "engine/base/error.h"
#include "engine/plan/plan.h"
#include "engine/run/cleanup.h"
#include "engine/run/host.h"

namespace failover::run {

struct Options {
  base::Value::Map inputs;                         // resolved
  std::map<std::string, std::string> environment;  // the scenario's declared names, all of them set
  plan::Limits limits;
  std::map<std::string, base::Duration> objectives;
  plan::Past past{};       // what the estimate in run_started rests on
  bool quick = false;      // stop after the preflight
  base::Value::Map about;  // goes into run_started as it is: target details, version, ...
  CleanupOptions cleanup;
  // With a stop the end of everything known is asked for at once, from the thread that asks for the stop, before the
  // steps have wound down. That thread may be inside a client's call, but must hold none of its locks.
  bool end_at_stop = false;
  base::Crew* crew = nullptr;  // who runs what is side by side; null: threads
  std::stop_token stop;        // ends the run, not the cleanup
  std::stop_token give_up;     // ends the cleanup too
};

struct Outcome {
  std::string verdict;  // `passed`, `failed`, `error`, `interrupted`
  int exit_code = 0;    // command-line.md, "exit codes"
  std::optional<base::Error> error;
  CleanupResult cleanup;
};

// `shared.stream` must have the ledger and the journal among its subscribers. Returns when everything is given back or
// the cleanup's patience has ended.
Outcome run(const plan::Plan& plan, Shared& shared, const Options& options);

// The exit code of a journey that ended with `error`; 0 without one.
int exit_code(const std::optional<base::Error>& error);

}  // namespace failover::run
