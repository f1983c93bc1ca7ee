#include "tools/cli/parts/recovery.h"

#include <unistd.h>

#include <algorithm>

#include "engine/event/journal.h"
#include "engine/run/cleanup.h"
#include "tools/cli/parts/output.h"
#include "tools/cli/parts/reaper.h"
#include "tools/cli/parts/record.h"
#include "tools/cli/parts/runs.h"
#include "tools/cli/parts/stage.h"
#include "tools/cli/parts/uptime.h"

namespace failover::cli {
namespace {

namespace type = event::type;
using base::Value;
using namespace std::chrono_literals;

std::string first_finish(const std::vector<event::Event>& events) {
  for (const auto& event : events) {
    if (event.type == type::run_finished) return event.text("verdict");
  }
  return "interrupted";
}

// The built-in sandbox lives inside the run's own process: with it went everything that was rented there.
run::CleanupResult bury(event::Stream& stream, run::Ledger& ledger) {
  run::CleanupResult result;
  const auto open = ledger.open();
  result.attempted = static_cast<int>(open.size());
  (void)stream.emit(type::cleanup_started, {{"attempted", result.attempted}}, true);
  for (const auto& entry : open) {
    (void)stream.emit(type::released,
                      {{"name", entry.held.name},
                       {"kind", entry.held.kind},
                       {"id", entry.held.id},
                       {"why", "the sandbox ended with the process that ran it"}},
                      true);
    ++result.released;
  }
  (void)stream.emit(type::cleanup_finished,
                    {{"attempted", result.attempted},
                     {"released", result.released},
                     {"left", Value(Value::List{})},
                     {"duration_s", 0.0}},
                    true);
  return result;
}

run::CleanupResult give_back(event::Stream& stream, run::Ledger& ledger, const Origin& origin, const Company& company,
                             const Environment& environment, base::Clock& clock, const RecoverOptions& recovery,
                             const std::stop_token& stop) {
  const auto& settings = company.settings;
  run::Shared shared{stream,
                     ledger,
                     company.registry,
                     clock,
                     {origin.id, origin.scenario, origin.target},
                     {},
                     label_key(environment, settings)};
  run::CleanupOptions options;
  options.settle = settle_of(environment, settings);
  options.ahead = recovery.ahead;
  // A simulated world on this machine ends with the program that plays it; nobody waits for that for a day.
  const base::Duration longest = all_loopback(settings) ? base::Duration(2min) : recovery.patience;
  options.patience = std::min(recovery.patience, longest);
  options.watch = recovery.watch;
  options.say = [](const std::string& line) { note(line); };
  return run::clean_up(shared, options, stop);
}

bool holds_something(const std::vector<event::Event>& events) {
  run::Ledger ledger;
  for (const auto& event : events) ledger.on(event);
  return !ledger.open().empty();
}

}  // namespace

Origin origin_of(const event::Event& begun) {
  Origin out{begun.text("run_id"), begun.text("scenario"), begun.text("target"), begun.text("account"), "", ""};
  const Value& endpoints = begun["endpoints"];
  if (const Value* vast = endpoints.find("vast"); vast != nullptr && vast->text() != nullptr) out.vast = *vast->text();
  if (const Value* b2 = endpoints.find("b2"); b2 != nullptr && b2->text() != nullptr) out.b2 = *b2->text();
  return out;
}

Environment at_endpoints(Environment environment, const Origin& origin) {
  if (!origin.vast.empty()) environment.insert_or_assign("VAST_API_URL", origin.vast);
  if (!origin.b2.empty()) environment.insert_or_assign("B2_ENDPOINT", origin.b2);
  return environment;
}

bool is_its_account(const Origin& origin, const client::Settings& settings) {
  if (settings.vast_key.empty() && settings.b2_key.empty()) return false;
  return origin.account.empty() || account_of(settings) == origin.account;
}

base::Result<Company> hire_for(const Origin& origin, const Environment& environment) {
  if (!is_its_account(origin, settings_from(environment))) {
    return base::Error{base::Fault::auth, "other_account",
                       "run " + origin.id + " used another account than the keys in the environment",
                       "set VAST_API_KEY, B2_KEY_ID and B2_APPLICATION_KEY as they were for that run"};
  }
  return hire(environment, {});
}

base::Error unreadable(const std::filesystem::path& folder, base::Error error) {
  const std::string id = folder.filename().string();
  error.hint = "what run " + id + " may still hold is labelled failover-" + id.substr(id.rfind('-') + 1) +
               "-*: `failover cleanup --expired` gives it back once its deadline has passed, or end it by hand; then "
               "move " +
               folder.string() + " away" + (error.hint.empty() ? "" : "; " + error.hint);
  return error;
}

std::optional<int> recover(const std::filesystem::path& folder, const Environment& caller, const std::stop_token& stop,
                           const RecoverOptions& options) {
  // Who cannot act for the run's account leaves its journal as it is: no record, no cut of a torn end.
  const auto reading = event::read_journal(folder);
  if (!reading) return complain(unreadable(folder, reading.error()), may_be_held);
  if (reading->locked) return std::nullopt;
  // Somebody else may have finished it a moment ago.
  if (!is_unfinished(reading->events)) return passed;
  const Origin origin = origin_of(reading->events.front());
  const Environment environment = at_endpoints(caller, origin);
  Company company;
  if (origin.target != "sandbox") {
    auto hired = hire_for(origin, environment);
    if (!hired) return complain(hired.error(), holds_something(reading->events) ? may_be_held : world_failed);
    company = *std::move(hired);
  }
  auto journal = event::Journal::reopen(folder);
  if (!journal && journal.error().code == "locked") return std::nullopt;
  if (!journal) return complain(unreadable(folder, journal.error()), may_be_held);
  const auto& past = (*journal)->past();
  if (!is_unfinished(past)) return passed;
  base::SystemClock clock;
  base::Redactor redactor;
  hide_secrets(redactor, environment, company.settings, {});
  event::Stream stream(clock, redactor);
  stream.attach(journal->get(), past);
  run::Ledger ledger;
  report::Folder folded;
  for (const auto& event : past) {
    ledger.on(event);
    folded.on(event);
  }
  stream.subscribe(ledger);
  stream.subscribe(folded);
  RecoverOptions act = options;
  act.ahead = clock_ahead(past.front(), clock.wall(), boot_name(), uptime());
  (void)stream.emit(type::recovery, {{"by", options.by}, {"pid", static_cast<std::int64_t>(::getpid())}}, true);
  note("run " + origin.id + " (" + origin.scenario + ", " + origin.target + "): giving back " +
       std::to_string(ledger.open().size()));
  const auto result = origin.target == "sandbox"
                          ? bury(stream, ledger)
                          : give_back(stream, ledger, origin, company, environment, clock, act, stop);
  const bool clean = result.left.empty();
  (void)stream.emit(
      type::run_finished,
      {{"verdict", first_finish(past)}, {"exit_code", static_cast<int>(clean ? interrupted : may_be_held)}}, true);
  if (auto written = write_report(folder, folded); !written) complain(written.error(), world_failed);
  for (const auto& left : result.left) {
    note("still held: " + left.kind + " " + (left.id.empty() ? left.name : left.id + " (" + left.name + ")") + ": " +
         left.why);
    if (!left.by_hand.empty()) note("  by hand: " + left.by_hand);
  }
  const std::string line = "run " + origin.id + ": " + std::to_string(result.released) + " of " +
                           std::to_string(result.attempted) + " given back";
  // Beside a command's own output it is a note.
  options.by == "start" ? note(line) : say_line(line);
  return clean ? passed : may_be_held;
}

bool reconcile(const std::filesystem::path& runs, const Environment& environment, const std::stop_token& stop) {
  const auto found = find_runs(runs);
  for (const auto& error : found.unread) complain(error, may_be_held);
  bool held = !found.unread.empty();
  for (const auto& id : found.ids) {
    if (stop.stop_requested()) break;
    const auto reading = event::read_journal(runs / id);
    if (!reading) {
      complain(unreadable(runs / id, reading.error()), may_be_held);
      held = true;
      continue;
    }
    if (reading->locked || !is_unfinished(reading->events)) continue;
    const Origin origin = origin_of(beginning_of(reading->events));
    if (origin.target != "sandbox" && !is_its_account(origin, settings_from(environment))) {
      note("run " + id +
           " did not finish; `failover cleanup` with the keys of its account gives back what it may hold");
      held = true;
      continue;
    }
    const auto code = recover(runs / id, environment, stop, {"start", 30s, 0s});
    if (!code || *code == passed) continue;  // somebody else is at it, or it is done
    held = true;
    if (*code != may_be_held) continue;
    if (auto armed = arm_reaper(runs / id, environment); armed) {
      note("run " + id + ": a reaper goes on with it (process " + std::to_string(armed->process()) + ")");
    } else {
      note("run " + id + " may still hold something; `failover cleanup` goes on with it");
    }
  }
  return held;
}

}  // namespace failover::cli
