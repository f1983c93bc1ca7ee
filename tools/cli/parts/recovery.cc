#include "tools/cli/parts/recovery.h"

#include "engine/event/journal.h"
#include "engine/run/cleanup.h"
#include "tools/cli/parts/output.h"
#include "tools/cli/parts/record.h"
#include "tools/cli/parts/stage.h"

namespace failover::cli {
namespace {

namespace type = event::type;
using base::Value;

struct Origin {
  std::string id;
  std::string scenario;
  std::string target;
  std::string account;
  std::string vast;
  std::string b2;
};

Origin origin_of(const event::Event& begun) {
  Origin out{begun.text("run_id"), begun.text("scenario"), begun.text("target"), begun.text("account"), "", ""};
  const Value& endpoints = begun["endpoints"];
  if (const Value* vast = endpoints.find("vast"); vast != nullptr && vast->text() != nullptr) out.vast = *vast->text();
  if (const Value* b2 = endpoints.find("b2"); b2 != nullptr && b2->text() != nullptr) out.b2 = *b2->text();
  return out;
}

// The caller's keys at the journal's endpoints.
Environment at_endpoints(Environment environment, const Origin& origin) {
  if (!origin.vast.empty()) environment.insert_or_assign("VAST_API_URL", origin.vast);
  if (!origin.b2.empty()) environment.insert_or_assign("B2_ENDPOINT", origin.b2);
  return environment;
}

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

base::Result<run::CleanupResult> give_back(event::Stream& stream, run::Ledger& ledger, const Origin& origin,
                                           const Environment& environment, base::Redactor& redactor, base::Clock& clock,
                                           const std::stop_token& stop) {
  auto company = hire(environment, {});
  if (!company) return std::move(company).error();
  const auto& settings = company->settings;
  hide_secrets(redactor, environment, settings, {});
  const auto missing_key = settings.vast_key.empty() && settings.b2_key.empty();
  if (missing_key || (!origin.account.empty() && account_of(settings) != origin.account)) {
    return base::Error{base::Fault::auth, "other_account",
                       "the run used another account than the keys in the environment",
                       "set VAST_API_KEY, B2_KEY_ID and B2_APPLICATION_KEY as they were for that run"};
  }
  run::Shared shared{stream,
                     ledger,
                     company->registry,
                     clock,
                     {origin.id, origin.scenario, origin.target},
                     {},
                     label_key(environment, settings)};
  run::CleanupOptions options;
  options.settle = settle_of(environment, settings);
  // Nothing waits behind this command: it stays until everything is proven gone or somebody stops it.
  options.patience = std::chrono::hours(24);
  options.watch = std::chrono::hours(1);
  options.say = [](const std::string& line) { note(line); };
  return run::clean_up(shared, options, stop);
}

}  // namespace

int recover(const std::filesystem::path& folder, const Environment& environment, const std::stop_token& stop) {
  auto journal = event::Journal::reopen(folder);
  if (!journal) return complain(journal.error(), may_be_held);
  const auto& past = (*journal)->past();
  const Origin origin = origin_of(past.front());
  base::SystemClock clock;
  base::Redactor redactor;
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
  note("run " + origin.id + " (" + origin.scenario + ", " + origin.target + "): giving back " +
       std::to_string(ledger.open().size()));
  const auto result = origin.target == "sandbox"
                          ? base::Result<run::CleanupResult>(bury(stream, ledger))
                          : give_back(stream, ledger, origin, at_endpoints(environment, origin), redactor, clock, stop);
  if (!result) return complain(result.error(), ledger.open().empty() ? world_failed : may_be_held);
  const bool clean = result->left.empty();
  (void)stream.emit(
      type::run_finished,
      {{"verdict", first_finish(past)}, {"exit_code", static_cast<int>(clean ? interrupted : may_be_held)}}, true);
  if (auto written = write_report(folder, folded); !written) complain(written.error(), world_failed);
  for (const auto& left : result->left) {
    note("still held: " + left.kind + " " + (left.id.empty() ? left.name : left.id + " (" + left.name + ")") + ": " +
         left.why);
  }
  say_line("run " + origin.id + ": " + std::to_string(result->released) + " of " + std::to_string(result->attempted) +
           " given back");
  return clean ? passed : may_be_held;
}

}  // namespace failover::cli
