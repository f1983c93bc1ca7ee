#include "tools/cli/parts/recovery.h"

#include <unistd.h>

#include <algorithm>
#include <set>

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

// A clock that was set by hand, from a battery or in another time zone is seldom further off.
constexpr base::Duration kDoubtOfAnotherClock = 24h;

std::string first_finish(const std::vector<event::Event>& events) {
  for (const auto& event : events) {
    if (event.type == type::run_finished) return event.text("verdict");
  }
  return "interrupted";
}

// Of a run that had given everything back, and has kept something that is past its time now: as it ended.
int code_after(const std::vector<event::Event>& past, bool clean) {
  if (!clean) return may_be_held;
  int code = interrupted;
  bool lapsed = false;
  for (const auto& event : past) {
    lapsed = lapsed || event.type == type::lapsed;
    if (event.type == type::run_finished && event.integer("exit_code") != may_be_held)
      code = event.integer("exit_code");
  }
  return lapsed ? code : static_cast<int>(interrupted);
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

base::Error other_account(const Origin& origin, const std::string& provider) {
  return {base::Fault::auth, "other_account",
          "run " + origin.id + " used another account at " + (provider == "vast" ? "Vast.ai" : "B2") +
              " than the key in the environment",
          provider == "vast" ? "set VAST_API_KEY as it was for that run"
                             : "set B2_KEY_ID and B2_APPLICATION_KEY as they were for that run"};
}

// What belongs to an account of which there is no key here is not touched: its absence there would prove nothing.
std::set<std::string> bar(plugin::Registry& registry, const Origin& origin, const client::Settings& settings) {
  std::set<std::string> out;
  for (auto& kind : registry.kinds) {
    const std::string provider = provider_of(kind.name);
    if (same_account(origin, settings, provider)) continue;
    out.insert(kind.name);
    const base::Error error = other_account(origin, provider);
    kind.undo = [error](const auto&, const auto&) -> base::Result<void> { return error; };
    kind.hurry = nullptr;
    if (kind.find) kind.find = [error](const auto&) -> base::Result<plugin::Found> { return error; };
    kind.charges = nullptr;
  }
  return out;
}

// For how long after it was sent a request may still take effect, of any kind of thing.
base::Duration longest_settle(const plugin::Registry& registry, const std::optional<base::Duration>& shortened) {
  base::Duration out{0};
  for (const auto& kind : registry.kinds) out = std::max(out, kind.settle);
  return std::min(out, shortened.value_or(out));
}

run::CleanupResult give_back(event::Stream& stream, run::Ledger& ledger, const Origin& origin, Company& company,
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
  options.barred = bar(company.registry, origin, settings);
  options.settle = settle_of(environment, settings);
  options.doubt = recovery.doubt;
  options.patience = recovery.patience;
  options.watch = recovery.watch;
  if (all_loopback(settings)) {
    // A simulated world on this machine ends with the program that plays it; nobody waits for that for a day, and for
    // what may yet come there little longer than it may come.
    options.patience = std::min<base::Duration>(recovery.patience, 2min);
    options.watch = std::min(recovery.watch, longest_settle(company.registry, options.settle) + recovery.doubt + 30s);
  }
  options.say = [](const std::string& line) { note(line); };
  return run::clean_up(shared, options, stop);
}

void say(const run::Leftover& left) {
  note("still held: " + left.kind + " " + (left.id.empty() ? left.name : left.id + " (" + left.name + ")") + ": " +
       left.why);
  if (!left.by_hand.empty()) note("  by hand: " + left.by_hand);
}

// Nobody here can act for the run: what it holds is named all the same.
int refuse(const Origin& origin, const std::vector<run::Entry>& held, const base::Error& why) {
  const Company company = rehearse();
  for (const auto& entry : held) {
    say({entry.held.kind, entry.held.name, entry.held.id, other_account(origin, provider_of(entry.held.kind)).message,
         run::by_hand(company.registry, entry.held)});
  }
  return complain(why, may_be_held);
}

}  // namespace

std::vector<run::Entry> held_by(const std::vector<event::Event>& events) {
  run::Ledger ledger;
  for (const auto& event : events) ledger.on(event);
  auto out = ledger.open();
  for (auto& entry : ledger.doubted()) {
    if (entry.state == run::State::refused) out.push_back(std::move(entry));
  }
  return out;
}

Origin origin_of(const event::Event& begun) {
  Origin out{begun.text("run_id"), begun.text("scenario"), begun.text("target"), {}, "", ""};
  if (const auto* accounts = begun["accounts"].map()) {
    for (const auto& [provider, mark] : *accounts) {
      if (mark.text() != nullptr) out.accounts.emplace(provider, *mark.text());
    }
  }
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

bool same_account(const Origin& origin, const client::Settings& settings, const std::string& provider) {
  const auto here = accounts_of(settings);
  const auto mine = here.find(provider);
  const auto theirs = origin.accounts.find(provider);
  return mine != here.end() && theirs != origin.accounts.end() && mine->second == theirs->second;
}

base::Result<Company> hire_for(const Origin& origin, const Environment& environment,
                               const std::vector<run::Entry>& held) {
  const auto settings = settings_from(environment);
  const bool able = std::any_of(held.begin(), held.end(), [&](const run::Entry& entry) {
    return same_account(origin, settings, provider_of(entry.held.kind));
  });
  if (!held.empty() && !able) return other_account(origin, provider_of(held.front().held.kind));
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

std::optional<int> recover(const event::Place& place, const Environment& caller, const std::stop_token& stop,
                           const RecoverOptions& options) {
  const auto& folder = place.folder;
  // Who cannot act for the run's account leaves its journal as it is: no record, no cut of a torn end.
  const auto reading = event::read_journal(place);
  if (!reading) return complain(unreadable(folder, reading.error()), may_be_held);
  if (reading->locked) return std::nullopt;
  // Somebody else may have finished it a moment ago.
  if (!is_unfinished(reading->events)) return passed;
  const Origin origin = origin_of(reading->events.front());
  const Environment environment = at_endpoints(caller, origin);
  Company company;
  if (origin.target != "sandbox") {
    const auto held = held_by(reading->events);
    auto hired = hire_for(origin, environment, held);
    if (!hired) return refuse(origin, held, hired.error());
    company = *std::move(hired);
  }
  auto journal = event::Journal::reopen(place, event::Journal::Access::any);
  if (!journal && journal.error().code == "locked") return std::nullopt;
  if (!journal) return complain(unreadable(folder, journal.error()), may_be_held);
  const auto& past = (*journal)->past();
  if (!is_unfinished(past)) return passed;
  if (const auto& why = (*journal)->unwritable())
    note("what is given back is not written down, and is looked for again next time: " + why->line());
  base::SystemClock clock;
  base::Redactor redactor;
  hide_secrets(redactor, environment, company.settings, {});
  event::Stream stream(clock, redactor);
  const auto age = passed_since(past.front(), boot_name(), base::since_boot());
  stream.attach(journal->get(), past, age);
  run::Ledger ledger;
  report::Folder folded;
  for (const auto& event : past) {
    ledger.on(event);
    folded.on(event);
  }
  stream.subscribe(ledger);
  stream.subscribe(folded);
  RecoverOptions act = options;
  if (!age) act.doubt = kDoubtOfAnotherClock;
  (void)stream.emit(type::recovery, {{"by", options.by}, {"pid", static_cast<std::int64_t>(::getpid())}}, true);
  note("run " + origin.id + " (" + origin.scenario + ", " + origin.target + "): giving back " +
       std::to_string(ledger.open().size()));
  const auto result = origin.target == "sandbox"
                          ? bury(stream, ledger)
                          : give_back(stream, ledger, origin, company, environment, clock, act, stop);
  const bool clean = result.left.empty();
  (void)stream.emit(type::run_finished, {{"verdict", first_finish(past)}, {"exit_code", code_after(past, clean)}},
                    true);
  if (auto written = write_report(folder, folded); !written) complain(written.error(), world_failed);
  for (const auto& left : result.left) say(left);
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
  // After a stop recover() waits for nobody, names what is left, and the reaper has it all the same.
  for (const auto& id : found.ids) {
    const auto reading = event::read_journal(runs / id);
    if (!reading) {
      complain(unreadable(runs / id, reading.error()), may_be_held);
      held = true;
      continue;
    }
    if (reading->locked || !is_unfinished(reading->events)) continue;
    const Origin origin = origin_of(beginning_of(reading->events));
    if (origin.target != "sandbox" &&
        !hire_for(origin, at_endpoints(environment, origin), held_by(reading->events)).ok()) {
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
