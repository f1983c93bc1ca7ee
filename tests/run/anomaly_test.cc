// Every outside call fails in turn, in every way, for once and for long; the run is stopped at every event; its process
// dies at every event. Nothing may stay held.
#include <doctest/doctest.h>

#include "engine/run/cleanup.h"
#include "tests/run/scripted.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)

namespace {

constexpr const char* kJourney = R"(name: t
limits: {cost: $5, duration: 2h}
steps:
  - {id: a, uses: t.rent}
  - {uses: t.use, with: {machine: "${{ steps.a.id }}"}, retry: {errors: [unavailable], attempts: 2, delay: 1s}}
  - {uses: t.give_back, with: {machine: "${{ steps.a.id }}"}, retry: {errors: [unavailable, unknown], attempts: 2, delay: 1s}}
  - {id: b, uses: t.rent}
  - {uses: t.wait, with: {time: 10s}}
  - {uses: t.use, with: {machine: "${{ steps.b.id }}"}}
finally:
  - {uses: t.echo}
)";

const base::WallTime kStart{std::chrono::seconds(1'800'000'000)};

// Recovers from the first `count` events, as another process would.
run::CleanupResult recover(World& world, base::Clock& clock, const std::vector<event::Event>& events,
                           std::size_t count) {
  const plugin::Registry registry = scripted_steps(world);
  const base::Redactor redactor;
  event::Stream stream(clock, redactor);
  run::Ledger ledger;
  for (std::size_t i = 0; i < count; ++i) ledger.on(events[i]);
  stream.subscribe(ledger);
  run::Shared shared{stream,
                     ledger,
                     registry,
                     clock,
                     {"20260101T000000Z-abcdefghij", "t", "sandbox"},
                     {},
                     base::Secret("a key of a test")};
  run::CleanupOptions options;
  options.patience = 1h;
  options.watch = 1h;
  return run::clean_up(shared, options, {});
}

}  // namespace

TEST_CASE("every call fails in turn, in every way") {
  int calls = 0;
  {
    base::FakeClock clock(kStart);
    World world(clock);
    CHECK(play(world, clock, {.yaml = kJourney}).outcome.exit_code == 0);
    calls = world.calls;
  }
  REQUIRE(calls >= 6);
  for (const Anomaly what : {Anomaly::refused, Anomaly::reply_lost, Anomaly::effect_late, Anomaly::unavailable}) {
    for (int at = 1; at <= calls; ++at) {
      CAPTURE(static_cast<int>(what));
      CAPTURE(at);
      base::FakeClock clock(kStart);
      World world(clock);
      world.anomaly = what;
      world.anomaly_at = at;
      const auto played = play(world, clock, {.yaml = kJourney});
      CHECK(world.all().empty());
      CHECK_FALSE(world.waiting());
      CHECK(world.created <= 2);
      CHECK(played.outcome.exit_code != 4);
    }
  }
}

TEST_CASE("while the world stays down the run says what is held; afterwards it is given back") {
  for (int at = 1; at <= 6; ++at) {
    CAPTURE(at);
    base::FakeClock clock(kStart);
    World world(clock);
    world.anomaly = Anomaly::unavailable;
    world.anomaly_at = at;
    world.lasting = true;
    const auto played = play(world, clock, {.yaml = kJourney});
    const bool held = !world.all().empty();
    CHECK((played.outcome.exit_code == 4) == !played.outcome.cleanup.left.empty());
    if (held) CHECK(played.outcome.exit_code == 4);
    world.anomaly_at = 0;
    CHECK(recover(world, clock, played.events, played.events.size()).left.empty());
    CHECK(world.all().empty());
  }
}

TEST_CASE("a stop at every event") {
  std::size_t total = 0;
  {
    base::FakeClock clock(kStart);
    World world(clock);
    total = play(world, clock, {.yaml = kJourney}).events.size();
  }
  for (std::size_t at = 1; at <= total; ++at) {
    CAPTURE(at);
    base::FakeClock clock(kStart);
    World world(clock);
    std::stop_source stop;
    std::size_t seen = 0;
    const auto played =
        play(world, clock, {.yaml = kJourney, .stop = stop.get_token(), .on_event = [&](const event::Event&) {
                              if (++seen == at) stop.request_stop();
                            }});
    CHECK(world.all().empty());
    CHECK((played.outcome.exit_code == 130 || played.outcome.exit_code == 0));
    REQUIRE(played.events.back().type == "run_finished");
  }
}

TEST_CASE("death at every event, after every outcome of the create; recovering twice is recovering once") {
  for (const Anomaly what : {Anomaly::none, Anomaly::reply_lost, Anomaly::effect_late}) {
    base::FakeClock first_clock(kStart);
    World first_world(first_clock);
    first_world.anomaly = what;
    first_world.anomaly_at = what == Anomaly::none ? 0 : 1;
    const std::size_t total = play(first_world, first_clock, {.yaml = kJourney}).events.size();
    for (std::size_t count = 0; count <= total; ++count) {
      CAPTURE(static_cast<int>(what));
      CAPTURE(count);
      base::FakeClock clock(kStart);
      World world(clock);
      world.anomaly = what;
      world.anomaly_at = what == Anomaly::none ? 0 : 1;
      struct Killed {};
      std::vector<event::Event> events;
      bool dead = false;
      // The process dies in the middle of the event: what comes behind it never happens.
      try {
        play(world, clock, {.yaml = kJourney, .on_event = [&](const event::Event& event) {
                              if (dead) return;
                              if (events.size() == count) {
                                dead = true;
                                throw Killed{};
                              }
                              events.push_back(event);
                            }});
      } catch (const Killed&) {
      }
      CHECK(recover(world, clock, events, events.size()).left.empty());
      CHECK(world.all().empty());
      CHECK_FALSE(world.waiting());
      CHECK(recover(world, clock, events, events.size()).left.empty());
      CHECK(world.all().empty());
    }
  }
}
