#include "engine/run/cleanup.h"

#include <algorithm>
#include <map>
#include <set>

#include "engine/base/digest.h"

namespace failover::run {
namespace {

namespace type = event::type;
using base::Duration;
using base::Value;
using namespace std::chrono_literals;

constexpr Duration kApart = 2s;  // between the looks that prove an absence (leak-safety.md, rule 4)

// 3 s to 60 s, growing by half; jitter takes up to a quarter off, so that nothing waits longer than a minute for a
// world that has healed.
class Backoff {
 public:
  Duration next() {
    const Duration base = delay_;
    delay_ = std::min<Duration>(delay_ * 3 / 2, 60s);
    const auto roll = static_cast<unsigned char>(base::random_bytes(1)[0]);
    return base - base * roll / (4 * 256);
  }

 private:
  Duration delay_ = 3s;
};

class Cleaner {
 public:
  Cleaner(Shared& shared, const CleanupOptions& options, std::stop_token stop)
      : shared_(shared),
        options_(options),
        stop_(std::move(stop)),
        host_(shared, "cleanup"),
        start_(shared.clock.now()) {}

  void some(const std::function<bool(const Entry&)>& mine) {
    for (const auto& entry : shared_.ledger.open()) {
      if (stop_.stop_requested()) return;
      if (mine(entry)) look(entry);
    }
  }

  void at_once() { hurry(shared_.ledger.open(), 1); }

  CleanupResult run() {
    auto open = held();
    result_.attempted = static_cast<int>(open.size());
    emit(type::cleanup_started, {{"attempted", result_.attempted}}, true);
    hurry(open, 2);
    Backoff backoff;
    for (;;) {
      for (const auto& entry : open) {
        if (stop_.stop_requested()) break;
        if (!is_doubted(entry)) look(entry);
      }
      doubt();
      open = held();
      const auto left = waited_for();
      if (left.empty() || stop_.stop_requested() || !worth_waiting(left)) break;
      tell(left);
      (void)context(pause_until(left, backoff)).sleep(pause_until_);  // a stop ends it early
      if (stop_.stop_requested()) break;
    }
    return finish(waited_for());
  }

 private:
  plugin::Context context(Duration limit) {
    return {host_, base::Patience(shared_.clock, shared_.clock.now() + limit, stop_)};
  }

  void emit(const char* kind, Value::Map data, bool durable) {
    if (!shared_.stream.emit(kind, std::move(data), durable)) shared_.journal_failed = true;
  }

  // May a no not be the last word on it yet?
  bool is_doubted(const Entry& entry) const {
    const plugin::Kind* kind = shared_.registry.kind(entry.held.kind);
    return entry.denied && entry.per_hour.micros > 0 && kind != nullptr && kind->find && kind->shows > 0s;
  }

  std::vector<Entry> doubted() const {
    auto out = shared_.ledger.doubted();
    out.erase(std::remove_if(out.begin(), out.end(), [&](const Entry& entry) { return !is_doubted(entry); }),
              out.end());
    return out;
  }

  // What is its business.
  std::vector<Entry> held() const {
    auto out = shared_.ledger.open();
    out.erase(std::remove_if(out.begin(), out.end(),
                             [&](const Entry& entry) { return options_.leave.count(entry.held.name) > 0; }),
              out.end());
    return out;
  }

  std::vector<Entry> waited_for() const {
    auto out = held();
    for (auto& entry : doubted()) {
      if (entry.state == State::refused) out.push_back(std::move(entry));
    }
    return out;
  }

  // How much longer until a listing shows it, if it was made. Where nobody could look in time it may have come later.
  Duration hidden(const Entry& entry) const {
    if (entry.state == State::unclear) return unsettled(entry);
    const Duration shows = shared_.registry.kind(entry.held.kind)->shows;
    return rest_of(options_.settle ? std::min(*options_.settle, shows) : shows, entry);
  }

  // How much longer until the second of the two looks that prove an absence.
  Duration apart(const Entry& entry) const {
    const auto at = absent_.find(entry.held.name);
    return at == absent_.end() ? 0s : std::max<Duration>(at->second + kApart - shared_.clock.now(), 0s);
  }

  // One listing a kind: what stands there under a refused name was made. What two listings do not show by when they
  // must was not.
  void doubt() {
    std::map<std::string, std::vector<Entry>> by_kind;
    for (auto& entry : doubted()) by_kind[entry.held.kind].push_back(std::move(entry));
    for (const auto& [name, entries] : by_kind) {
      if (stop_.stop_requested()) return;
      std::set<std::string> shown;  // by now, whatever the listing says
      bool unclear = false;
      for (const auto& entry : entries) {
        if (hidden(entry) == 0s && apart(entry) == 0s) shown.insert(entry.held.name);
        unclear = unclear || entry.state == State::unclear;
      }
      if (shown.empty() && !unclear && looked_.count(name) > 0) continue;
      auto found = shared_.registry.kind(name)->find(context(options_.one_undo));
      for (const auto& entry : entries) {
        if (!found) {
          failed(entry, found.error());
          continue;
        }
        why_.erase(entry.held.name);
        const auto at = std::find_if(found->things.begin(), found->things.end(),
                                     [&](const plugin::Held& held) { return held.name == entry.held.name; });
        if (at != found->things.end()) {
          if (entry.state == State::refused) ++result_.attempted;
          emit(type::made,
               {{"name", at->name}, {"kind", name}, {"id", at->id}, {"attributes", Value(Value::Map(at->attributes))}},
               true);
          if (const auto made = shared_.ledger.find(at->name)) look(*made);  // its end is asked for at once
        } else if (shown.count(entry.held.name) > 0 && !absent_.emplace(entry.held.name, shared_.clock.now()).second) {
          clear(entry);
        } else {
          why_[entry.held.name] = absent_.count(entry.held.name) > 0
                                      ? "it was refused, and only one of two looks has shown that it was not made"
                                      : "it was refused, and whether it was made all the same shows in " +
                                            base::format(std::chrono::ceil<std::chrono::seconds>(hidden(entry)));
        }
      }
      if (found) looked_.insert(name);
    }
  }

  void clear(const Entry& entry) {
    if (entry.state == State::unclear) --result_.attempted;  // there was nothing to give back
    emit(type::refused,
         {{"name", entry.held.name},
          {"kind", entry.held.kind},
          {"certain", true},
          {"why", "it was refused, and two looks have not found it"}},
         true);
  }

  // One request that asks for the end of everything known, before the orderly rest. A single thing has that rest.
  void hurry(const std::vector<Entry>& open, std::size_t least) {
    for (const auto& kind : shared_.registry.kinds) {
      if (!kind.hurry) continue;
      std::vector<plugin::Held> known;
      for (const auto& entry : open) {
        if (entry.held.kind == kind.name && entry.state == State::made) known.push_back(entry.held);
      }
      if (known.size() >= least) kind.hurry(known, context(options_.one_undo));
    }
  }

  Duration window(const Entry& entry) const {
    const plugin::Kind* kind = shared_.registry.kind(entry.held.kind);
    if (kind == nullptr) return 0s;
    return options_.settle ? std::min(*options_.settle, kind->settle) : kind->settle;
  }

  // How much longer an unclear thing may still come to exist; zero for a clear one.
  Duration unsettled(const Entry& entry) const { return entry.held.unclear ? rest_of(window(entry), entry) : 0s; }

  // By the run's own time; where that may be wrong, at most the whole window from the cleanup's beginning.
  Duration rest_of(Duration window, const Entry& entry) const {
    const Duration since = shared_.stream.since_start() - entry.sent - options_.doubt;
    return std::max<Duration>(window - std::max(since, shared_.clock.now() - start_), 0s);
  }

  void look(const Entry& entry) {
    const plugin::Kind* kind = shared_.registry.kind(entry.held.kind);
    if (kind == nullptr) {
      failed(entry,
             {base::Fault::invalid, "unknown_kind", "this program knows no resource kind `" + entry.held.kind + "`",
              "use the version of failover that made the run"});
      return;
    }
    // Asked before the look: what the window allows after it is the next look's.
    const bool settled = unsettled(entry) == 0s;
    auto gone = kind->undo(entry.held, context(options_.one_undo));
    if (!gone) {
      failed(entry, std::move(gone).error());
      gone_.erase(entry.held.name);
      return;
    }
    gone_.insert(entry.held.name);
    if (settled) {
      emit(type::released, {{"name", entry.held.name}, {"kind", entry.held.kind}, {"id", entry.held.id}}, true);
      ++result_.released;
      why_.erase(entry.held.name);
    } else {
      why_[entry.held.name] = "its creation was never answered and may still take effect for " +
                              base::format(std::chrono::ceil<std::chrono::seconds>(unsettled(entry)));
    }
  }

  void failed(const Entry& entry, const base::Error& error) {
    const std::string line = error.line();
    std::string& last = why_[entry.held.name];
    if (last == line) return;
    last = line;
    emit(type::cleanup_failed,
         {{"name", entry.held.name},
          {"kind", entry.held.kind},
          {"id", entry.held.id},
          {"error", event::describe(error)}},
         false);
  }

  // Known things get the whole patience; when only unclear ones are left, they are watched for a while.
  bool worth_waiting(const std::vector<Entry>& open) const {
    bool any = false;
    bool known = false;
    for (const Entry& entry : open) {
      if (options_.barred.count(entry.held.kind) > 0) continue;
      any = true;
      const bool half_shown = absent_.count(entry.held.name) > 0;  // one look of two: the next one is soon
      known = known || entry.state == State::refused || half_shown || !entry.held.unclear ||
              (!entry.held.id.empty() && gone_.count(entry.held.name) == 0);
    }
    return any && shared_.clock.now() - start_ < (known ? options_.patience : options_.watch);
  }

  Duration pause_until(const std::vector<Entry>& open, Backoff& backoff) {
    Duration pause = backoff.next();
    for (const auto& entry : open) {
      const Duration rest = is_doubted(entry) ? std::max(hidden(entry), apart(entry)) : unsettled(entry);
      if (rest > 0s) pause = std::min(pause, rest + 10ms);
    }
    pause_until_ = pause;
    return pause + 1s;
  }

  void tell(const std::vector<Entry>& open) {
    const auto now = shared_.clock.now();
    if (!options_.say || (told_ && now - *told_ < 60s)) return;
    told_ = now;
    for (const auto& entry : open) {
      options_.say((is_doubted(entry) ? "looked for once more: " : "still held: ") + entry.held.kind + " " +
                   (entry.held.id.empty() ? entry.held.name : entry.held.id) + ": " + why_[entry.held.name]);
      if (const std::string way = by_hand(shared_.registry, entry.held); !way.empty())
        options_.say("  by hand: " + way);
    }
  }

  CleanupResult finish(const std::vector<Entry>& open) {
    Value::List left;
    for (const auto& entry : open) {
      std::string why = why_[entry.held.name];
      if (why.empty()) why = "the cleanup was stopped before it came to it";
      // Whoever goes on has to find out.
      if (entry.state == State::refused) {
        const base::Error error{base::Fault::unknown, "not_looked_for", why, ""};
        emit(type::unclear, {{"name", entry.held.name}, {"kind", entry.held.kind}, {"error", event::describe(error)}},
             true);
        ++result_.attempted;
      }
      result_.left.push_back(
          {entry.held.kind, entry.held.name, entry.held.id, why, by_hand(shared_.registry, entry.held)});
      left.push_back(
          Value::Map{{"kind", entry.held.kind}, {"name", entry.held.name}, {"id", entry.held.id}, {"why", why}});
    }
    emit(type::cleanup_finished,
         {{"attempted", result_.attempted},
          {"released", result_.released},
          {"left", Value(std::move(left))},
          {"duration_s", base::seconds(shared_.clock.now() - start_)}},
         true);
    return std::move(result_);
  }

  Shared& shared_;
  const CleanupOptions& options_;
  std::stop_token stop_;
  StepHost host_;
  base::Instant start_;
  CleanupResult result_;
  std::map<std::string, std::string> why_;
  std::set<std::string> looked_;                 // kinds of which a listing was seen
  std::map<std::string, base::Instant> absent_;  // by name of what was refused: when a listing first did not show it
  std::set<std::string> gone_;                   // names of what the last look found nothing of
  std::optional<base::Instant> told_;
  Duration pause_until_{0};
};

}  // namespace

std::string by_hand(const plugin::Registry& registry, const plugin::Held& held) {
  const plugin::Kind* kind = registry.kind(held.kind);
  return kind != nullptr && kind->by_hand ? kind->by_hand(held) : std::string();
}

void give_back_some(Shared& shared, const CleanupOptions& options, const std::stop_token& stop,
                    const std::function<bool(const Entry&)>& mine) {
  Cleaner(shared, options, stop).some(mine);
}

void ask_for_the_end(Shared& shared, const std::stop_token& stop) {
  CleanupOptions options;
  options.one_undo = 10s;
  Cleaner(shared, options, stop).at_once();
}

CleanupResult clean_up(Shared& shared, const CleanupOptions& options, const std::stop_token& stop) {
  shared.closing = true;
  return Cleaner(shared, options, stop).run();
}

}  // namespace failover::run
