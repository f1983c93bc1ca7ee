#include <algorithm>
#include <set>

#include "engine/base/text.h"
#include "engine/plan/plan.h"
#include "engine/plan/scope.h"

namespace failover::plan {
namespace {

using source::Diagnostics;
using source::Span;

std::vector<std::string> names_of(const std::vector<plugin::Input>& inputs) {
  std::vector<std::string> out;
  for (const auto& input : inputs) out.push_back(input.name);
  return out;
}

std::string nearest_hint(std::string_view word, std::vector<std::string> legal, const std::string& lead) {
  std::sort(legal.begin(), legal.end());
  const auto near = base::nearest(word, legal);
  return (near ? "did you mean `" + *near + "`? " : "") + lead + base::join(legal);
}

class Binder {
 public:
  Binder(const scenario::Scenario& scenario, const plugin::Registry& registry, Diagnostics& diagnostics)
      : scenario_(scenario), registry_(registry), diagnostics_(diagnostics), names_(scenario, used_) {}

  void section(const std::vector<scenario::Step>& written, Section which, std::vector<Step>& out) {
    std::string phase = which == Section::preflight ? "Preflight" : which == Section::finally ? "Finally" : "Steps";
    for (const auto& step : written) {
      if (step.phase) phase = step.phase->value;
      bind(step, which, phase, out);
    }
  }

  void unused_inputs() {
    for (const auto& input : scenario_.inputs) {
      if (used_.count(input.name.value) == 0) {
        diagnostics_.warning(scenario_.file(), input.name.span, "unused-input",
                             "nothing uses the input `" + input.name.value + "`", "remove it, or use it in a step");
      }
    }
  }

  // `limits` and `objectives` see the inputs alone.
  void head() {
    expr::Scope scope = names_.scope({}, nullptr, {});
    for (const auto* given : {&scenario_.cost_limit, &scenario_.duration_limit}) {
      if (*given) scenario::check(scenario_.file(), **given, scope, diagnostics_);
    }
    for (const auto& objective : scenario_.objectives) {
      scenario::check(scenario_.file(), objective.limit, scope, diagnostics_);
    }
  }

  void objectives(const std::vector<Step>& steps) {
    std::set<scenario::Mark> marks;
    for (const auto& step : steps) {
      for (const auto& mark : step.written->marks) {
        if (!marks.insert(mark.value).second) {
          error(mark.span, "duplicate-mark",
                "two steps carry the mark `" + std::string(scenario::to_string(mark.value)) + "`",
                "a mark is one instant: keep it on one step");
        }
      }
    }
    for (const auto& objective : scenario_.objectives) {
      for (const auto needed : marks_of(objective.name.value)) {
        if (marks.count(needed) > 0) continue;
        error(objective.name.span, "objective-without-mark",
              "`" + objective.name.value + "` cannot be measured: no step carries the mark `" +
                  std::string(scenario::to_string(needed)) + "`",
              "add `marks: [" + std::string(scenario::to_string(needed)) + "]` to the step where it happens");
      }
    }
  }

 private:
  static std::vector<scenario::Mark> marks_of(const std::string& objective) {
    using scenario::Mark;
    if (objective == "mttd") return {Mark::failure, Mark::detected};
    if (objective == "rto" || objective == "rpo" || objective == "mttr") return {Mark::failure, Mark::recovered};
    return {};
  }

  void error(Span span, std::string code, std::string message, std::string hint) {
    diagnostics_.error(scenario_.file(), span, std::move(code), std::move(message), std::move(hint));
  }

  void bind(const scenario::Step& written, Section which, const std::string& phase, std::vector<Step>& out) {
    ++count_;
    if (unavailable(written)) {
      if (written.id) names_.declare_unknown(written.id->value);
      return;
    }
    if (!written.uses) return;  // said by the scenario room
    Step step;
    step.named = written.id.has_value();
    step.id = written.id ? written.id->value : "step-" + std::to_string(count_);
    step.phase = phase;
    step.section = which;
    step.written = &written;
    step.type = registry_.step(written.uses->value);
    if (step.type == nullptr) {
      unknown_type(*written.uses);
      if (written.id) names_.declare_unknown(written.id->value);
      return;
    }
    step.name = written.name ? written.name->value : std::string();
    const Guards guards = written.when ? guards_of(written.when->expression) : Guards{};
    const expr::Scope before = names_.scope(guards, nullptr, {which});
    fields(written, before, step);
    conditions(written, before, guards, which, step);
    defaults(step);
    rules(written, which, step);
    for (const auto& evidence : written.on_failure) bind(evidence, Section::on_failure, phase, step.on_failure);
    if (which != Section::on_failure && written.id) {
      names_.declare(written.id->value, {step.type, written.when.has_value(), which});
    }
    out.push_back(std::move(step));
  }

  // Keys of the language that this version reads but cannot run.
  bool unavailable(const scenario::Step& written) {
    std::string what;
    if (written.foreach) what = "foreach";
    if (!written.branches.empty()) what = "branches";
    if (!written.steps.empty()) what = "steps (a group)";
    if (written.uses && written.uses->value.rfind("./", 0) == 0) what = "composites (`uses: ./...`)";
    if (what.empty()) return false;
    error(written.head, "not-yet", what + " cannot be run by this version", "write the steps one after the other");
    return true;
  }

  void unknown_type(const scenario::At<std::string>& uses) {
    std::vector<std::string> legal;
    for (const auto& type : registry_.steps) legal.push_back(type.name);
    const auto near = base::nearest(uses.value, legal);
    error(uses.span, "unknown-step", "no step type `" + base::printable(uses.value, 80) + "`",
          (near ? "did you mean `" + *near + "`? " : std::string()) + "`failover steps` lists them all");
  }

  void fields(const scenario::Step& written, const expr::Scope& scope, Step& step) {
    std::set<std::string> seen;
    if (written.with != nullptr) {
      for (const auto& entry : written.with->entries) {
        const plugin::Input* input = step.type->input(entry.key);
        if (input == nullptr) {
          error(entry.key_span, "unknown-field",
                "no field `" + base::printable(entry.key, 80) + "` in " + step.type->name,
                nearest_hint(entry.key, names_of(step.type->inputs), "it has: "));
          continue;
        }
        seen.insert(input->name);
        auto given = scenario::read_value(scenario_.file(), entry.value, input->type, diagnostics_);
        if (!given) continue;
        scenario::check(scenario_.file(), *given, scope, diagnostics_);
        names_.note(*given);
        restrictions(*input, *given);
        step.with.emplace_back(input, *std::move(given));
      }
    }
    for (const auto& input : step.type->inputs) {
      if (input.required && seen.count(input.name) == 0) {
        error(written.missing_field_place(), "missing-field",
              step.type->name + " needs `" + input.name + "` (" + input.type.name() + ")", input.summary);
      }
    }
    for (const auto& group : step.type->one_of) one_of(written, group, seen, *step.type);
  }

  void one_of(const scenario::Step& written, const std::vector<std::string>& group, const std::set<std::string>& seen,
              const plugin::StepType& type) {
    const auto given =
        std::count_if(group.begin(), group.end(), [&](const auto& name) { return seen.count(name) > 0; });
    if (given == 1) return;
    error(written.missing_field_place(), given == 0 ? "missing-field" : "conflicting-fields",
          type.name + " needs " + (given == 0 ? "one" : "only one") + " of: " + base::join(group),
          "give exactly one of them");
  }

  // What a type does not say: legal words and least values, as far as the value is known.
  void restrictions(const plugin::Input& input, const scenario::Given& given) {
    if (given.kind != scenario::Given::Kind::literal || given.node == nullptr) return;
    const auto* text = given.literal.text();
    if (text != nullptr && !input.choices.empty() &&
        std::find(input.choices.begin(), input.choices.end(), *text) == input.choices.end()) {
      error(given.node->span, "not-a-choice",
            "`" + base::printable(*text, 80) + "` is not a legal `" + input.name + "`",
            nearest_hint(*text, input.choices, "one of: "));
    }
    const auto* number = given.literal.get<std::int64_t>();
    if (number != nullptr && input.minimum && *number < *input.minimum) {
      error(given.node->span, "too-small",
            "`" + input.name + "` is " + std::to_string(*number) + ", less than " + std::to_string(*input.minimum),
            "give at least " + std::to_string(*input.minimum));
    }
  }

  void conditions(const scenario::Step& written, const expr::Scope& before, const Guards& guards, Section which,
                  Step& step) {
    const auto& file = scenario_.file();
    const expr::Scope after = names_.scope(guards, step.type, {which});
    if (written.when) {
      scenario::check(file, *written.when, names_.scope(guards, nullptr, {which}), diagnostics_);
      names_.note(written.when->expression);
    }
    for (const auto& assertion : written.asserts) {
      scenario::check(file, assertion.that, after, diagnostics_);
      names_.note(assertion.that.expression);
      if (assertion.message) {
        scenario::check(file, *assertion.message, after, diagnostics_);
        names_.note(*assertion.message);
      }
    }
    if (written.until) {
      scenario::check(file, *written.until, after, diagnostics_);
      names_.note(written.until->expression);
    }
    for (const auto* given : {&written.timeout, &written.every, &written.keep}) {
      if (!*given) continue;
      scenario::check(file, **given, before, diagnostics_);
      names_.note(**given);
    }
    if (!written.retry) return;
    for (const auto* given :
         {&written.retry->attempts, &written.retry->delay, &written.retry->backoff, &written.retry->max_delay}) {
      if (!*given) continue;
      scenario::check(file, **given, before, diagnostics_);
      names_.note(**given);
    }
  }

  // The step type's own assertions, but for those about an output that the author judges himself.
  void defaults(Step& step) {
    std::set<std::string> judged;
    const auto note = [&](const expr::Expression& expression) {
      if (expression.empty()) return;
      for (const auto& path : expr::references(expression)) {
        if (path.parts.size() > 1 && path.parts[0].name == "outputs") judged.insert(path.parts[1].name);
      }
    };
    for (const auto& assertion : step.written->asserts) note(assertion.that.expression);
    if (step.written->until) note(step.written->until->expression);
    for (const auto& fallback : step.type->asserts) {
      auto parsed = expr::parse(fallback.expression);
      const auto paths = expr::references(parsed.expression);
      const bool overruled = std::any_of(paths.begin(), paths.end(), [&](const expr::Path& path) {
        return path.parts.size() > 1 && judged.count(path.parts[1].name) > 0;
      });
      if (!overruled) step.default_asserts.push_back({std::move(parsed.expression)});
    }
  }

  void rules(const scenario::Step& written, Section which, const Step& step) {
    const plugin::StepType& type = *step.type;
    const Span uses = written.uses->span;
    if (which == Section::preflight && type.effect != plugin::Effect::reads) {
      error(uses, "not-free", type.name + " changes something: a preflight step must only look", "move it to `steps`");
    }
    for (const auto& kind : type.holds) {
      if (registry_.kind(kind) == nullptr) {
        error(uses, "nothing-undoes", "nothing can give back the `" + kind + "` that " + type.name + " makes",
              "this build of failover lacks the kind; use one that has it");
      }
    }
    if (written.keep && !keepable(type)) {
      error(written.keep->node->span, "keep-not-allowed",
            type.holds.empty() ? type.name + " makes nothing that could be kept"
                               : "what " + type.name + " makes must be given back: it cannot be kept",
            "remove `keep`; only snapshots and objects can be kept");
    }
    if (written.retry && type.effect == plugin::Effect::creates) {
      for (const auto& fault : written.retry->errors) {
        if (fault.value != base::Fault::unknown && fault.value != base::Fault::timeout) continue;
        error(fault.span, "blind-retry",
              type.name + " makes something: after `" + std::string(base::to_string(fault.value)) +
                  "` it may exist already, so it must not simply be tried again",
              "remove this class; the step looks for what it may have made by itself");
      }
    }
  }

  bool keepable(const plugin::StepType& type) const {
    return std::any_of(type.holds.begin(), type.holds.end(), [&](const auto& name) {
      const plugin::Kind* kind = registry_.kind(name);
      return kind != nullptr && kind->keepable;
    });
  }

  const scenario::Scenario& scenario_;
  const plugin::Registry& registry_;
  Diagnostics& diagnostics_;
  std::set<std::string> used_;
  Names names_;
  int count_ = 0;
};

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

const scenario::Given* Step::given(std::string_view input) const {
  for (const auto& [declared, value] : with) {
    if (declared->name == input) return &value;
  }
  return nullptr;
}

std::vector<const Step*> Plan::in_order() const {
  std::vector<const Step*> out;
  for (const auto* section : {&preflight, &steps, &finally}) {
    for (const auto& step : *section) out.push_back(&step);
  }
  return out;
}

Plan bind(std::shared_ptr<const scenario::Scenario> scenario, const plugin::Registry& registry,
          Diagnostics& diagnostics) {
  Plan plan;
  plan.scenario = std::move(scenario);
  Binder binder(*plan.scenario, registry, diagnostics);
  binder.head();
  binder.section(plan.scenario->preflight, Section::preflight, plan.preflight);
  binder.section(plan.scenario->steps, Section::steps, plan.steps);
  binder.section(plan.scenario->finally, Section::finally, plan.finally);
  binder.objectives(plan.steps);
  binder.unused_inputs();
  return plan;
}

}  // namespace failover::plan
