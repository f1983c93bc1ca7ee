// Journeys that are stopped, killed, and given back.
#include <random>

#include "tests/cli/killed.h"
#include "tests/cli/proxy.h"

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

TEST_CASE("a stop while dead runs are given back: what is left of each is named, and that is exit 4") {
  Elsewhere elsewhere;
  auto& environment = elsewhere.failover.environment;
  const auto& url = environment.at("VAST_API_URL");
  Proxy vast(std::atoi(url.substr(url.rfind(':') + 1).c_str()), 1);
  environment["VAST_API_URL"] = vast.url();
  kill_when(elsewhere, with(kRun, "--no-reaper"), "step source_ready (");
  // Another one behind it, which holds the same.
  const auto folder = folder_of(elsewhere);
  const std::string second = "29991231T235959Z-zzzzzzzzzz";
  fs::copy(folder, folder.parent_path() / second);
  const auto listed = elsewhere.failover({"cleanup", "--dry-run"});
  CHECK(listed.exit_code == 0);
  CHECK(base::contains(listed.out, "run " + second + ": 1 to give back\n  vast.instance "));

  // The sandbox's journey that comes after is no excuse.
  for (const std::vector<std::string>& command : {{"cleanup"}, std::vector<std::string>{"run", "realtime-sync"}}) {
    CAPTURE(command.front());
    vast.hold("DELETE /api/v0/instances/");
    const auto log = elsewhere.failover.home.path() / "stopped.log";
    Background run(command, environment, log);
    REQUIRE(eventually(elsewhere.failover.clock, 60s, [&] { return !run.running() || vast.holding(); }));
    INFO(text_of(log));
    REQUIRE(run.running());
    run.signal(SIGINT);
    CHECK(run.wait() == 4);
    vast.let_go();
    const std::string said = text_of(log);
    INFO(said);
    const auto first = said.find("still held: vast.instance ");
    REQUIRE(first != std::string::npos);
    CHECK(said.find("still held: vast.instance ", first + 1) != std::string::npos);
    CHECK(base::contains(said, "the cleanup was stopped before it came to it"));
    CHECK(base::contains(said, "not run: realtime-sync") == (command.front() == "run"));
  }
  // The start's reapers go on with both.
  CHECK(eventually(elsewhere.failover.clock, 120s, [&] { return elsewhere.reapers().empty(); }));
  const auto cleaned = elsewhere.failover({"cleanup"}, 100s);
  INFO(cleaned.out << cleaned.err);
  CHECK(cleaned.exit_code == 0);
  elsewhere.check_clean();
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
