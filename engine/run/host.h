// The runner's side of a Context: every intent passes the ledger, the purse and the journal before anything is sent.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>

#include "engine/base/secret.h"
#include "engine/base/units.h"
#include "engine/event/journal.h"
#include "engine/plugin/registry.h"
#include "engine/run/ledger.h"

namespace failover::run {

// The hard stops of a run (leak-safety.md, "Money").
struct Purse {
  base::Money limit{0};
  base::Duration end{0};  // since the run's start: the rest of limits.duration plus the cleanup margin
};

// Bytes of a machine that no record tells of yet: what they cost is too little.
struct Traffic {
  std::int64_t up = 0;
  std::int64_t down = 0;
};

// What all steps of a run share. Must outlive every Context made from it.
struct Shared {
  event::Stream& stream;
  Ledger& ledger;
  const plugin::Registry& registry;
  base::Clock& clock;
  plugin::RunInfo info;
  Purse purse;
  base::Secret label_key;            // keys the HMAC in labels
  std::atomic<bool> closing{false};  // nothing is made any more
  std::mutex purse_mutex{};          // held from asking whether a rental fits until it is in the ledger
  std::mutex traffic_mutex{};
  std::map<std::string, Traffic> traffic{};  // by the machine's name, across steps
  std::atomic<int> made{0};                  // counts intents: the label's sequence number
  std::atomic<bool> journal_failed{false};   // a record could not be written: the run must end
  base::Redactor* redactor = nullptr;        // the stream's, which learns what steps hide
  std::atomic<bool> broke{false};            // the money has run out: the journey ends, the cleanup follows
  std::stop_source journey{};                // ends the journey, not the cleanup
  // Has everything proven that was asked to end: only an unproven end still needs money. Takes a look at each.
  std::function<void(const base::Patience&)> prove{};
};

// What ends a journey whose machines' traffic and raised prices have used up its money. Error{refused, limit_cost}.
base::Error out_of_money(const Shared& shared);

// One per step (or cleanup), so that events name who caused them.
class StepHost final : public plugin::Host {
 public:
  StepHost(Shared& shared, std::string step) : shared_(&shared), step_(std::move(step)) {}

  void exchange(const plugin::Exchange& exchange) override;
  void progress(const std::string& text) override;
  base::Result<void> make_room(const plugin::Intent& intent, const base::Patience& patience) override;
  base::Result<std::string> intend(const plugin::Intent& intent) override;
  void made(const std::string& name, const plugin::Made& made) override;
  void refused(const std::string& name, const base::Error& why) override;
  void unsent(const std::string& name, const base::Error& why) override;
  void unclear(const std::string& name, const base::Error& why) override;
  base::Result<void> sending(const std::string& name) override;
  void unanswered(const std::string& name) override;
  void ended(const std::string& kind, const std::string& id) override;
  void traffic(const std::string& machine, std::int64_t up, std::int64_t down) override;
  void priced(const std::string& kind, const std::string& id, base::Money per_hour) override;
  std::optional<plugin::Held> held(const std::string& kind, const std::string& id) override;
  void hide(const base::Secret& secret) override;
  [[nodiscard]] const plugin::RunInfo& run() const override { return shared_->info; }

 private:
  void emit(const char* type, base::Value::Map data, bool durable);
  // What has been spent, and what all that is there may still cost.
  [[nodiscard]] base::Money taken(base::Duration now) const;
  [[nodiscard]] base::Result<void> affordable(const plugin::Intent& intent) const;
  [[nodiscard]] bool within_limit() const;
  // What was reserved for each rental holds neither its traffic nor a price that rose: where these take more than is
  // left, the journey ends here.
  void end_if_broke();
  Shared* shared_;
  std::string step_;
  std::string last_progress_;
};

// `20261123T205711Z-k3f9x2m1q7`: sorts by time; the part behind the dash is the run's token.
std::string make_run_id(base::WallTime now);

}  // namespace failover::run
