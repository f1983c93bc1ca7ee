// Journeys that are stopped, killed, and given back.
#include <random>

#include "tests/cli/killed.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)

TEST_CASE("Ctrl-C stops and cleans up; the world is as before") {
  for (const std::string moment : {"source_ready", "snapshot", "target"}) {
    CAPTURE(moment);
    // An account of its own: the service wants some seconds between two creates of one.
    Elsewhere elsewhere;
    const auto log = elsewhere.failover.home.path() / "run.log";
    Background run({"run", "realtime-sync", "--live", "--yes", "--output", "plain"}, elsewhere.failover.environment,
                   log);
    REQUIRE(eventually(elsewhere.failover.clock, 60s, [&] {
      const auto text = base::read_file(log, 1 << 22);
      return !run.running() || (text && base::contains(*text, "step " + moment + " ("));
    }));
    run.signal(SIGINT);
    const int code = run.wait();
    INFO(*base::read_file(log, 1 << 22));
    CHECK(code == 130);
    elsewhere.check_clean();
  }
}

TEST_CASE("a second Ctrl-C stops the cleanup, which names what it leaves and is finished later") {
  Elsewhere elsewhere;
  const auto log = elsewhere.failover.home.path() / "run.log";
  Background run({"run", "realtime-sync", "--live", "--yes", "--output", "plain"}, elsewhere.failover.environment, log);
  const auto said = [&](const std::string& words) {
    return eventually(elsewhere.failover.clock, 60s, [&] {
      const auto text = base::read_file(log, 1 << 22);
      return !run.running() || (text && base::contains(*text, words));
    });
  };
  REQUIRE(said("step source_ready ("));
  run.signal(SIGINT);
  REQUIRE(said("cleanup of "));
  run.signal(SIGTERM);
  CHECK(run.wait() == 4);
  const std::string left = *base::read_file(log, 1 << 22);
  INFO(left);
  CHECK(base::contains(left, "may still be held: vast.instance"));
  CHECK(base::contains(left, "by hand: "));
  const auto cleaned = elsewhere.failover({"cleanup"}, 100s);
  INFO(cleaned.out << cleaned.err);
  CHECK(cleaned.exit_code == 0);
  elsewhere.check_clean();
}

TEST_CASE("a stop before the first journey is no success, and says what was not run") {
  Program failover;
  const auto log = failover.home.path() / "run.log";
  Background run({"run", "realtime-sync", "--repeat", "3"}, failover.environment, log, SIGINT);
  CHECK(run.wait() == 130);
  INFO(text_of(log));
  CHECK(base::contains(text_of(log), "stopped on request; not run: realtime-sync ("));
}

TEST_CASE("killed at a random moment, then cleaned up from the journal") {
  Elsewhere elsewhere;
  const char* wanted = std::getenv("FAILOVER_KILLS");  // NOLINT(concurrency-mt-unsafe)
  const int rounds = wanted == nullptr ? 4 : std::atoi(wanted);
  std::random_device device;
  const unsigned seed = device();
  MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < rounds; ++round) {
    CAPTURE(round);
    Background run({"run", "realtime-sync", "--live", "--yes", "--output", "plain"}, elsewhere.failover.environment,
                   elsewhere.failover.home.path() / "run.log");
    const auto moment = std::chrono::milliseconds(300 + random() % 9'000);
    CAPTURE(moment.count());
    (void)eventually(elsewhere.failover.clock, moment, [&] { return !run.running(); });
    run.signal(SIGKILL);
    (void)run.wait();
    const auto cleaned = elsewhere.failover({"cleanup"}, 200s);
    INFO(cleaned.out << cleaned.err);
    CHECK(cleaned.exit_code == 0);
    elsewhere.check_clean();
    CHECK(base::contains(elsewhere.failover({"cleanup"}).out, "nothing to give back"));
  }
}
