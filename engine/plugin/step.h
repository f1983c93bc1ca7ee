// A step type, declared once. Validation, `failover steps`, the JSON Schema, the plan, cost and cleanup are functions
// of this declaration; whoever writes one of them by hand should stop and extend the declaration instead.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/type.h"
#include "engine/plugin/codec.h"
#include "engine/plugin/context.h"

namespace failover::plugin {

enum class Effect {
  reads,    // changes nothing anywhere: allowed in preflight
  changes,  // changes something that is there: repeatable unless said otherwise
  creates,  // makes a resource of one of its `holds`: never repeated blindly
};

// What must be true of the thing that an input names, or whose address it is.
enum class Needs {
  nothing,
  life,     // it has not been given back
  running,  // nor been halted
};

// What an input names on the runner itself; it must be there when the step begins.
enum class Local {
  nothing,
  file,
  directory,
  parent,   // a file that is written: its directory
  program,  // the first word of a command
};

// What happens at a path on a machine that an input names.
enum class Remote {
  nothing,
  made,  // the step puts something there
  read,  // something must be there
};

struct Input {
  std::string name;
  base::Type type;
  bool required = false;
  base::Value fallback;  // what an absent optional input is; null when there is nothing to say
  std::string summary;
  bool secret = false;                  // may a secret go into it?
  std::vector<std::string> choices;     // legal words of a string; empty: any
  std::optional<std::int64_t> minimum;  // of an integer
  std::vector<base::Type> either;       // of one of type any: what it may be; empty: anything
  bool own = false;                     // names a thing that the run made: nothing can know it beforehand
  Needs needs = Needs::nothing;
  Local local = Local::nothing;
  Remote remote = Remote::nothing;  // of a text or a list of texts
  // Error{invalid} for a value that the step can do nothing with: one that its struct cannot hold, or that its own
  // check refuses. Pure: asked offline for what is known before the run, and again when the step is called.
  std::function<base::Result<void>(const base::Value&)> check;
  // Optional: an Error for a value that can be used and is seldom what its author means. Offline a warning; a run does
  // not ask. Pure.
  std::function<base::Result<void>(const base::Value&)> doubt;
};

struct Output {
  std::string name;
  base::Type type;
  std::string summary;
  std::string echoes{};                // the input that it equals whenever the step succeeds; empty: none
  std::vector<std::string> choices{};  // the words that a string, or an element of a list, can be; empty: any
  bool remote = false;                 // a path on a machine
  bool printed = false;                // what a program wrote, which usually ends in a line break
  std::string empty_with{};            // the input with which it is empty
  // Of a whole number, or how many elements a list has; nullopt: anything.
  std::optional<std::int64_t> minimum{};
  std::optional<std::int64_t> maximum{};
  // The input that says how many it counts or has: a number, or what another step's output of this kind is given for.
  std::string counts{};
};

// What two steps must say alike: `input` of this one, and `theirs` of the step whose `output`, or a part of it, is
// given to `via`.
struct Agreement {
  std::string input;
  std::string via;
  std::string output;
  std::string theirs;
  std::string why;       // of a mistake: what would happen
  bool at_most = false;  // a size that may be less: more is a warning
};

// How long a step takes: the plan's interval.
struct Span {
  base::Duration best{0};
  base::Duration expected{0};
  base::Duration worst{0};  // zero: the step's timeout
};

struct Estimate {
  Span time;
  // The most that one hour of a thing found by this step may cost (an offer search); nullopt for every other step.
  std::optional<base::Money> quotes;
  // What that price is for, as the rentals' attributes name it: `RTX 4090`, `2 x RTX 4090`; empty when it quotes none.
  std::string model{};
  base::Duration least{0};  // it never takes less, whatever the machine: of `sleep 20` 20 s
};

// A check that holds unless the author's own assertions read one of the outputs it reads.
struct DefaultAssert {
  std::string expression;
};

struct StepType {
  std::string name;  // `vast.create_instance`
  std::string summary;
  Effect effect = Effect::reads;
  std::vector<Input> inputs;
  std::vector<Output> outputs;
  std::vector<std::string> holds;   // kinds of resources it may make
  std::string priced_by;            // creates: the input whose reference leads to the step that quotes its price
  std::string frees;                // the input that names the resource whose billing this step ends
  std::string halts;                // the input that names what this step halts and keeps
  std::string wakes;                // the input that names what this step lets run again
  std::string waits;                // the input that names what this step waits for, until it runs
  bool writes_locally = false;      // may make files on the runner
  std::vector<base::Fault> errors;  // what it may answer with, beside timeout and cancelled
  std::vector<std::vector<std::string>> one_of;  // of each group exactly one input must be given
  std::vector<DefaultAssert> asserts;
  std::vector<Agreement> agrees;
  base::Value::Map always;  // what holds of every call as if it were an input, for other steps' `agrees`
  // What no input says alone: Error{invalid} for inputs that do not go together. Asked like Input::check; offline,
  // what is not known yet stands at its initialiser.
  std::function<base::Result<void>(const base::Value& with)> check;
  base::Duration timeout = std::chrono::minutes(10);
  std::string example;  // a YAML flow map for `with`
  std::function<base::Result<Estimate>(const base::Value& with)> estimate;
  std::function<base::Result<base::Value>(const base::Value& with, const Context& context)> run;

  [[nodiscard]] const Input* input(std::string_view input_name) const;
  [[nodiscard]] const Output* output(std::string_view output_name) const;
  // All outputs as one object type.
  [[nodiscard]] base::Type output_type() const;
};

// --- the builder ---

template <class In>
struct InputOf {
  Input declared;
  std::function<base::Result<void>(In&, const base::Value&)> set;

  [[nodiscard]] InputOf one_of(std::vector<std::string> words) && {
    declared.choices = std::move(words);
    return std::move(*this);
  }
  [[nodiscard]] InputOf may_be_secret() && {
    declared.secret = true;
    return std::move(*this);
  }
  [[nodiscard]] InputOf at_least(std::int64_t minimum) && {
    declared.minimum = minimum;
    return std::move(*this);
  }
  [[nodiscard]] InputOf either(std::vector<base::Type> types) && {
    declared.either = std::move(types);
    return std::move(*this);
  }
  [[nodiscard]] InputOf id_of(const char* what) && {
    declared.type = declared.type.id_of(what);
    return std::move(*this);
  }
  template <class T>
  [[nodiscard]] InputOf doubted(base::Result<void> (*doubt)(const T&)) && {
    declared.doubt = [doubt](const base::Value& value) -> base::Result<void> {
      const auto read = Codec<T>::read(value);
      return read ? doubt(*read) : base::Result<void>();
    };
    return std::move(*this);
  }
  [[nodiscard]] InputOf of_what_lives() && {
    declared.needs = Needs::life;
    return std::move(*this);
  }
  [[nodiscard]] InputOf of_what_runs() && {
    declared.needs = Needs::running;
    return std::move(*this);
  }
  [[nodiscard]] InputOf on_the_runner(Local what) && {
    declared.local = what;
    return std::move(*this);
  }
  [[nodiscard]] InputOf on_the_machine(Remote what) && {
    declared.remote = what;
    return std::move(*this);
  }
  [[nodiscard]] InputOf made_by_the_run() && {
    declared.own = true;
    return std::move(*this);
  }
};

// What the type of an input does not say: Error{invalid} for a value that makes no sense.
template <class T>
using Check = base::Result<void> (*)(const T&);

template <class In, class T>
InputOf<In> input_of(const char* name, T In::*at, const char* summary, bool required, Check<T> check) {
  InputOf<In> input;
  input.declared.name = name;
  input.declared.type = Codec<T>::type();
  input.declared.required = required;
  input.declared.fallback = required ? base::Value() : Codec<T>::write(In{}.*at);
  input.declared.summary = summary;
  const auto checked = [check](const base::Value& value) -> base::Result<T> {
    auto read = Codec<T>::read(value);
    if (!read || check == nullptr) return read;
    if (auto fits = check(*read); !fits) return std::move(fits).error();
    return read;
  };
  input.declared.check = [checked](const base::Value& value) -> base::Result<void> {
    auto read = checked(value);
    if (!read) return std::move(read).error();
    return {};
  };
  input.set = [at, checked](In& in, const base::Value& value) -> base::Result<void> {
    auto read = checked(value);
    if (!read) return std::move(read).error();
    in.*at = *std::move(read);
    return {};
  };
  return input;
}

template <class In, class T>
InputOf<In> required(const char* name, T In::*at, const char* summary, std::type_identity_t<Check<T>> check = nullptr) {
  return input_of(name, at, summary, true, check);
}
// The struct's initialiser is the documented default.
template <class In, class T>
InputOf<In> optional(const char* name, T In::*at, const char* summary, std::type_identity_t<Check<T>> check = nullptr) {
  return input_of(name, at, summary, false, check);
}

template <class Out>
struct OutputOf {
  Output declared;
  std::function<base::Value(const Out&)> get;

  [[nodiscard]] OutputOf on_the_machine() && {
    declared.remote = true;
    return std::move(*this);
  }
  [[nodiscard]] OutputOf of_a_program() && {
    declared.printed = true;
    return std::move(*this);
  }
  [[nodiscard]] OutputOf at_least(std::int64_t minimum) && {
    declared.minimum = minimum;
    return std::move(*this);
  }
  [[nodiscard]] OutputOf at_most(std::int64_t maximum) && {
    declared.maximum = maximum;
    return std::move(*this);
  }
  [[nodiscard]] OutputOf empty_with(const char* input) && {
    declared.empty_with = input;
    return std::move(*this);
  }
  [[nodiscard]] OutputOf counts(const char* input) && {
    declared.counts = input;
    return std::move(*this);
  }
  [[nodiscard]] OutputOf echoes(const char* input) && {
    declared.echoes = input;
    return std::move(*this);
  }
  [[nodiscard]] OutputOf one_of(std::vector<std::string> words) && {
    declared.choices = std::move(words);
    return std::move(*this);
  }
  [[nodiscard]] OutputOf id_of(const char* what) && {
    declared.type = declared.type.id_of(what);
    return std::move(*this);
  }
};
template <class Out, class T>
OutputOf<Out> output(const char* name, T Out::*at, const char* summary) {
  return {{name, Codec<T>::type(), summary}, [at](const Out& out) { return Codec<T>::write(out.*at); }};
}

template <class In, class Out>
struct StepSpec {
  const char* name = "";
  const char* summary = "";
  Effect effect = Effect::reads;
  std::vector<InputOf<In>> inputs{};
  std::vector<OutputOf<Out>> outputs{};
  std::vector<std::string> holds{};
  const char* priced_by = "";
  const char* frees = "";
  const char* halts = "";
  const char* wakes = "";
  const char* waits = "";
  bool writes_locally = false;
  std::vector<base::Fault> errors{};
  std::vector<std::vector<std::string>> one_of{};
  std::vector<DefaultAssert> asserts{};
  std::vector<Agreement> agrees{};
  base::Value::Map always{};
  base::Duration timeout = std::chrono::minutes(10);
  const char* example = "{}";
  Check<In> check = nullptr;
  std::function<Estimate(const In&)> estimate{};
  std::function<base::Result<Out>(const In&, const Context&)> run{};
};

// Reads `with` into an In: unknown members are refused, absent required ones too (validation said so before).
template <class In>
base::Result<In> read_inputs(const std::vector<InputOf<In>>& inputs, const base::Value& with, bool lenient) {
  In in{};
  for (const auto& input : inputs) {
    const base::Value* value = with.find(input.declared.name);
    if (value == nullptr || (value->is_null() && !input.declared.type.nullable())) {
      if (lenient || !input.declared.required) continue;
      return base::Error{base::Fault::invalid, "missing_input", "`" + input.declared.name + "` is missing"};
    }
    if (auto set = input.set(in, *value); !set) {
      if (lenient) continue;
      base::Error error = std::move(set).error();
      error.message = "`" + input.declared.name + "`: " + error.message;
      return error;
    }
  }
  return in;
}

template <class In, class Out>
StepType step(StepSpec<In, Out> spec) {
  StepType type;
  type.name = spec.name;
  type.summary = spec.summary;
  type.effect = spec.effect;
  for (const auto& input : spec.inputs) type.inputs.push_back(input.declared);
  for (const auto& out : spec.outputs) type.outputs.push_back(out.declared);
  type.holds = spec.holds;
  type.priced_by = spec.priced_by;
  type.frees = spec.frees;
  type.halts = spec.halts;
  type.wakes = spec.wakes;
  type.waits = spec.waits;
  type.writes_locally = spec.writes_locally;
  type.errors = spec.errors;
  type.one_of = spec.one_of;
  type.asserts = spec.asserts;
  type.agrees = spec.agrees;
  type.always = spec.always;
  type.timeout = spec.timeout;
  type.example = spec.example;
  type.estimate = [inputs = spec.inputs, estimate = spec.estimate](const base::Value& with) -> base::Result<Estimate> {
    if (!estimate) return Estimate{};
    // At plan time not every input is known: what is not keeps its default.
    auto in = read_inputs<In>(inputs, with, true);
    if (!in) return std::move(in).error();
    return estimate(*in);
  };
  if (spec.check != nullptr) {
    type.check = [inputs = spec.inputs, check = spec.check](const base::Value& with) -> base::Result<void> {
      auto in = read_inputs<In>(inputs, with, true);
      if (!in) return std::move(in).error();
      return check(*in);
    };
  }
  type.run = [inputs = spec.inputs, outputs = spec.outputs, check = spec.check, run = spec.run](
                 const base::Value& with, const Context& context) -> base::Result<base::Value> {
    auto in = read_inputs<In>(inputs, with, false);
    if (!in) return std::move(in).error();
    if (check != nullptr) {
      if (auto fits = check(*in); !fits) return std::move(fits).error();
    }
    auto out = run(*in, context);
    if (!out) return std::move(out).error();
    base::Value::Map written;
    for (const auto& one : outputs) written.emplace(one.declared.name, one.get(*out));
    return base::Value(std::move(written));
  };
  return type;
}

// --- kinds of resources ---

// What an account holds of one kind. A thing's `name` is the remote's label as it stands there, `id` is set.
struct Found {
  std::vector<Held> things;
  std::optional<base::WallTime> now;  // by the remote's clock, when it said so
};

// What a provider's books say of a thing so far. A credit is negative.
struct Charge {
  std::string id;
  base::Money amount{};
  base::Money compute{};  // what the amount consists of, as far as the provider says
  base::Money storage{};
  base::Money traffic{};
};

// How a kind of resource is given back. Works from another process with nothing but a Held.
struct Kind {
  std::string name;  // `vast.instance`
  std::string summary;
  bool keepable = false;     // may a scenario `keep` it past the run?
  base::Duration settle{0};  // how long after sending an unclear create may still take effect
  // Ends the thing and proves that it is gone (leak-safety.md, rule 4). Finding nothing is success for this look; for
  // an unclear thing the engine looks again until the settle window has passed. Any Error: not proven, will be tried
  // again.
  std::function<base::Result<void>(const Held& held, const Context& context)> undo;
  // Optional: one call that asks for the end of all of these at once, before the orderly undo; best effort. May be
  // called while steps of the same run still wait for answers.
  std::function<void(const std::vector<Held>& held, const Context& context)> hurry;
  // Optional: all things of this kind in the account, ours or not. Complete, or an Error.
  std::function<base::Result<Found>(const Context& context)> find;
  // Optional: what the provider's books say of these, read-only. What they do not list (yet) is left out; complete
  // beside that, or an Error.
  std::function<base::Result<std::vector<Charge>>(const std::vector<Held>& held, const Context& context)> charges;
  // Optional: the shell command with which a person ends the thing without this program, or where to look for it when
  // it has no id. Names variables where a secret belongs.
  std::function<std::string(const Held& held)> by_hand;
  // Optional: what ends the thing at the run's deadline when nobody else does, in words: the last wall.
  std::string timer;
};

// Everything that can be dispatched to. A plain value; order is declaration order.
struct Registry {
  std::vector<StepType> steps;
  std::vector<Kind> kinds;

  [[nodiscard]] const StepType* step(std::string_view name) const;
  [[nodiscard]] const Kind* kind(std::string_view name) const;
};

}  // namespace failover::plugin
