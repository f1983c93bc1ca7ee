// Finishing a run that ended without cleaning up, from its journal alone.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/event/event.h"
#include "engine/event/journal.h"
#include "engine/run/ledger.h"
#include "tools/cli/parts/company.h"
#include "tools/cli/parts/settings.h"

namespace failover::cli {

// Where a run took place, as its journal says.
struct Origin {
  std::string id;
  std::string scenario;
  std::string target;
  std::map<std::string, std::string> accounts;  // accounts_of() the run's settings
  std::string vast;
  std::string b2;
};
Origin origin_of(const event::Event& begun);
// The caller's keys at the journal's endpoints.
Environment at_endpoints(Environment environment, const Origin& origin);
// Are these the keys with which the run worked at this provider, at its endpoint?
bool same_account(const Origin& origin, const client::Settings& settings, const std::string& provider);
// Who can act for the run, at least for some of what it `held`; nothing needs nobody. Error{auth}: the keys in the
// environment are other accounts'.
base::Result<Company> hire_for(const Origin& origin, const Environment& environment,
                               const std::vector<run::Entry>& held);

// What the run of these events may hold, newest first; then what was refused and may have been made all the same.
std::vector<run::Entry> held_by(const std::vector<event::Event>& events);

struct RecoverOptions {
  std::string by = "cleanup";                        // who: cleanup, reaper, start; for the journal
  base::Duration patience = std::chrono::hours(24);  // for things known to exist
  base::Duration watch = std::chrono::hours(1);      // for things that may yet come to exist
  base::Duration doubt{0};                           // CleanupOptions::doubt; recover() finds it out
};

// Gives back everything that the journal at `place` leaves open, journals it, writes report.json again. Target and
// endpoints are the journal's; the keys are the environment's. What is held with another account's key is named and
// left as it is, and so is the journal when that is everything. The exit code; nullopt when another process writes the
// journal (there is one writer at a time). A journal that cannot be written is acted on all the same.
std::optional<int> recover(const event::Place& place, const Environment& environment, const std::stop_token& stop,
                           const RecoverOptions& options = {});

// Why the journal in `folder` cannot be read, and what to do about what its run may hold.
base::Error unreadable(const std::filesystem::path& folder, base::Error error);

// What every `run` does first: gives back, in bounded time, what dead runs below `runs` left behind, and says so. What
// it cannot end within that time, or before a stop, goes to a reaper. May something still be held?
bool reconcile(const std::filesystem::path& runs, const Environment& environment, const std::stop_token& stop);

}  // namespace failover::cli
