// The first stop asks for the end of everything known in the moment in which it comes: on a clock that moves only when
// somebody waits, at exactly that time.
#include <doctest/doctest.h>

#include "engine/plugin/step.h"
#include "tests/run/scripted.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)

namespace {

struct None {};

// t.deaf: the stop comes while it waits for an answer, and it waits for 40 s more all the same.
plugin::StepType deaf(base::FakeClock& clock, std::stop_source& stop, base::Instant& stopped) {
  return plugin::step<None, None>({.name = "t.deaf",
                                   .summary = "Waits for an answer, whoever asks it to end.",
                                   .inputs = {},
                                   .run = [&](const None&, const plugin::Context&) -> base::Result<None> {
                                     clock.advance(7s);
                                     stopped = clock.now();
                                     stop.request_stop();
                                     clock.advance(40s);
                                     return None{};
                                   }});
}

constexpr const char* kTwoMachines =
    "name: t\nlimits: {cost: $5, duration: 1h}\nsteps:\n  - {id: a, uses: t.rent}\n  - {id: b, uses: t.rent}\n"
    "  - {id: c, uses: t.deaf}\n";

}  // namespace

TEST_CASE("the first stop asks once for the end of all machines, at the time of the stop, whatever a step waits for") {
  base::FakeClock clock{base::WallTime(std::chrono::seconds(1'800'000'000))};
  World world(clock);
  std::stop_source stop;
  base::Instant stopped{};
  std::vector<std::pair<base::Instant, std::size_t>> hurried;  // when, and how many at once
  std::size_t destroyed_before = 0;
  const auto played = play(world, clock,
                           {.yaml = kTwoMachines,
                            .stop = stop.get_token(),
                            .more =
                                [&](plugin::Registry& registry) {
                                  registry.steps.push_back(deaf(clock, stop, stopped));
                                  registry.kinds.front().hurry = [&](const std::vector<plugin::Held>& held,
                                                                     const plugin::Context& context) {
                                    if (hurried.empty()) destroyed_before = 2 - world.all().size();
                                    hurried.emplace_back(clock.now(), held.size());
                                    for (const auto& one : held) {
                                      (void)world.destroy(one.name);
                                      context.ended("t.machine", one.id);
                                    }
                                  };
                                },
                            .end_at_stop = true});
  REQUIRE_FALSE(hurried.empty());
  CHECK(hurried.front() == std::pair<base::Instant, std::size_t>(stopped, 2));
  CHECK(destroyed_before == 0);
  CHECK(played.outcome.exit_code == 130);
  CHECK(world.all().empty());
  // In the journal both have ended before the step has, and before the run says that it is closing.
  std::vector<std::string> order;
  for (const auto& event : played.events) {
    const bool deaf_step = event.type == event::type::step_finished && event.text("id") == "c";
    if (deaf_step || event.type == event::type::ended || event.type == event::type::closing)
      order.push_back(event.type);
  }
  order.resize(std::min<std::size_t>(order.size(), 4));
  CHECK(order == std::vector<std::string>{"ended", "ended", "step_finished", "closing"});
}
