// A machine's walls, its faults, and its end.
#include <sys/stat.h>

#include <algorithm>
#include <thread>

#include "engine/base/file.h"
#include "tests/sandbox_machine/fixture.h"

using namespace failover;
using namespace failover::sandbox;
namespace fs = std::filesystem;

namespace {

int entries(const fs::path& place) {
  return static_cast<int>(std::distance(fs::directory_iterator(place), fs::directory_iterator()));
}

// Processes of this system that carry `word` in their command line.
std::vector<std::string> processes_with(const std::string& word) {
  std::vector<std::string> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    const auto text = base::read_file(entry.path() / "cmdline", 1 << 20);
    if (text && text->find(word) != std::string::npos) found.push_back(entry.path().filename());
  }
  return found;
}

}  // namespace

TEST_CASE("the root is fresh: nothing of the runner's is there, and the system cannot be changed") {
  Fixture f;
  if (!f.jailed()) return;
  CHECK(f.ssh("ls -A / | sort | tr '\\n' ' '").out.find("home") == std::string::npos);
  CHECK(f.ssh("ls " + f.dir.path().string()).exit_code != 0);
  CHECK(f.ssh("test -e /etc/shadow || test -e /sys").exit_code != 0);
  CHECK(f.ssh("touch /usr/x").exit_code != 0);
  CHECK(f.ssh("mount -o remount,rw /usr").exit_code != 0);
  CHECK(f.ssh("unshare -m mount -o remount,rw /usr").exit_code != 0);
  CHECK(f.ssh("unshare -Urm sh -c 'mount -o remount,bind,rw /usr && touch /usr/x'").exit_code != 0);
  CHECK(f.ssh("hostname").out == "machine\n");
  CHECK(f.ssh("echo x > /tmp/a && echo x > /root/b && echo x > /var/tmp/c && awk 'BEGIN{print 1}'").out == "1\n");
  CHECK(fs::exists(f.options_.directory / "root" / "b"));
}

TEST_CASE("files live through a restart, and so does the host key") {
  Fixture f;
  CHECK(f.ssh("echo kept > " + f.workspace() + "/file; echo home > ~/file").exit_code == 0);
  f.options_.port = f.machine->port();
  f.machine.reset();
  f.start();
  CHECK(f.ssh("cat " + f.workspace() + "/file ~/file").out == "kept\nhome\n");  // known_hosts still agrees
}

TEST_CASE("onstart runs at every start, and its process is the machine's") {
  Fixture f;
  f.machine.reset();
  f.options_.onstart =
      "echo $CONTAINER_ID >> " + std::string(f.jailed() ? "/workspace" : "$HOME/../workspace") + "/log; echo said";
  for (int starts = 1; starts <= 2; ++starts) {
    f.start();
    std::string wanted;
    for (int i = 0; i < starts; ++i) wanted += "4711\n";
    CHECK(eventually([&] { return f.ssh("cat " + f.workspace() + "/log").out == wanted; }));
    f.machine.reset();
  }
  const auto log = base::read_file(f.options_.directory / "onstart.log", 4096);
  REQUIRE(log.ok());
  CHECK(*log == "said\nsaid\n");
}

TEST_CASE("the end leaves no process, descriptor or thread") {
  Fixture f;
  const std::string word = f.dir.path().filename().string() + "-" + std::to_string(f.machine->port());
  f.machine.reset();
  const int descriptors = entries("/proc/self/fd");
  const int threads = entries("/proc/self/task");
  f.options_.onstart = "sleep 600; : " + word;
  f.start();
  f.ssh("setsid sh -c 'sleep 600; : " + word + "' >/dev/null 2>&1 </dev/null & true");
  std::vector<std::thread> clients;
  const auto client = f.ssh_command("trap '' TERM HUP; sleep 600; : " + word);
  for (int i = 0; i < 3; ++i) clients.emplace_back([&] { run(client); });
  CHECK(eventually([&] { return processes_with(word).size() >= 8; }));  // ssh's own among them
  f.machine.reset();
  for (auto& thread : clients) thread.join();
  CHECK(processes_with(word).empty());
  CHECK(processes_with((f.options_.directory / "workspace").string()).empty());  // bubblewrap
  CHECK(entries("/proc/self/fd") == descriptors);
  CHECK(entries("/proc/self/task") == threads);
}

TEST_CASE("fault: connections are refused before the banner, as often as asked") {
  Fixture f;
  f.machine->set_faults({.refuse_connections = 2});
  for (int i = 0; i < 2; ++i) {
    const auto refused = f.ssh("true");
    CHECK(refused.exit_code == 255);
    CHECK(refused.err.find("kex_exchange_identification") != std::string::npos);
  }
  CHECK(f.ssh("true").exit_code == 0);
}

TEST_CASE("fault: the right key is denied, as often as asked, or for good") {
  Fixture f;
  f.machine->set_faults({.deny_keys = 1});
  CHECK(f.ssh("true").err.find("Permission denied") != std::string::npos);
  CHECK(f.ssh("true").exit_code == 0);
  f.machine->set_faults({.deny_keys = -1});
  for (int i = 0; i < 3; ++i) CHECK(f.ssh("true").exit_code == 255);
  f.machine->set_faults({});
  CHECK(f.ssh("true").exit_code == 0);
}

TEST_CASE("fault: the connection breaks in the middle of a command") {
  Fixture f;
  f.machine->set_faults({.drop_commands = 2});
  const auto quiet = f.ssh("sleep 600; echo survived");
  CHECK(quiet.exit_code == 255);
  CHECK(quiet.out.empty());
  const auto bytes = noise(8 << 20);
  const auto busy = f.ssh("cat > " + f.workspace() + "/part; echo whole", bytes);
  CHECK(busy.exit_code == 255);
  CHECK(busy.out.empty());
  CHECK(fs::file_size(f.host_workspace() / "part") < bytes.size());
  CHECK(f.ssh("echo again").out == "again\n");
}

TEST_CASE("fault: another host key") {
  Fixture f;
  CHECK(f.ssh("true").exit_code == 0);
  f.machine->set_faults({.change_host_key = true});
  const auto changed = f.ssh("true");
  CHECK(changed.exit_code == 255);
  CHECK(changed.err.find("Host key verification failed") != std::string::npos);
  fs::remove(f.dir.path() / "known_hosts");
  CHECK(f.ssh("true").exit_code == 0);
  CHECK(f.ssh("true").exit_code == 0);  // it stays the same one
}

TEST_CASE("fault: a full disk says ENOSPC and loses nothing") {
  Fixture f;
  if (!f.jailed()) return;
  CHECK(f.ssh("echo old > /workspace/old; mkdir /workspace/d").exit_code == 0);
  f.machine->set_faults({.disk_full = true});
  for (const char* command : {"echo x > /workspace/new", "echo x >> /workspace/old", "mkdir /workspace/e",
                              "head -c 100000 /dev/zero > /workspace/d/zeros", "cp /usr/bin/env /workspace/d/env"}) {
    const auto done = f.ssh(std::string("LC_ALL=C; ") + command);
    CHECK_MESSAGE(done.exit_code != 0, command);
    CHECK_MESSAGE(done.err.find("No space left on device") != std::string::npos, done.err);
  }
  CHECK(f.ssh("cat /workspace/old").out == "old\n");
  f.machine->set_faults({});
  CHECK(f.ssh("ls /workspace; echo new > /workspace/new; cat /workspace/old /workspace/new").out ==
        "d\nold\nold\nnew\n");
}

TEST_CASE("a port that is taken is an error, not a crash") {
  Fixture f;
  auto options = f.options_;
  options.directory = f.dir.path() / "second";
  options.port = f.machine->port();
  const auto second = Machine::start(options);
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().message.find(std::to_string(f.machine->port())) != std::string::npos);
}

TEST_CASE("the portable view works without a jail") {
  Fixture f;
  f.machine.reset();
  f.options_.view = View::portable;
  f.start();
  CHECK(f.workspace() == f.host_workspace().string());
  CHECK(f.ssh("cd " + f.workspace() + " && echo x > file && cat").exit_code == 0);
  CHECK(fs::exists(f.host_workspace() / "file"));
  const auto home = trimmed(f.ssh("echo $HOME").out);
  CHECK(home == (f.options_.directory / "root").string());
  const std::string word = "portable-" + f.dir.path().filename().string();
  f.ssh("setsid sh -c 'sleep 600; : " + word + "' >/dev/null 2>&1 </dev/null & true");
  CHECK(eventually([&] { return !processes_with(word).empty(); }));
  f.machine.reset();
  CHECK(eventually([&] { return processes_with(word).empty(); }));
}
