// Values as text of bounded length, for assertion trees and differences. Inside the room only.
#pragma once

#include <string>

#include "engine/base/value.h"

namespace failover::expr {

// value.literal(), made safe for a terminal, cut behind `limit` bytes; costs no more than what it shows.
std::string shown(const base::Value& value, std::size_t limit);
// A text as a literal; the cut is inside of the quotes: "abc...".
std::string shown_text(std::string_view text, std::size_t limit);

}  // namespace failover::expr
