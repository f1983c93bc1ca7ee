// The part of the binder that looks at single steps: fields, conditions, rules.
#include <algorithm>
#include <array>
#include <tuple>

#include "engine/base/text.h"
#include "engine/plan/binder.h"
#include "engine/plan/known.h"

namespace failover::plan {
namespace {

std::vector<std::string> names_of(const std::vector<plugin::Input>& inputs) {
  std::vector<std::string> out;
  for (const auto& input : inputs) out.push_back(input.name);
  return out;
}

base::Type type_of(const base::Value& value) {
  using K = base::Type::Kind;
  // In the order of base::Value::Data.
  static constexpr std::array kScalars = {K::null,  K::boolean, K::integer, K::uinteger, K::number,   K::string,
                                          K::bytes, K::money,   K::size,    K::rate,     K::duration, K::timestamp};
  const std::size_t index = value.data().index();
  if (index < kScalars.size()) return kScalars.at(index);
  if (const auto* list = value.list()) {
    if (list->empty()) return base::Type::list_of({});
    const base::Type first = type_of(list->front());
    const bool same = std::all_of(list->begin(), list->end(), [&](const auto& one) { return type_of(one) == first; });
    return base::Type::list_of(same ? first : base::Type());
  }
  std::vector<base::Type::Field> fields;
  for (const auto& [name, member] : *value.map()) fields.push_back({name, type_of(member)});
  return base::Type::object(std::move(fields));
}

}  // namespace

std::string nearest_hint(std::string_view word, std::vector<std::string> legal, const std::string& lead) {
  std::sort(legal.begin(), legal.end());
  const auto near = base::nearest(word, legal);
  return (near ? "did you mean `" + *near + "`? " : "") + lead + (legal.empty() ? "nothing" : base::join(legal));
}

base::Type type_of(const scenario::Given& given, const expr::Scope& scope) {
  switch (given.kind) {
    case scenario::Given::Kind::literal: return type_of(given.literal);
    case scenario::Given::Kind::expression: return expr::check(given.text, scope).type;
    case scenario::Given::Kind::list: {
      if (given.items.empty()) return base::Type::list_of({});
      const base::Type first = type_of(given.items.front(), scope);
      const bool same = std::all_of(given.items.begin(), given.items.end(),
                                    [&](const auto& one) { return type_of(one, scope) == first; });
      return base::Type::list_of(same ? first : base::Type());
    }
    case scenario::Given::Kind::map: {
      std::vector<base::Type::Field> fields;
      for (const auto& [name, member] : given.members) fields.push_back({name, type_of(member, scope)});
      return base::Type::object(std::move(fields));
    }
  }
  return {};
}

void Binder::fields(const scenario::Step& written, const expr::Scope& scope, Step& step) {
  std::set<std::string> seen = written.strays ? *written.strays : std::set<std::string>();
  const std::size_t errors = shared_.diagnostics.errors();
  bool other_words = false;
  if (written.with != nullptr) {
    for (const auto& entry : written.with->entries) {
      const plugin::Input* input = step.type->input(entry.key);
      if (input == nullptr) {
        error(entry.key_span, "unknown-field",
              "no field `" + base::printable(entry.key, 80) + "` in " + step.type->name,
              nearest_hint(entry.key, names_of(step.type->inputs), "it has: "));
        // What the author meant is not missing as well.
        const auto meant = base::nearest(entry.key, names_of(step.type->inputs));
        if (meant) seen.insert(*meant);
        other_words = other_words || !meant;
        continue;
      }
      seen.insert(input->name);
      auto given = scenario::read_value(home_.file(), entry.value, input->type, shared_.diagnostics);
      if (!given) continue;
      given->key = entry.key_span;
      const std::size_t before = shared_.diagnostics.errors();
      source::Diagnostics found;
      scenario::check(home_.file(), *given, scope, found);
      const bool computes = found.errors() > 0 && computes_for_all(*given, input->type);
      settle(found, computes);
      names_.note(*given);
      meant(*given);
      if (!computes && shared_.diagnostics.errors() == before) one_of_types(*input, *given, scope);
      if (shared_.diagnostics.errors() == before) of_a_machine(*input, *given);
      if (shared_.diagnostics.errors() == before) structured(*input, *given, scope);
      if (shared_.diagnostics.errors() == before) restrictions(*input, *given);
      // A value that is known has been judged.
      if (shared_.diagnostics.errors() == before && !input->unable.empty() && !known(*given, this->before()))
        error(given->node->span, "bad-value", "`" + input->name + "`: " + input->unable, "leave it out");
      if (shared_.diagnostics.errors() == before) taken_whole(*given);
      if (input->shell && shared_.diagnostics.errors() == before) shell(*input, *given, scope);
      if (input->words && shared_.diagnostics.errors() == before) words(*input, *given, scope);
      if (!input->secret) secrets(*given, "`" + input->name + "` of " + step.type->name);
      step.with.emplace_back(input, *std::move(given));
    }
  }
  if (written.with_unread || other_words) return;  // said; what is missing may be in there
  for (const auto& input : step.type->inputs) {
    if (input.required && seen.count(input.name) == 0) {
      error(written.missing_field_place(), "missing-field",
            step.type->name + " needs `" + input.name + "` (" + input.type.name() + ")", input.summary);
    }
  }
  for (const auto& group : step.type->one_of) one_of(written, group, seen, *step.type);
  if (shared_.diagnostics.errors() != errors) return;
  together(written, step);
  for (const auto& one : step.type->agrees) agreement(one, step);
}

void Binder::one_of(const scenario::Step& written, const std::vector<std::string>& group,
                    const std::set<std::string>& seen, const plugin::StepType& type) {
  const auto given = std::count_if(group.begin(), group.end(), [&](const auto& name) { return seen.count(name) > 0; });
  if (given == 1) return;
  if (given == 0 || written.with == nullptr) {
    return error(written.missing_field_place(), "missing-field", type.name + " needs one of: " + base::join(group),
                 "give exactly one of them");
  }
  const source::Entry* last = nullptr;
  for (const auto& entry : written.with->entries) {
    if (std::find(group.begin(), group.end(), entry.key) != group.end()) last = &entry;
  }
  error(last == nullptr ? written.with_key : last->key_span, "conflicting-fields",
        type.name + " needs only one of: " + base::join(group), "give exactly one of them");
}

// A secret goes only where it is kept one.
void Binder::secrets(const scenario::Given& given, const std::string& where) {
  scenario::each_reference(given, [&](const scenario::Reference& reference) {
    const auto& parts = reference.path.parts;
    if (parts.size() < 2 || parts[0].name != "env") return;
    const auto* variable = home_.variable(parts[1].name);
    if (variable == nullptr || !variable->secret) return;
    error(reference.span(*home_.file()), "secret-leak", "the secret `" + parts[1].name + "` must not go into " + where,
          "secrets go into `env` of local.exec and `stdin` of ssh.exec, which no report or process list shows");
  });
}

void Binder::times(const scenario::Step& written, const expr::Scope& before) {
  for (const auto& [given, what] :
       {std::pair(&written.timeout, "timeout"), std::pair(&written.every, "every"), std::pair(&written.keep, "keep")}) {
    if (!*given) continue;
    const std::size_t errors = shared_.diagnostics.errors();
    scenario::check(home_.file(), **given, before, shared_.diagnostics);
    names_.note(**given);
    if (shared_.diagnostics.errors() == errors) at_least(**given, what, 0);
  }
  if (written.every && written.timeout) outlasts(*written.every, "every", *written.timeout, "timeout");
  if (written.retry && written.retry->delay && written.timeout)
    outlasts(*written.retry->delay, "delay", *written.timeout, "timeout");
  if (written.retry) retries(*written.retry, before);
}

void Binder::retries(const scenario::Retry& retry, const expr::Scope& before) {
  for (const auto& [given, what, least] :
       {std::tuple(&retry.attempts, "attempts", 1.0), std::tuple(&retry.delay, "delay", -1.0),
        std::tuple(&retry.backoff, "backoff", 1.0), std::tuple(&retry.max_delay, "max_delay", 0.0)}) {
    if (!*given) continue;
    const std::size_t errors = shared_.diagnostics.errors();
    scenario::check(home_.file(), **given, before, shared_.diagnostics);
    names_.note(**given);
    if (shared_.diagnostics.errors() == errors) at_least(**given, what, least);
  }
  if (retry.delay && retry.max_delay) outlasts(*retry.delay, "delay", *retry.max_delay, "max_delay");
}

// A class of errors that the step type does not have.
void Binder::never_answered(const scenario::Retry& retry, const plugin::StepType& type) {
  std::vector<std::string> words;
  for (const auto fault : type.errors) {
    if (base::retryable_fault(base::to_string(fault))) words.emplace_back(base::to_string(fault));
  }
  for (const auto& fault : retry.errors) {
    if (fault.value == base::Fault::timeout || fault.value == base::Fault::assertion ||
        std::find(type.errors.begin(), type.errors.end(), fault.value) != type.errors.end())
      continue;
    shared_.diagnostics.warning(
        home_.file(), fault.span, "never-answered",
        type.name + " never ends with `" + std::string(base::to_string(fault.value)) + "`: nothing is tried again",
        "it has: " + base::join(words));
  }
}

void Binder::conditions(const scenario::Step& written, const Place& place, const Step& step) {
  const auto& file = home_.file();
  const Ranges ranges = declared_ranges(step);
  const Own own{&step.outputs, step.uses(), step.type, &ranges};
  const expr::Scope after = names_.scope(place.guards, &own, {place.section});
  const bool whole = written.steps.empty() && written.branches.empty();  // those have none: said already
  const base::Value::Map echoes = echoes_of(step);
  const auto look = [&](const scenario::Condition& condition, const char* what) {
    const std::size_t errors = shared_.diagnostics.errors();
    source::Diagnostics found;
    scenario::check(file, condition, after, found);
    settle(found, found.errors() > 0 && computes_for_all(condition));
    names_.note(condition.expression, step.id);
    looks(condition, what);
    if (shared_.diagnostics.errors() != errors) return;
    taken_whole(condition, &step);
    foresee(condition, what, &written, echoes);
    if (shared_.diagnostics.errors() == errors) decided(condition, what, step, ranges);
  };
  for (const auto& assertion : written.asserts) {
    if (!whole) break;
    look(assertion.that, "the assertion");
    if (!assertion.message) continue;
    scenario::check(file, *assertion.message, after, shared_.diagnostics);
    names_.note(*assertion.message);
    meant(*assertion.message);
    secrets(*assertion.message, "a message");
  }
  contradicted(step, ranges);
  if (written.until && whole) look(*written.until, "`until`");
}

// The step type's own assertions, but for those about an output that the author judges himself.
void Binder::defaults(Step& step) {
  std::set<std::string> judged;
  const auto note = [&](const expr::Expression& expression) {
    if (expression.empty()) return;
    for (const auto& path : expr::references(expression)) {
      if (path.parts.size() > 1 && path.parts[0].name == "outputs") judged.insert(path.parts[1].name);
    }
  };
  for (const auto& assertion : step.written->asserts) note(assertion.that.expression);
  if (step.written->until) note(step.written->until->expression);
  auto& own = shared_.files.default_asserts[step.type];
  if (own.empty()) {
    for (const auto& fallback : step.type->asserts) own.push_back(expr::parse(fallback.expression).expression);
  }
  for (const auto& expression : own) {
    const auto& paths = expr::references(expression);
    const bool overruled = std::any_of(paths.begin(), paths.end(), [&](const expr::Path& path) {
      return path.parts.size() > 1 && judged.count(path.parts[1].name) > 0;
    });
    if (!overruled) step.default_asserts.push_back({expression});
  }
}

void Binder::rules(const scenario::Step& written, Section which, const Step& step) {
  const plugin::StepType& type = *step.type;
  const source::Span uses = written.uses->span;
  if (which == Section::preflight && type.effect != plugin::Effect::reads) {
    error(uses, "not-free", type.name + " changes something: a preflight step must only look", "move it to `steps`");
  }
  for (const auto& kind : type.holds) {
    if (shared_.registry.kind(kind) == nullptr) {
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
  if (written.until && type.effect == plugin::Effect::creates) {
    error(scenario::span_of(*home_.file(), *written.until), "blind-retry",
          type.name + " makes something: each round of `until` would make another",
          "wait in a step of its own that looks at what was made");
  }
  if (written.every && !written.timeout) {
    const auto value = known(*written.every, assumed());
    const auto* every = value ? value->get<base::Duration>() : nullptr;
    if (every != nullptr && *every > type.timeout) {
      error(written.every->node->span, "bad-bounds",
            "`every` is " + base::format(*every) + ", longer than the " + base::format(type.timeout) + " that " +
                type.name + " has without a `timeout`",
            "give the step a `timeout` that holds several rounds");
    }
  }
  in_time(step);
  if (written.retry) never_answered(*written.retry, type);
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

// Does the step's time hold what it takes at least?
void Binder::in_time(const Step& step) {
  const bool own = step.written->timeout && step.written->timeout->node != nullptr;
  if ((step.written->timeout && !own) || shared_.may_fail) return;
  const base::Duration timeout = timeout_of(step, assumed());
  const auto figures = step.type->estimate(known_inputs(step, before()));
  if (!figures || figures->least <= timeout || timeout <= base::Duration(0)) return;
  shared_.diagnostics.warning(home_.file(), own ? step.written->timeout->node->span : step.written->uses->span,
                              "seldom-meant",
                              (own ? "`timeout` is " : "without a `timeout` it has ") + base::format(timeout) +
                                  ", and " + step.type->name + " takes at least " + base::format(figures->least),
                              "give it more time");
}

bool Binder::keepable(const plugin::StepType& type) const {
  return std::any_of(type.holds.begin(), type.holds.end(), [&](const auto& name) {
    const plugin::Kind* kind = shared_.registry.kind(name);
    return kind != nullptr && kind->keepable;
  });
}

}  // namespace failover::plan
