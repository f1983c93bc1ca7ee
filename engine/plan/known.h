// What is known of a step before the run: from literals and inputs alone.
#pragma once

#include "engine/plan/plan.h"

namespace failover::plan {

base::Value known_inputs(const Step& step, const base::Value::Map& inputs);
// The value or why it cannot be computed; nullopt when more than these inputs is needed for it.
std::optional<base::Result<base::Value>> computed(const scenario::Given& given, const base::Value::Map& inputs);
// The value, when nothing but inputs is needed for it.
std::optional<base::Value> known(const scenario::Given& given, const base::Value::Map& inputs);
// The inputs of a composite's own steps, as far as they are known.
base::Value::Map arguments(const Step& step, const base::Value::Map& inputs);
// The ids of the steps that a value refers to.
std::vector<std::string> steps_behind(const scenario::Given& given);
// The step's timeout, as far as it is known; the type's own otherwise. Duration::max() when it has none of its own.
base::Duration timeout_of(const Step& step, const base::Value::Map& inputs);

}  // namespace failover::plan
