// When a failed step is tried again, as its `retry` says.
#pragma once

#include <optional>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/error.h"
#include "engine/expr/expression.h"
#include "engine/scenario/model.h"

namespace failover::run {

// Without a written `retry` a step is tried once. Where the author says `retry` but not how: 3 attempts, 2 s, doubling,
// at most 60 s.
class Retries {
 public:
  Retries(const scenario::Seldom<scenario::Retry>& written, const expr::Values& values);

  // Is there another try after the `attempt`-th (from 1) failed with `fault`?
  [[nodiscard]] bool again(base::Fault fault, int attempt) const;
  // What to wait before it.
  [[nodiscard]] base::Duration delay(int attempt) const;

 private:
  std::vector<base::Fault> faults_;
  std::int64_t attempts_ = 1;
  base::Duration delay_{0};
  base::Duration max_{0};
  double backoff_ = 1.0;
  bool full_jitter_ = false;
};

}  // namespace failover::run
