// A reaper that cannot be had: the run and the doctor say so, loudly, and the ledger gives back all the same.
#include <sys/file.h>

#include "tests/cli/forbidden.h"
#include "tests/cli/killed.h"
#include "tests/skipped.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)

#ifdef __linux__
namespace {

// A process that may begin no session of its own can detach nothing from itself.
bool no_sessions() { return forbid({__NR_setsid, EPERM, {}}); }

// Whoever would wait for a lock fails; trying for one works as ever. A reaper is armed then, and does not take over.
bool no_waiting_for_locks() { return forbid({__NR_flock, EBADF, LOCK_EX}); }

struct Doctor {
  Program failover{};
  std::string said{};

  int operator()(const std::function<bool()>& before) {
    const auto log = failover.home.path() / "doctor.log";
    Background doctor({"doctor"}, failover.environment, log, 0, before);
    const int code = doctor.wait();
    said = text_of(log);
    return code;
  }
  // The rehearsal's own folder goes with it.
  [[nodiscard]] bool tidy() const {
    for (const auto& entry : fs::directory_iterator(failover.home.path())) {
      if (entry.path().filename().string().rfind("doctor-", 0) == 0) return false;
    }
    return true;
  }
};

constexpr const char* kRemedy =
    "        a killed run is then given back by the next `failover run` here; from elsewhere, and by cron: "
    "failover cleanup --expired\n";

}  // namespace

TEST_CASE("a live run whose reaper cannot be armed warns on its terminal and in its journal, and goes on") {
  if (!can_forbid()) return skipped("this system allows no filter of system calls", kOnLinux);
  Elsewhere elsewhere;
  const auto log = elsewhere.failover.home.path() / "run.log";
  Background run(kRun, elsewhere.failover.environment, log, 0, no_sessions);
  REQUIRE(eventually(elsewhere.failover.clock, 60s,
                     [&] { return !run.running() || base::contains(text_of(log), "step source_ready ("); }));
  const std::string said = text_of(log);
  INFO(said);
  REQUIRE(run.running());
  const auto folder = folder_of(elsewhere);
  const std::string why = "the reaper could not be armed: it did not start; see " + (folder / "reaper.log").string();
  CHECK(base::contains(said, "failover: WARNING: " + why + "\n"));
  CHECK(base::contains(said, "without it a killed run is given back by "));
  CHECK(base::contains(text_of(folder / "journal.jsonl"), R"("reaper":")" + why + "\""));
  CHECK(elsewhere.reapers().empty());
  run.signal(SIGKILL);
  CHECK(run.wait() == 1000 + SIGKILL);
  CHECK(billed(elsewhere) > 0);
  const auto done = elsewhere.failover({"cleanup"});
  INFO(done.out << done.err);
  CHECK(done.exit_code == 0);
  elsewhere.check_clean();
}

TEST_CASE("the doctor: a reaper that does not start is a failure, with what helps") {
  if (!can_forbid()) return skipped("this system allows no filter of system calls", kOnLinux);
  Doctor doctor;
  CHECK(doctor(no_sessions) == 3);
  INFO(doctor.said);
  CHECK(base::contains(doctor.said, "FAIL  reaper: the reaper could not be armed: it did not start; see "));
  CHECK(base::contains(doctor.said, kRemedy));
  CHECK(base::contains(doctor.said, "\nnot ready\n"));
  CHECK_FALSE(base::contains(doctor.said, "ok    reaper"));
  CHECK(doctor.tidy());
}

TEST_CASE("the doctor: a reaper that is armed and does not take over is a failure") {
  if (!can_forbid()) return skipped("this system allows no filter of system calls", kOnLinux);
  Doctor doctor;
  CHECK(doctor(no_waiting_for_locks) == 3);
  INFO(doctor.said);
  const std::string words = "FAIL  reaper: process ";
  const auto at = doctor.said.find(words);
  REQUIRE(at != std::string::npos);
  CHECK(base::contains(doctor.said, " was armed and did not take over within 10 s\n"));
  CHECK(base::contains(doctor.said, kRemedy));
  CHECK(base::contains(doctor.said, "\nnot ready\n"));
  // It has ended itself: nothing goes on behind the doctor's back.
  const auto process = static_cast<pid_t>(std::atoi(doctor.said.c_str() + at + words.size()));
  REQUIRE(process > 0);
  CHECK(::kill(process, 0) != 0);
  CHECK(doctor.tidy());
}
#endif
