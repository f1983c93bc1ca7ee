// What a plain YAML scalar means, by the YAML 1.2 core rules and no others, and what a YAML 1.1 reader would have made
// of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace failover::source {

struct Text {};
struct NullWord {};
// An integer or number that does not fit; `why` is one phrase: `does not fit into 64 bits`.
struct Unfit {
  std::string why;
};

using Meaning = std::variant<Text, NullWord, bool, std::int64_t, double, Unfit>;

// `text` as a plain scalar. `0755` is Unfit (octal for some readers, decimal for others), as are `.nan`, `.inf` and
// integers out of range.
Meaning meaning(std::string_view plain);

// The trap that `plain` is for a reader of YAML 1.1 or a person: one phrase, `` `no` is a boolean for many YAML readers
// ``, or empty. Words are yes, no, on, off in their cases; numbers are 1_000, 1:30, 0755.
std::string trap(std::string_view plain);

}  // namespace failover::source
