// What past runs took and paid, as a fold over their reports. Numbers alone are kept: no inputs, no outputs, no texts
// of theirs but the names that figures are looked up by (scenario, step, step type, GPU model).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "engine/base/units.h"
#include "engine/report/report.h"

namespace failover::report {

// By nearest rank, so that each figure is one that was seen. All zero when there is none.
template <class T>
struct Spread {
  std::size_t count = 0;
  T least{};
  T low{};  // p05
  T median{};
  T high{};  // p95
  T most{};
};
Spread<base::Duration> spread(std::vector<base::Duration> seen);
Spread<base::Money> spread(std::vector<base::Money> seen);
Spread<double> spread(std::vector<double> seen);

// How often a figure was seen, in how many runs: a step may have rounds.
template <class T>
struct Seen {
  Spread<T> spread;
  std::size_t runs = 0;
};

// One run in the history.
struct PastRun {
  std::string id;
  std::string scenario;
  std::string target;
  std::string verdict;
  base::WallTime started_at{};
  bool whole = false;  // it passed, with its journey: not a preflight alone
  base::Duration time{0};
  base::Money cost{};
  std::optional<double> charged_usd;  // as the provider's books had it when they were last read
  std::optional<base::Duration> rto;
  std::optional<Fell> time_fell;  // where reality fell in the run's own estimate
  std::optional<Fell> cost_fell;
};
PastRun past_run(const Report& report);

// Of one target kind: who fills it must not mix `live` with `sandbox`.
class History {
 public:
  // `alike`: the run's inputs are those that the figures are asked for.
  void add(const Report& report, bool alike);

  [[nodiscard]] std::size_t runs() const { return runs_; }
  // Durations of passed steps of a type; with `scenario` those of that one's step `id`, which is the id as a plan knows
  // it: without rounds. `alike`: of runs with the same inputs alone.
  [[nodiscard]] Seen<base::Duration> of_step(std::string_view scenario, std::string_view id, std::string_view uses,
                                             bool alike) const;
  [[nodiscard]] Seen<base::Duration> of_type(std::string_view uses) const;
  // Per hour, of rentals that came to be. `model` as its search names it; see model_of().
  [[nodiscard]] Seen<base::Money> paid(std::string_view model) const;

 private:
  template <class T>
  struct Sample {
    T figure;
    std::size_t run;
    bool alike;
  };
  template <class T>
  static Seen<T> seen(const std::vector<Sample<T>>& samples, bool alike);
  std::size_t runs_ = 0;
  std::map<std::tuple<std::string, std::string, std::string>, std::vector<Sample<base::Duration>>> steps_;
  std::map<std::string, std::vector<Sample<base::Duration>>, std::less<>> types_;
  std::map<std::string, std::vector<Sample<base::Money>>, std::less<>> paid_;
};

// `RTX 4090`, `2 x RTX 4090`; empty when the resource has none.
std::string model_of(const Resource& resource);
// `machines[2].create` is `machines.create`: the rounds of a `foreach` are one step of the plan.
std::string without_rounds(std::string_view id);

// How well estimates held: of whole runs that said one.
struct Calibration {
  std::size_t runs = 0;
  std::size_t inside = 0;  // of [best, worst]
  std::size_t below = 0;   // quicker or cheaper than the best
  std::size_t above = 0;   // beyond the worst: never, while the hard stops hold
  Spread<double> ratio;    // actual / expected
};
Calibration calibration(const std::vector<std::optional<Fell>>& fell);

// Runs of one scenario on one target kind, oldest first.
struct Record {
  std::string scenario;
  std::string target;
  std::vector<PastRun> runs;

  [[nodiscard]] std::size_t passed() const;           // not those whose preflight alone has
  [[nodiscard]] Spread<base::Duration> time() const;  // of whole runs, as all below
  [[nodiscard]] Spread<base::Money> cost() const;
  [[nodiscard]] Spread<base::Duration> rto() const;
  [[nodiscard]] Calibration time_calibration() const;
  [[nodiscard]] Calibration cost_calibration() const;
  // Median time of the later half over that of the earlier one; nullopt below six whole runs.
  [[nodiscard]] std::optional<double> trend() const;
};
// Scenarios by name; of one scenario, targets by name.
std::vector<Record> records(const std::vector<PastRun>& runs);

}  // namespace failover::report
