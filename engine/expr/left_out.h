// What CEL or its extensions have and this language has not. Every entry is refused by name; README.md lists them.
// Inside the room only.
#pragma once

#include <string>
#include <string_view>

namespace failover::expr {

struct LeftOut {
  std::string_view name{};
  std::string_view what{};     // `a function of CEL's strings extension`
  std::string_view instead{};  // what to write, or why not
};

// A function or macro of this name; nullptr: CEL has none either, as far as we know.
const LeftOut* left_out_function(std::string_view name);
// A name that stands for a type (`int`, `list`), or for a library of functions (`math`, `cel`).
const LeftOut* left_out_name(std::string_view name);

}  // namespace failover::expr
