#include "engine/run/cleanup.h"

#include <unistd.h>

#include "engine/base/text.h"
#include "engine/run/ledger.h"
#include "tools/cli/parts/commands.h"
#include "tools/cli/parts/expired.h"
#include "tools/cli/parts/output.h"
#include "tools/cli/parts/reaper.h"
#include "tools/cli/parts/recovery.h"
#include "tools/cli/parts/rota.h"
#include "tools/cli/parts/runs.h"
#include "tools/cli/parts/signals.h"

namespace failover::cli {
namespace {

namespace fs = std::filesystem;

// The runs that the command is about, and the exit code of what was wrong with finding them.
struct Chosen {
  std::vector<std::string> ids;
  int code = passed;
};

Chosen choose(const fs::path& runs, const std::string& wanted) {
  if (!wanted.empty()) {
    auto id = find_run(runs, wanted);
    if (!id) return {{}, complain(id.error(), is_unread(id.error()) ? may_be_held : usage)};
    return {{*id}};
  }
  Chosen out;
  auto found = find_runs(runs);
  for (const auto& error : found.unread) out.code = complain(error, may_be_held);
  out.ids = std::move(found.ids);
  return out;
}

std::string describe(const run::Entry& entry) {
  if (!entry.held.id.empty()) return entry.held.kind + " " + entry.held.id + " (" + entry.held.name + ")";
  return entry.held.kind + " " + entry.held.name +
         (entry.denied ? " (refused, and not looked for to the end)" : " (its creation was never answered)");
}

int list_held(const std::string& id, const std::vector<event::Event>& events) {
  const auto open = held_by(events);
  say_line("run " + id + ": " + std::to_string(open.size()) + " to give back");
  for (const auto& entry : open) say_line("  " + describe(entry));
  return passed;
}

// One run of the list; what is fine already is passed over in silence unless it was named.
int visit(const fs::path& folder, const CleanupCommand& command, const Environment& environment, const Signals& signals,
          bool& did_something) {
  const std::string id = folder.filename().string();
  const auto reading = event::read_journal(folder);
  if (!reading) {
    did_something = true;
    return complain(unreadable(folder, reading.error()), may_be_held);
  }
  if (!is_unfinished(reading->events)) return passed;
  if (reading->locked && in_recovery(folder)) {
    did_something = true;
    if (command.dry_run) return list_held(id, reading->events);
    note("run " + id + ": another process gives back what it holds; waiting for it");
    if (!wait_until_free(folder, signals.first())) {
      for (const auto& entry : held_by(reading->events)) note("may still be held: " + describe(entry));
      return may_be_held;
    }
    const auto after = event::read_journal(folder);
    if (after && !after->locked && !is_unfinished(after->events)) {
      say_line("run " + id + ": given back");
      return passed;
    }
    return visit(folder, command, environment, signals, did_something);
  }
  if (reading->locked) {
    did_something = true;
    if (command.run.empty()) {
      note("run " + id + " is still going on; left alone");
      return passed;
    }
    return complain("run " + id + " is still going on", "stop it first (Ctrl-C), it cleans up after itself",
                    world_failed);
  }
  did_something = true;
  if (command.dry_run) return list_held(id, reading->events);
  // Another process that took it over in this moment is waited for in the next round.
  const auto code = recover(folder, environment, signals.first());
  return code ? *code : visit(folder, command, environment, signals, did_something);
}

}  // namespace

int cleanup(const CleanupCommand& command, const Environment& environment) {
  const Signals signals;
  auto place = command.runs_dir.empty() ? home(environment) : base::Result<fs::path>(command.runs_dir);
  // The labels need no folder.
  if (command.expired) {
    std::optional<fs::path> below;
    if (place) below = command.runs_dir.empty() ? *place / "runs" : *place;
    return cleanup_expired(below, command.dry_run, environment, signals.first());
  }
  if (!place) return complain(place.error(), usage);
  const fs::path runs = command.runs_dir.empty() ? *place / "runs" : *place;
  const Chosen chosen = choose(runs, command.run);
  int worst = chosen.code;
  bool did_something = false;
  // After a stop recover() waits for nobody and names what is left: whatever is unfinished counts as held.
  for (const auto& id : chosen.ids) {
    if (signals.first().stop_requested()) worst = worse(worst, interrupted);
    const int code = visit(runs / id, command, environment, signals, did_something);
    worst = worse(worst, code);
  }
  if (!did_something && chosen.code == passed) {
    say_line(command.run.empty() ? "no unfinished runs: nothing to give back"
                                 : "run " + chosen.ids.front() + " left nothing behind");
  }
  return worst;
}

}  // namespace failover::cli
