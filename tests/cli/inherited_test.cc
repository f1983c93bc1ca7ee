// What a program inherits from who starts it: streams that are closed, signals that are ignored.
#include <csignal>
#include <fstream>

#include "tests/cli/killed.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)

namespace {

std::function<bool()> without(const std::vector<int>& streams) {
  return [streams] {
    for (const int fd : streams) ::close(fd);
    return true;
  };
}

std::function<bool()> ignoring(int signal) {
  return [signal] { return std::signal(signal, SIG_IGN) != SIG_ERR; };
}

}  // namespace

TEST_CASE("a standard stream that is closed: no journal and no connection takes its place") {
  for (const std::vector<int>& streams : {std::vector<int>{1}, {2}, {0, 1, 2}}) {
    CAPTURE(streams.front());
    CAPTURE(streams.size());
    Elsewhere elsewhere;
    auto& clock = elsewhere.failover.clock;
    const auto home = elsewhere.failover.home.path();
    {
      Background run(kRun, elsewhere.failover.environment, home / "run.log", 0, without(streams));
      REQUIRE(eventually(clock, 60s, [&] { return !run.running() || billed(elsewhere) == 1; }));
      const auto journal = folder_of(elsewhere) / "journal.jsonl";
      REQUIRE(eventually(clock, 60s,
                         [&] { return !run.running() || base::contains(text_of(journal), R"("id":"source_ready")"); }));
      REQUIRE(run.running());
      run.signal(SIGKILL);
      CHECK(run.wait() == 1000 + SIGKILL);
    }
    CHECK(eventually(clock, 120s, [&] { return elsewhere.clean() && elsewhere.reapers().empty(); }));
    const auto folder = folder_of(elsewhere);
    INFO(text_of(folder / "reaper.log"));
    CHECK(base::contains(text_of(folder / "journal.jsonl"), R"("by":"reaper")"));
    const auto told = elsewhere.failover({"report", "last"});
    INFO(told.out << told.err);
    CHECK(told.exit_code == 0);
    elsewhere.check_clean();
  }
}

TEST_CASE("a cleanup whose standard error is closed leaves the journal as it is") {
  Elsewhere elsewhere;
  const auto home = elsewhere.failover.home.path();
  kill_when(elsewhere, with(kRun, "--no-reaper"), "step source_ready (");
  Background cleanup({"cleanup"}, elsewhere.failover.environment, home / "cleanup.log", 0, without({2}));
  CHECK(cleanup.wait() == 0);
  CHECK(base::contains(text_of(home / "cleanup.log"), "1 of 1 given back"));
  const auto told = elsewhere.failover({"report", "last"});
  INFO(told.out << told.err);
  CHECK(told.exit_code == 0);
  elsewhere.check_clean();
}

TEST_CASE("SIGCHLD that is ignored: the ends of commands are seen all the same") {
  Program failover;
  const auto scenario = failover.home.path() / "scenario.yaml";
  std::ofstream(scenario) << "name: scenario\nsteps:\n  - uses: local.exec\n    with: { command: [\"true\"] }\n";
  const auto log = failover.home.path() / "run.log";
  Background run({"run", scenario.string(), "--output", "plain"}, failover.environment, log, 0, ignoring(SIGCHLD));
  CHECK(run.wait() == 0);
  INFO(text_of(log));
  CHECK(base::contains(text_of(log), "PASSED"));
}

TEST_CASE("nohup: the terminal's end does not stop a run; SIGTERM does") {
  Elsewhere elsewhere;
  auto& clock = elsewhere.failover.clock;
  const auto log = elsewhere.failover.home.path() / "run.log";
  Background run(kRun, elsewhere.failover.environment, log, 0, ignoring(SIGHUP));
  const auto said = [&](const std::string& words) {
    return eventually(clock, 60s, [&] { return !run.running() || base::contains(text_of(log), words); });
  };
  REQUIRE(said("step source ("));
  REQUIRE(run.running());
  run.signal(SIGHUP);
  REQUIRE(said("step snapshot ("));
  REQUIRE(run.running());
  CHECK_FALSE(base::contains(text_of(log), "cleanup of "));
  run.signal(SIGTERM);
  CHECK(run.wait() == 130);
  INFO(text_of(log));
  elsewhere.check_clean();
}
