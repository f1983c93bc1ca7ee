// `failover runs`: the history of this home, per scenario and target kind, and how well its estimates held.
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "engine/base/text.h"
#include "engine/report/text.h"
#include "tools/cli/parts/commands.h"
#include "tools/cli/parts/output.h"
#include "tools/cli/parts/past.h"

namespace failover::cli {
namespace {

using Json = nlohmann::ordered_json;
using report::short_time;

double rounded(double value, double unit) { return std::round(value * unit) / unit; }
double figure(base::Duration time) { return rounded(base::seconds(time), 1e3); }
double figure(base::Money money) { return base::usd(money); }
double figure(double ratio) { return rounded(ratio, 1e3); }

template <class T>
Json to_json(const report::Spread<T>& spread) {
  if (spread.count == 0) return nullptr;
  return {{"count", spread.count},        {"min", figure(spread.least)}, {"p05", figure(spread.low)},
          {"p50", figure(spread.median)}, {"p95", figure(spread.high)},  {"max", figure(spread.most)}};
}

Json to_json(const report::Calibration& held) {
  return {{"runs", held.runs},
          {"inside", held.inside},
          {"below", held.below},
          {"above", held.above},
          {"of_expected", to_json(held.ratio)}};
}

Json to_json(const std::optional<report::Fell>& fell) {
  if (!fell) return nullptr;
  return {{"where", std::string(to_string(fell->where))},
          {"of_expected", fell->ratio ? Json(figure(*fell->ratio)) : Json(nullptr)}};
}

Json to_json(const report::PastRun& run) {
  return {{"run_id", run.id},
          {"verdict", run.verdict},
          {"whole", run.whole},
          {"started_at", base::format_utc(run.started_at)},
          {"time_s", figure(run.time)},
          {"rto_s", run.rto ? Json(figure(*run.rto)) : Json(nullptr)},
          {"cost_usd", figure(run.cost)},
          {"charged_usd", run.charged_usd ? Json(rounded(*run.charged_usd, 1e6)) : Json(nullptr)},
          {"time_fell", to_json(run.time_fell)},
          {"cost_fell", to_json(run.cost_fell)}};
}

Json to_json(const report::Record& record) {
  Json runs = Json::array();
  for (const auto& run : record.runs) runs.push_back(to_json(run));
  const auto trend = record.trend();
  return {{"scenario", record.scenario},
          {"target", record.target},
          {"runs", record.runs.size()},
          {"passed", record.passed()},
          {"time_s", to_json(record.time())},
          {"rto_s", to_json(record.rto())},
          {"cost_usd", to_json(record.cost())},
          {"trend", trend ? Json(figure(*trend)) : Json(nullptr)},
          {"calibration", {{"time", to_json(record.time_calibration())}, {"cost", to_json(record.cost_calibration())}}},
          {"history", std::move(runs)}};
}

std::string text_of(double value) {
  std::string text = std::to_string(rounded(value, 100));
  return text.substr(0, text.find('.') + 3);
}

template <class T, class Format>
std::string both(const report::Spread<T>& spread, Format format) {
  return "p50 " + format(spread.median) + "  p95 " + format(spread.high);
}

std::string held_text(const report::Calibration& held) {
  if (held.runs == 0) return "none was said";
  std::string out = std::to_string(held.inside) + " of " + std::to_string(held.runs) + " inside [best, worst]";
  if (held.below > 0) out += ", " + std::to_string(held.below) + " below";
  if (held.above > 0) out += ", " + std::to_string(held.above) + " ABOVE";
  if (held.ratio.count > 0) out += "; actual / expected " + both(held.ratio, text_of);
  return out;
}

std::string summary(const report::Record& record) {
  const auto money = [](base::Money one) { return base::format(one); };
  std::string out = base::printable(record.scenario, 80) + "  on " + base::printable(record.target, 20) + ": " +
                    std::to_string(record.runs.size()) + (record.runs.size() == 1 ? " run, " : " runs, ") +
                    std::to_string(record.passed()) + " passed\n";
  const auto time = record.time();
  if (time.count == 0) return out + "  no whole journey yet\n";
  out += "  time            " + both(time, short_time);
  if (const auto trend = record.trend()) out += "  (later half " + text_of(*trend) + " of the earlier)";
  out += "\n";
  if (const auto rto = record.rto(); rto.count > 0) out += "  rto             " + both(rto, short_time) + "\n";
  out += "  cost            " + both(record.cost(), money) + "\n";
  out += "  time estimates  " + held_text(record.time_calibration()) + "\n";
  out += "  cost estimates  " + held_text(record.cost_calibration()) + "\n";
  return out;
}

std::string row(const report::PastRun& run) {
  const auto fell = [](const std::optional<report::Fell>& one) {
    return one && one->ratio ? " (" + text_of(*one->ratio) + " of expected)" : std::string();
  };
  std::string out = "  " + run.id + "  " + run.verdict + (run.verdict == "passed" && !run.whole ? " (preflight)" : "") +
                    "  " + short_time(run.time) + fell(run.time_fell);
  if (run.rto) out += "  rto " + short_time(*run.rto);
  out += "  " + base::format(run.cost) + fell(run.cost_fell);
  if (run.charged_usd) out += "  provider " + base::format(base::Money{std::llround(*run.charged_usd * 1e6)});
  return out + "\n";
}

}  // namespace

int runs(const RunsOptions& options, const Environment& environment) {
  auto place = options.runs_dir.empty() ? home(environment) : base::Result<std::filesystem::path>(options.runs_dir);
  if (!place) return complain(place.error(), usage);
  const auto folder = options.runs_dir.empty() ? *place / "runs" : *place;
  std::vector<report::PastRun> all;
  std::set<std::string> names;
  const auto wanted = [&](const event::Event& beginning) {
    names.insert(beginning.text("scenario"));
    return options.scenario.empty() || beginning.text("scenario") == options.scenario;
  };
  const PastRead reading = read_past(folder, {}, wanted, [&](const event::Event&, const report::Report& report) {
    all.push_back(report::past_run(report));
  });
  const auto records = report::records(all);
  int code = passed;
  for (const auto& error : reading.unread) code = complain(error, usage);
  if (options.json) {
    Json out{{"scenarios", Json::array()}, {"damaged", reading.damaged}, {"left_out", reading.left_out}};
    for (const auto& record : records) out["scenarios"].push_back(to_json(record));
    say_line(out.dump(2, ' ', false, Json::error_handler_t::replace));
    return code;
  }
  if (!options.scenario.empty() && all.empty() && code == passed) {
    const auto near = base::nearest(options.scenario, {names.begin(), names.end()});
    return complain("no run of `" + base::printable(options.scenario, 80) + "` below " + folder.string(),
                    near ? "did you mean `" + *near + "`?" : "`failover runs` shows every scenario that was run",
                    usage);
  }
  if (all.empty() && code == passed) say_line("no runs yet below " + folder.string());
  for (const auto& record : records) {
    say(summary(record));
    if (options.scenario.empty()) continue;
    for (const auto& run : record.runs) say(row(run));
  }
  if (reading.damaged > 0) note(std::to_string(reading.damaged) + " damaged journals are left out");
  if (reading.left_out > 0) note(std::to_string(reading.left_out) + " journals beyond the bounds are left out");
  return code;
}

}  // namespace failover::cli
