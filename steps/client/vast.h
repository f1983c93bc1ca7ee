// Vast.ai through its REST API (references/vastai-api.md): offers, instances, SSH keys. Keeps the spacing that the
// service demands between requests (section 10) and repeats what may be repeated; a create is never repeated.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/secret.h"
#include "engine/base/units.h"
#include "engine/plugin/context.h"
#include "steps/client/http.h"

namespace failover::client {

struct VastAccount {
  std::string url;  // `https://console.vast.ai`: scheme, host, port; no path
  base::Secret key;
  std::filesystem::path turns{};  // of rentals, with the other processes of this machine; empty: none
};

struct OfferQuery {
  std::string gpu_name;                  // with spaces, as the market spells it: `RTX 4090`
  std::optional<base::Money> max_price;  // per hour, disk included; absent: any
  std::int64_t gpu_count = 1;
  base::Size disk{};
  double min_reliability = 0;  // 0 to 1
  base::Duration lasts{0};     // for so long the host must still offer it; an hour at least
};

struct Offer {
  std::int64_t id = 0;
  std::string gpu_name;
  std::int64_t gpu_count = 1;
  base::Money price_per_hour;   // GPU and the disk that was asked for
  std::int64_t machine_id = 0;  // stable, where offer ids are not
  std::int64_t host_id = 0;
  double reliability = 0;
  std::string location;
  base::Money gpu_per_hour;             // without disk
  double storage_usd_per_gb_month = 0;  // 720 hours
  base::Money per_gb_up;                // traffic
  base::Money per_gb_down;
  // With this much disk.
  [[nodiscard]] base::Money price_with(base::Size disk) const;
};

// What to rent on an offer.
struct Order {
  Offer offer;
  std::string image;
  base::Size disk{};
  std::string onstart;  // behind the timer that ends the machine; together at most 4096 characters
};

struct Rented {
  std::int64_t id = 0;
  std::string label;
  base::Money price_per_hour;
};

// What the service says about an instance. Texts that it answers as null are empty.
struct Instance {
  std::int64_t id = 0;
  std::string label;
  std::string actual_status;  // `running`, `loading`, `exited`, ...; empty: nothing reported yet
  std::string intended_status;
  std::string current_state;
  std::string next_state;
  std::string message;  // free text of a stranger
  std::string gpu_name;
  base::Money price_per_hour;
  std::int64_t machine_id = 0;
  std::int64_t host_id = 0;
  std::string direct_host;  // the pair of section 8.2; host empty and port 0: not mapped
  std::int64_t direct_port = 0;
  std::string proxy_host;
  std::int64_t proxy_port = 0;
  std::string workspace;  // only where the service reports one (the sandbox does)
};

// What the account's books say of an instance (9.3): rounded to a tenth of a cent, later than the usage. A credit is
// negative.
struct InstanceCharge {
  std::int64_t instance = 0;
  base::Money amount;
  base::Money gpu;  // what the amount consists of
  base::Money disk;
  base::Money traffic;
};

struct SshKey {
  std::int64_t id = 0;
  std::string text;
};

// Thread-safe: callers queue up. Errors of every call: auth (404 `auth_error` included: never not_found), rate_limited,
// unavailable (5xx, no connection, an answer that cannot be read), timeout, cancelled, refused, beside what is said
// below.
class Vast {
 public:
  virtual ~Vast() = default;
  // $ left to spend; can be slightly negative.
  virtual base::Result<base::Money> credit(const plugin::Context&) = 0;
  // What is charged for these instances, made since then, as far as the books list it: read-only. Error{auth} without
  // the permission billing_read.
  virtual base::Result<std::vector<InstanceCharge>> charges(const std::vector<std::int64_t>& instances,
                                                            base::WallTime since, const plugin::Context&) = 0;
  // Rentable, verified offers with a direct port within the query, checked again here, cheapest first (at most 64).
  // Success when nothing matches.
  virtual base::Result<std::vector<Offer>> search(const OfferQuery&, const plugin::Context&) = 0;
  // The offer as a search found it, or asked for by its id. Error: no_offer.
  virtual base::Result<Offer> offer(std::int64_t id, base::Size disk, const plugin::Context&) = 0;
  // Every model that the market knows.
  virtual base::Result<std::vector<std::string>> gpu_names(const plugin::Context&) = 0;

  // Rents, under a hold of `vast.instance` that it takes and settles; the label is the hold's name. After an unclear
  // answer it looks for the label and never sends again. Errors: no_offer (gone; nothing was made), no_credit, refused,
  // unknown (the hold is unclear). A contract that came with success:false is destroyed: no_offer as well.
  virtual base::Result<Rented> create(const Order&, const plugin::Context&) = 0;
  // nullopt: the service says that there is no such instance (also for a moment after a create).
  virtual base::Result<std::optional<Instance>> find(std::int64_t id, const plugin::Context&) = 0;
  // All of the account's instances, every page; an Error unless the listing is complete.
  virtual base::Result<std::vector<Instance>> list(const plugin::Context&) = 0;
  // `running` or `stopped`. Error: not_found, no_credit, unavailable with code `resources_unavailable` (the wish stays
  // queued at the service: send `stopped` to withdraw it).
  virtual base::Result<void> set_state(std::int64_t id, const std::string& state, const plugin::Context&) = 0;
  // Accepted, or already gone (false).
  virtual base::Result<bool> destroy(std::int64_t id, const plugin::Context&) = 0;
  // One request for all of them; accepted is not gone. Does not queue up behind the other calls: a request whose answer
  // is still awaited does not hold it up.
  virtual base::Result<void> destroy_all(const std::vector<std::int64_t>& ids, const plugin::Context&) = 0;

  // Success when it is attached already. Error: not_found (no such instance).
  virtual base::Result<void> attach_key(std::int64_t instance, const std::string& text, const plugin::Context&) = 0;
  virtual base::Result<std::vector<SshKey>> instance_keys(std::int64_t instance, const plugin::Context&) = 0;
  // Success when the key or the instance is gone.
  virtual base::Result<void> detach_key(std::int64_t instance, std::int64_t key, const plugin::Context&) = 0;
  virtual base::Result<SshKey> add_account_key(const std::string& text, const plugin::Context&) = 0;
  virtual base::Result<std::vector<SshKey>> account_keys(const plugin::Context&) = 0;
  virtual base::Result<void> delete_account_key(std::int64_t key, const plugin::Context&) = 0;

  // What the search that found this offer found beside it and no create has used up, cheapest first, without the
  // machines in `avoid`; searched for once more when nothing of it is left. Success when there is none.
  virtual base::Result<std::vector<Offer>> others_like(std::int64_t offer, const std::vector<std::int64_t>& avoid,
                                                       const plugin::Context&) = 0;

  // --- what this process remembers; sends nothing ---

  // What a create of this process asked for, to ask for it again elsewhere.
  virtual std::optional<Order> order_of(std::int64_t instance) = 0;
  // The service accepted its end, asked by this process; accepted is not gone.
  virtual bool end_accepted(std::int64_t instance) = 0;
  // From now on the id `old` means `now` in current().
  virtual void replaced(std::int64_t old, std::int64_t now) = 0;
  virtual std::int64_t current(std::int64_t instance) = 0;
  // What the service's clock says now, as far as its last answer told.
  virtual std::optional<base::WallTime> service_time(const base::Clock& clock) = 0;
};

// Both must outlive it; `urgent` serves destroy_all() alone and may be the same as `http` where nothing runs side by
// side.
std::unique_ptr<Vast> make_vast(VastAccount account, Http& http, Http& urgent);

}  // namespace failover::client
