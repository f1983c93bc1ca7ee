#include <algorithm>
#include <set>
#include <string_view>

#include "engine/base/text.h"
#include "engine/plan/binder.h"

namespace failover::plan {
namespace {

using source::Span;

std::string default_phase(Section section) {
  return section == Section::preflight ? "Preflight" : section == Section::finally ? "Finally" : "Steps";
}

// Every NAME of `inputs.NAME` in the text, wherever it stands.
std::set<std::string_view> inputs_named(std::string_view text) {
  constexpr std::string_view kBefore = "inputs.";
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
  std::set<std::string_view> out;
  for (std::size_t at = text.find(kBefore); at != std::string_view::npos; at = text.find(kBefore, at)) {
    at += kBefore.size();
    out.insert(text.substr(at, std::min(text.find_first_not_of(kLetters, at), text.size()) - at));
  }
  return out;
}

}  // namespace

Binder::Binder(const scenario::Scenario& home, Shared& shared, base::Value::Map inputs, Names::Types given)
    : home_(home), shared_(shared), names_(home, used_, std::move(given)), inputs_(std::move(inputs)) {
  names_.budgets(&shared_.files.work_left, &shared_.files.patterns_left);
}

void Binder::error(Span span, source::Code code, std::string message, std::string hint) {
  if (looked_at_.value != nullptr) {
    hint = std::string("so it is for ") + looked_at_.what + " `" + base::printable(looked_at_.value->display(), 80) +
           "`" + (hint.empty() ? "" : "; " + hint);
  }
  shared_.diagnostics.error(home_.file(), span, code, std::move(message), std::move(hint));
}

// `limits` and `objectives` see the inputs alone; a fragment's `env` is declared by its scenario as well.
void Binder::head() {
  for (const auto& variable : home_.env) {
    const auto& keys = shared_.registry.keys;
    if (std::find(keys.begin(), keys.end(), variable.name.value) != keys.end()) {
      error(variable.name.span, "own-key", "no scenario may read `" + variable.name.value + "`",
            "the steps have failover's own keys already; give another program one of its own, under another name");
    }
  }
  const expr::Scope scope = names_.scope({}, nullptr, {});
  for (const auto* given : {&home_.cost_limit, &home_.duration_limit}) {
    if (!*given) continue;
    scenario::check(home_.file(), **given, scope, shared_.diagnostics);
    at_least(**given, given == &home_.duration_limit ? "duration" : "cost", 0);
  }
  for (const auto& objective : home_.objectives) {
    scenario::check(home_.file(), objective.limit, scope, shared_.diagnostics);
  }
}

void Binder::section(const std::vector<scenario::Step>& written, Section which, std::vector<Step>& out) {
  steps(written, {which, default_phase(which), {}}, out);
}

void Binder::steps(const std::vector<scenario::Step>& written, Place place, std::vector<Step>& out) {
  out.reserve(out.size() + written.size());
  for (const auto& step : written) {
    if (step.phase) place.phase = step.phase->value;
    bind(step, place, out);
  }
}

void Binder::unused_inputs() {
  // What could not be read may well use an input that it names: one mistake gives one finding.
  std::set<std::string_view> named;
  if (shared_.diagnostics.errors() > 0) named = inputs_named(home_.file()->text());
  for (const auto& input : home_.inputs) {
    if (input.kind == scenario::InputKind::unknown) continue;  // a mistake in it was said
    if (used_.count(input.name.value) > 0 || named.count(input.name.value) > 0) continue;
    shared_.diagnostics.warning(home_.file(), input.name.span, "unused-input",
                                "nothing uses the input `" + input.name.value + "`", "remove it, or use it in a step");
  }
}

// The outputs of a fragment, typed in the scope that its last step leaves.
base::Type Binder::outputs() {
  const expr::Scope scope = names_.scope({}, nullptr, {});
  std::vector<base::Type::Field> fields;
  for (const auto& output : home_.outputs) {
    const std::size_t before = shared_.diagnostics.errors();
    scenario::check(home_.file(), output.value, scope, shared_.diagnostics);
    names_.note(output.value);
    meant(output.value);
    secrets(output.value, "the output `" + output.name.value + "`");
    const bool fine = shared_.diagnostics.errors() == before;
    if (fine) foresee(output.value, output.name.value, [](const base::Value&) {});
    fields.push_back({output.name.value, fine ? type_of(output.value, scope) : base::Type()});
  }
  return base::Type::object(std::move(fields));
}

void Binder::bind(const scenario::Step& written, const Place& place, std::vector<Step>& out) {
  ++count_;
  Step step;
  step.named = written.id.has_value();
  step.id = written.id ? written.id->value : "step-" + std::to_string(count_);
  step.name = written.name ? written.name->value : std::string();
  step.phase = place.phase;
  step.section = place.section;
  step.written = &written;
  step.home = &home_;
  Place inside = place;
  if (written.when && !written.when->expression.empty()) {
    const auto facts = expr::proven(written.when->expression);
    inside.guards.insert(inside.guards.end(), facts.begin(), facts.end());
  }
  names_.begin(step.named ? step.id : std::string());
  if (written.when) {
    source::Diagnostics found;
    scenario::check(home_.file(), *written.when, names_.scope(inside.guards, nullptr, {place.section}), found);
    settle(found, found.errors() > 0 && computes_for_all(*written.when));
    names_.note(written.when->expression);
    reachable(*written.when);
    taken_whole(*written.when, nullptr);
    decided(*written.when);
  }
  const Absence gone = gone_;
  Foreknown outside;
  const bool inner = written.when || written.foreach;
  if (inner) outside = foreknown_;
  if (written.when) narrow(*written.when);
  if (written.when && foreknown_.tried && foreknown_.tried->empty()) return unreached(written, std::move(outside));
  const Names::Declared before = written.foreach ? names_.enter() : Names::Declared{};
  base::Type element;
  std::vector<base::Type> kinds;  // of the elements, where they differ
  const base::Type* outer = nullptr;
  if (written.foreach) {
    const std::size_t mistakes = shared_.diagnostics.errors();
    element = element_of(written, inside, kinds);
    if (shared_.diagnostics.errors() == mistakes) {
      foresee_elements(*written.foreach);
    } else {
      foreknown_.elements.clear();
    }
    foreknown_.tried.reset();
    outer = names_.each(&element);
  }
  const scenario::Given* each_of = each_of_;
  if (written.foreach) each_of_ = &*written.foreach;
  const bool could = shared_.may_fail;
  shared_.may_fail = could || (written.must_fail && written.must_fail->value) || written.wait == scenario::Wait::first;
  const bool fine = kinds.empty() ? body(written, inside, step) : several(written, inside, element, kinds, step);
  const bool some = !written.foreach || length_of(*written.foreach).value_or(0) > 0;
  const bool surely = !shared_.may_fail && !written.when && some;  // a race may fail
  shared_.may_fail = could;
  if (fine && place.section != Section::on_failure) change_lives(step);
  const bool rounds = written.foreach && length_of(*written.foreach).value_or(2) > 1 && !written.max_parallel;
  const bool ends_some =
      std::any_of(gone_.begin(), gone_.end(), [&](const auto& one) { return gone.count(one.first) == 0; });
  if (fine && rounds && ends_some && !shared_.trying) second_round(written, inside, before);
  if (!surely) gone_ = either_way(gone, gone_);
  each_of_ = each_of;
  if (inner) foreknown_ = std::move(outside);
  if (written.foreach) {
    names_.each(outer);
    names_.leave(before, "it runs once for each element of a `foreach`");
  }
  names_.end();
  Earlier earlier;
  earlier.understood = fine;
  if (written.wait == scenario::Wait::first && !written.foreach) {
    for (const auto& branch : written.branches) earlier.winners.push_back(branch.name.value);
  }
  earlier.outputs = written.foreach ? base::Type::list_of(step.outputs) : step.outputs;
  earlier.what = fine ? step.uses() : std::string();
  earlier.section = place.section;
  if (written.foreach && !written.when) {
    if (const auto length = length_of(*written.foreach)) {
      const auto exactly = static_cast<std::int64_t>(*length);
      earlier.length = expr::Range{exactly, exactly};
    }
  }
  if (fine && !written.foreach && step.fragment != nullptr) earlier.things = left_.things;
  if (fine && !written.foreach && step.type != nullptr) {
    earlier.type = step.type;
    earlier.written = &written;
    earlier.about = about(step);
    const bool must_fail = written.must_fail && written.must_fail->value;
    if (!must_fail) earlier.ranges = passed_ranges(step);
  }
  if (written.when) earlier.may_be_gone = "it has a `when`";
  if (written.must_fail && written.must_fail->value) earlier.may_be_gone = "it must fail, and then may have no outputs";
  if (place.section != Section::on_failure && written.id) names_.declare(written.id->value, std::move(earlier));
  if (fine) out.push_back(std::move(step));
}

// Of the type of element that is tried none comes here.
void Binder::unreached(const scenario::Step& written, Foreknown outside) {
  foreknown_ = std::move(outside);
  names_.end();
  Earlier earlier;
  earlier.understood = false;
  if (written.id) names_.declare(written.id->value, std::move(earlier));
}

// What the step does, by its shape. False: a mistake in it makes the rest meaningless.
bool Binder::body(const scenario::Step& written, const Place& place, Step& step) {
  const expr::Scope before = names_.scope(place.guards, nullptr, {place.section});
  times(written, before);
  if (!written.steps.empty()) {
    group(written, place, step);
  } else if (!written.branches.empty()) {
    branches(written, place, step);
  } else if (!written.uses) {
    return false;  // said by the scenario room
  } else if (scenario::is_fragment(written.uses->value)) {
    if (!composite(written, place, before, step)) return false;
    if (written.until) blind_rounds(*written.until, step);
  } else {
    step.type = shared_.registry.step(written.uses->value);
    if (step.type == nullptr) {
      unknown_type(*written.uses);
      return false;
    }
    step.outputs = step.type->output_type();
    fields(written, before, step);
    still_there(step, place.guards);
    defaults(step);
    rules(written, place.section, step);
  }
  conditions(written, place, step);
  for (const auto& evidence : written.on_failure) {
    Place last = place;
    last.section = Section::on_failure;
    bind(evidence, last, step.on_failure);
  }
  return true;
}

void Binder::group(const scenario::Step& written, const Place& place, Step& step) {
  step.shape = Step::Shape::group;
  step.outputs = base::Type::object({});
  const Names::Declared before = names_.enter();
  steps(written.steps, place, step.steps);
  if (!written.when) return;
  for (auto& [id, earlier] : names_.leave(before, "")) {
    if (earlier.race) earlier.race->surely = false;
    if (earlier.may_be_gone.empty()) earlier.may_be_gone = "its group has a `when`";
    names_.declare(id, std::move(earlier));
  }
}

void Binder::branches(const scenario::Step& written, const Place& place, Step& step) {
  step.shape = Step::Shape::branches;
  const bool race = written.wait == scenario::Wait::first;
  step.outputs = base::Type::object(race ? std::vector<base::Type::Field>{{"winner", base::Type::Kind::string}}
                                         : std::vector<base::Type::Field>{});
  Names::Declared after;
  const auto gone = gone_;
  Absence gone_after = gone_;
  std::set<std::string> woken;
  for (const auto& branch : written.branches) {
    const Names::Declared before = names_.enter();
    gone_ = gone;  // what happens in the others may come later
    step.branches.push_back({branch.name.value, {}});
    steps(branch.steps, place, step.branches.back().steps);
    auto own =
        names_.leave(before, "it is in the branch `" + branch.name.value + "`, which runs side by side with this one");
    for (auto& [id, earlier] : own) {
      if (race && earlier.may_be_gone.empty())
        earlier.race = {&written, branch.name.value, !written.when};
      else if (race && earlier.race)
        earlier.race->surely = false;  // one race in another
    }
    after.merge(own);
    for (const auto& [id, how] : gone) {
      const auto at = gone_.find(id);
      if (at == gone_.end() || (at->second.starting && !how.starting)) woken.insert(id);
    }
    gone_after.merge(gone_);
  }
  std::erase_if(gone_after, [&](const auto& one) { return woken.count(one.first) > 0; });
  gone_ = std::move(gone_after);
  for (auto& [id, earlier] : after) {
    if (race && earlier.may_be_gone.empty()) earlier.may_be_gone = "another branch may have won";
    if (written.when && earlier.race) earlier.race->surely = false;
    if (written.when && earlier.may_be_gone.empty()) earlier.may_be_gone = "its branches have a `when`";
    names_.declare(id, std::move(earlier));
  }
}

// Outputs of the fragments used in `bound` that nothing in this file reads, though it could.
void Binder::unread_outputs(const std::vector<Step>& bound) {
  // It may be read where a mistake is.
  if (shared_.diagnostics.errors() + shared_.files.diagnostics.errors() > 0) return;
  std::vector<const Step*> all;
  flatten(bound, all);
  const auto reads = [&](const Step& step, const std::string& output) {
    const auto& read = names_.outputs_read();
    return read.count(step.id) > 0 || read.count(step.id + "." + output) > 0;
  };
  // One use of the fragment may read this, another one that.
  std::set<std::pair<const scenario::Scenario*, std::string>> somewhere;
  for (const Step* step : all) {
    if (step->home != &home_ || step->fragment == nullptr || !step->named) continue;
    for (const auto& output : step->fragment->outputs) {
      if (reads(*step, output.name.value)) somewhere.emplace(step->fragment.get(), output.name.value);
    }
  }
  for (const Step* step : all) {
    if (step->home != &home_ || step->fragment == nullptr || !step->named) continue;
    for (const auto& output : step->fragment->outputs) {
      if (somewhere.count({step->fragment.get(), output.name.value}) > 0) continue;
      shared_.diagnostics.warning(step->fragment->file(), output.name.span, "unread-output",
                                  "nothing reads the output `" + output.name.value + "`",
                                  "remove it, or read it: `steps." + step->id + "." + output.name.value + "`");
    }
  }
}

// `until` over a fragment goes through all of it each time.
void Binder::blind_rounds(const scenario::Condition& until, const Step& step) {
  std::vector<const Step*> all;
  flatten(step.steps, all);
  const auto maker = std::find_if(all.begin(), all.end(), [](const Step* one) {
    return one->type != nullptr && one->type->effect == plugin::Effect::creates;
  });
  if (maker == all.end()) return;
  error(scenario::span_of(*home_.file(), until), "blind-retry",
        (*maker)->type->name + " in " + step.uses() + " makes something: each round of `until` would make another",
        "wait in a step of its own that looks at what was made");
}

// What the condition is on every run, when that can be said.
std::optional<bool> Binder::always(const scenario::Condition& condition) {
  if (condition.expression.empty() || !expr::references(condition.expression).empty()) return std::nullopt;
  std::int64_t& left = shared_.files.work_left;
  if (left <= 0) return std::nullopt;
  std::int64_t spent = 0;
  const auto value = expr::evaluate(condition.expression, {}, &spent);
  left -= spent;
  const bool* held = value ? value->get<bool>() : nullptr;
  return held == nullptr ? std::nullopt : std::optional(*held);
}

// An assertion or an `until` that looks at nothing.
void Binder::looks(const scenario::Condition& condition, const char* what) {
  const auto held = always(condition);
  if (!held) return;
  const source::Span place = scenario::span_of(*home_.file(), condition);
  if (*held) {
    shared_.diagnostics.warning(home_.file(), place, "always-true", std::string(what) + " always holds",
                                "let it ask for something that the step answers, as in `outputs.exit_code == 0`");
  } else {
    error(place, "never-holds", std::string(what) + " never holds: every run would fail here",
          "let it ask for something that the step answers, as in `outputs.exit_code == 0`");
  }
}

// A condition that is the same on every run: the step is dead, or the condition is.
void Binder::reachable(const scenario::Condition& when) {
  const auto held = always(when);
  if (!held) return;
  shared_.diagnostics.warning(home_.file(), scenario::span_of(*home_.file(), when),
                              *held ? source::Code("always-true") : source::Code("never-runs"),
                              *held ? "the condition always holds" : "the step never runs: its condition never holds",
                              *held ? "remove `when`" : "remove the step, or let the condition ask for something");
}

void Binder::unknown_type(const scenario::At<std::string>& uses) {
  std::vector<std::string> legal;
  for (const auto& type : shared_.registry.steps) legal.push_back(type.name);
  const auto near = base::nearest(uses.value, legal);
  const std::string& name = uses.value;
  const bool file = name.find('/') != std::string::npos || name.ends_with(".yaml") || name.ends_with(".yml");
  if (file && name.starts_with('/')) {
    return error(uses.span, "unknown-step", "a fragment is not named by an absolute path",
                 "name it from this file, as in `./" + base::printable(name.substr(name.rfind('/') + 1), 80) + "`");
  }
  if (name.find('@') != std::string::npos) {
    return error(uses.span, "unknown-step", "no step type `" + base::printable(name, 80) + "`",
                 "actions of other places do not work here: `failover steps` lists what does");
  }
  error(uses.span, "unknown-step", "no step type `" + base::printable(name, 80) + "`",
        file && !near ? "a fragment is named from the file that uses it: `./" + base::printable(name, 80) + "`"
                      : (near ? "did you mean `" + *near + "`? " : std::string()) + "`failover steps` lists them all");
}

}  // namespace failover::plan
