// Sees the world at every instant at which something of ours may have come to be in it or gone: what an end result
// alone does not show (leak-safety.md, "Invariants", I2, I3, I8, I9).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/units.h"
#include "engine/event/journal.h"
#include "tools/sandbox/world/world.h"
#include "tools/simulate/disk.h"

namespace failover::simulate {

class Witness final : public event::Subscriber {
 public:
  Witness(sandbox::World& world, const Disk& disk) : world_(world), disk_(disk) {}

  // What the run may spend and until when its machines are meant to live; how many of them the plan has at most at one
  // time, where that can be said. What is in the world by now is not ours.
  void begin(base::Money limit, base::WallTime end, std::optional<std::size_t> machines);
  // Something may have changed. The world's lock is not held.
  void look();
  // The service said of these machines that it ends them; it may take its time, until `latest`.
  void ending(const std::string& target, const std::string& body, base::Instant latest);
  // This machine was made, and the run was told no: what it does not know of cannot keep it from anything.
  void denied(std::int64_t instance);
  // What the run says of itself: once its traffic has taken what it may spend, nothing of the journey begins any more.
  void on(const event::Event& event) override;
  // From here on the world is well and somebody is there to clean up (again).
  void healed(base::Instant since);
  // How long after healed() the last machine of ours that stood there then was being ended; nullopt: none stood there.
  [[nodiscard]] std::optional<base::Duration> quiet_after() const;
  // What machines of ours cost past the run's end through no fault of its own: while the world let nobody end them, or
  // nobody was alive to do it, and for `grace` after that. Of no more than the last healed().
  [[nodiscard]] double excused_usd(base::Duration grace) const;
  // What has moved since the last rental: no reservation holds it, and the journey ends where it takes too much.
  [[nodiscard]] double traffic_usd() const;
  // By how much more machines of ours cost so far than at the prices at which they were found: the journey ends where
  // that takes too much, once it is told.
  [[nodiscard]] double raised_usd() const;
  // What denied() machines cost so far.
  [[nodiscard]] double denied_usd() const;
  [[nodiscard]] bool broke() const { return broke_; }
  [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }

 private:
  void machine(const sandbox::Instance& instance);
  // What bears no label is nobody's: by exclusion it is ours.
  void known(const std::string& what, const std::string& label);
  void keys();
  void objects();
  void count();
  // What the run comes to cost at most, whatever happens now.
  [[nodiscard]] double worst_usd() const;
  [[nodiscard]] double moved_usd() const;
  [[nodiscard]] bool above_limit(double usd) const;
  void quiet();
  [[nodiscard]] bool is_ours(const sandbox::Instance& instance) const { return instance.id > foreign_; }
  [[nodiscard]] bool is_unknown(std::int64_t instance) const {
    const auto at = denied_.find(instance);
    return at != denied_.end() && at->second;
  }

  sandbox::World& world_;
  const Disk& disk_;
  base::Money limit_{0};
  base::WallTime end_{};
  std::optional<std::size_t> planned_;
  std::int64_t foreign_ = 0;  // ids of machines and keys up to this one are somebody else's
  std::int64_t seen_ = 0;
  std::int64_t key_seen_ = 0;
  std::size_t lent_keys_ = 0;     // on machines that are not ours
  std::set<std::string> stored_;  // ids of versions and uploads that are somebody else's, or were seen
  std::int64_t versions_ = 0;
  std::map<std::int64_t, bool> denied_;           // and whether the run still does not know
  std::map<std::int64_t, base::Instant> ending_;  // and when at the latest
  std::optional<base::Instant> healed_;
  std::set<std::int64_t> waited_for_;  // of ours, since healed()
  struct Late {
    double usd_per_hour = 0;
    base::Duration past_end{};
  };
  std::map<std::int64_t, Late> late_;  // of ours, that stood there past the end at healed()
  std::optional<base::Duration> quiet_after_;
  bool broke_ = false;
  bool last_words_ = false;
  double told_usd_ = 0;              // traffic, by the run's own records
  double moved_before_ = 0;          // traffic until the last intent to rent
  std::set<std::int64_t> repriced_;  // whose raised price the run has been told
  std::set<std::string> told_;
  std::vector<std::string> violations_;
};

}  // namespace failover::simulate
