// What the steps of this family share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/plugin/codec.h"
#include "engine/plugin/step_type.h"
#include "steps/client/services.h"

namespace failover::steps::vast {

inline constexpr const char* kInstance = "vast.instance";
inline constexpr const char* kSshKey = "vast.ssh_key";
// What numbers identify (base::Type::id_of).
inline constexpr const char* kAnInstance = "an instance";
inline constexpr const char* kAnOffer = "an offer";
inline constexpr const char* kAMachine = "a machine";
inline constexpr const char* kAHost = "a host";

// An id as scenarios give it: the number an earlier step answered, or its digits as a text from an input.
struct Id {
  std::int64_t number = 0;
};

plugin::StepType check_account(client::Services& services);
plugin::StepType search_offers(client::Services& services);
plugin::StepType create_instance(client::Services& services);
plugin::StepType wait_until_ready(client::Services& services);
plugin::StepType show_instance(client::Services& services);
plugin::StepType stop_instance(client::Services& services);
plugin::StepType start_instance(client::Services& services);
plugin::StepType destroy_instance(client::Services& services);

// Rents; when the offer is gone, the next one that the same search found, each under a hold of its own. Errors as
// Vast::create says; no_offer when none is left.
base::Result<client::Rented> rent(client::Vast& vast, client::Order order, std::vector<std::int64_t> avoid,
                                  const plugin::Context& context);

// Makes the instance accept the run's key. One that the run did not make gets it under a hold of `vast.ssh_key`.
base::Result<void> give_key(client::Services& services, std::int64_t instance, const plugin::Context& context);
// The proxy looks at the account's keys (vastai-api.md 8.1): registers the run's there, under a hold.
base::Result<void> give_account_key(client::Services& services, const plugin::Context& context);

// Is it past hope, as section 7's give-up rule says? The reason, for people. `age` since it was made or started.
std::optional<std::string> past_hope(const client::Instance& instance, base::Duration age);
// One word for `status`; never empty.
std::string status_word(const client::Instance& instance);
// `loading: pulling image`
std::string status_line(const client::Instance& instance);

}  // namespace failover::steps::vast

template <>
struct failover::plugin::Codec<failover::steps::vast::Id> {
  static base::Type type() { return base::Type::Kind::integer; }
  static base::Result<failover::steps::vast::Id> read(const base::Value& value);
  static base::Value write(const failover::steps::vast::Id& id) {
    return id.number == 0 ? base::Value() : base::Value(id.number);
  }
};
