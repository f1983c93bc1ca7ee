// Commands through OpenSSH's ssh: streams, ends, signals, side by side.
#include <sys/wait.h>

#include <thread>

#include "tests/sandbox_machine/fixture.h"

using namespace failover;
using namespace failover::sandbox;

TEST_CASE("a command's streams come back apart, with its exit code") {
  Fixture f;
  const auto done = f.ssh("echo one; echo two >&2; exit 7");
  CHECK(done.out == "one\n");
  CHECK(done.err == "two\n");
  CHECK(done.exit_code == 7);
}

TEST_CASE("a command is root at home, with the machine's environment") {
  Fixture f;
  const auto done = f.ssh("echo $USER $CONTAINER_ID; [ \"$PWD\" = \"$HOME\" ] && echo home; id -u");
  CHECK(done.out.substr(0, 15) == "root 4711\nhome\n");
  if (f.jailed()) {
    CHECK(f.ssh("echo $HOME; id -un; pwd").out == "/root\nroot\n/root\n");
  }
}

TEST_CASE("any login name will do") {
  Fixture f;
  auto command = f.ssh_command("echo in");
  command[command.size() - 2] = "somebody@127.0.0.1";
  CHECK(run(command).out == "in\n");
}

TEST_CASE("a key that is not authorized stays out, and a password is not asked for") {
  Fixture f;
  make_key(f.dir.path() / "other");
  auto command = f.ssh_command("echo in");
  for (auto& word : command) {
    if (word.rfind("IdentityFile=", 0) == 0) word = "IdentityFile=" + (f.dir.path() / "other").string();
  }
  const auto done = run(command);
  CHECK(done.exit_code == 255);
  CHECK(done.out.empty());
  CHECK(done.err.find("Permission denied (publickey)") != std::string::npos);
}

TEST_CASE("keys change while the machine runs") {
  Fixture f;
  f.machine->set_authorized_keys({});
  CHECK(f.ssh("true").exit_code == 255);
  f.machine->set_authorized_keys({"# a comment", "no-pty " + f.options_.authorized_keys.front() + " and a comment"});
  CHECK(f.ssh("true").exit_code == 0);
}

TEST_CASE("standard input ends") {
  Fixture f;
  CHECK(f.ssh("cat; echo end", "some text ").out == "some text end\n");
  CHECK(f.ssh("cat | wc -c", "").out == "0\n");
}

TEST_CASE("a command that does not read its input is no trouble") {
  Fixture f;
  const auto done = f.ssh("exec 0<&-; echo done", noise(8 << 20));
  CHECK(done.out == "done\n");
  CHECK(done.exit_code == 0);
}

TEST_CASE("many megabytes cross both ways unchanged") {
  Fixture f;
  const std::string bytes = noise(24 << 20);
  const auto done = f.ssh("tee copy", bytes);
  CHECK(done.exit_code == 0);
  CHECK(done.out == bytes);
  CHECK(f.machine->bytes_in() == static_cast<std::int64_t>(bytes.size()));
  CHECK(f.machine->bytes_out() == static_cast<std::int64_t>(bytes.size()));
}

TEST_CASE("a command killed by a signal says which") {
  Fixture f;
  // ssh itself turns it into 255 and says nothing: its debug line is the only place that names it.
  auto done = f.ssh("kill -SEGV $$", {}, {"-v", "-o", "LogLevel=DEBUG1"});
  CHECK(done.exit_code == 255);
  CHECK(done.err.find("exit-signal") != std::string::npos);
}

TEST_CASE("commands start with signals untouched and nothing open") {
  Fixture f;
  const auto done =
      f.ssh("grep -E '^Sig(Blk|Ign):' /proc/self/status | sed 's/.*\\(.......\\)$/\\1/'; ls /proc/self/fd | wc -w");
  CHECK(done.out == "0000000\n0000000\n4\n");  // 0, 1, 2 and ls's own
}

TEST_CASE("one command kills another's group through a second connection") {
  Fixture f;
  const auto file = f.host_workspace() / "pid";
  const std::string path = f.workspace() + "/pid";
  std::thread victim([&] {
    const auto done = f.ssh("echo $$ > " + path + ".new; mv " + path + ".new " + path + "; sleep 600; echo survived");
    CHECK(done.out.empty());
    CHECK(done.exit_code == 255);
  });
  CHECK(eventually([&] { return std::filesystem::exists(file); }));
  CHECK(f.ssh("kill -KILL -- -$(cat " + path + ")").exit_code == 0);
  victim.join();
}

TEST_CASE("commands of one machine see each other and nothing else") {
  Fixture f;
  if (!f.jailed()) return;
  std::thread other([&] { f.ssh("exec -a sleeping sleep 600"); });
  CHECK(eventually([&] { return f.ssh("ps axo cmd").out.find("sleeping") != std::string::npos; }));
  const auto seen = f.ssh("ps axo pid | wc -l");
  CHECK(std::stoi(seen.out) < 12);
  f.ssh("pkill -f sleeping");
  other.join();
}

TEST_CASE("nothing inside can end the machine itself") {
  Fixture f;
  if (!f.jailed()) return;
  f.ssh("kill -KILL 1; kill -TERM 1; kill -KILL -1");
  CHECK(f.ssh("echo alive").out == "alive\n");
}

TEST_CASE("many connections and channels side by side") {
  Fixture f;
  const auto control = "ControlPath=" + (f.dir.path() / "control").string();
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&, i] {
      const std::string text = std::string(300'000, static_cast<char>('a' + i));
      const auto done = f.ssh("cat; echo $((" + std::to_string(i) + "+1)) >&2; exit " + std::to_string(i), text);
      if (done.out == text && done.err == std::to_string(i + 1) + "\n" && done.exit_code == i) ++good;
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(good == 16);
  // Channels of one connection, by OpenSSH's own multiplexing.
  const auto master = f.ssh("", {}, {"-M", "-N", "-f", "-o", control, "-o", "ControlPersist=yes"});
  REQUIRE(master.exit_code == 0);
  threads.clear();
  good = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      const std::string text = std::string(3'000'000, static_cast<char>('a' + i));
      if (f.ssh("cat", text, {"-o", control}).out == text) ++good;
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(good == 8);
  f.ssh("", {}, {"-O", "exit", "-o", control});
}

TEST_CASE("a terminal is one, and a shell reads from its input") {
  Fixture f;
  const auto terminal = f.ssh("tty; stty size", {}, {"-tt"});
  CHECK(terminal.exit_code == 0);
  CHECK(terminal.out.find("/dev/pts/") != std::string::npos);
  CHECK(f.ssh("", "echo from the shell; exit 3\n").out.find("from the shell\n") != std::string::npos);
  CHECK(f.ssh("", "exit 3\n").exit_code == 3);
  CHECK(f.ssh("", "exit 4\n", {"-tt"}).exit_code == 4);
}

TEST_CASE("requests that a machine does not grant are answered") {
  Fixture f;
  CHECK(f.ssh("echo ok", {}, {"-o", "SetEnv=FOO=bar"}).out == "ok\n");
  CHECK(f.ssh("echo $LANG", {}, {"-o", "SetEnv=LANG=C.UTF-8"}).out == "C.UTF-8\n");
  CHECK(f.ssh("echo $FOO", {}, {"-o", "SetEnv=FOO=bar"}).out == "\n");
  CHECK(f.ssh("echo ok", {}, {"-A", "-x"}).out == "ok\n");
  CHECK(f.ssh("", {}, {"-s", "no-such-subsystem"}).exit_code != 0);
}

TEST_CASE("keepalives are answered: one that is not would end the connection here") {
  Fixture f;
  const auto done =
      f.ssh("sleep 3; echo still here", {}, {"-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=1"});
  CHECK(done.out == "still here\n");
}

TEST_CASE("a client that goes away takes its command along, with the whole group") {
  Fixture f;
  const auto file = f.host_workspace() / "pids";
  const std::string path = f.workspace() + "/pids";
  base::SystemClock clock;
  std::stop_source stop;
  base::ProcessSpec spec;
  spec.command = f.ssh_command("sleep 600 & echo $$ $! > " + path + ".new; mv " + path + ".new " + path + "; wait");
  std::thread client([&] {
    const auto done =
        base::run_process(spec, base::Patience(clock, clock.now() + std::chrono::seconds(120), stop.get_token()));
    CHECK_FALSE(done.ok());
  });
  CHECK(eventually([&] { return std::filesystem::exists(file); }));
  stop.request_stop();
  client.join();
  const auto pids = trimmed(f.ssh("cat " + path).out);
  const auto space = pids.find(' ');
  REQUIRE(space != std::string::npos);
  CHECK(eventually([&] { return !f.alive_inside(pids.substr(0, space)); }));
  CHECK(eventually([&] { return !f.alive_inside(pids.substr(space + 1)); }));
}

TEST_CASE("what a finished command left in the background lives on") {
  Fixture f;
  const auto pid = trimmed(f.ssh("sleep 600 >/dev/null 2>&1 </dev/null & echo $!").out);
  CHECK(f.alive_inside(pid));
}
