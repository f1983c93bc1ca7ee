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
// Does the row of this offer answer the query? Looked at again here, since not every filter is honoured (2.2): what it
// does not say counts as asked for.
bool fits(const Json& row, const Offer& offer, const OfferQuery& query);

}  // namespace failover::client::vast
