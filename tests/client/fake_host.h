// A runner's side for tests of clients and steps: hands out names, remembers everything it is told. Thread-safe.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "engine/plugin/context.h"

namespace failover::testing {

class FakeHost final : public plugin::Host {
 public:
  // What became of one intend().
  struct Record {
    std::string name;  // `failover-test-1`, `failover-test-2`, ...
    plugin::Intent intent;
    std::string outcome;  // empty while pending, then `made`, `refused`, `unsent` or `unclear`
    plugin::Made made{};
    std::optional<base::Error> why{};  // of refused, unsent and unclear
    bool ended = false;
    int sent = 0;
    int unanswered = 0;
    std::string announced{};  // the request, as the intent had it
  };

  // The next and every later intend() is answered with this error; nullopt allows again.
  void refuse(std::optional<base::Error> why) {
    const std::lock_guard lock(mutex_);
    refusal_ = std::move(why);
  }
  // A thing that held() finds although no intend() of this host made it.
  void add_held(const plugin::Held& held) {
    const std::lock_guard lock(mutex_);
    extra_.push_back(held);
  }

  [[nodiscard]] std::vector<plugin::Exchange> exchanges() const { return copy(exchanges_); }
  [[nodiscard]] std::vector<std::string> progresses() const { return copy(progresses_); }
  [[nodiscard]] std::vector<Record> records() const { return copy(records_); }
  // Kind and id, in the order told.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> ends() const { return copy(ends_); }
  // Each telling of bytes that left and reached a machine.
  struct Traffic {
    std::string machine;
    std::int64_t up;
    std::int64_t down;
  };
  [[nodiscard]] std::vector<Traffic> traffics() const { return copy(traffics_); }
  // The record of this name.
  [[nodiscard]] std::optional<Record> record(const std::string& name) const {
    for (auto& one : records()) {
      if (one.name == name) return one;
    }
    return std::nullopt;
  }

  void exchange(const plugin::Exchange& exchange) override {
    const std::lock_guard lock(mutex_);
    exchanges_.push_back(exchange);
  }
  void progress(const std::string& text) override {
    const std::lock_guard lock(mutex_);
    progresses_.push_back(text);
  }
  // What is done to make room for each intent; nothing while empty.
  std::function<base::Result<void>(const base::Patience&)> room{};
  base::Result<void> make_room(const plugin::Intent&, const base::Patience& patience) override {
    return room ? room(patience) : base::Result<void>();
  }
  // What happens while an intent is being written; nothing while empty.
  std::function<void()> meanwhile{};
  base::Result<std::string> intend(const plugin::Intent& intent) override {
    if (meanwhile) meanwhile();
    const std::lock_guard lock(mutex_);
    if (refusal_) return *refusal_;
    records_.push_back({"failover-test-" + std::to_string(records_.size() + 1), intent, ""});
    Record& last = records_.back();
    if (auto request = std::exchange(last.intent.request, {})) last.announced = request(last.name);
    return last.name;
  }
  void made(const std::string& name, const plugin::Made& made) override {
    const std::lock_guard lock(mutex_);
    if (Record* one = find(name)) {
      one->outcome = "made";
      one->made = made;
    }
  }
  void refused(const std::string& name, const base::Error& why) override { settle(name, "refused", why); }
  void unsent(const std::string& name, const base::Error& why) override { settle(name, "unsent", why); }
  void unclear(const std::string& name, const base::Error& why) override { settle(name, "unclear", why); }
  base::Result<void> sending(const std::string& name) override {
    const std::lock_guard lock(mutex_);
    if (Record* one = find(name)) ++one->sent;
    return {};
  }
  void unanswered(const std::string& name) override {
    const std::lock_guard lock(mutex_);
    if (Record* one = find(name)) ++one->unanswered;
  }
  void ended(const std::string& kind, const std::string& id) override {
    const std::lock_guard lock(mutex_);
    ends_.emplace_back(kind, id);
    if (Record* one = made_as(kind, id)) one->ended = true;
    for (plugin::Held& one : extra_) one.over = one.over || (one.kind == kind && one.id == id);
  }
  void traffic(const std::string& machine, std::int64_t up, std::int64_t down) override {
    const std::lock_guard lock(mutex_);
    traffics_.push_back({machine, up, down});
  }
  std::optional<plugin::Held> held(const std::string& kind, const std::string& id) override {
    const std::lock_guard lock(mutex_);
    if (const Record* one = made_as(kind, id)) {
      plugin::Held held;
      held.kind = kind;
      held.name = one->name;
      held.id = id;
      held.over = one->ended;
      held.attributes = one->intent.attributes;
      for (const auto& [key, value] : one->made.attributes) held.attributes.insert_or_assign(key, value);
      return held;
    }
    for (const plugin::Held& one : extra_) {
      if (one.kind == kind && one.id == id) return one;
    }
    return std::nullopt;
  }
  [[nodiscard]] const plugin::RunInfo& run() const override { return run_; }
  void set_deadline(base::WallTime deadline) { run_.deadline = deadline; }
  void set_end(base::Instant end) { run_.end = end; }

 private:
  template <class T>
  std::vector<T> copy(const std::vector<T>& from) const {
    const std::lock_guard lock(mutex_);
    return from;
  }
  // The newest that has not ended; else the newest.
  Record* made_as(const std::string& kind, const std::string& id) {
    Record* found = nullptr;
    for (auto one = records_.rbegin(); one != records_.rend(); ++one) {
      if (one->intent.kind != kind || one->outcome != "made" || one->made.id != id) continue;
      if (!one->ended) return &*one;
      if (found == nullptr) found = &*one;
    }
    return found;
  }
  Record* find(const std::string& name) {
    for (Record& one : records_) {
      if (one.name == name) return &one;
    }
    return nullptr;
  }
  void settle(const std::string& name, const char* outcome, const base::Error& why) {
    const std::lock_guard lock(mutex_);
    if (Record* one = find(name)) {
      one->outcome = outcome;
      one->why = why;
    }
  }

  mutable std::mutex mutex_;
  std::vector<plugin::Exchange> exchanges_;
  std::vector<std::string> progresses_;
  std::vector<Record> records_;
  std::vector<Traffic> traffics_;
  std::vector<std::pair<std::string, std::string>> ends_;
  std::vector<plugin::Held> extra_;
  std::optional<base::Error> refusal_;
  plugin::RunInfo run_{"test-run", "test-scenario", "other"};
};

// A FakeHost, a clock and a stop in one: `Bench<> bench; bench.context(5s)`.
template <class AnyClock = base::SystemClock>
struct Bench {
  AnyClock clock;
  FakeHost host{};
  std::stop_source stop{};
  [[nodiscard]] plugin::Context context(base::Duration limit = std::chrono::seconds(30)) {
    return {host, base::Patience(clock, clock.now() + limit, stop.get_token())};
  }
};

}  // namespace failover::testing
