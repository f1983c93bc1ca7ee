// Where a scalar's decoded bytes stand in the YAML source. Inside the room only.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "engine/source/tree.h"

namespace failover::source {

// Skips tags, anchors and the space after them, from where a scalar's mark points.
std::size_t skip_properties(std::string_view text, std::size_t at);

// Just past the last character of the text of a block scalar that starts with its `|` or `>` at `at` and decodes to
// `decoded`; past its header when it holds nothing.
std::size_t block_end(std::string_view text, std::size_t at, Node::Style style, std::string_view decoded);

// For each byte of `decoded` its offset in `text`, then the offset just past the last; nullopt when the two do not
// match.
std::optional<std::vector<std::size_t>> align(std::string_view text, Span span, Node::Style style,
                                              std::string_view decoded);

}  // namespace failover::source
