// Judging a step's outputs: every assertion with every operand's value, as the report shows it.
#pragma once

#include <optional>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/value.h"
#include "engine/expr/expression.h"
#include "engine/plan/plan.h"

namespace failover::run {

struct Judgement {
  base::Value::List assertions;  // {expression, passed, message, values[{text, value, depth, difference?[lines]}]}
  std::optional<base::Error> failure;  // of the first that does not hold
};

Judgement judge(const plan::Step& step, const expr::Values& values);

}  // namespace failover::run
