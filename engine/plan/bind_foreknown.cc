// The part of the binder that judges values, as far as they are known before the run: from literals, the inputs, and
// the elements of a `foreach`.
#include <algorithm>

#include "engine/base/text.h"
#include "engine/plan/binder.h"

namespace failover::plan {

// Once with what is known here; `by_element` once for each element that `each` will be, until one is found wrong.
void Binder::cases(bool by_element, const std::function<void(const Before&)>& look) {
  if (!by_element) return look(before());
  const std::size_t errors = shared_.diagnostics.errors();
  for (const auto& element : foreknown_.elements) {
    if (shared_.cases_left == 0 || shared_.diagnostics.errors() != errors) return;
    --shared_.cases_left;
    looked_at_ = {&element, "the element"};
    look(before(&element));
    looked_at_ = {};
  }
}

// What the value is, as far as it follows from literals, inputs and elements. When that says that it cannot be
// computed, a run would end here.
void Binder::foresee(const scenario::Given& given, const std::string& what,
                     const std::function<void(const base::Value&)>& judge) {
  cases(reads_each(given), [&](const Before& here) {
    const auto value = computed(given, here);
    if (!value) return;
    if (*value) return judge(**value);
    error(not_computed(given, here), "cannot-compute", "`" + what + "` cannot be computed: " + value->error().message,
          "this follows from what is written here and the inputs, as given or by default");
  });
}

// The part that fails, of what is known.
source::Span Binder::not_computed(const scenario::Given& given, const Before& here) const {
  const auto fails = [&](const auto& part) {
    const auto value = computed(part, here);
    return value && !*value;
  };
  for (const auto& item : given.items) {
    if (fails(item)) return not_computed(item, here);
  }
  for (const auto& [ignored, member] : given.members) {
    if (fails(member)) return not_computed(member, here);
  }
  for (const auto& piece : given.text.pieces) {
    if (!piece.expression.empty() && fails(piece.expression))
      return source::locate(*home_.file(), *given.node, piece.begin, piece.end);
  }
  return given.node->span;
}

// A condition of which all is known: computed, and for an assertion of `asserts` that it holds.
void Binder::foresee(const scenario::Condition& condition, const char* what, const scenario::Step* asserts,
                     const base::Value::Map& echoes) {
  if (condition.expression.empty() || expr::references(condition.expression).empty()) return;  // looks() has been there
  cases(reads_each(condition.expression), [&](Before here) {
    here.outputs = &echoes;
    const auto value = computed(condition.expression, here);
    if (!value) return;
    const source::Span place = scenario::span_of(*home_.file(), condition);
    if (!*value) {
      return error(place, "cannot-compute", std::string(what) + " cannot be computed: " + value->error().message,
                   "this follows from what is written here and the inputs, as given or by default");
    }
    const bool* holds = (*value)->get<bool>();
    if (asserts == nullptr || shared_.may_fail || holds == nullptr || *holds) return;
    std::string hint = "this follows from what is written here and the inputs, as given or by default";
    for (const auto& [name, repeated] : echoes) {
      const auto* text = repeated.text();
      if (text != nullptr && text->empty()) {
        hint = "`outputs." + name + "` is empty with what `with` says";
        continue;
      }
      hint =
          "`outputs." + name + "` is " + repeated.display() + " whenever the step succeeds: that is what it asks for";
    }
    error(place, "never-holds", std::string(what) + " does not hold: a run with these inputs fails here", hint);
  });
}

// What is known behind `when`: all of it, with those elements for which the condition holds.
void Binder::narrow(const scenario::Condition& when) {
  foresee(when, "`when`", nullptr, {});
  foreknown_.guarded = true;
  const auto is = [&](bool wanted, const Before& here) {
    const auto value = computed(when.expression, here);
    const bool* held = value && *value ? (*value)->get<bool>() : nullptr;
    return held != nullptr && *held == wanted;
  };
  const auto holds = [&](const Before& here) { return is(true, here); };
  const auto fails = [&](const Before& here) { return is(false, here); };
  if (!reads_each(when.expression)) {
    foreknown_.certain = foreknown_.certain && holds(before());
    if (!foreknown_.certain) foreknown_.elements.clear();
    return;
  }
  if (foreknown_.tried) {  // whether it holds may not be known: then they come here
    auto& tried = *foreknown_.tried;
    tried.erase(std::remove_if(tried.begin(), tried.end(), [&](const auto& one) { return fails(before(&one)); }),
                tried.end());
  }
  auto& elements = foreknown_.elements;
  if (shared_.cases_left < elements.size()) elements.clear();
  shared_.cases_left -= elements.size();
  elements.erase(
      std::remove_if(elements.begin(), elements.end(), [&](const auto& element) { return !holds(before(&element)); }),
      elements.end());
  foreknown_.certain = false;  // what does not ask for `each` may be behind a condition that never holds
}

Before Binder::before(const base::Value* element) const {
  Before out(assumed(), element);
  out.work_left = &shared_.files.work_left;
  return out;
}

// The inputs; nothing behind a condition, where a run with them may never come.
const base::Value::Map& Binder::assumed() const {
  static const base::Value::Map kNone;
  return foreknown_.certain ? inputs_ : kNone;
}

// Where in what is written out the fault is.
Binder::Faulty Binder::fault_of(const scenario::Given& given, const base::Spot& at) {
  const scenario::Given* found = &given;
  for (const auto& part : at.path) {
    const scenario::Given* next = nullptr;
    if (const auto index = base::parse_integer(part); index && found->kind == scenario::Given::Kind::list) {
      if (*index >= 0 && static_cast<std::size_t>(*index) < found->items.size())
        next = &found->items[static_cast<std::size_t>(*index)];
    }
    for (const auto& [name, member] : found->members) {
      if (name == part) next = &member;
    }
    if (next == nullptr && found->kind == scenario::Given::Kind::map && found->key.end > found->key.begin)
      return {found->key, part};
    if (next == nullptr) return {found->node->span};
    found = next;
  }
  return {at.name ? found->key : found->node->span};
}

// The first element that is wrong by itself, for a check that does not say which.
source::Span Binder::wrong_alone(const plugin::Input& input, const scenario::Given& given, const base::Value& value) {
  const auto* list = value.list();
  const bool written_out = list != nullptr && given.items.size() == list->size();
  if (!written_out || input.type.kind() != base::Type::Kind::list) return given.node->span;
  for (std::size_t i = 0; i < list->size(); ++i) {
    if (!input.check(base::Value(base::Value::List{(*list)[i]}))) return given.items[i].node->span;
  }
  return given.node->span;
}

void Binder::faulty(const plugin::Input& input, const scenario::Given& given, const base::Value& value,
                    const base::Error& found) {
  if (found.at.path.empty())
    return error(wrong_alone(input, given, value), "bad-value", "`" + input.name + "`: " + found.message, found.hint);
  const Faulty place = fault_of(given, found.at);
  error(place.span, "bad-value",
        place.absent.empty() ? "`" + input.name + "`: " + found.message
                             : "the mapping `" + input.name + "` has no `" + place.absent + "`",
        found.hint);
}

// What a type does not say: legal words, least values, and that what is needed is not empty.
void Binder::restrictions(const plugin::Input& input, const scenario::Given& given) {
  if (given.node == nullptr) return;
  const std::size_t errors = shared_.diagnostics.errors();
  foresee(given, input.name, [&](const base::Value& value) { judge(input, given, value); });
  // A condition may leave some of them out, and a fragment's caller gives one.
  const bool any = !foreknown_.guarded && shared_.open.size() == 1;
  if (any && shared_.diagnostics.errors() == errors) choices(input, given);
  if (input.own && shared_.diagnostics.errors() == errors) made_here(input, given);
}

void Binder::judge(const plugin::Input& input, const scenario::Given& given, const base::Value& value) {
  const source::Span place = given.node->span;
  const auto* text = value.text();
  const bool by_default = !input.required && value == input.fallback;
  if (text != nullptr && !by_default && !input.choices.empty() &&
      std::find(input.choices.begin(), input.choices.end(), *text) == input.choices.end()) {
    error(place, "not-a-choice", "`" + base::printable(*text, 80) + "` is not a legal `" + input.name + "`",
          nearest_hint(*text, input.choices, "one of: "));
  }
  const auto* number = value.get<std::int64_t>();
  if (number != nullptr && input.minimum && *number < *input.minimum) {
    return error(place, "too-small",
                 "`" + input.name + "` is " + std::to_string(*number) + ", less than " + std::to_string(*input.minimum),
                 "give at least " + std::to_string(*input.minimum));
  }
  const auto* list = value.list();
  if (input.required && ((text != nullptr && text->empty()) || (list != nullptr && list->empty()))) {
    return error(place, "too-small", "`" + input.name + "` is empty", input.summary);
  }
  if (value.is_null() && input.type.nullable()) return;
  if (auto fits = input.check ? input.check(value) : base::Result<void>(); !fits)
    return faulty(input, given, value, fits.error());
  if (input.remote != plugin::Remote::nothing && looked_at_.value == nullptr) on_machines(input, given, value);
  if (const auto fits = input.doubt ? input.doubt(value) : base::Result<void>(); !fits) {
    const source::Span word = fault_of(given, fits.error().at).span;
    shared_.diagnostics.warning(home_.file(), word, "seldom-meant", "`" + input.name + "`: " + fits.error().message,
                                fits.error().hint);
  }
}

// An input of the scenario that has choices, given as it is: every choice must be a legal value.
void Binder::choices(const plugin::Input& input, const scenario::Given& given) {
  if (given.kind != scenario::Given::Kind::expression || !given.text.single()) return;
  const auto& expression = given.text.pieces.front().expression;
  const auto& paths = expr::references(expression);
  if (paths.size() != 1 || paths[0].parts.size() != 2 || paths[0].parts[0].name != "inputs") return;
  if (paths[0].begin != 0 || paths[0].end != expression.text().size()) return;
  const auto* declared = home_.input(paths[0].parts[1].name);
  if (declared == nullptr) return;
  const std::size_t errors = shared_.diagnostics.errors();
  for (const auto& word : declared->choices) {
    const base::Value value(word);
    looked_at_ = {&value, "the choice"};
    judge(input, given, value);
    looked_at_ = {};
    if (shared_.diagnostics.errors() != errors) return;
  }
}

// A thing that the run made is named by what a step answered: nothing else can know it.
void Binder::made_here(const plugin::Input& input, const scenario::Given& given) {
  bool answered = false;
  scenario::each_reference(given, [&](const scenario::Reference& reference) {
    const std::string& first = reference.path.parts.front().name;
    answered = answered || first == "steps" || (first == "inputs" && shared_.open.size() > 1) ||
               (first == "each" && foreknown_.elements.empty());
  });
  if (answered && !computed(given, before())) return;
  error(given.node->span, "bad-value", "`" + input.name + "` is nothing that this run made",
        "name what an earlier step answered, as in `${{ steps.ID.id }}`: a scenario ends only what it made");
}

// What no field says alone.
void Binder::together(const scenario::Step& written, const Step& step) {
  if (step.type->check == nullptr || written.with == nullptr) return;
  const bool by_element =
      std::any_of(step.with.begin(), step.with.end(), [](const auto& one) { return reads_each(one.second); });
  cases(by_element, [&](const Before& here) {
    if (const auto fits = step.type->check(known_inputs(step, here)); !fits) {
      error(written.with_key, "bad-value", fits.error().message, fits.error().hint);
    }
  });
}

// What an expression gives for a number that must reach `least`, or a time that must be longer than 0s. A literal has
// been looked at.
void Binder::at_least(const scenario::Given& given, const char* what, double least) {
  if (given.kind == scenario::Given::Kind::literal || given.node == nullptr) return;
  foresee(given, what, [&](const base::Value& value) {
    const std::string name = std::string("`") + what + "`";
    const auto* time = value.get<base::Duration>();
    if (time != nullptr && *time <= base::Duration(0) && least >= 0)
      return error(given.node->span, "too-small", name + " is " + base::format(*time),
                   name + " must be longer than 0s");
    const auto* whole = value.get<std::int64_t>();
    const auto* real = value.get<double>();
    if ((whole != nullptr && static_cast<double>(*whole) < least) || (real != nullptr && *real < least))
      error(given.node->span, "too-small", name + " is " + value.display(), name + " is at least 1");
  });
}

// Two times of which the first must not be above the second.
void Binder::outlasts(const scenario::Given& shorter, const char* what, const scenario::Given& longer,
                      const char* than) {
  const auto a = known(shorter, assumed());
  const auto b = known(longer, assumed());
  const auto* first = a ? a->get<base::Duration>() : nullptr;
  const auto* second = b ? b->get<base::Duration>() : nullptr;
  if (first == nullptr || second == nullptr || *first <= *second) return;
  error(shorter.node->span, "bad-bounds",
        std::string("`") + what + "` is " + base::format(*first) + ", longer than the `" + than + "` of " +
            base::format(*second),
        std::string("make `") + what + "` shorter, or `" + than + "` longer");
}

// Of an input that takes several types.
void Binder::one_of_types(const plugin::Input& input, const scenario::Given& given, const expr::Scope& scope) {
  if (input.either.empty() || given.constant()) return;  // what is written out is judged itself
  const base::Type found = type_of(given, scope);
  if (std::any_of(input.either.begin(), input.either.end(), [&](const auto& one) { return one.accepts(found); }))
    return;
  if (given.kind != scenario::Given::Kind::expression || !given.text.single())
    return error(given.node->span, "wrong-type", "`" + input.name + "` does not take " + found.name(), input.summary);
  const auto& piece = given.text.pieces.front();
  error(source::locate(*home_.file(), *given.node, piece.begin, piece.end), "wrong-type",
        "`" + input.name + "` does not take " + found.name(), beside(input, piece.expression).value_or(input.summary));
}

// Another output of the step that the expression names, of a type that the input takes.
std::optional<std::string> Binder::beside(const plugin::Input& input, const expr::Expression& expression) const {
  const auto& paths = expr::references(expression);
  if (paths.size() != 1 || paths[0].parts.size() != 3 || paths[0].parts[0].name != "steps") return std::nullopt;
  const Earlier* other = names_.earlier(paths[0].parts[1].name);
  if (other == nullptr) return std::nullopt;
  for (const auto& field : other->outputs.fields()) {
    const bool structured = field.type.kind() == base::Type::Kind::object;
    if (structured &&
        std::any_of(input.either.begin(), input.either.end(), [&](const auto& one) { return one.accepts(field.type); }))
      return "write ${{ steps." + paths[0].parts[1].name + "." + field.name + " }}";
  }
  return std::nullopt;
}

// What the outputs are that repeat an input.
base::Value::Map Binder::echoes_of(const Step& step) const {
  base::Value::Map out;
  if (step.type == nullptr) return out;
  for (const auto& output : step.type->outputs) {
    if (!output.empty_with.empty() && step.given(output.empty_with) != nullptr)
      out.emplace(output.name, base::Value(std::string()));
    if (output.echoes.empty()) continue;
    const auto* given = step.given(output.echoes);
    auto value = given == nullptr ? step.type->input(output.echoes)->fallback : known(*given, before());
    if (value) out.emplace(output.name, *std::move(value));
  }
  return out;
}

// The input that another step was given, or has by default.
std::optional<base::Value> Binder::theirs(const Earlier& other, const std::string& name) const {
  const plugin::Input* input = other.type->input(name);
  if (input == nullptr) {
    const auto at = other.type->always.find(name);
    return at == other.type->always.end() ? std::nullopt : std::optional(at->second);
  }
  const source::Entry* entry = other.written->with == nullptr ? nullptr : other.written->with->find(name);
  if (entry == nullptr) return input->fallback;
  source::Diagnostics said;  // there
  const auto given = scenario::read_value(home_.file(), entry->value, input->type, said);
  return given ? known(*given, before()) : std::nullopt;
}

// What this step and the one that it refers to must say alike.
void Binder::agreement(const plugin::Agreement& wanted, const Step& step) {
  const auto* own = step.given(wanted.input);
  const auto* via = step.given(wanted.via);
  const plugin::Input* declared = step.type->input(wanted.input);
  const bool by_default = own == nullptr && wanted.at_most;
  if ((own == nullptr && !by_default) || via == nullptr || via->kind != scenario::Given::Kind::expression ||
      !via->text.single())
    return;
  const auto& paths = expr::references(via->text.pieces.front().expression);
  if (paths.size() != 1 || paths[0].parts.size() < 3 || paths[0].parts[0].name != "steps") return;
  if (paths[0].parts[2].name != wanted.output || shared_.may_fail) return;
  const Earlier* other = names_.earlier(paths[0].parts[1].name);
  if (other == nullptr || other->type == nullptr) return;
  const auto here = by_default ? std::optional(declared->fallback) : known(*own, before());
  const auto there = theirs(*other, wanted.theirs);
  if (!here || !there || *here == *there) return;
  const auto* size = here->get<base::Size>();
  const auto* most = there->get<base::Size>();
  if (wanted.at_most && size != nullptr && most != nullptr && size->bytes <= most->bytes) return;
  if (!by_default && !declared->required && *here == declared->fallback && !wanted.at_most)
    return;  // as if it were not given
  const std::string message = "`" + wanted.input + "` is " + (by_default ? "by default " : "") +
                              base::printable(here->display(), 80) + ", and " + base::printable(there->display(), 80) +
                              " in step `" + paths[0].parts[1].name + "`: " + wanted.why;
  if (!wanted.at_most) return error(own->node->span, "bad-value", message, "say the same in both");
  shared_.diagnostics.warning(home_.file(), (by_default ? via : own)->node->span, "seldom-meant", message,
                              "say the same in both");
}

}  // namespace failover::plan
