// A program of the runner's own machine: what it is given, what comes back, and how it ends.
#include "engine/base/process.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

using namespace failover::base;
using namespace std::chrono_literals;

namespace {

struct Run {
  SystemClock clock;
  std::stop_source stop;
  Result<ProcessResult> operator()(ProcessSpec spec, Duration limit = 60s) {
    return run_process(spec, Patience(clock, clock.now() + limit, stop.get_token()));
  }
  Result<ProcessResult> sh(const std::string& text, Duration limit = 60s) {
    return (*this)({.command = {"/bin/sh", "-c", text}, .environment = {{"PATH", "/usr/bin:/bin"}}}, limit);
  }
};

// Whether a process is alive; a zombie is not (a container's init may be slow to take orphans).
bool alive(const std::string& pid) {
  Run run;
  const auto state = run.sh("cut -d')' -f2 /proc/" + pid + "/stat | cut -c2");
  return state.ok() && state->out != "" && state->out != "Z\n";
}

bool gone_soon(const std::string& pid) {
  const auto end = std::chrono::steady_clock::now() + 20s;
  while (std::chrono::steady_clock::now() < end) {
    if (!alive(pid)) return true;
  }
  return false;
}

struct TempDir {
  TempDir() {
    char name[] = "/tmp/failover-process-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~TempDir() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

}  // namespace

TEST_CASE("streams come back apart, with the exit code") {
  Run run;
  const auto done = run.sh("echo one; echo two >&2; exit 7");
  REQUIRE(done.ok());
  CHECK(done->out == "one\n");
  CHECK(done->err == "two\n");
  CHECK(done->exit_code == 7);
  CHECK(done->signal.empty());
}

TEST_CASE("a signal has a name") {
  Run run;
  const auto done = run.sh("kill -SEGV $$");
  REQUIRE(done.ok());
  CHECK(done->signal == "SEGV");
  CHECK(done->exit_code == -1);
}

TEST_CASE("input larger than any pipe comes back whole") {
  Run run;
  std::string input;
  for (int i = 0; i < 500'000; ++i) input += std::to_string(i) + "\n";
  const auto done = run({.command = {"cat"}, .input = input});
  REQUIRE(done.ok());
  CHECK(done->out == input);
  CHECK_FALSE(done->truncated);
}

TEST_CASE("a program that does not read its input is no error") {
  Run run;
  const auto done = run({.command = {"true"}, .input = std::string(1 << 20, 'x')});
  REQUIRE(done.ok());
  CHECK(done->exit_code == 0);
}

TEST_CASE("the environment is exactly what was given") {
  Run run;
  ::setenv("FAILOVER_TEST_LEAK", "1", 1);
  const auto done = run({.command = {"/usr/bin/env"}, .environment = {{"A", "b c"}}});
  REQUIRE(done.ok());
  CHECK(done->out == "A=b c\n");
}

TEST_CASE("it runs in its directory") {
  Run run;
  TempDir dir;
  const auto done = run({.command = {"pwd", "-P"}, .directory = dir.path});
  REQUIRE(done.ok());
  CHECK(done->out == std::filesystem::canonical(dir.path).string() + "\n");
  const auto lost = run({.command = {"pwd"}, .directory = dir.path / "absent"});
  REQUIRE_FALSE(lost.ok());
  CHECK(lost.error().code == "no_directory");
}

TEST_CASE("a program that is absent or not executable is said so") {
  Run run;
  for (const char* name : {"no-such-program-here", "/no/such/program"}) {
    const auto done = run({.command = {name}});
    REQUIRE_FALSE(done.ok());
    CHECK(done.error().fault == Fault::not_found);
    CHECK(done.error().code == "no_program");
    CHECK(done.error().message.find(name) != std::string::npos);
  }
  const auto refused = run({.command = {"/etc/passwd"}});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == "not_executable");
  const auto hidden = run({.command = {"ls"}, .environment = {{"PATH", "/nowhere"}}});
  REQUIRE_FALSE(hidden.ok());
  CHECK(hidden.error().code == "no_program");
  CHECK_FALSE(run({.command = {}}).ok());
}

TEST_CASE("output beyond the limit is dropped and marked") {
  Run run;
  const auto done = run({.command = {"head", "-c", "3000000", "/dev/zero"}, .output_limit = 1000});
  REQUIRE(done.ok());
  CHECK(done->out.size() == 1000);
  CHECK(done->truncated);
  CHECK(done->exit_code == 0);
}

TEST_CASE("the deadline ends the whole group, also one that ignores TERM") {
  Run run;
  TempDir dir;
  const std::string file = dir.path / "pids";
  const auto done = run.sh(
      "trap '' TERM; sleep 600 & echo $$ > " + file + "; echo $! >> " + file + "; while :; do sleep 600; done", 1s);
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().fault == Fault::timeout);
  const auto pids = run.sh("cat " + file);
  REQUIRE(pids.ok());
  const auto line = pids->out.find('\n');
  REQUIRE(line != std::string::npos);
  CHECK(gone_soon(pids->out.substr(0, line)));
  CHECK(gone_soon(pids->out.substr(line + 1, pids->out.size() - line - 2)));
}

TEST_CASE("a stop request reaches it while it waits") {
  Run run;
  TempDir dir;
  const std::string file = dir.path / "started";
  std::jthread stopper([&] {
    while (!std::filesystem::exists(file)) std::this_thread::yield();
    run.stop.request_stop();
  });
  const auto done = run.sh("touch " + file + "; sleep 600", 120s);
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().fault == Fault::cancelled);
}

TEST_CASE("what it left running in its group ends with it, and is not waited for") {
  Run run;
  const auto done = run.sh("sleep 600 & echo $!", 60s);
  REQUIRE(done.ok());
  CHECK(gone_soon(done->out.substr(0, done->out.size() - 1)));
}

TEST_CASE("signals start as if nobody had touched them, and no descriptor leaks in") {
  Run run;
  sigset_t blocked;
  sigset_t before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGINT);
  sigaddset(&blocked, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  auto* const old = ::signal(SIGPIPE, SIG_IGN);
  const int inheritable = ::open("/dev/null", O_RDONLY);  // NOLINT: without O_CLOEXEC on purpose
  const auto done = run.sh(
      "grep -E '^Sig(Blk|Ign):' /proc/self/status | sed -E 's/[0-9a-f]{9}([0-9a-f]{7})$/\\1/'; ls /proc/self/fd | wc "
      "-w");
  ::close(inheritable);
  ::signal(SIGPIPE, old);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  REQUIRE(done.ok());
  CHECK(done->out == "SigBlk:\t0000000\nSigIgn:\t0000000\n4\n");  // 0, 1, 2 and ls's own
}

TEST_CASE("nothing stays open") {
  Run run;
  const auto count = [] {
    int total = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++total;
    return total;
  };
  REQUIRE(run.sh("true").ok());
  const int before = count();
  for (int i = 0; i < 20; ++i) {
    CHECK(run.sh("true").ok());
    CHECK_FALSE(run({.command = {"no-such-program-here"}}).ok());
  }
  CHECK(count() == before);
}
