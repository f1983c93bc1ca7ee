// A ledger, a stream and a kind of machine whose end may fail, for tests of giving back.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "engine/run/cleanup.h"

namespace failover::testing {

using namespace std::chrono_literals;

inline const base::WallTime kStart{std::chrono::seconds(1'800'000'000)};
inline const base::Secret kKey("a key of a test");

// Knows what happened, and has a machine whose end fails so often.
struct Bench {
  base::FakeClock clock{kStart};
  base::Redactor redactor{};
  event::Stream stream{clock, redactor};
  run::Ledger ledger{};
  plugin::Registry registry{};
  std::vector<std::string> told{};    // of options.say
  std::vector<std::string> undone{};  // ids or names, in the order of the looks
  std::vector<std::string> hurried{};
  int failures = 0;  // of the next looks
  std::string failure = "the world is down";
  run::CleanupOptions options{};
  std::stop_source stop{};
  run::Shared shared{stream, ledger, registry, clock, {"20260101T000000Z-abcdefghij", "t", "sandbox"}, {}, kKey};

  struct Recorder final : event::Subscriber {
    void on(const event::Event& event) override { events.push_back(event); }
    std::vector<event::Event> events;
  } recorder{};

  Bench() {
    stream.subscribe(ledger);
    stream.subscribe(recorder);
    options.say = [this](const std::string& line) { told.push_back(line); };
    plugin::Kind machine;
    machine.name = "t.machine";
    machine.settle = 300s;
    machine.undo = [this](const plugin::Held& held, const plugin::Context&) -> base::Result<void> {
      undone.push_back(held.id.empty() ? held.name : held.id);
      if (failures-- > 0) return base::Error{base::Fault::unavailable, "down", failure};
      return {};
    };
    machine.hurry = [this](const std::vector<plugin::Held>& held, const plugin::Context&) {
      for (const auto& one : held) hurried.push_back(one.id);
    };
    machine.by_hand = [](const plugin::Held& held) { return held.id.empty() ? "" : "end-it " + held.id; };
    registry.kinds.push_back(std::move(machine));
  }

  void intent(const std::string& name, const std::string& kind = "t.machine") {
    REQUIRE(stream.emit(event::type::intent, {{"name", name}, {"kind", kind}, {"step", "a"}}).ok());
  }
  void made(const std::string& name, const std::string& id, const std::string& kind = "t.machine") {
    intent(name, kind);
    REQUIRE(stream.emit(event::type::made, {{"name", name}, {"kind", kind}, {"id", id}}).ok());
  }
  run::CleanupResult clean() { return run::clean_up(shared, options, stop.get_token()); }
  [[nodiscard]] int count(std::string_view type) const {
    return static_cast<int>(std::count_if(recorder.events.begin(), recorder.events.end(),
                                          [&](const auto& event) { return event.type == type; }));
  }
};

}  // namespace failover::testing
