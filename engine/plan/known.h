// The part of a step's `with` that is known before the run: from literals and inputs alone.
#pragma once

#include "engine/plan/plan.h"

namespace failover::plan {

base::Value known_inputs(const Step& step, const source::File& file, const base::Value::Map& inputs);
// The value, when nothing but inputs is needed for it.
std::optional<base::Value> known(const source::File& file, const scenario::Given& given,
                                 const base::Value::Map& inputs);
// The ids of the steps that a value refers to.
std::vector<std::string> steps_behind(const source::File& file, const scenario::Given& given);
// The step's timeout, as far as it is known; the type's own otherwise.
base::Duration timeout_of(const Step& step, const source::File& file, const base::Value::Map& inputs);

}  // namespace failover::plan
