// In what two values differ, for people: short, whatever the values' size.
#pragma once

#include <string>

#include "engine/base/value.h"

namespace failover::expr {

constexpr std::size_t kMostDifferenceLines = 20;

// Lines without a last line feed; empty when the values are equal by the language's rules. At most
// kMostDifferenceLines lines of at most 200 bytes or so; control characters are escaped.
//
//   files[3].size: 1 != 2          a part that differs, by its path
//   files[4]: only on the left: {path: "b"}
//   files[5]: only on the right: "c"
//   line 3:                        two texts of several lines, from the first that differs
//     - left
//     + right
//         ^                        the first character that differs
std::string difference(const base::Value& left, const base::Value& right);

}  // namespace failover::expr
