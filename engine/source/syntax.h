// Why a file is not YAML, in words for its author and at the place where the mistake is, which is often not where the
// reader noticed. Inside the room only.
#pragma once

#include <vector>

#include "engine/source/diagnostic.h"
#include "engine/source/events.h"

namespace failover::source {

// `open` are the offsets of the brackets that the tree was inside of, outermost first; `found` is what the tree has
// said before. Adds what of `found` still counts and at most one finding more: a mistake that the tree has explained
// already (braces, a tag) often ends in a syntax error, and one finding is enough.
void explain_syntax(const Problem& problem, const FilePtr& file, const std::vector<std::size_t>& open,
                    const Diagnostics& found, Diagnostics& diagnostics);

}  // namespace failover::source
