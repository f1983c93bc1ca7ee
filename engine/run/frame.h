// What one part of a journey sees and how long it has: the journey itself, a branch, an element, a fragment.
#pragma once

#include <stop_token>
#include <string>

#include "engine/base/clock.h"
#include "engine/expr/expression.h"

namespace failover::run {

// A value: what runs side by side has copies of its own.
struct Frame {
  expr::Values values;     // the names in scope
  base::Instant deadline;  // of everything in it
  std::stop_token stop;
  std::string prefix{};     // of the ids of its steps: `restore.`, `machines[2].`
  bool last_words = false;  // runs because the journey has ended
  bool outermost = true;    // not in a lane of its own
  bool acted = false;       // a call has run in it
  std::string machine{};    // where its last call worked
  std::string failure{};    // the step around it that is marked `failure`, whose instant is that of the first call

  // Of something that is to be looked at alone.
  [[nodiscard]] Frame untouched() const {
    Frame out = *this;
    out.acted = false;
    return out;
  }

  // The frame of a part that has a narrower deadline.
  [[nodiscard]] Frame within(base::Instant earlier) const {
    Frame out = *this;
    out.deadline = std::min(deadline, earlier);
    return out;
  }
};

}  // namespace failover::run
