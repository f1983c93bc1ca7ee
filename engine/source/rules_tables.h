// The tables of rules.h by subject. Inside the room only.
#pragma once

#include <span>

#include "engine/source/rules.h"

namespace failover::source {

// The shortest scenario there is.
inline constexpr Example kPlain{R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
)y"};

std::span<const Rule> text_rules();        // the file and its YAML
std::span<const Rule> key_rules();         // keys, ids and the words of the language
std::span<const Rule> value_rules();       // step types, fields and values
std::span<const Rule> expression_rules();  // what stands in ${{ }} and in conditions
std::span<const Rule> reference_rules();   // steps, inputs, outputs, variables, fragments
std::span<const Rule> journey_rules();     // money, time, marks, secrets: what the whole would do

}  // namespace failover::source
