#include "engine/run/ledger.h"

#include <algorithm>

#include "engine/base/costs.h"

namespace failover::run {
namespace {

namespace type = event::type;

bool is_open(State state) {
  return state == State::intended || state == State::made || state == State::unclear || state == State::ended;
}

bool is_billed(const Entry& entry) { return entry.state != State::refused && entry.per_hour.micros > 0; }

// A journal may say anything: never beyond what a count can be.
std::int64_t sum_of(std::int64_t bytes, double more) {
  constexpr double kMost = 4e18;
  if (!(more > 0)) return bytes;
  return static_cast<std::int64_t>(std::min(kMost, static_cast<double>(bytes) + more));
}

plugin::Held held_of(const event::Event& event) {
  plugin::Held held;
  held.kind = event.text("kind");
  held.name = event.text("name");
  held.unclear = true;  // until an answer says more
  held.sent_at = held.begun_at = event.at;
  if (const auto* attributes = event["attributes"].map()) held.attributes = *attributes;
  return held;
}

}  // namespace

Entry* Ledger::entry(const std::string& name) {
  const auto at =
      std::find_if(entries_.rbegin(), entries_.rend(), [&](const Entry& entry) { return entry.held.name == name; });
  return at == entries_.rend() ? nullptr : &*at;
}

void Ledger::on(const event::Event& event) {
  const std::lock_guard lock(mutex_);
  if (event.type == type::intent) {
    Entry added;
    added.held = held_of(event);
    added.step = event.text("step");
    added.shared = event["shared"] == base::Value(true);
    added.per_hour = base::money_from_usd(event.number("per_hour_usd")).value_or(base::Money{0});
    added.per_gb_up = base::money_from_usd(event.number("per_gb_up_usd")).value_or(base::Money{0});
    added.per_gb_down = base::money_from_usd(event.number("per_gb_down_usd")).value_or(base::Money{0});
    added.since = added.sent = event.since_start;
    entries_.push_back(std::move(added));
    return;
  }
  Entry* known = entry(event.text("name"));
  if (known == nullptr) return;
  if (event.type == type::sending) {
    known->held.sent_at = event.at;
    known->held.begun_at = std::min(known->held.begun_at, event.at);  // the wall clock was set back
    known->sent = event.since_start;
  } else if (event.type == type::unanswered) {
    known->unanswered = Sending{known->held.sent_at, known->sent};
    known->held.unclear = true;
  } else if (event.type == type::made) {
    known->state = State::made;
    known->denied = false;
    known->held.unclear = known->unanswered.has_value();
    if (known->unanswered) {
      known->held.sent_at = known->unanswered->at;
      known->sent = known->unanswered->since;
    }
    known->held.id = event.text("id");
    if (const auto* attributes = event["attributes"].map()) {
      for (const auto& [key, value] : *attributes) known->held.attributes.insert_or_assign(key, value);
    }
  } else if (event.type == type::refused) {
    // A no to one write says nothing about another that was never answered.
    known->state = known->unanswered ? State::unclear : State::refused;
    const base::Value* fault = event["error"].find("fault");
    const bool certain = event["certain"] == base::Value(true) ||
                         (fault != nullptr && *fault == base::Value(std::string(base::to_string(base::Fault::auth))));
    known->denied = !known->unanswered && !certain;
  } else if (event.type == type::unclear) {
    known->state = State::unclear;
  } else if (event.type == type::ended) {
    if (known->state == State::released) return;  // what is proven to be gone stays so
    known->state = State::ended;
    // Once more: it was still there, and has been billed up to now.
    known->until = std::max(known->until.value_or(event.since_start), event.since_start);
  } else if (event.type == type::released) {
    known->state = State::released;
    if (!known->until) known->until = event.since_start;
    if (!known->proven) known->proven = event.since_start;
  } else if (event.type == type::priced) {
    known->per_hour =
        std::max(known->per_hour, base::money_from_usd(event.number("per_hour_usd")).value_or(base::Money{0}));
  } else if (event.type == type::traffic) {
    known->up = sum_of(known->up, event.number("up_bytes"));
    known->down = sum_of(known->down, event.number("down_bytes"));
  } else if (event.type == type::kept) {
    known->state = State::kept;
    known->kept_until = base::parse_utc(event.text("until"));
  } else if (event.type == type::lapsed) {
    if (known->state == State::kept) known->state = State::made;
  }
}

std::vector<Entry> Ledger::entries() const {
  const std::lock_guard lock(mutex_);
  return entries_;
}

std::optional<Entry> Ledger::find(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  for (const auto& entry : entries_) {
    if (entry.held.name == name) return entry;
  }
  return std::nullopt;
}

std::optional<plugin::Held> Ledger::by_id(const std::string& kind, const std::string& id) const {
  const std::lock_guard lock(mutex_);
  std::optional<plugin::Held> found;
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    const bool over = entry->state == State::ended || entry->state == State::released;
    if ((entry->state != State::made && !over) || entry->held.kind != kind || entry->held.id != id) continue;
    if (found && over) continue;
    found = entry->held;
    found->over = over;
    if (!over) break;
  }
  return found;
}

std::vector<Entry> Ledger::open() const {
  const std::lock_guard lock(mutex_);
  std::vector<Entry> out;
  std::copy_if(entries_.rbegin(), entries_.rend(), std::back_inserter(out),
               [](const Entry& entry) { return is_open(entry.state); });
  return out;
}

std::vector<Entry> Ledger::kept() const {
  const std::lock_guard lock(mutex_);
  std::vector<Entry> out;
  std::copy_if(entries_.begin(), entries_.end(), std::back_inserter(out),
               [](const Entry& entry) { return entry.state == State::kept; });
  return out;
}

std::vector<Entry> Ledger::doubted() const {
  const std::lock_guard lock(mutex_);
  std::vector<Entry> out;
  std::copy_if(entries_.begin(), entries_.end(), std::back_inserter(out), [](const Entry& entry) {
    const bool nowhere = entry.state == State::refused || entry.state == State::unclear;
    return nowhere && entry.denied && entry.per_hour.micros > 0;
  });
  return out;
}

std::vector<Entry> Ledger::of_step(const std::string& step) const {
  const std::lock_guard lock(mutex_);
  std::vector<Entry> out;
  std::copy_if(entries_.begin(), entries_.end(), std::back_inserter(out),
               [&](const Entry& entry) { return entry.step == step; });
  return out;
}

namespace {

// When an end that was asked for has come to pass at the latest.
base::Duration settled_at(base::Duration until, base::Duration settle) {
  return until > base::Duration::max() - settle ? base::Duration::max() : until + settle;
}

base::Duration latest_end(const Entry& entry, base::Duration now, base::Duration settle) {
  if (!entry.until) return now;
  return std::max(*entry.until, std::min({settled_at(*entry.until, settle), now, entry.proven.value_or(now)}));
}

// From `now` on; never negative.
base::Duration still_billed(const Entry& entry, base::Duration now, base::Duration end, base::Duration settle) {
  if (entry.proven) return base::Duration(0);
  const base::Duration last = entry.until ? std::min(settled_at(*entry.until, settle), end) : end;
  return std::max(last - now, base::Duration(0));
}

}  // namespace

base::Money Ledger::spent(base::Duration now, const Settle& settle) const {
  const std::lock_guard lock(mutex_);
  base::Money total;
  for (const auto& entry : entries_) {
    if (!is_billed(entry)) continue;
    for (const base::Money part :
         {base::cost_of(entry.per_hour, latest_end(entry, now, settle(entry.held.kind)) - entry.since),
          base::traffic_cost(entry.per_gb_up, entry.up), base::traffic_cost(entry.per_gb_down, entry.down)}) {
      total = base::sum_of(total, part);
    }
  }
  return total;
}

base::Money Ledger::committed(base::Duration now, base::Duration end, const Settle& settle) const {
  const std::lock_guard lock(mutex_);
  base::Money total;
  for (const auto& entry : entries_) {
    if (!is_billed(entry)) continue;
    const base::Duration time = still_billed(entry, now, end, settle(entry.held.kind));
    total = base::sum_of(total, base::cost_of(entry.per_hour, time));
  }
  return total;
}

}  // namespace failover::run
