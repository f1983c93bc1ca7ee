#include "tools/cli/parts/journey.h"

#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "engine/base/digest.h"
#include "engine/base/text.h"
#include "engine/event/journal.h"
#include "engine/report/console.h"
#include "engine/report/text.h"
#include "engine/run/charges.h"
#include "engine/run/runner.h"
#include "tools/cli/parts/log.h"
#include "tools/cli/parts/output.h"
#include "tools/cli/parts/reaper.h"
#include "tools/cli/parts/record.h"
#include "tools/cli/parts/uptime.h"

namespace failover::cli {
namespace {

using base::Value;

constexpr base::Duration kForCharges = std::chrono::seconds(10);

// Where the consoles' different needs end: one subscriber, and a clock tick for the one that moves.
class Console {
 public:
  Console(const std::string& kind, base::Clock& clock) : clock_(clock) {
    const auto sink = [](std::string_view text) { say(text); };
    if (kind == "json") {
      subscriber_ = std::make_unique<report::JsonConsole>(sink);
    } else if (kind == "pretty") {
      const Terminal seen = terminal();
      auto pretty = std::make_unique<report::PrettyConsole>(
          report::PrettyConsole::Options{.width = seen.width, .color = seen.color, .unicode = seen.unicode}, sink);
      pretty_ = pretty.get();
      subscriber_ = std::move(pretty);
      ticker_ = std::jthread([this](const std::stop_token& stop) { tick(stop); });
    } else {
      subscriber_ = std::make_unique<report::PlainConsole>(sink);
    }
  }
  event::Subscriber& subscriber() { return *subscriber_; }
  void end() {
    if (!ticker_.joinable()) return;
    ticker_.request_stop();
    ticker_.join();
  }

 private:
  void tick(const std::stop_token& stop) {
    using namespace std::chrono_literals;
    while (clock_.sleep_until(clock_.now() + 200ms, stop)) pretty_->tick(clock_.wall());
  }
  base::Clock& clock_;
  std::unique_ptr<event::Subscriber> subscriber_;
  report::PrettyConsole* pretty_ = nullptr;
  std::jthread ticker_;
};

Value accounts_in(const client::Settings& settings) {
  Value::Map out;
  for (const auto& [provider, mark] : accounts_of(settings)) out.emplace(provider, mark);
  return Value(std::move(out));
}

Value::Map about(const Prepared& prepared, const Stage& stage, const client::Settings& settings,
                 const std::string& reaper) {
  return {{"source", prepared.loaded.path.lexically_normal().string()},
          {"digest", base::digest_hex(base::Algorithm::sha256, prepared.scenario().file()->text())},
          {"endpoints", Value(Value::Map{{"vast", settings.vast_url}, {"b2", settings.b2_endpoint}})},
          {"accounts", accounts_in(settings)},
          {"version", FAILOVER_VERSION},
          {"pid", static_cast<std::int64_t>(::getpid())},
          {"boot", boot_name()},
          {"up_s", base::seconds(base::since_boot())},
          {"view", stage.view()},
          {"reaper", reaper}};
}

std::map<std::string, std::string> declared(const Prepared& prepared, const Environment& environment) {
  std::map<std::string, std::string> out;
  for (const auto& name : prepared.declared_variables()) {
    if (const auto at = environment.find(name); at != environment.end()) out.insert(*at);
  }
  return out;
}

run::Options options_of(const Prepared& prepared, const Stage& stage, const JourneyOptions& options,
                        const client::Settings& settings, const std::string& reaper) {
  run::Options out;
  out.inputs = prepared.inputs;
  out.environment = declared(prepared, stage.environment());
  out.limits = prepared.limits;
  out.objectives = prepared.objectives;
  out.past = prepared.past;
  out.quick = options.quick;
  out.about = about(prepared, stage, settings, reaper);
  out.cleanup.settle = settle_of(stage.environment(), settings);
  out.cleanup.say = [](const std::string& line) { note(line); };
  out.end_at_stop = true;
  out.stop = options.stop;
  out.give_up = options.give_up;
  return out;
}

std::optional<Reaper> arm(const std::filesystem::path& folder, const Stage& stage, std::string& said) {
  auto armed = arm_reaper(folder, stage.environment());
  if (armed) {
    said = "armed, process " + std::to_string(armed->process());
    return *std::move(armed);
  }
  said = armed.error().line();
  note("WARNING: " + said);
  if (!armed.error().hint.empty()) note("  " + armed.error().hint);
  return std::nullopt;
}

// `said`: what run_started says of it: `armed`, `off`, why it is not, or nothing where the world ends with this process
// anyway.
std::optional<Reaper> reaper_for(const std::filesystem::path& folder, const Stage& stage, const JourneyOptions& options,
                                 std::string& said) {
  if (stage.target() == "sandbox" || options.quick) return std::nullopt;
  if (!options.reaper) {
    note(
        "WARNING: no reaper (--no-reaper): if this process is killed, nothing gives its machines back until the next "
        "`failover run` or `failover cleanup` here");
    said = "off";
    return std::nullopt;
  }
  return arm(folder, stage, said);
}

// What is left goes to the reaper, if there is one: to another when it died. The journal is still this process's.
void hand_over(const std::filesystem::path& folder, const Stage& stage, const std::optional<Reaper>& reaper) {
  if (!reaper) return;
  pid_t heir = reaper->process();
  if (!reaper->lives()) {
    note("WARNING: the reaper (process " + std::to_string(heir) + ") died before its time; arming another");
    std::string said;
    const auto another = arm(folder, stage, said);
    if (!another) return;
    heir = another->process();
  }
  note("the reaper (process " + std::to_string(heir) + ") goes on with what may still be held");
}

void tell_leftovers(const run::CleanupResult& result, const std::string& id, const base::Redactor& redact) {
  for (const auto& left : result.left) {
    note("may still be held: " + left.kind + " " + (left.id.empty() ? left.name : left.id + " (" + left.name + ")") +
         ": " + redact(left.why));
    if (!left.by_hand.empty()) note("  by hand: " + left.by_hand);
  }
  if (!result.left.empty()) note("give it back with: failover cleanup " + id);
}

}  // namespace

int play(const Prepared& prepared, const Stage& stage, const JourneyOptions& options, base::Clock& clock) {
  auto company = hire(stage.environment(), prepared.declared_variables(), stage.turns());
  if (!company) return complain(company.error(), usage);
  source::Diagnostics diagnostics;
  const plan::Plan bound =
      plan::bind(prepared.loaded.scenario, company->registry, diagnostics, read_fragment, &prepared.inputs);

  const std::string id = run::make_run_id(clock.wall());
  auto journal = event::Journal::create(options.runs / id);
  if (!journal) return complain(journal.error(), journal.error().fault == base::Fault::no_space ? world_failed : usage);
  std::string armed;
  const auto reaper = reaper_for(options.runs / id, stage, options, armed);
  base::Redactor redactor;
  hide_secrets(redactor, stage.environment(), company->settings, prepared.secret_variables());
  event::Stream stream(clock, redactor);
  stream.attach(journal->get());
  run::Ledger ledger;
  report::Folder folded;
  EventLog log;
  Console console(options.output, clock);
  stream.subscribe(ledger);
  stream.subscribe(folded);
  stream.subscribe(log);
  stream.subscribe(console.subscriber());

  const base::Duration end = prepared.limits.duration + plan::Limits::cleanup_margin;
  run::Shared shared{stream,
                     ledger,
                     company->registry,
                     clock,
                     {id, prepared.scenario().name.value, stage.target(), clock.wall() + end, clock.now() + end},
                     {prepared.limits.cost, end},
                     label_key(stage.environment(), company->settings)};
  shared.redactor = &redactor;
  const run::Outcome outcome = run::run(bound, shared, options_of(prepared, stage, options, company->settings, armed));
  // Everything is decided and given back: what the books say changes nothing any more.
  if (!options.stop.stop_requested()) {
    run::read_charges(shared, base::Patience(clock, clock.now() + kForCharges, options.stop));
  }
  console.end();

  if (outcome.exit_code == may_be_held) hand_over(options.runs / id, stage, reaper);
  // The last record is written: what the journal keeps in reserve on a full disk serves the report. Only then may a
  // reaper write, and say what is newer.
  (*journal)->give_up_reserve();
  int code = outcome.exit_code;
  if (auto written = write_report(options.runs / id, folded); !written) {
    complain(written.error(), world_failed);
    if (code == passed) code = world_failed;
  }
  journal->reset();
  if (options.output != "json") {
    const Terminal seen = terminal();
    say("\n" + report::text(folded.report(), {.color = seen.color, .unicode = seen.unicode}));
  }
  if (outcome.error) complain(redactor(outcome.error->line()), redactor(outcome.error->hint), 0);
  tell_leftovers(outcome.cleanup, id, redactor);
  return code;
}

}  // namespace failover::cli
