// Giving back what is past its deadline, from nothing but the account: no journal, from any machine that has the key
// (leak-safety.md, "labels").
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/base/secret.h"
#include "engine/plugin/registry.h"
#include "engine/run/cleanup.h"
#include "engine/run/label.h"

namespace failover::run {

enum class Standing {
  expired,  // signed by this key and past its deadline: to be given back
  in_time,  // signed by this key, its run may still need it
  alien,    // looks like ours and is not signed by this key: never touched
};

struct Sighting {
  plugin::Held held;
  Standing standing = Standing::alien;
  std::optional<Label> label;  // of what is signed
};

struct Survey {
  std::vector<Sighting> seen;
  std::vector<base::Error> unlisted;  // one for each kind that could not be listed as a whole: it may hold something
};

// Everything in the account under a name that looks like ours, of every kind that can be searched. Judged by the
// remote's clock where it says its time: a clock here that runs ahead must not end what a run still needs. A kind that
// cannot be listed keeps no other from being seen; each has its share of the patience.
Survey survey(const plugin::Registry& registry, const base::Secret& key, plugin::Host& host,
              const base::Patience& patience);

// Gives the expired ones of `seen` back, with the same proof as every cleanup. `shared.ledger` must be empty and
// subscribed to shared.stream.
CleanupResult clean_up_expired(Shared& shared, const std::vector<Sighting>& seen, const CleanupOptions& options,
                               const std::stop_token& stop);

}  // namespace failover::run
