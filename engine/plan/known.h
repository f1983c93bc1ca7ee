// What is known of a step before the run: from literals and inputs alone.
#pragma once

#include "engine/plan/plan.h"

namespace failover::plan {

// What is known before the run: inputs, and inside of a `foreach` perhaps an element. Views.
struct Before {
  Before(const base::Value::Map& known_inputs, const base::Value* element = nullptr)  // NOLINT: inputs alone are one
      : inputs(known_inputs), each(element) {}
  Before(const base::Value::Map& known_inputs, std::int64_t& work)
      : inputs(known_inputs), each(nullptr), work_left(&work) {}
  // In a fragment, whose inputs these are.
  [[nodiscard]] Before with(const base::Value::Map& other) const {
    Before out(other);
    out.work_left = work_left;
    return out;
  }
  const base::Value::Map& inputs;
  const base::Value* each;
  const base::Value::Map* outputs = nullptr;  // of the step itself
  std::int64_t* work_left = nullptr;          // steps of evaluation; with none left nothing is known
};

base::Value known_inputs(const Step& step, const Before& before);
// The value or why it cannot be computed; nullopt when more than this is needed for it.
std::optional<base::Result<base::Value>> computed(const scenario::Given& given, const Before& before);
std::optional<base::Result<base::Value>> computed(const expr::Expression& expression, const Before& before);
// The value, when it can be computed.
std::optional<base::Value> known(const scenario::Given& given, const Before& before);
// Does the step's `when` hold? So it does without one; nullopt when more than this is needed to say it.
std::optional<bool> wanted(const Step& step, const Before& before);
// Does it name `each`?
bool reads_each(const scenario::Given& given);
bool reads_each(const expr::Expression& expression);
// The inputs of a composite's own steps, as far as they are known.
base::Value::Map arguments(const Step& step, const base::Value::Map& inputs);
// The ids of the steps that a value refers to.
std::vector<std::string> steps_behind(const scenario::Given& given);
// The step's timeout, as far as it is known; the type's own otherwise. Duration::max() when it has none of its own.
base::Duration timeout_of(const Step& step, const base::Value::Map& inputs);

}  // namespace failover::plan
