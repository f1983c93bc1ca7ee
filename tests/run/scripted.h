// A small world with one kind of machine, and the steps that make, read and end it: the engine without any provider.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/plan/plan.h"
#include "engine/plugin/registry.h"
#include "engine/run/runner.h"

namespace failover::testing {

using namespace std::chrono_literals;

enum class Anomaly { none, refused, reply_lost, effect_late, unavailable };

// What exists, by label. Thread-safe, but for the members that a test sets before it plays. Every outside call passes
// through call(), which plays the anomaly at the n-th one.
class World {
 public:
  explicit World(base::Clock& clock) : clock_(clock) {}

  int calls = 0;
  int anomaly_at = 0;  // 1: the first call; 0: never
  bool lasting = false;
  Anomaly anomaly = Anomaly::none;
  std::function<void(int)> before_call;  // told the number of each call
  int created = 0;
  static constexpr base::Duration lateness = 200s;
  static constexpr base::Duration settle = 300s;

  base::Result<std::string> create(const std::string& label, const plugin::Context& context) {
    const std::lock_guard lock(mutex_);
    const Anomaly what = call();
    if (auto alive = context.check(); !alive) return std::move(alive).error();
    switch (what) {
      case Anomaly::refused: return base::Error{base::Fault::refused, "no", "the world said no"};
      case Anomaly::unavailable: return base::Error{base::Fault::unavailable, "down", "the world is down"};
      case Anomaly::reply_lost: exist(label); return lost();
      case Anomaly::effect_late: late_.emplace_back(clock_.now() + lateness, label); return lost();
      case Anomaly::none: break;
    }
    return exist(label);
  }
  // true: it was there.
  base::Result<bool> destroy(const std::string& label) {
    const std::lock_guard lock(mutex_);
    const Anomaly what = call();
    if (what == Anomaly::refused || what == Anomaly::unavailable) {
      return base::Error{base::Fault::unavailable, "down", "the world is down"};
    }
    const bool was = all().erase(label) > 0;
    if (what != Anomaly::none) return lost();
    return was;
  }
  base::Result<bool> read(const std::string& label) {
    const std::lock_guard lock(mutex_);
    if (call() != Anomaly::none) return base::Error{base::Fault::unavailable, "down", "the world is down"};
    return all().count(label) > 0;
  }
  std::map<std::string, std::string>& all() {
    for (auto at = late_.begin(); at != late_.end();) {
      if (at->first <= clock_.now()) {
        exist(at->second);
        at = late_.erase(at);
      } else {
        ++at;
      }
    }
    return machines_;
  }
  [[nodiscard]] bool waiting() const { return !late_.empty(); }
  std::string label_of(const std::string& id) {
    const std::lock_guard lock(mutex_);
    for (const auto& [label, known] : all()) {
      if (known == id) return label;
    }
    return "";
  }

 private:
  Anomaly call() {
    ++calls;
    if (before_call) before_call(calls);
    const bool now = anomaly_at > 0 && (calls == anomaly_at || (lasting && calls > anomaly_at));
    return now ? anomaly : Anomaly::none;
  }
  std::string exist(const std::string& label) {
    ++created;
    const std::string id = "m" + std::to_string(created);
    machines_[label] = id;
    return id;
  }
  static base::Error lost() { return {base::Fault::unknown, "reply_lost", "the answer was lost"}; }
  std::recursive_mutex mutex_;
  base::Clock& clock_;
  std::map<std::string, std::string> machines_;
  std::vector<std::pair<base::Instant, std::string>> late_;
};

// t.rent (makes a t.machine), t.use, t.give_back, t.move (off a `machine`, so many `bytes`), t.wait (takes `time`),
// t.fail (fails the first `times` tries with `fault`), t.echo; of `files`, each `path=digest`: t.write writes them,
// t.sums finds them, t.see shows them, but for `path=digest=no`.
plugin::Registry scripted_steps(World& world);

struct Played {
  run::Outcome outcome;
  std::vector<event::Event> events;
  std::vector<run::Entry> entries;
  [[nodiscard]] std::vector<std::string> statuses() const;  // `id:status` of every step_finished
  [[nodiscard]] const event::Event* first(std::string_view type) const;
};

struct Play {
  std::string yaml;
  base::Value::Map inputs{};
  std::stop_token stop{};
  std::stop_token give_up{};
  event::Journal* journal = nullptr;
  std::function<void(const event::Event&)> on_event{};
  bool quick = false;
  std::map<std::string, std::string> fragments{};  // by file name
  std::map<std::string, std::string> environment{};
  std::function<void(plugin::Registry&)> more{};  // changes to the scripted steps and kinds
  bool end_at_stop = false;
};

// Loads, binds (no finding is allowed) and runs.
Played play(World& world, base::Clock& clock, const Play& what);

}  // namespace failover::testing
