#include "tools/cli/parts/simulate.h"

#include <chrono>
#include <cstdio>
#include <thread>

#include "engine/base/text.h"
#include "tools/cli/parts/output.h"
#include "tools/cli/parts/prepare.h"
#include "tools/cli/parts/stage.h"
#include "tools/simulate/campaign.h"
#include "tools/simulate/cells.h"

namespace failover::cli {
namespace {

constexpr std::int64_t kSoon = 60;     // seconds from healing to the last destroy, in 99 of 100 journeys
constexpr std::uint64_t kMany = 1000;  // journeys, of which 1 in 100 says something

std::string replay_line(const SimulateOptions& options, const simulate::Finding& finding) {
  const auto word = [](const std::string& text) {
    return text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,") ==
                   std::string::npos
               ? text
               : base::shell_quote(text);
  };
  std::string out = "replay: failover simulate " + word(options.name);
  for (const auto& [name, value] : options.inputs) out += " --input " + word(name + "=" + value);
  for (const auto& name : options.machines) out += " --machine " + word(name);
  if (!options.folder.empty()) out += " --folder " + word(options.folder);
  if (options.every_point) out += " --every-point";
  if (options.every_pair) out += " --every-pair";
  if (options.may_fail) out += " --may-fail";
  if (options.stride > 1) out += " --stride " + std::to_string(options.stride);
  return out + " --replay " + std::to_string(finding.number);
}

void tell(const simulate::Tally& tally) {
  for (const auto& finding : tally.findings) {
    say_line(std::to_string(finding.number) + ": " + finding.script.text());
    for (const auto& violation : finding.violations) say_line("  " + violation);
  }
}

std::vector<simulate::Script> scripts_of(const SimulateOptions& options, const simulate::Play& play) {
  return options.every_point ? simulate::every_point(play) : simulate::every_pair(play, options.stride);
}

int replay(const SimulateOptions& options, const simulate::Play& play, bool by_seed) {
  simulate::Script script = simulate::Script::swarm(*options.replay);
  if (!by_seed) {
    const auto scripts = scripts_of(options, play);
    if (*options.replay < 1 || *options.replay > scripts.size())
      return complain(
          "there is no point " + std::to_string(*options.replay) + ": there are " + std::to_string(scripts.size()),
          "give --replay one of 1 to " + std::to_string(scripts.size()), usage);
    script = scripts[*options.replay - 1];
  }
  if (options.shrink) script = simulate::shrink(play, script);
  say_line(script.text());
  const auto result = simulate::journey(play, script, [](const std::string& line) { say_line(line); });
  say(result.journal);
  say_line("verdict " + (result.verdict.empty() ? std::string("none: the runner died") : result.verdict) +
           ", exit code " + std::to_string(result.exit_code) + ", " + std::to_string(result.recoveries) +
           " recoveries");
  for (const auto& violation : result.violations) say_line(violation);
  return result.violations.empty() ? passed : assertion_failed;
}

}  // namespace

int simulate(const SimulateOptions& options, const Environment& environment) {
  const bool by_seed = !options.every_point && !options.every_pair;
  if (options.every_point && options.every_pair)
    return complain("--every-point and --every-pair are two campaigns", "leave one of them out", usage);
  if (options.stride > 1 && !options.every_pair)
    return complain("--stride is of --every-pair", "add --every-pair, or leave --stride out", usage);
  if (options.shrink && !options.replay)
    return complain("--shrink makes less of one journey", "add --replay and its number, or leave --shrink out", usage);
  if (options.require_cells && (!by_seed || options.fail_fast)) {
    return complain(
        "--require-cells counts what a campaign of seeds reached; it goes with neither --every-point, --every-pair nor "
        "--fail-fast",
        "leave one of them out", usage);
  }
  const Company company = rehearse();
  // Each journey's world has its own ids: what is validated is a scenario with any.
  auto inputs = options.inputs;
  for (std::size_t i = 0; i < options.machines.size(); ++i)
    inputs.emplace_back(options.machines[i], std::to_string(i + 1));
  auto prepared = prepare({options.name, inputs}, company.registry, environment);
  if (!prepared) return usage;
  for (const auto& name : options.machines) {
    if (prepared->inputs.at(name).get<std::int64_t>() != nullptr) continue;
    return complain("--machine: the input `" + name + "` is not an integer, so it is no instance's id",
                    "name an input of type `integer` that takes the id of an instance", usage);
  }
  if (!options.folder.empty() && prepared->inputs[options.folder].text() == nullptr)
    return complain("--folder: the input `" + options.folder + "` is no text, so it names no folder",
                    "name an input of type `string`", usage);
  simulate::Play play{prepared->loaded.scenario, prepared->inputs, {}, options.machines, options.folder};
  // A program that breaks what it should do on a calm day must not switch that question off itself.
  play.passes = !options.may_fail;
  if (options.replay) return replay(options, play, by_seed);
  if (const auto why = options.may_fail ? std::nullopt : simulate::fails_when_calm(play)) {
    say_line("where nothing goes wrong:");
    say_line("  " + *why);
    return complain("the scenario does not pass where nothing goes wrong: " + *why,
                    "mend it, or play it with --may-fail if that is as it should be", assertion_failed);
  }
  const unsigned jobs = options.jobs > 0 ? options.jobs : std::max(1U, std::thread::hardware_concurrency());
  const auto began = std::chrono::steady_clock::now();
  const simulate::Tally tally = by_seed ? simulate::swarm(play, options.first, options.seeds, jobs, options.fail_fast)
                                        : simulate::run_all(play, scripts_of(options, play), jobs);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  // First and last, so that it is seen in every log.
  const std::string again = tally.findings.empty() ? std::string() : replay_line(options, tally.findings.front());
  if (!again.empty()) say_line(again);
  tell(tally);
  std::size_t unreached = 0;
  for (const auto& cell :
       !by_seed || options.fail_fast ? decltype(simulate::reachable_cells(play)){} : simulate::reachable_cells(play)) {
    if (tally.cells.count(cell) > 0) continue;
    ++unreached;
    say_line("unreached: " + cell.first + " x " + cell.second);
  }
  for (const auto& [cell, hits] : tally.cells)
    say_line("cell " + cell.first + " x " + cell.second + ": " + std::to_string(hits));
  if (const auto most = tally.quiet_within(100)) {
    say_line("after the world healed, the last destroy was sent within " + std::to_string(*tally.quiet_within(50)) +
             " s in half of the journeys with a machine to end, " + std::to_string(*tally.quiet_within(99)) +
             " s in 99 of 100, " + std::to_string(*most) + " s in all");
  }
  char line[256];
  std::snprintf(line, sizeof line, "%.1f s, %.0f journeys/s/core, %.1f days simulated", seconds,
                static_cast<double>(tally.journeys) / seconds / jobs, base::seconds(tally.simulated) / 86'400);
  say_line(std::to_string(tally.journeys) + " journeys, " + std::to_string(tally.passed) + " passed, " +
           std::to_string(tally.deaths) + " died, " + std::to_string(tally.recoveries) + " recoveries, " +
           std::to_string(tally.violated) + " with a violation; " + line);
  // I8 of the many: of the one, the oracle allows more (leak-safety.md).
  const bool slow = by_seed && tally.journeys >= kMany && tally.quiet_within(99).value_or(0) > kSoon;
  if (slow) say_line("too late: 1 of 100 machines had its end asked for later than " + std::to_string(kSoon) + " s");
  if (!again.empty()) say_line(again);
  if (tally.violated > 0 || slow) return assertion_failed;
  return options.require_cells && unreached > 0 ? assertion_failed : passed;
}

}  // namespace failover::cli
