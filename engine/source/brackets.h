// Flow collections that nobody closed. Inside the room only.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace failover::source {

// `open` are the offsets of `{` and `[` that a parser was inside of when it gave up, outermost first. The one that has
// no counterpart: closed by the wrong bracket, or by none up to the end of the text. nullopt: all have one, so that
// something else is wrong.
std::optional<std::size_t> never_closed(std::string_view text, const std::vector<std::size_t>& open);
// `}` for `{`.
char counterpart(char bracket);

}  // namespace failover::source
