// client::Vast over a Wire. Not for steps: they take a Vast.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "steps/client/vast.h"
#include "steps/client/vast_wire.h"

namespace failover::client::vast {

// What was found and made so far: nothing here outlives the process.
class Memory {
 public:
  void found(const OfferQuery& query, std::vector<Offer> offers);
  // By offer id, used up or not.
  std::optional<Offer> offer(std::int64_t id);
  void used(std::int64_t offer);
  // The search that found this offer, and what is left of it.
  std::optional<std::pair<OfferQuery, std::vector<Offer>>> search_of(std::int64_t offer);
  bool is_used(std::int64_t offer);

  void ordered(std::int64_t instance, const Order& order);
  std::optional<Order> order_of(std::int64_t instance);
  void ended(std::int64_t instance);
  bool is_ended(std::int64_t instance);
  void replaced(std::int64_t old, std::int64_t now);
  std::int64_t current(std::int64_t instance);

 private:
  std::mutex mutex_;
  std::vector<std::pair<OfferQuery, std::vector<Offer>>> searches_;
  std::set<std::int64_t> used_;
  std::set<std::int64_t> ended_;
  std::map<std::int64_t, Order> orders_;
  std::map<std::int64_t, std::int64_t> aliases_;
};

class HttpVast final : public Vast {
 public:
  HttpVast(VastAccount account, Http& http, Http& urgent) : wire_(std::move(account), http, urgent) {}

  base::Result<base::Money> credit(const plugin::Context&) override;
  base::Result<std::vector<InstanceCharge>> charges(const std::vector<std::int64_t>& instances, base::WallTime since,
                                                    const plugin::Context&) override;
  base::Result<std::vector<Offer>> search(const OfferQuery&, const plugin::Context&) override;
  base::Result<Offer> offer(std::int64_t id, base::Size disk, const plugin::Context&) override;
  base::Result<std::vector<std::string>> gpu_names(const plugin::Context&) override;
  base::Result<std::vector<Offer>> others_like(std::int64_t offer, const std::vector<std::int64_t>& avoid,
                                               const plugin::Context&) override;

  base::Result<Rented> create(const Order&, const plugin::Context&) override;
  base::Result<std::optional<Instance>> find(std::int64_t id, const plugin::Context&) override;
  base::Result<std::vector<Instance>> list(const plugin::Context&) override;
  base::Result<void> set_state(std::int64_t id, const std::string& state, const plugin::Context&) override;
  base::Result<bool> destroy(std::int64_t id, const plugin::Context&) override;
  base::Result<void> destroy_all(const std::vector<std::int64_t>& ids, const plugin::Context&) override;

  base::Result<void> attach_key(std::int64_t instance, const std::string& text, const plugin::Context&) override;
  base::Result<std::vector<SshKey>> instance_keys(std::int64_t instance, const plugin::Context&) override;
  base::Result<void> detach_key(std::int64_t instance, std::int64_t key, const plugin::Context&) override;
  base::Result<SshKey> add_account_key(const std::string& text, const plugin::Context&) override;
  base::Result<std::vector<SshKey>> account_keys(const plugin::Context&) override;
  base::Result<void> delete_account_key(std::int64_t key, const plugin::Context&) override;

  std::optional<Order> order_of(std::int64_t instance) override { return memory_.order_of(instance); }
  bool end_accepted(std::int64_t instance) override { return memory_.is_ended(instance); }
  void replaced(std::int64_t old, std::int64_t now) override { memory_.replaced(old, now); }
  std::int64_t current(std::int64_t instance) override { return memory_.current(instance); }
  std::optional<base::WallTime> service_time(const base::Clock& clock) override { return wire_.service_time(clock); }

 private:
  base::Result<std::vector<Offer>> search_rows(const OfferQuery&, std::optional<std::int64_t> id,
                                               const std::string& what, const plugin::Context&);
  base::Result<std::vector<Instance>> list_once(const std::string& filter, const plugin::Context&);
  base::Result<std::vector<Instance>> list_complete(const std::string& filter, const plugin::Context&);
  // `intended`: when its intent was written down, or before.
  base::Result<Answer> send_create(const Call&, Wire::Slot, base::Instant intended, const plugin::Context&);
  base::Result<Rented> settle(const Order&, plugin::Hold, base::Result<Answer>, const plugin::Context&);
  [[nodiscard]] std::string start_script(const Order&, const plugin::Context&) const;
  base::Result<Rented> made(const Order&, plugin::Hold, std::int64_t id);
  base::Result<Rented> give_up_unscheduled(const Order&, plugin::Hold, std::int64_t id, const Answer&,
                                           const plugin::Context&);
  base::Result<Rented> reconcile(const Order&, plugin::Hold, const base::Error& why, const plugin::Context&);
  base::Result<std::optional<std::int64_t>> find_labelled(const std::string& label, const plugin::Context&);

  Wire wire_;
  Memory memory_;
};

}  // namespace failover::client::vast
