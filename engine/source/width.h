// How wide a character is in a terminal. Inside the room only.
#pragma once

#include <cstddef>
#include <cstdint>

namespace failover::source {

// Cells of a code point: East Asian wide ones and emoji take two, combining and invisible ones none, all others one.
// Characters of ambiguous width are narrow, as they are outside of East Asian locales.
std::size_t cells(std::uint32_t point);
// Would move the cursor or turn the direction of what follows: C1 controls, line separators, bidirectional overrides.
bool disturbs(std::uint32_t point);

}  // namespace failover::source
