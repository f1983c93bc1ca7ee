// JSON rows to offers and instances (references/vastai-api.md 2.3, 5). Not for steps.
#pragma once

#include <optional>

#include "steps/client/vast_wire.h"

namespace failover::client::vast {

// nullopt for a row without what a rental needs: id, price, machine.
std::optional<Offer> offer_of(const Json& row, base::Size disk);
std::optional<Instance> instance_of(const Json& row);
// The request body of a search (2.2). `offer` asks for that one alone.
Written search_body(const OfferQuery& query, std::optional<std::int64_t> offer);
// Does the row fit the query? The service does not always honour its filters (2.2).
bool fits(const Offer& offer, const OfferQuery& query);

}  // namespace failover::client::vast
