#include "engine/report/history.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace failover::report {
namespace {

// The smallest figure that at least `share` of all do not exceed.
template <class T>
T ranked(const std::vector<T>& sorted, double share) {
  const double rank = std::ceil(share * static_cast<double>(sorted.size()));
  return sorted[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

template <class T>
Spread<T> spread_of(std::vector<T> seen) {
  if (seen.empty()) return {};
  std::sort(seen.begin(), seen.end());
  return {seen.size(), seen.front(), ranked(seen, 0.05), ranked(seen, 0.5), ranked(seen, 0.95), seen.back()};
}

template <class Of>
auto whole_runs(const std::vector<PastRun>& runs, Of of) {
  std::vector<decltype(of(runs.front()))> out;
  for (const auto& run : runs) {
    if (run.whole) out.push_back(of(run));
  }
  return out;
}

}  // namespace

Spread<base::Duration> spread(std::vector<base::Duration> seen) { return spread_of(std::move(seen)); }
Spread<base::Money> spread(std::vector<base::Money> seen) { return spread_of(std::move(seen)); }
Spread<double> spread(std::vector<double> seen) { return spread_of(std::move(seen)); }

std::string model_of(const Resource& resource) {
  const base::Value* name = resource.attributes.find("gpu_name");
  if (name == nullptr || name->text() == nullptr || name->text()->empty()) return "";
  const base::Value* count = resource.attributes.find("gpu_count");
  const auto* whole = count == nullptr ? nullptr : count->get<std::int64_t>();
  return whole == nullptr || *whole <= 1 ? *name->text() : std::to_string(*whole) + " x " + *name->text();
}

std::string without_rounds(std::string_view id) {
  std::string out;
  bool inside = false;
  for (const char c : id) {
    if (c == '[') inside = true;
    if (!inside) out += c;
    if (c == ']') inside = false;
  }
  return out;
}

PastRun past_run(const Report& report) {
  PastRun out;
  out.id = report.run_id;
  out.scenario = report.scenario;
  out.target = report.target;
  out.verdict = report.verdict;
  out.started_at = report.started_at;
  out.whole = report.whole();
  out.time = report.journey_time();
  out.cost = base::money_from_usd(report.total_cost()).value_or(base::Money{});
  for (const auto& [kind, charges] : report.charges) {
    if (!charges.lines.empty()) out.charged_usd = out.charged_usd.value_or(0) + charges.usd();
  }
  if (const auto rto = report.objectives.find("rto"); rto != report.objectives.end()) out.rto = rto->second;
  out.time_fell = report.time_fell();
  out.cost_fell = report.cost_fell();
  return out;
}

void History::add(const Report& report, bool alike) {
  ++runs_;
  for (const auto& step : report.steps) {
    if (!step.shape.empty() || step.status != "passed") continue;
    const base::Duration time = step.end - step.begin;
    types_[step.uses].push_back({time, runs_, alike});
    steps_[{report.scenario, without_rounds(step.id), step.uses}].push_back({time, runs_, alike});
  }
  for (const auto& resource : report.resources) {
    const bool came_to_be = resource.state != "refused" && resource.state != "intended" && !resource.id.empty();
    const auto price = base::money_from_usd(resource.usd_per_hour);
    const std::string model = model_of(resource);
    if (came_to_be && price && price->micros > 0 && !model.empty()) paid_[model].push_back({*price, runs_, alike});
  }
}

template <class T>
Seen<T> History::seen(const std::vector<Sample<T>>& samples, bool alike) {
  std::vector<T> figures;
  std::set<std::size_t> runs;
  for (const auto& sample : samples) {
    if (alike && !sample.alike) continue;
    figures.push_back(sample.figure);
    runs.insert(sample.run);
  }
  return {spread(std::move(figures)), runs.size()};
}

Seen<base::Duration> History::of_step(std::string_view scenario, std::string_view id, std::string_view uses,
                                      bool alike) const {
  const auto known = steps_.find({std::string(scenario), std::string(id), std::string(uses)});
  return known == steps_.end() ? Seen<base::Duration>{} : seen(known->second, alike);
}

Seen<base::Duration> History::of_type(std::string_view uses) const {
  const auto known = types_.find(uses);
  return known == types_.end() ? Seen<base::Duration>{} : seen(known->second, false);
}

Seen<base::Money> History::paid(std::string_view model) const {
  const auto known = paid_.find(model);
  return known == paid_.end() ? Seen<base::Money>{} : seen(known->second, false);
}

Calibration calibration(const std::vector<std::optional<Fell>>& fell) {
  Calibration out;
  std::vector<double> ratios;
  for (const auto& one : fell) {
    if (!one) continue;
    ++out.runs;
    out.inside += one->where == Fell::Where::inside ? 1 : 0;
    out.below += one->where == Fell::Where::below ? 1 : 0;
    out.above += one->where == Fell::Where::above ? 1 : 0;
    if (one->ratio) ratios.push_back(*one->ratio);
  }
  out.ratio = spread(std::move(ratios));
  return out;
}

std::size_t Record::passed() const {
  return static_cast<std::size_t>(
      std::count_if(runs.begin(), runs.end(), [](const PastRun& run) { return run.whole; }));
}

Spread<base::Duration> Record::time() const {
  return spread(whole_runs(runs, [](const PastRun& run) { return run.time; }));
}

Spread<base::Money> Record::cost() const {
  return spread(whole_runs(runs, [](const PastRun& run) { return run.cost; }));
}

Spread<base::Duration> Record::rto() const {
  std::vector<base::Duration> out;
  for (const auto& run : runs) {
    if (run.whole && run.rto) out.push_back(*run.rto);
  }
  return spread(std::move(out));
}

Calibration Record::time_calibration() const {
  return calibration(whole_runs(runs, [](const PastRun& run) { return run.time_fell; }));
}

Calibration Record::cost_calibration() const {
  return calibration(whole_runs(runs, [](const PastRun& run) { return run.cost_fell; }));
}

std::optional<double> Record::trend() const {
  constexpr std::size_t kLeast = 6;
  const auto times = whole_runs(runs, [](const PastRun& run) { return run.time; });
  if (times.size() < kLeast) return std::nullopt;
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  const auto early = spread(std::vector(times.begin(), middle)).median;
  const auto late = spread(std::vector(middle, times.end())).median;
  if (early <= base::Duration::zero()) return std::nullopt;
  return base::seconds(late) / base::seconds(early);
}

std::vector<Record> records(const std::vector<PastRun>& runs) {
  std::map<std::pair<std::string, std::string>, Record> grouped;
  for (const auto& run : runs) {
    Record& record = grouped[{run.scenario, run.target}];
    record.scenario = run.scenario;
    record.target = run.target;
    record.runs.push_back(run);
  }
  std::vector<Record> out;
  for (auto& [ignored, record] : grouped) {
    std::stable_sort(record.runs.begin(), record.runs.end(),
                     [](const PastRun& a, const PastRun& b) { return a.started_at < b.started_at; });
    out.push_back(std::move(record));
  }
  return out;
}

}  // namespace failover::report
