#include "engine/base/text.h"
#include "tools/cli/parts/commands.h"
#include "tools/cli/parts/journey.h"
#include "tools/cli/parts/output.h"
#include "tools/cli/parts/past.h"
#include "tools/cli/parts/question.h"
#include "tools/cli/parts/recovery.h"
#include "tools/cli/parts/rota.h"
#include "tools/cli/parts/runs.h"
#include "tools/cli/parts/signals.h"

namespace failover::cli {
namespace {

constexpr std::size_t kRunsKept = 200;

std::optional<int> contradiction(const RunOptions& options) {
  if (!options.live) return std::nullopt;
  if (!options.faults.empty()) {
    return complain("--fault plays in the sandbox alone, not with --live", "leave one of the two out", usage);
  }
  if (options.typical_pace) {
    return complain("--pace is the sandbox's, not for --live", "leave one of the two out", usage);
  }
  return std::nullopt;
}

// What must be set before anything is sent; 0 or an exit code.
int check_environment(const Prepared& prepared, const Stage& stage) {
  const auto missing = stage.missing(prepared.all_variables());
  if (missing.empty()) return passed;
  std::string text =
      "`" + prepared.scenario().name.value + "` needs environment variables that are not set: " + base::join(missing);
  for (const auto& name : missing) text += "\n  " + name + ": " + origin_of(name);
  return complain(text, "set them, or run without --live to use the sandbox", usage);
}

int check_jail(const Prepared& prepared, const Stage& stage, const RunOptions& options) {
  if (stage.view() != "portable" || options.allow_unjailed || !prepared.uses("ssh.exec")) return passed;
  return complain("`" + prepared.scenario().name.value +
                      "` runs commands of its own (ssh.exec), and no jail is possible here to hold them",
                  "install bubblewrap, or say --allow-unjailed if you trust the scenario with this machine", usage);
}

std::string estimate_text(const Prepared& prepared) {
  const auto figures = plan::estimate(prepared.plan, prepared.inputs, prepared.limits, prepared.past);
  const auto seconds = [](base::Duration time) { return base::format(std::chrono::ceil<std::chrono::seconds>(time)); };
  return prepared.scenario().name.value + ": estimate about " + seconds(figures.time.expected) + " (at most " +
         seconds(figures.time.worst) + "), " + base::format(figures.cost.expected) + " expected [" +
         base::format(figures.cost.best) + " best, " + base::format(figures.cost.worst) + " worst], hard limit " +
         base::format(prepared.limits.cost) + " (" +
         (prepared.past.runs == 0 ? "stated figures: no history"
                                  : "from " + std::to_string(prepared.past.runs) + " past runs") +
         "); rents " + std::to_string(figures.rentals.size()) +
         (figures.rentals.size() == 1 ? " machine" : " machines");
}

int ask(const std::vector<Prepared>& journeys, const Stage& stage, const RunOptions& options, const Signals& signals) {
  const auto settings = settings_from(stage.environment());
  note("target " + stage.target() + ": Vast at " + settings.vast_url +
       (settings.b2_endpoint.empty() ? "" : ", B2 at " + settings.b2_endpoint));
  for (const auto& one : journeys) note(estimate_text(one));
  if (options.yes || options.quick) return passed;
  if (!can_ask()) {
    return complain("a live run needs your word before the first cent, and there is no terminal to ask on",
                    "say --yes if you have read the estimate", usage);
  }
  if (confirmed("failover: run it on your account?", signals.first())) return passed;
  if (signals.first().stop_requested()) return interrupted;
  note("nothing was sent");
  return usage;
}

std::string output_of(const RunOptions& options) {
  if (!options.output.empty()) return options.output;
  return terminal().out ? "pretty" : "plain";
}

std::vector<std::string> shard(const RunOptions& options) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < options.names.size(); ++i) {
    if (i % static_cast<std::size_t>(options.shards) == static_cast<std::size_t>(options.shard - 1)) {
      out.push_back(options.names[i]);
    }
  }
  return out;
}

// Everything in its turn, on a stage of its own; nothing when the stop came before.
int play_all(std::vector<Prepared>& journeys, const std::filesystem::path& runs, const RunOptions& options,
             const Environment& environment, const Signals& signals) {
  const auto stop = signals.first();
  Rota rota{{}, options.repeat, options.jobs};
  for (const auto& one : journeys) rota.names.push_back(one.scenario().name.value);
  const auto in_turn = [&](const std::function<int(std::size_t)>& play_one) {
    const Played played = play_each(rota, stop, play_one);
    if (!played.unplayed.empty()) note("stopped on request; not run: " + base::join(played.unplayed));
    return played.code;
  };
  const auto none = [](std::size_t) -> int { return interrupted; };
  if (stop.stop_requested()) return in_turn(none);

  base::SystemClock clock;
  auto stage = Stage::set(environment, {options.live, options.typical_pace, options.faults}, clock);
  if (!stage) return complain(stage.error(), stage.error().fault == base::Fault::invalid ? usage : world_failed);
  for (const auto& one : journeys) {
    if (const int code = check_environment(one, **stage); code != passed) return code;
    if (const int code = check_jail(one, **stage, options); code != passed) return code;
  }
  const Past past(runs, (*stage)->target());
  for (auto& one : journeys) one.past = past.of(one.scenario(), one.inputs);
  if (options.live) {
    if (const int code = ask(journeys, **stage, options, signals); code != passed)
      return stop.stop_requested() ? in_turn(none) : code;
  }
  std::string output = output_of(options);
  if (options.jobs > 1 && output == "pretty") output = "plain";  // one list cannot show several journeys
  const JourneyOptions journey{runs, output, options.quick, options.reaper, stop, signals.second()};
  return in_turn([&](std::size_t i) { return play(journeys[i], **stage, journey, clock); });
}

}  // namespace

int run(const RunOptions& options, const Environment& environment) {
  if (const auto wrong = contradiction(options)) return *wrong;
  const Signals signals;
  const Company company = rehearse();
  std::vector<Prepared> journeys;
  for (const auto& name : shard(options)) {
    auto prepared = prepare({name, options.inputs, options.limit_cost, OnDisk::needed}, company.registry, environment);
    if (!prepared) return usage;
    journeys.push_back(*std::move(prepared));
  }
  if (journeys.empty()) {
    note("this shard has no scenarios");
    return passed;
  }
  auto place = options.runs_dir.empty() ? home(environment) : base::Result<std::filesystem::path>(options.runs_dir);
  if (!place) return complain(place.error(), usage);
  const auto runs = options.runs_dir.empty() ? *place / "runs" : *place;
  if (auto writable = check_writable(runs); !writable) {
    return complain(writable.error(), writable.error().fault == base::Fault::no_space ? world_failed : usage);
  }
  const bool held = reconcile(runs, environment, signals.first());
  const int code = play_all(journeys, runs, options, environment, signals);
  prune(runs, kRunsKept);
  // A live run that went well does not make an older one's debts good, and whoever stops before they are settled is
  // told.
  if (!held || (!options.live && code != interrupted)) return code;
  note("an earlier run may still hold something, as was said at the start: `failover cleanup` gives it back");
  return worse(code, may_be_held);
}

}  // namespace failover::cli
