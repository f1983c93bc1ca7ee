#include "tools/cli/parts/past.h"

#include <chrono>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "engine/base/digest.h"
#include "engine/base/file.h"
#include "engine/event/journal.h"
#include "tools/cli/parts/runs.h"

namespace failover::cli {
namespace {

namespace fs = std::filesystem;
using base::Value;

// Read whole for estimates: enough for a median, few enough to be quick.
constexpr PastBounds kForEstimates{60, 48U << 20, 8U << 20};
constexpr std::size_t kOfOneScenario = 20;
// Seen so often, the lowest of the figures is a best case; and so often, a narrower look is worth more than a wider
// one.
constexpr std::size_t kCertain = 5;
constexpr std::size_t kEnough = 3;

// The first record alone; nullopt when it is not whole.
std::optional<event::Event> first_record(const fs::path& path) {
  constexpr std::size_t kLongest = 4U << 20;
  std::ifstream file(path, std::ios::binary);
  std::string line;
  char c = 0;
  while (line.size() < kLongest && file.get(c) && c != '\n') line += c;
  if (c != '\n') return std::nullopt;
  auto event = event::from_line(line);
  if (!event || event->type != event::type::run_started) return std::nullopt;
  return *std::move(event);
}

// As the journal keeps inputs.
Value as_written(const Value::Map& inputs) { return base::from_json(base::to_json(Value(inputs))); }

base::Duration whole_ms(base::Duration time) { return std::chrono::round<std::chrono::milliseconds>(time); }

std::string runs_text(std::size_t count, const std::string& target) {
  return std::to_string(count) + " " + target + (count == 1 ? " run" : " runs");
}

plan::Past::Times times(const report::Seen<base::Duration>& seen, std::string from) {
  return {whole_ms(seen.spread.low), whole_ms(seen.spread.median), seen.spread.count >= kCertain, std::move(from)};
}

}  // namespace

PastRead read_past(const fs::path& runs, const PastBounds& bounds, const PastFilter& wanted, const PastVisit& visit) {
  PastRead out;
  std::size_t bytes = 0;
  auto [ids, unread] = find_runs(runs);
  out.unread = std::move(unread);
  for (auto id = ids.rbegin(); id != ids.rend(); ++id) {
    const fs::path path = runs / *id / "journal.jsonl";
    std::error_code error;
    const auto size = fs::file_size(path, error);
    if (error || size == 0) continue;  // it ended before it had begun
    const auto beginning = first_record(path);
    if (!beginning) {
      ++out.damaged;
      continue;
    }
    if (!wanted(*beginning)) continue;
    if (out.read >= bounds.runs || size > bounds.one_journal || bytes + size > bounds.bytes) {
      ++out.left_out;
      continue;
    }
    bytes += size;
    const auto text = base::read_file(path, bounds.one_journal);
    const auto records = text ? event::parse_records(*text, path.string()) : base::Result<event::Records>(text.error());
    if (!records) {
      ++out.damaged;
      continue;
    }
    ++out.read;
    report::Folder folder;
    for (const auto& event : records->events) folder.on(event);
    visit(*beginning, folder.report());
  }
  return out;
}

fs::path default_runs(const Environment& environment) {
  const auto place = home(environment);
  return place ? *place / "runs" : fs::path();
}

Past::Past(const fs::path& runs, const std::string& target) : target_(target) {
  if (runs.empty()) return;
  std::map<std::string, std::size_t> of_scenario;
  const auto wanted = [&](const event::Event& beginning) {
    // A preflight alone says nothing of a journey.
    return beginning.text("target") == target && beginning["quick"] != Value(true) &&
           ++of_scenario[beginning.text("scenario")] <= kOfOneScenario;
  };
  read_past(runs, kForEstimates, wanted, [&](const event::Event& beginning, const report::Report& report) {
    runs_.push_back({beginning, report});
  });
}

namespace {

// The most runs that any of the steps' types is known from. What a fragment holds is not known here: `own` runs of the
// scenario stand for it.
std::size_t runs_behind(const std::vector<scenario::Step>& steps, const report::History& history, std::size_t own) {
  std::size_t out = 0;
  for (const auto& step : steps) {
    const bool fragment = step.uses && step.uses->value.ends_with(".yaml");
    if (step.uses) out = std::max(out, fragment ? own : history.of_type(step.uses->value).runs);
    out = std::max(out, runs_behind(step.steps, history, own));
    for (const auto& branch : step.branches) out = std::max(out, runs_behind(branch.steps, history, own));
  }
  return out;
}

}  // namespace

plan::Past Past::of(const scenario::Scenario& scenario, const Value::Map& inputs) const {
  const auto history = std::make_shared<report::History>();
  const std::string digest = base::digest_hex(base::Algorithm::sha256, scenario.file()->text());
  const Value written = as_written(inputs);
  std::size_t own = 0;
  for (const auto& run : runs_) {
    const bool alike = run.beginning.text("scenario") == scenario.name.value &&
                       run.beginning.text("digest") == digest && run.beginning["inputs"] == written;
    history->add(run.report, alike);
    own += run.beginning.text("scenario") == scenario.name.value ? 1 : 0;
  }
  plan::Past out;
  for (const auto* section : {&scenario.preflight, &scenario.steps, &scenario.finally})
    out.runs = std::max(out.runs, runs_behind(*section, *history, own));
  if (out.runs == 0) return out;
  out.took = [history, name = scenario.name.value, target = target_](
                 const std::string& id, const std::string& uses) -> std::optional<plan::Past::Times> {
    const auto alike = history->of_step(name, id, uses, true);
    const auto here = history->of_step(name, id, uses, false);
    const auto type = history->of_type(uses);
    const auto with_inputs = [&] { return times(alike, "median of " + runs_text(alike.runs, target)); };
    const auto without = [&] {
      return times(here, "median of " + runs_text(here.runs, target) + ", some with other inputs");
    };
    if (alike.spread.count >= kEnough) return with_inputs();
    if (here.spread.count >= kEnough) return without();
    if (alike.spread.count > 0) return with_inputs();
    if (here.spread.count > 0) return without();
    if (type.spread.count == 0) return std::nullopt;
    return times(type, "median of " + std::to_string(type.spread.count) + " such steps in " +
                           runs_text(type.runs, target) + ", none of this scenario");
  };
  out.paid = [history, target = target_](const std::string& model) -> std::optional<plan::Past::Prices> {
    const auto seen = history->paid(model);
    if (seen.spread.count == 0) return std::nullopt;
    return plan::Past::Prices{seen.spread.low, seen.spread.median, seen.spread.count >= kCertain,
                              "paid for " + model + " in the last " + runs_text(seen.runs, target)};
  };
  return out;
}

}  // namespace failover::cli
