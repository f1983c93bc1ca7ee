#include <algorithm>

#include "steps/client/vast_client.h"

namespace failover::client::vast {

void Memory::found(const OfferQuery& query, std::vector<Offer> offers) {
  const std::lock_guard lock(mutex_);
  constexpr std::size_t kKept = 32;
  if (searches_.size() >= kKept) searches_.erase(searches_.begin());
  searches_.emplace_back(query, std::move(offers));
}

std::optional<Offer> Memory::offer(std::int64_t id) {
  const std::lock_guard lock(mutex_);
  for (auto search = searches_.rbegin(); search != searches_.rend(); ++search) {
    for (const Offer& offer : search->second) {
      if (offer.id == id) return offer;
    }
  }
  return std::nullopt;
}

void Memory::used(std::int64_t offer) {
  const std::lock_guard lock(mutex_);
  used_.insert(offer);
}

bool Memory::is_used(std::int64_t offer) {
  const std::lock_guard lock(mutex_);
  return used_.count(offer) != 0;
}

std::optional<std::pair<OfferQuery, std::vector<Offer>>> Memory::search_of(std::int64_t offer) {
  const std::lock_guard lock(mutex_);
  for (auto search = searches_.rbegin(); search != searches_.rend(); ++search) {
    const auto& offers = search->second;
    const bool here = std::any_of(offers.begin(), offers.end(), [&](const Offer& one) { return one.id == offer; });
    if (!here) continue;
    std::pair<OfferQuery, std::vector<Offer>> out{search->first, {}};
    for (const Offer& one : offers) {
      if (used_.count(one.id) == 0) out.second.push_back(one);
    }
    return out;
  }
  return std::nullopt;
}

void Memory::ordered(std::int64_t instance, const Order& order) {
  const std::lock_guard lock(mutex_);
  orders_[instance] = order;
}

std::optional<Order> Memory::order_of(std::int64_t instance) {
  const std::lock_guard lock(mutex_);
  const auto found = orders_.find(instance);
  if (found == orders_.end()) return std::nullopt;
  return found->second;
}

void Memory::ended(std::int64_t instance) {
  const std::lock_guard lock(mutex_);
  ended_.insert(instance);
}

bool Memory::is_ended(std::int64_t instance) {
  const std::lock_guard lock(mutex_);
  return ended_.count(instance) != 0;
}

void Memory::replaced(std::int64_t old, std::int64_t now) {
  const std::lock_guard lock(mutex_);
  if (old != now) aliases_[old] = now;
}

std::int64_t Memory::current(std::int64_t instance) {
  const std::lock_guard lock(mutex_);
  // No longer than the chain can be, so that a ring cannot hold us.
  for (std::size_t hop = 0; hop <= aliases_.size(); ++hop) {
    const auto next = aliases_.find(instance);
    if (next == aliases_.end()) return instance;
    instance = next->second;
  }
  return instance;
}

}  // namespace failover::client::vast
