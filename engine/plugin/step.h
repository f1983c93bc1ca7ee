// How a step is written: two structs and a StepSpec, from which step() makes the StepType that the engine sees.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/type.h"
#include "engine/plugin/codec.h"
#include "engine/plugin/context.h"
#include "engine/plugin/step_type.h"

namespace failover::plugin {

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
  [[nodiscard]] InputOf read_by_a_shell() && {
    declared.shell = true;
    return std::move(*this);
  }
  [[nodiscard]] InputOf words_of_a_program() && {
    declared.words = true;
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
  [[nodiscard]] InputOf on_the_machine(Remote what, const char* else_where = "") && {
    declared.remote = what;
    declared.where_of = else_where;
    return std::move(*this);
  }
  [[nodiscard]] InputOf not_possible(const char* why) && {
    declared.unable = why;
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
  const char* records_files = "";
  const char* shows_files = "";
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
  type.records_files = spec.records_files;
  type.shows_files = spec.shows_files;
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

}  // namespace failover::plugin
