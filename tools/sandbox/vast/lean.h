// Answers of a simulation's world (WorldOptions::lean_rows) as text: the members that a client of ours reads and no
// others, without a tree in between. What is said is what the full answers say; tests/providers holds them together.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/sandbox/vast/internal.h"

namespace failover::sandbox::vast::lean {

Answer instance(const World& world, const Instance* shown);
// A page of the whole listing, or of `only` this id, by ascending id, from behind `after`; `lost`: its rows are missing
// while the total counts them, and there is no next one.
Answer instances(const World& world, std::optional<std::int64_t> only, std::int64_t after, std::size_t limit,
                 bool lost);
// A column that a filter may name or rows may be sorted by; the full row's when it is none of the usual.
Json column(const Offer& offer, double allocated_gb, const Json& times, const std::string& name);
// `first_priced`: else the first one's prices are no numbers.
Answer offers(const std::vector<const Offer*>& found, double allocated_gb, bool first_priced);

}  // namespace failover::sandbox::vast::lean
