// What a run holds, as a fold over its events: the same code serves the living run and the recovery of a dead one.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/units.h"
#include "engine/event/event.h"
#include "engine/plugin/context.h"

namespace failover::run {

enum class State {
  intended,  // journaled, no outcome yet: after a crash as good as unclear
  made,
  unclear,
  ended,  // the remote accepted its end; absence not proven
  released,
  kept,
  refused,  // the remote said no, or it was never sent
};

// When a write was sent: by the wall clock, and since the run's start, which no change of that clock reaches.
struct Sending {
  base::WallTime at{};
  base::Duration since{0};
};

struct Entry {
  plugin::Held held;
  base::Duration sent{0};               // when the write that counts was sent (held.sent_at), since the run's start
  std::optional<Sending> unanswered{};  // the last write that was never answered
  State state = State::intended;
  std::string step;     // the id of the step that asked for it
  bool shared = false;  // Intent::shared
  // Its last word is a no, which may not be all: not one that says that it was never sent, that there is no right to
  // it, or that it was looked for and not found. It may stand as unclear since then.
  bool denied = false;
  base::Money per_hour{0};
  base::Money per_gb_up{0};
  base::Money per_gb_down{0};
  std::int64_t up = 0;  // bytes that left it, and that reached it
  std::int64_t down = 0;
  base::Duration since{0};                     // when it was sent, since the run's start
  std::optional<base::Duration> until;         // when billing stopped
  std::optional<base::WallTime> kept_until{};  // of what is kept: when it is to go
  std::optional<base::Duration> proven{};      // when that was proven: an accepted end may take effect later
};

// Thread-safe.
class Ledger final : public event::Subscriber {
 public:
  void on(const event::Event& event) override;

  [[nodiscard]] std::vector<Entry> entries() const;
  [[nodiscard]] std::optional<Entry> find(const std::string& name) const;
  // As plugin::Host::held().
  [[nodiscard]] std::optional<plugin::Held> by_id(const std::string& kind, const std::string& id) const;
  // What was refused, would be billed, and may have been made all the same (plugin::Kind::shows): refused, or unclear
  // where a cleanup ended before it had found out.
  [[nodiscard]] std::vector<Entry> doubted() const;
  // What must be given back, newest first: everything that is neither released, kept nor refused.
  [[nodiscard]] std::vector<Entry> open() const;
  // What is kept by its author's wish, also past its time: nobody gives it back before a `lapsed` says so.
  [[nodiscard]] std::vector<Entry> kept() const;
  [[nodiscard]] std::vector<Entry> of_step(const std::string& step) const;
  // Of a kind of thing: how long after it was asked for an effect may still come (plugin::Kind::settle).
  using Settle = std::function<base::Duration(const std::string& kind)>;
  // The most that can have been spent up to `now` (since the run's start) on everything that was ever made or may have
  // been: what was asked to end and is not proven to be gone counts through its settle window.
  [[nodiscard]] base::Money spent(base::Duration now, const Settle& settle) const;
  // The most that what is there by `now` can cost from then on: what is held until `end`, what was asked to end and is
  // not proven to be gone through the rest of its settle window, at most until `end` too.
  [[nodiscard]] base::Money committed(base::Duration now, base::Duration end, const Settle& settle) const;

 private:
  Entry* entry(const std::string& name);
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;  // in the order of their intents
};

}  // namespace failover::run
