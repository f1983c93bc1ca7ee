// The reaper: a process of its own that outlives a killed run and gives back what that held (leak-safety.md, "Four
// walls").
#include <poll.h>

#include <array>

#include "engine/base/fd.h"
#include "tests/cli/forbidden.h"
#include "tests/cli/killed.h"
#include "tests/cli/proxy.h"
#include "tests/skipped.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)

namespace {

// That of the only run, as its journal says.
pid_t reaper_of(const Elsewhere& elsewhere) {
  const auto journal = text_of(folder_of(elsewhere) / "journal.jsonl");
  const std::string words = "armed, process ";
  const auto at = journal.find(words);
  return at == std::string::npos ? 0 : static_cast<pid_t>(std::atoi(journal.c_str() + at + words.size()));
}

// Does the process have the file open for writing?
[[maybe_unused]] bool may_write(pid_t process, const fs::path& file) {
  const fs::path place = "/proc/" + std::to_string(process);
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(place / "fd", none)) {
    if (fs::read_symlink(entry.path(), none) != fs::canonical(file, none)) continue;
    const auto info = text_of(place / "fdinfo" / entry.path().filename());
    const auto at = info.find("flags:");
    const auto flags = at == std::string::npos ? 0 : std::strtoul(info.c_str() + at + 6, nullptr, 8);
    if ((flags & O_ACCMODE) == O_RDWR) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("the reaper: a run killed with kill -9 is given back by a process of its own, and nobody calls it") {
  Elsewhere elsewhere;
  kill_when(elsewhere, kRun, "step snapshot (");
  CHECK(eventually(elsewhere.failover.clock, 120s, [&] { return billed(elsewhere) == 0; }));
  const auto folder = folder_of(elsewhere);
  CHECK(eventually(elsewhere.failover.clock, 120s,
                   [&] { return base::contains(text_of(folder / "journal.jsonl"), R"("type":"run_finished")"); }));
  INFO(text_of(folder / "reaper.log"));
  CHECK(base::contains(text_of(folder / "journal.jsonl"), R"("by":"reaper")"));
  elsewhere.check_clean();
  const auto told = elsewhere.failover({"cleanup"});
  INFO(told.out << told.err);
  CHECK(told.exit_code == 0);
  CHECK(told.out == "no unfinished runs: nothing to give back\n");
  const auto report = nlohmann::json::parse(text_of(folder / "report.json"), nullptr, false);
  CHECK(report.value("verdict", "") == "interrupted");
  CHECK(report["leftovers"].empty());
}

TEST_CASE("the reaper: what asks it to end while it waits is passed over, and told of in its log") {
  Elsewhere elsewhere;
  auto& clock = elsewhere.failover.clock;
  const auto log = elsewhere.failover.home.path() / "run.log";
  Background run(kRun, elsewhere.failover.environment, log);
  REQUIRE(eventually(clock, 60s, [&] { return !run.running() || base::contains(text_of(log), "step snapshot ("); }));
  INFO(text_of(log));
  REQUIRE(run.running());
  const pid_t reaper = reaper_of(elsewhere);
  REQUIRE(reaper > 0);
  const auto folder = folder_of(elsewhere);
#ifdef __linux__
  CHECK(may_write(reaper, folder / "journal.jsonl"));  // NFS gives an exclusive lock to no other descriptor
#endif
  for (const auto& [signal, name] : {std::pair{SIGTERM, "SIGTERM"}, {SIGHUP, "SIGHUP"}, {SIGINT, "SIGINT"}}) {
    CHECK(::kill(reaper, signal) == 0);
    const std::string line = std::string(name) + " is passed over";
    CHECK(eventually(clock, 10s, [&] { return base::contains(text_of(folder / "reaper.log"), line); }));
  }
  run.signal(SIGKILL);
  CHECK(run.wait() == 1000 + SIGKILL);
  CHECK(eventually(clock, 120s,
                   [&] { return base::contains(text_of(folder / "journal.jsonl"), R"("type":"run_finished")"); }));
  INFO(text_of(folder / "reaper.log"));
  CHECK(base::contains(text_of(folder / "journal.jsonl"), R"("by":"reaper")"));
  elsewhere.check_clean();
}

TEST_CASE("the reaper: a run that leaves something behind sees that its reaper died, and arms another") {
  Elsewhere elsewhere;
  auto& clock = elsewhere.failover.clock;
  const auto log = elsewhere.failover.home.path() / "run.log";
  Background run(kRun, elsewhere.failover.environment, log);
  const auto said = [&](const std::string& words) {
    return eventually(clock, 60s, [&] { return !run.running() || base::contains(text_of(log), words); });
  };
  REQUIRE(said("step source_ready ("));
  REQUIRE(run.running());
  const pid_t reaper = reaper_of(elsewhere);
  REQUIRE(reaper > 0);
  REQUIRE(::kill(reaper, SIGKILL) == 0);
  // On a machine with much to do it takes a moment to die.
  REQUIRE(eventually(clock, 30s, [&] { return ::kill(reaper, 0) != 0; }));
  run.signal(SIGINT);
  REQUIRE(said("cleanup of "));
  run.signal(SIGTERM);
  CHECK(run.wait() == 4);
  INFO(text_of(log));
  CHECK(base::contains(text_of(log), "WARNING: the reaper (process " + std::to_string(reaper) + ") died"));
  CHECK(base::contains(text_of(log), ") goes on with what may still be held"));
  // Nobody calls it.
  const auto journal = folder_of(elsewhere) / "journal.jsonl";
  CHECK(eventually(clock, 120s,
                   [&] { return base::contains(text_of(journal), R"("by":"reaper")") && elsewhere.clean(); }));
  elsewhere.check_clean();
}

TEST_CASE("the reaper goes with its run when all is well") {
  Elsewhere elsewhere;
  const auto done = elsewhere.failover(kRun);
  INFO(done.out << done.err);
  REQUIRE(done.exit_code == 0);
  const pid_t reaper = reaper_of(elsewhere);
  REQUIRE(reaper > 0);
  CHECK(eventually(elsewhere.failover.clock, 10s, [&] { return ::kill(reaper, 0) != 0; }));
  CHECK_FALSE(base::contains(text_of(folder_of(elsewhere) / "journal.jsonl"), "recovery"));
}

TEST_CASE(
    "the reaper: what became of a rental is never told, and the simulated world ends: it does not wait for ever") {
  Elsewhere elsewhere;
  auto& environment = elsewhere.failover.environment;
  const std::string url = environment.at("VAST_API_URL");
  Proxy way(std::atoi(url.substr(url.rfind(':') + 1).c_str()), 1);
  environment["VAST_API_URL"] = way.url();
  environment["FAILOVER_SETTLE"] = "4s";
  way.hold("PUT /api/v0/asks/");
  Background run(kRun, environment, elsewhere.failover.home.path() / "run.log");
  REQUIRE(eventually(elsewhere.failover.clock, 60s, [&] { return !run.running() || way.holding(); }));
  REQUIRE(run.running());
  const auto reapers = elsewhere.reapers();
  REQUIRE(reapers.size() == 1);
  run.signal(SIGKILL);
  CHECK(run.wait() == 1000 + SIGKILL);
  elsewhere.sandbox.signal(SIGKILL);
  way.let_go();
  const auto log = folder_of(elsewhere) / "reaper.log";
  // The window and half a minute; once there is nobody left who could answer.
  CHECK(eventually(elsewhere.failover.clock, 120s, [&] { return elsewhere.reapers().empty(); }));
  INFO(text_of(log));
  CHECK(base::contains(text_of(log), "0 of 1 given back"));
}

TEST_CASE("the doctor rehearses the reaper") {
  Program failover;
  const auto done = failover({"doctor"});
  INFO(done.out << done.err);
  CHECK(done.exit_code == 0);
  CHECK(base::contains(done.out, "ok    reaper: detached, and gave back what a killed process left"));
  CHECK_FALSE(fs::exists(failover.home.path() / "runs" / "doctor"));
}

#ifdef __linux__
TEST_CASE("a reaper that could not wait for the journal's lock does not say that it is armed") {
  if (!can_forbid()) return skipped("this system allows no filter of system calls", kOnLinux);
  Program failover;
  const auto folder = failover.home.path() / "run";
  fs::create_directories(folder);
  REQUIRE(base::write_file(folder / "journal.jsonl", "").ok());
  std::string word = FAILOVER_BINARY;
  std::string verb = "reap";
  std::string where = folder.string();
  std::string home = "FAILOVER_HOME=" + failover.home.path().string();
  std::array<char*, 4> argv{word.data(), verb.data(), where.data(), nullptr};
  std::array<char*, 2> envp{home.data(), nullptr};
  constexpr int kWord = 3;
  auto pipe = base::make_pipe();
  REQUIRE(pipe.ok());
  const pid_t child = ::fork();
  if (child == 0) {
    const bool placed =
        (pipe->write.get() == kWord ? ::fcntl(kWord, F_SETFD, 0) : ::dup2(pipe->write.get(), kWord)) >= 0;
    if (placed && forbid({__NR_flock, EBADF, {}})) ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }
  REQUIRE(child > 0);
  pipe->write.close();
  std::array<char, 1024> bytes{};
  pollfd ready{pipe->read.get(), POLLIN, 0};
  const int spoke = ::poll(&ready, 1, 60'000);
  const ssize_t count = spoke == 1 ? ::read(pipe->read.get(), bytes.data(), bytes.size()) : 0;
  ::kill(child, SIGKILL);  // it may have ended already
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  const std::string heard(bytes.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
  CHECK(heard.rfind("cannot lock " + (folder / "journal.jsonl").string() + ": ", 0) == 0);
}
#endif

TEST_CASE("a reaper is nobody's to start by hand") {
  Program failover;
  const auto done = failover({"reap", "/nowhere"});
  CHECK(done.exit_code == 2);
  CHECK_FALSE(base::contains(failover({"--help"}).out, "reap"));
}

TEST_CASE("the reaper: what a run holds does not go away with its folder, be that moved or removed") {
  for (const bool moved : {true, false}) {
    CAPTURE(moved);
    Elsewhere elsewhere;
    auto& clock = elsewhere.failover.clock;
    const auto home = elsewhere.failover.home.path();
    const auto log = home / "run.log";
    Background run(kRun, elsewhere.failover.environment, log);
    REQUIRE(eventually(clock, 60s, [&] { return !run.running() || base::contains(text_of(log), "step source ("); }));
    REQUIRE(run.running());
    REQUIRE(billed(elsewhere) == 1);
    const auto folder = folder_of(elsewhere);
    const auto aside = home / "aside";
    if (moved) {
      fs::rename(home / "runs", aside);
    } else {
      fs::remove_all(home / "runs");
    }
    run.signal(SIGKILL);
    CHECK(run.wait() == 1000 + SIGKILL);
#ifdef __linux__
    CHECK(eventually(clock, 120s, [&] { return elsewhere.clean(); }));
    elsewhere.check_clean();
    CHECK(eventually(clock, 30s, [&] { return elsewhere.reapers().empty(); }));
    if (moved) {
      const auto there = aside / folder.filename();
      INFO(text_of(there / "reaper.log"));
      CHECK(base::contains(text_of(there / "journal.jsonl"), R"("by":"reaper")"));
      CHECK(base::contains(text_of(there / "journal.jsonl"), R"("type":"run_finished")"));
      CHECK(fs::exists(there / "report.json"));
    }
#else
    CHECK(elsewhere.failover({"cleanup", "--expired"}).exit_code == 0);
#endif
  }
}
