#include "tools/cli/parts/expired.h"

#include <unistd.h>

#include <algorithm>

#include "engine/base/text.h"
#include "engine/event/journal.h"
#include "engine/run/expired.h"
#include "tools/cli/parts/bystander.h"
#include "tools/cli/parts/output.h"
#include "tools/cli/parts/recovery.h"
#include "tools/cli/parts/rota.h"
#include "tools/cli/parts/runs.h"
#include "tools/cli/parts/stage.h"
#include "tools/cli/parts/uptime.h"

namespace failover::cli {
namespace {

namespace fs = std::filesystem;

using namespace std::chrono_literals;

std::string describe(const run::Sighting& seen) {
  // A stranger's label may hold anything.
  std::string thing = seen.held.kind + " " + seen.held.id + " (" + base::printable(seen.held.name, 80) + ")";
  switch (seen.standing) {
    case run::Standing::expired: return thing + ": expired " + base::format_utc(seen.label->deadline);
    case run::Standing::in_time:
      return thing + ": left alone, its run has until " + base::format_utc(seen.label->deadline);
    case run::Standing::alien: return thing + ": left alone, not signed by this key";
  }
  return thing;
}

}  // namespace

namespace {

// By label, at the environment's own account.
int give_back_labelled(bool dry_run, const Environment& environment, const std::stop_token& stop) {
  auto company = hire(environment, {});
  if (!company) return complain(company.error(), usage);
  const auto key = label_key(environment, company->settings);
  if (company->settings.vast_key.empty()) {
    return complain("there is no account to look into: VAST_API_KEY is not set",
                    "set it; and FAILOVER_LABEL_KEY, if runs use one", usage);
  }
  base::SystemClock clock;
  Bystander host("expired");
  const auto [seen, unlisted] =
      run::survey(company->registry, key, host, base::Patience(clock, clock.now() + 5min, stop));
  for (const auto& one : seen) say_line(describe(one));
  // There may be something where nobody could look.
  int code = passed;
  for (const auto& error : unlisted) code = complain(error, may_be_held);
  const auto expired =
      std::count_if(seen.begin(), seen.end(), [](const auto& one) { return one.standing == run::Standing::expired; });
  if (expired == 0)
    say_line(code == passed ? "nothing is past its deadline" : "nothing that was seen is past its deadline");
  if (dry_run || expired == 0) return code;

  base::Redactor redactor;
  hide_secrets(redactor, environment, company->settings, {});
  event::Stream stream(clock, redactor);
  run::Ledger ledger;
  stream.subscribe(ledger);
  run::Shared shared{stream, ledger, company->registry, clock, {"expired", "cleanup --expired", "live"}, {}, key};
  run::CleanupOptions options;
  options.patience = all_loopback(company->settings) ? base::Duration(2min) : base::Duration(1h);
  options.say = [](const std::string& line) { note(line); };
  const auto result = run::clean_up_expired(shared, seen, options, stop);
  for (const auto& left : result.left) {
    note("still held: " + left.kind + " " + left.id + " (" + left.name + "): " + left.why);
    if (!left.by_hand.empty()) note("  by hand: " + left.by_hand);
  }
  say_line(std::to_string(result.released) + " of " + std::to_string(result.attempted) + " given back");
  return result.left.empty() ? code : may_be_held;
}

// What is kept and past its time by the clock here.
std::vector<run::Entry> lapsed_of(const std::vector<event::Event>& events, base::WallTime now) {
  run::Ledger ledger;
  for (const auto& event : events) ledger.on(event);
  auto out = ledger.kept();
  std::erase_if(out, [&](const run::Entry& entry) { return !entry.kept_until || *entry.kept_until > now; });
  return out;
}

// Where there is no key for one of their accounts nothing is let go: it would stay open for ever.
base::Result<void> can_act(const Origin& origin, const Environment& environment,
                           const std::vector<run::Entry>& entries) {
  for (const auto& entry : entries) {
    if (auto able = hire_for(origin, environment, {entry}); !able) return std::move(able).error();
  }
  return {};
}

// Written down first: whoever goes on with this run from now on gives it back.
base::Result<void> let_go(const fs::path& folder, base::Clock& clock) {
  const auto journal = event::Journal::reopen(folder);
  if (!journal) return journal.error();
  const auto& past = (*journal)->past();
  base::Redactor redactor;
  event::Stream stream(clock, redactor);
  stream.attach(journal->get(), past, passed_since(past.front(), boot_name(), base::since_boot()));
  const auto lapsed = lapsed_of(past, clock.wall());
  if (lapsed.empty()) return {};  // somebody else was quicker
  auto taken = stream.emit(event::type::recovery,
                           {{"by", std::string("cleanup")}, {"pid", static_cast<std::int64_t>(::getpid())}}, true);
  if (!taken) return taken;
  for (const auto& entry : lapsed) {
    auto written = stream.emit(event::type::lapsed,
                               {{"name", entry.held.name}, {"kind", entry.held.kind}, {"id", entry.held.id}}, true);
    if (!written) return written;
  }
  return {};
}

int give_back_kept(const fs::path& folder, bool dry_run, const Environment& environment, const std::stop_token& stop) {
  const auto reading = event::read_journal(folder);
  if (!reading) return complain(unreadable(folder, reading.error()), may_be_held);
  // The built-in sandbox went with its process.
  const Origin origin = origin_of(beginning_of(reading->events));
  if (reading->locked || is_unfinished(reading->events) || origin.target == "sandbox") return passed;
  base::SystemClock clock;
  const auto lapsed = lapsed_of(reading->events, clock.wall());
  if (lapsed.empty()) return passed;
  for (const auto& entry : lapsed) {
    say_line(entry.held.kind + " " + entry.held.id + ": kept by run " + origin.id + " until " +
             base::format_utc(*entry.kept_until));
  }
  if (dry_run) return passed;
  if (auto able = can_act(origin, at_endpoints(environment, origin), lapsed); !able)
    return complain(able.error(), may_be_held);
  if (auto written = let_go(folder, clock); !written) {
    if (written.error().code == "locked") return passed;  // somebody else is at it
    return complain(written.error(), may_be_held);
  }
  return recover(folder, environment, stop, {"cleanup", 1h, 1h}).value_or(passed);
}

}  // namespace

int cleanup_expired(const std::optional<fs::path>& runs, bool dry_run, const Environment& environment,
                    const std::stop_token& stop) {
  int code = give_back_labelled(dry_run, environment, stop);
  if (!runs) {
    note("there is no place for journals here: what runs have kept is not looked for");
    return code;
  }
  const auto found = find_runs(*runs);
  for (const auto& error : found.unread) code = worse(code, complain(error, may_be_held));
  for (const auto& id : found.ids) {
    if (stop.stop_requested()) return worse(code, interrupted);
    code = worse(code, give_back_kept(*runs / id, dry_run, environment, stop));
  }
  return code;
}

}  // namespace failover::cli
