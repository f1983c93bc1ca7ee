// Judging a step's outputs: every assertion with every operand's value, as the report shows it.
#pragma once

#include <optional>
#include <string>
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

// What `until` says of a round's outputs.
struct Look {
  bool held = false;                    // also without `until`
  std::optional<base::Error> hopeless;  // it cannot be evaluated, and not because something is not there yet
  std::string absent;                   // what is not there yet; empty: it was evaluated
};
Look look(const plan::Step& step, const expr::Values& values);

// Does a counter-proof that fails in this way prove anything? A mistake in the scenario or in this program does not.
bool proves(const base::Error& error);

}  // namespace failover::run
