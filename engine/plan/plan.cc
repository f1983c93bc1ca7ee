#include "engine/plan/plan.h"

#include <algorithm>
#include <map>

#include "engine/plan/binder.h"
#include "engine/plan/known.h"

namespace failover::plan {
namespace {

std::vector<scenario::Mark> marks_of(const std::string& objective) {
  using scenario::Mark;
  if (objective == "mttd") return {Mark::failure, Mark::detected};
  if (objective == "rto" || objective == "rpo") return {Mark::failure, Mark::recovered};
  return {};
}

// A mark is one instant.
void marks(const std::vector<Step>& steps, bool repeated, std::set<scenario::Mark>& seen,
           source::Diagnostics& diagnostics) {
  for (const auto& step : steps) {
    const bool again = repeated || step.written->foreach.has_value();
    for (const auto& mark : step.written->marks) {
      const std::string word(scenario::to_string(mark.value));
      const bool fresh = seen.insert(mark.value).second;
      if (again) {
        diagnostics.error(step.home->file(), mark.span, "duplicate-mark",
                          "a step that runs once for each element cannot carry the mark `" + word + "`",
                          "a mark is one instant: put it on a step outside of `foreach`");
      } else if (!fresh) {
        diagnostics.error(step.home->file(), mark.span, "duplicate-mark", "two steps carry the mark `" + word + "`",
                          "a mark is one instant: keep it on one step");
      }
    }
    marks(step.steps, again, seen, diagnostics);
    for (const auto& branch : step.branches) marks(branch.steps, again, seen, diagnostics);
  }
}

// What is measured from `failure` on cannot have come before it. Branches run side by side: only what was before all of
// them counts. `before`: the marks that certainly have been; afterwards with those of `steps`.
void order(const std::vector<Step>& steps, std::set<scenario::Mark>& before, source::Diagnostics& diagnostics) {
  using scenario::Mark;
  for (const auto& step : steps) {
    for (const auto& mark : step.written->marks) {
      if (mark.value != Mark::failure) continue;
      for (const auto late : {Mark::detected, Mark::degraded, Mark::recovered}) {
        if (before.count(late) == 0) continue;
        const std::string word(scenario::to_string(late));
        diagnostics.error(step.home->file(), mark.span, "marks-out-of-order",
                          "the mark `failure` comes after `" + word + "`",
                          "objectives are measured from `failure` on: put it on the step that breaks something");
        break;
      }
    }
    for (const auto& mark : step.written->marks) before.insert(mark.value);
    order(step.steps, before, diagnostics);
    auto all = before;
    for (const auto& branch : step.branches) {
      auto own = before;
      order(branch.steps, own, diagnostics);
      all.merge(own);
    }
    before = std::move(all);
  }
}

// Does every run that comes here make a call in one of them?
bool acts(const std::vector<Step>& steps, const Before& before);

bool acts_inside(const Step& step, const Before& before) {
  switch (step.shape) {
    case Step::Shape::call: return true;
    case Step::Shape::group: return acts(step.steps, before);
    case Step::Shape::branches:
      return std::any_of(step.branches.begin(), step.branches.end(),
                         [&](const Branch& branch) { return acts(branch.steps, before); });
    case Step::Shape::composite: {
      const base::Value::Map inputs = arguments(step, before.inputs);
      return acts(step.steps, before.with(inputs));
    }
  }
  return false;
}

bool acts(const std::vector<Step>& steps, const Before& before) {
  return std::any_of(steps.begin(), steps.end(), [&](const Step& step) {
    if (!wanted(step, before).value_or(false)) return false;
    if (step.written->foreach) {
      const auto elements = known(*step.written->foreach, before);
      const auto* list = elements ? elements->list() : nullptr;
      if (list == nullptr || list->empty()) return false;
    }
    return acts_inside(step, before);
  });
}

// Marks that a run may pass without setting, and why.
void unsure(const std::vector<Step>& steps, const std::string& why, const Before& before,
            std::map<scenario::Mark, std::string>& out) {
  for (const auto& step : steps) {
    const std::string own = step.written->when ? "its step has a `when`" : why;
    const bool idle = own.empty() && !step.written->marks.empty() && !acts_inside(step, before);
    for (const auto& mark : step.written->marks) {
      if (!own.empty() || idle) out.emplace(mark.value, idle ? "every call in its step may be skipped" : own);
    }
    const bool composite = step.shape == Step::Shape::composite;
    const base::Value::Map inputs = composite ? arguments(step, before.inputs) : base::Value::Map{};
    unsure(step.steps, step.written->when && step.shape == Step::Shape::group ? "its group has a `when`" : own,
           composite ? before.with(inputs) : before, out);
    const bool race = step.written->wait == scenario::Wait::first;
    for (const auto& branch : step.branches) unsure(branch.steps, race ? "another branch may win" : own, before, out);
  }
}

// Marks of steps whose instants count for nothing, and where those are.
void astray(const std::vector<Step>& steps, const char* where, std::map<scenario::Mark, const char*>& out) {
  for (const auto& step : steps) {
    if (where != nullptr) {
      for (const auto& mark : step.written->marks) out.emplace(mark.value, where);
    }
    astray(step.on_failure, "`on_failure`", out);
    astray(step.steps, where, out);
    for (const auto& branch : step.branches) astray(branch.steps, where, out);
  }
}

bool is_marked(const Step& step, scenario::Mark mark) {
  const auto& own = step.written->marks;
  return std::any_of(own.begin(), own.end(), [&](const auto& one) { return one.value == mark; });
}

bool carries(const std::vector<Step>& steps, scenario::Mark mark) {
  return std::any_of(steps.begin(), steps.end(), [&](const Step& step) {
    return is_marked(step, mark) || carries(step.steps, mark) ||
           std::any_of(step.branches.begin(), step.branches.end(),
                       [&](const Branch& branch) { return carries(branch.steps, mark); });
  });
}

// Is there a step that may show, between `failure` and `recovered`, which files are there? Branches run side by side:
// what is in one may be between the marks of another.
bool shows_files(const std::vector<Step>& steps, const Before& before, bool& failed, bool& recovered) {
  using scenario::Mark;
  for (const auto& step : steps) {
    const bool fails = is_marked(step, Mark::failure);
    failed = failed || fails;
    if (fails) continue;  // what the failure itself compares may be what is lost in it
    if (wanted(step, before) == std::optional(false)) continue;
    const bool counter_proof = step.written->must_fail && step.written->must_fail->value;
    const bool shows = step.type != nullptr && !step.type->shows_files.empty() && !counter_proof;
    if (shows && failed && !recovered) return true;
    if (shows_files(step.steps, before, failed, recovered)) return true;
    bool all_recovered = recovered;
    for (const auto& branch : step.branches) failed = failed || carries(branch.steps, Mark::failure);
    for (const auto& branch : step.branches) {
      bool own = recovered;
      if (shows_files(branch.steps, before, failed, own)) return true;
      all_recovered = all_recovered || own;
    }
    recovered = all_recovered || is_marked(step, Mark::recovered);
  }
  return false;
}

// Whether anything can be said of what was lost.
void proof(const Plan& plan, const Before& before, const std::set<scenario::Mark>& seen,
           source::Diagnostics& diagnostics) {
  using scenario::Mark;
  if (seen.count(Mark::failure) == 0 || seen.count(Mark::recovered) == 0) return;
  for (const auto& objective : plan.scenario->objectives) {
    if (objective.name.value != "rpo") continue;
    bool failed = false;
    bool recovered = false;
    if (shows_files(plan.steps, before, failed, recovered)) continue;
    diagnostics.error(plan.scenario->file(), objective.name.span, "objective-without-proof",
                      "`rpo` cannot be measured: from `failure` to `recovered` no step shows which files are there",
                      "put a checksum.verify of what was written between them, or leave `rpo` out");
  }
}

void objectives(const Plan& plan, const base::Value::Map& inputs, source::Diagnostics& diagnostics) {
  std::set<scenario::Mark> seen;
  marks(plan.steps, false, seen, diagnostics);
  std::set<scenario::Mark> before;
  order(plan.steps, before, diagnostics);
  std::map<scenario::Mark, std::string> maybe;
  std::int64_t work_left = 20'000'000;  // steps of evaluation
  unsure(plan.steps, "", Before(inputs, work_left), maybe);
  std::map<scenario::Mark, const char*> elsewhere;
  astray(plan.finally, "`finally`", elsewhere);
  astray(plan.preflight, "`preflight`", elsewhere);
  astray(plan.steps, nullptr, elsewhere);
  for (const auto& objective : plan.scenario->objectives) {
    for (const auto needed : marks_of(objective.name.value)) {
      const std::string word(scenario::to_string(needed));
      if (const auto doubt = maybe.find(needed); doubt != maybe.end()) {
        diagnostics.warning(plan.scenario->file(), objective.name.span, "mark-may-be-missing",
                            "`" + objective.name.value + "` may go unmeasured: the mark `" + word +
                                "` may never be set, since " + doubt->second,
                            "put the mark on a step that always runs");
      }
      if (seen.count(needed) > 0) continue;
      if (const auto other = elsewhere.find(needed); other != elsewhere.end()) {
        diagnostics.error(plan.scenario->file(), objective.name.span, "objective-without-mark",
                          "`" + objective.name.value + "` cannot be measured: the mark `" + word +
                              "` is on a step of " + other->second + ", where marks do not count",
                          "put it on the step of `steps` where it happens");
        continue;
      }
      diagnostics.error(plan.scenario->file(), objective.name.span, "objective-without-mark",
                        "`" + objective.name.value + "` cannot be measured: no step carries the mark `" + word + "`",
                        "add `marks: [" + word + "]` to the step where it happens");
    }
  }
  proof(plan, Before(inputs, work_left), seen, diagnostics);
}

}  // namespace

std::string_view to_string(Section section) {
  switch (section) {
    case Section::preflight: return "preflight";
    case Section::steps: return "steps";
    case Section::on_failure: return "on_failure";
    case Section::finally: return "finally";
  }
  return "steps";
}

std::string Step::uses() const {
  switch (shape) {
    case Shape::call: return type->name;
    case Shape::group: return "steps";
    case Shape::branches: return "branches";
    case Shape::composite: return written->uses->value;
  }
  return "";
}

const scenario::Given* Step::given(std::string_view input) const {
  for (const auto& [declared, value] : with) {
    if (declared->name == input) return &value;
  }
  return nullptr;
}

void flatten(const std::vector<Step>& steps, std::vector<const Step*>& out) {
  for (const auto& step : steps) {
    out.push_back(&step);
    flatten(step.steps, out);
    for (const auto& branch : step.branches) flatten(branch.steps, out);
  }
}

std::vector<const Step*> Plan::in_order() const {
  std::vector<const Step*> out;
  for (const auto* section : {&preflight, &steps, &finally}) flatten(*section, out);
  return out;
}

Plan bind(std::shared_ptr<const scenario::Scenario> scenario, const plugin::Registry& registry,
          source::Diagnostics& diagnostics, const Fragments& fragments, const base::Value::Map* inputs) {
  Plan plan;
  plan.scenario = std::move(scenario);
  Binder::Files files{fragments, diagnostics};
  Binder::Shared shared{registry, diagnostics, files, {plan.scenario->file()->name()}};
  shared.may_fail = plan.scenario->must_fail && plan.scenario->must_fail->value;
  const auto known = inputs != nullptr ? *inputs : default_inputs(*plan.scenario);
  Binder binder(*plan.scenario, shared, known);
  binder.head();
  binder.section(plan.scenario->preflight, Section::preflight, plan.preflight);
  binder.section(plan.scenario->steps, Section::steps, plan.steps);
  binder.section(plan.scenario->finally, Section::finally, plan.finally);
  binder.unread_outputs(plan.preflight);
  binder.unread_outputs(plan.steps);
  binder.unread_outputs(plan.finally);
  objectives(plan, known, diagnostics);
  if (diagnostics.errors() == 0 && !shared.may_fail) check_places(plan, known, diagnostics);
  binder.unused_inputs();
  return plan;
}

}  // namespace failover::plan
