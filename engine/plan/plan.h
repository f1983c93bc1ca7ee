// What a scenario will do: its steps bound to step types, every value typed and every reference resolved, offline.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/units.h"
#include "engine/base/value.h"
#include "engine/plugin/registry.h"
#include "engine/scenario/model.h"

namespace failover::plan {

enum class Section { preflight, steps, on_failure, finally };
std::string_view to_string(Section section);

// What holds for a step beside what its author asserted.
struct DefaultAssertion {
  expr::Expression that;
};

struct Branch;

struct Step {
  enum class Shape {
    call,      // of a step type
    group,     // `steps`, one after the other
    branches,  // side by side
    composite  // the steps of a fragment, in a scope of their own
  };
  Shape shape = Shape::call;
  std::string id;  // the author's, or `step-7`, which nothing can refer to
  bool named = false;
  std::string name;
  std::string phase;
  Section section = Section::steps;
  const plugin::StepType* type = nullptr;                              // of a call
  const scenario::Step* written = nullptr;                             // in the file of `home`
  const scenario::Scenario* home = nullptr;                            // the scenario or fragment that says it
  std::vector<std::pair<const plugin::Input*, scenario::Given>> with;  // what the author gave; the rest has defaults
  std::vector<DefaultAssertion> default_asserts;
  std::vector<Step> on_failure;
  std::vector<Step> steps;  // of a group or a composite
  std::vector<Branch> branches;
  std::shared_ptr<const scenario::Scenario> fragment;                                    // of a composite
  std::vector<std::pair<const scenario::InputDeclaration*, scenario::Given>> arguments;  // and its inputs
  base::Type outputs;  // of one round: `foreach` makes a list of it

  // `vast.create_instance`, `steps`, `branches` or `./fragments/restore.yaml`.
  [[nodiscard]] std::string uses() const;
  [[nodiscard]] const scenario::Given* given(std::string_view input) const;
  [[nodiscard]] const source::File& file() const { return *home->file(); }
};

struct Branch {
  std::string name;
  std::vector<Step> steps;
};

// Owns the scenario; points into the registry, which must outlive it.
struct Plan {
  std::shared_ptr<const scenario::Scenario> scenario;
  std::vector<Step> preflight;
  std::vector<Step> steps;
  std::vector<Step> finally;

  // preflight, steps, finally, in that order, without what only a failure runs; what has steps of its own comes before
  // them.
  [[nodiscard]] std::vector<const Step*> in_order() const;
};
void flatten(const std::vector<Step>& steps, std::vector<const Step*>& out);

// Reads the fragment at `path`; nullptr when there is none (said in `why`) or nothing in it that could be understood
// (said in the diagnostics).
using Fragments = std::function<std::shared_ptr<const scenario::Scenario>(const std::string& path, source::Diagnostics&,
                                                                          std::string& why)>;

// Binds `scenario` to the step types. Every mistake goes to `diagnostics`; the plan may only be run when none is an
// error.
// Paths of fragments are the using file's folder and what `uses` says; without `fragments` none can be read.
// `inputs`: those of the run that is wanted; without them what the defaults show to be wrong is a mistake.
Plan bind(std::shared_ptr<const scenario::Scenario> scenario, const plugin::Registry& registry,
          source::Diagnostics& diagnostics, const Fragments& fragments = {}, const base::Value::Map* inputs = nullptr);

// The scenario's inputs from `--input` texts and defaults. Error{invalid}: an unknown name, a missing required one, a
// bad value.
base::Result<base::Value::Map> resolve_inputs(const scenario::Scenario& scenario,
                                              const std::vector<std::pair<std::string, std::string>>& given);
// The defaults alone: inputs without one are left out.
base::Value::Map default_inputs(const scenario::Scenario& scenario);

struct Limits {
  base::Money cost{1'000'000};  // what a scenario without `limits` gets
  base::Duration duration = std::chrono::hours(1);
  static constexpr base::Duration cleanup_margin =
      std::chrono::minutes(2);  // a machine's deadline is the run's end plus this
};
// The hard stops, with `inputs` in scope. Error when they cannot be computed.
base::Result<Limits> limits_of(const scenario::Scenario& scenario, const base::Value::Map& inputs);
base::Result<std::map<std::string, base::Duration>> objectives_of(const scenario::Scenario& scenario,
                                                                  const base::Value::Map& inputs);

struct Money3 {
  base::Money best;
  base::Money expected;
  base::Money worst;
};

struct Rental {
  std::string step;  // the step that makes it
  std::string kind;
  std::optional<base::Money> ceiling;  // per hour; nullopt when no step quotes a price
  std::string model;                   // what the quote is for: `RTX 4090`; may be empty
  plugin::Span time;                   // how long it is billed
  Money3 cost;
};

// What past runs took and paid, as plain numbers: whoever has a history hands it in, a plan never looks for one.
// `certain`: seen often enough for the low figure to be a best case. `from` is for people: `median of 12 live runs`.
struct Past {
  struct Times {
    base::Duration low{0};
    base::Duration median{0};
    bool certain = false;
    std::string from;
  };
  struct Prices {
    base::Money low;
    base::Money median;
    bool certain = false;
    std::string from;
  };
  std::size_t runs = 0;  // how many are behind it
  // Of the step `id` (`restore.verify` inside of a composite) or else of its type; of a GPU model, per hour.
  std::function<std::optional<Times>(const std::string& id, const std::string& uses)> took;
  std::function<std::optional<Prices>(const std::string& model)> paid;
};

struct StepTime {
  plugin::Span time;  // of one round
  std::string from;
};

// The most that is held at one moment, at the ceilings.
struct Most {
  std::size_t machines = 0;
  base::Money per_hour;
};

struct Estimate {
  plugin::Span time;
  base::Duration least{0};  // the best, whatever the limits allow
  Money3 cost;
  Most most;
  Most surely;            // without what only a `when` rents, or may give back, that is not known before the run
  bool in_doubt = false;  // what such a `when`, a loop or one branch of a race alone gives back still counts in `most`
  std::vector<Rental> rentals;
  std::map<std::string, StepTime> steps;  // of each call, by its id as the journal has it, without rounds
  std::vector<std::string> reasons;       // where the figures come from, one line each
};
// Best and expected are the past's where it has any, else what the step types state; worst is always the hard bounds:
// timeouts, ceilings, limits.
Estimate estimate(const Plan& plan, const base::Value::Map& inputs, const Limits& limits, const Past& past = {});

// `time [1s, 2s, 10m0s], cost [$0.01, $0.02, $0.50]`: best, expected, worst.
std::string in_short(const Estimate& estimate);

// Warns of what is read on a machine where no step has put it by then. A plan without errors.
void check_places(const Plan& plan, const base::Value::Map& inputs, source::Diagnostics& diagnostics);

// What only the inputs can show to be wrong: rentals that cannot fit the cost limit, a limit below the best case,
// timeouts above the run's duration.
void check_money(const Plan& plan, const base::Value::Map& inputs, const Limits& limits,
                 source::Diagnostics& diagnostics);

// What is on the runner: whoever can look says it; a plan opens no files but fragments.
struct Disk {
  std::function<bool(const std::string& path)> is_file;  // of any kind but a directory
  std::function<bool(const std::string& path)> is_directory;
  std::function<bool(const std::string& name)> is_program;  // a path with a slash, or a name that PATH leads to
};
// What steps will look for on the runner and is not there, where no earlier step may have made it: a run started here
// would fail by it. As warnings, since another machine may run it.
void check_local(const Plan& plan, const base::Value::Map& inputs, const Disk& disk, source::Diagnostics& diagnostics);

// Kinds of things that the plan may make, in the registry's order.
std::vector<const plugin::Kind*> kinds_of(const Plan& plan, const plugin::Registry& registry);
// What gives each of them back: the walls that stand and those that do not, for people and as JSON.
std::string walls_to_text(const std::vector<const plugin::Kind*>& kinds);
base::Value walls_to_value(const std::vector<const plugin::Kind*>& kinds);

// `failover plan`, for people and as JSON. `missing` are declared environment variables that are not set.
std::string to_text(const Plan& plan, const base::Value::Map& inputs, const Limits& limits,
                    const std::vector<std::string>& missing, const plugin::Registry& registry, const Past& past = {});
base::Value to_value(const Plan& plan, const base::Value::Map& inputs, const Limits& limits,
                     const std::vector<std::string>& missing, const plugin::Registry& registry, const Past& past = {});

}  // namespace failover::plan
