// Commands that are stopped, and connections that drop.
#include <doctest/doctest.h>
#include <signal.h>

#include <fstream>
#include <sstream>
#include <thread>

#include "engine/base/text.h"
#include "steps/client/ssh.h"
#include "tests/client/fake_host.h"
#include "tests/client/sshd.h"

using namespace failover;
using namespace failover::testing;
using namespace std::chrono_literals;
using base::Fault;
using client::Command;

namespace {

std::unique_ptr<client::Ssh> new_ssh() {
  auto made = client::make_ssh();
  REQUIRE_MESSAGE(made.ok(), (made ? "" : made.error().line()));
  return *std::move(made);
}

Command sh(std::string script) {
  Command command;
  command.script = std::move(script);
  return command;
}

// The whole numbers in a file, one a line.
std::vector<pid_t> numbers(const std::string& path) {
  std::vector<pid_t> out;
  std::ifstream file(path);
  for (long number = 0; file >> number;) out.push_back(static_cast<pid_t>(number));
  return out;
}

// Two processes of one command, one of them in the background with its streams elsewhere; their pids go to a file.
std::string two_sleeps(const std::string& pids) {
  return "umask 0; sleep 300 >/dev/null 2>&1 </dev/null & echo $! >" + pids + ".new; echo $$ >>" + pids + ".new; mv " +
         pids + ".new " + pids + "; exec sleep 300";
}

struct Cut {
  base::Result<client::Finished> got = base::Error{};
  std::vector<pid_t> pids{};
};

// Runs a script that writes pids, ends it by stop or by deadline once they are written.
Cut cut_short(client::Ssh& ssh, const Sshd& sshd, const std::string& script, const std::string& pids, bool by_stop) {
  Bench<> bench;
  Cut out;
  std::thread watcher;
  // The deadline comes when the pids are there: a clock of its own would race with a slow machine.
  const auto context = by_stop ? bench.context(60s) : bench.context(3s);
  if (by_stop) {
    watcher = std::thread([&] {
      eventually([&] { return !numbers(pids).empty(); });
      bench.stop.request_stop();
    });
  }
  out.got = ssh.run(sshd.endpoint(), sh(script), context);
  if (watcher.joinable()) watcher.join();
  out.pids = numbers(pids);
  return out;
}

void stop_kills_the_group(Login login, bool by_stop) {
  const auto ssh = new_ssh();
  const Sshd sshd(ssh->public_key(), login);
  const TempDir dir;
  std::filesystem::permissions(dir.path(), std::filesystem::perms::all);
  const auto cut = cut_short(*ssh, sshd, two_sleeps(dir.file("pids")), dir.file("pids"), by_stop);
  REQUIRE_FALSE(cut.got.ok());
  CHECK_MESSAGE(cut.got.error().fault == (by_stop ? Fault::cancelled : Fault::timeout), cut.got.error().line());
  REQUIRE(cut.pids.size() == 2);
  for (const pid_t pid : cut.pids) CHECK_FALSE(is_running(pid));
  // The session goes on.
  Bench<> bench;
  const auto next = ssh->run(sshd.endpoint(), sh("echo on"), bench.context());
  REQUIRE(next.ok());
  CHECK(next->out == "on\n");
  CHECK(sshd.count_in_log("Accepted publickey") == 1);
}

}  // namespace

TEST_CASE("ssh: a stop kills the command's whole group") { stop_kills_the_group(Login::self, true); }
TEST_CASE("ssh: a deadline kills the command's whole group") { stop_kills_the_group(Login::self, false); }
TEST_CASE("ssh: a stop kills the group of an ordinary user") {
  if (!Sshd::can(Login::ordinary)) {
    MESSAGE("needs root and mount namespaces: not here");
    return;
  }
  stop_kills_the_group(Login::ordinary, true);
}

TEST_CASE("ssh: a command that ignores TERM is killed") {
  const auto ssh = new_ssh();
  const Sshd sshd(ssh->public_key());
  const TempDir dir;
  const std::string script = "trap '' TERM; echo $$ >" + dir.file("new") + "; mv " + dir.file("new") + " " +
                             dir.file("pids") + "; while :; do sleep 300; done";
  const auto cut = cut_short(*ssh, sshd, script, dir.file("pids"), true);
  REQUIRE_FALSE(cut.got.ok());
  CHECK_MESSAGE(cut.got.error().fault == Fault::cancelled, cut.got.error().line());
  REQUIRE(cut.pids.size() == 1);
  CHECK_FALSE(is_running(cut.pids[0]));
}

TEST_CASE("ssh: a stop in the middle of a long output is heard") {
  const auto ssh = new_ssh();
  const Sshd sshd(ssh->public_key());
  const TempDir dir;
  Bench<> bench;
  Command command = sh("exec yes");
  command.output_file = dir.file("out");
  command.on_bytes = [&](std::int64_t done) {
    if (done > 1'000'000) bench.stop.request_stop();
  };
  const auto got = ssh->run(sshd.endpoint(), command, bench.context());
  REQUIRE_FALSE(got.ok());
  CHECK_MESSAGE(got.error().fault == Fault::cancelled, got.error().line());
}

TEST_CASE("ssh: a stop before, and a deadline that is over, run nothing") {
  const auto ssh = new_ssh();
  const Sshd sshd(ssh->public_key());
  const TempDir dir;
  const auto command = sh("touch " + dir.file("ran"));
  Bench<> stopped;
  stopped.stop.request_stop();
  const auto first = ssh->run(sshd.endpoint(), command, stopped.context());
  REQUIRE_FALSE(first.ok());
  CHECK(first.error().fault == Fault::cancelled);
  Bench<> late;
  const auto second = ssh->run(sshd.endpoint(), command, late.context(0s));
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().fault == Fault::timeout);
  CHECK_FALSE(std::filesystem::exists(dir.file("ran")));
}

TEST_CASE("ssh: a server that says nothing does not hold a stop up") {
  const auto ssh = new_ssh();
  const Sshd sshd(ssh->public_key());
  // Frozen, it accepts connections (the kernel does) and never speaks.
  Bench<> bench;
  ::kill(sshd.pid(), SIGSTOP);
  const auto got = ssh->run(sshd.endpoint(), sh("true"), bench.context(500ms));
  ::kill(sshd.pid(), SIGCONT);
  REQUIRE_FALSE(got.ok());
  CHECK(got.error().fault == Fault::timeout);
}

TEST_CASE("ssh: a connection that drops while a command runs leaves its outcome unknown; the next one connects anew") {
  const auto ssh = new_ssh();
  const Sshd sshd(ssh->public_key());
  const TempDir dir;
  Bench<> bench;
  std::thread breaker([&] {
    eventually([&] { return !numbers(dir.file("pids")).empty(); });
    for (const pid_t pid : sshd.connections()) ::kill(pid, SIGKILL);
  });
  const auto got = ssh->run(sshd.endpoint(), sh(two_sleeps(dir.file("pids"))), bench.context());
  breaker.join();
  for (const pid_t pid : numbers(dir.file("pids"))) ::kill(pid, SIGKILL);
  REQUIRE_FALSE(got.ok());
  CHECK(got.error().fault == Fault::unknown);
  CHECK(got.error().code == "connection_dropped");
  CHECK(bench.host.exchanges().back().outcome == "connection_dropped");
  const auto next = ssh->run(sshd.endpoint(), sh("echo on"), bench.context());
  REQUIRE_MESSAGE(next.ok(), (next ? "" : next.error().line()));
  CHECK(next->out == "on\n");
}

TEST_CASE("ssh: a connection that dropped between commands is no error") {
  const auto ssh = new_ssh();
  const Sshd sshd(ssh->public_key());
  Bench<> bench;
  const auto descriptors = open_descriptors();
  REQUIRE(ssh->run(sshd.endpoint(), sh("true"), bench.context()).ok());
  for (const pid_t pid : sshd.connections()) ::kill(pid, SIGKILL);
  const auto next = ssh->run(sshd.endpoint(), sh("echo on"), bench.context());
  REQUIRE_MESSAGE(next.ok(), (next ? "" : next.error().line()));
  CHECK(sshd.count_in_log("Accepted publickey") == 2);
  ssh->forget(sshd.endpoint());
  CHECK(open_descriptors() == descriptors);
}

TEST_CASE("ssh: a peer that falls silent while a command runs is unknown within a second of the deadline") {
  const auto ssh = new_ssh();
  const Sshd sshd(ssh->public_key());
  const TempDir dir;
  Bench<> bench;
  std::thread freezer([&] {
    eventually([&] { return !numbers(dir.file("pids")).empty(); });
    for (const pid_t pid : sshd.connections()) ::kill(pid, SIGSTOP);
    bench.stop.request_stop();
  });
  const auto got = ssh->run(sshd.endpoint(), sh(two_sleeps(dir.file("pids"))), bench.context());
  freezer.join();
  for (const pid_t pid : sshd.connections()) ::kill(pid, SIGKILL);
  for (const pid_t pid : numbers(dir.file("pids"))) ::kill(pid, SIGKILL);
  REQUIRE_FALSE(got.ok());
  CHECK(got.error().fault == Fault::unknown);
}
