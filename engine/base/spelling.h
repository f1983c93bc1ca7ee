// Values with a unit in the spelling of other programs and of people: what to write instead.
#pragma once

#include <string>
#include <string_view>

namespace failover::base {

// `0.50 USD`, `50c` -> `$0.50`. These are empty for what they cannot tell.
std::string money_spelled(std::string_view text);
// `20gib` -> `20 GiB`.
std::string size_spelled(std::string_view text);
// `100mbps` -> `100 Mb/s`, `10 MB/s` -> `80 Mb/s`.
std::string rate_spelled(std::string_view text);
// `1 hr 30 min` -> `1h30m`.
std::string duration_spelled(std::string_view text);

}  // namespace failover::base
