#include "tools/sandbox/machine/inside.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <sstream>
#include <utility>

#include "engine/base/file.h"
#include "tools/sandbox/machine/spawn.h"

namespace failover::sandbox {
namespace {

namespace fs = std::filesystem;

constexpr const char* mark_name = "FAILOVER_MACHINE";

#ifdef __linux__
// Sends KILL to every process whose first environment carries the mark; how many there were.
int kill_marked(const std::string& mark) {
  const std::string sought = std::string(mark_name) + "=" + mark;
  int found = 0;
  std::error_code error;
  for (fs::directory_iterator at("/proc", error), end; !error && at != end; at.increment(error)) {
    const pid_t pid = static_cast<pid_t>(std::strtol(at->path().filename().c_str(), nullptr, 10));
    if (pid <= 0 || pid == ::getpid()) continue;
    const auto text = base::read_file(at->path() / "environ", 4 * 1024 * 1024);
    if (!text || text->find(sought) == std::string::npos) continue;
    if (::kill(pid, SIGKILL) == 0) ++found;
  }
  return found;
}
#endif

}  // namespace

void Orders::set_keys(std::vector<std::string> keys) {
  const std::lock_guard lock(mutex_);
  keys_ = std::move(keys);
}

void Orders::set_faults(MachineFaults faults) {
  const std::lock_guard lock(mutex_);
  faults_ = faults;
}

bool Orders::knows(std::string_view key) const {
  const std::lock_guard lock(mutex_);
  for (const std::string& line : keys_) {
    std::istringstream words(line);
    for (std::string word; words >> word;) {
      if (word == key) return true;
    }
  }
  return false;
}

bool Orders::take(int MachineFaults::*counter) {
  const std::lock_guard lock(mutex_);
  int& left = faults_.*counter;
  if (left == 0) return false;
  if (left > 0) --left;
  return true;
}

bool Orders::take_new_host_key() {
  const std::lock_guard lock(mutex_);
  return std::exchange(faults_.change_host_key, false);
}

Inside::Inside(const MachineOptions& options, std::string mark)
    : directory_(fs::absolute(options.directory)),
      environment_(options.environment),
      mark_(std::move(mark)),
      shell_(::access("/bin/bash", X_OK) == 0 ? "/bin/bash" : "/bin/sh") {}

base::Result<std::unique_ptr<Inside>> Inside::open(const MachineOptions& options, std::string mark) {
  std::unique_ptr<Inside> inside(new Inside(options, std::move(mark)));
  for (const char* name : {"workspace", "root", "tmp"}) {
    if (auto made = base::make_directories(inside->directory_ / name); !made) return std::move(made).error();
  }
  if (options.view == View::jailed) {
    auto jail = Jail::raise(inside->directory_);
    if (!jail) return std::move(jail).error();
    inside->jail_ = std::move(*jail);
  }
  return inside;
}

std::string Inside::home() const { return jail_ ? "/root" : (directory_ / "root").string(); }
std::string Inside::workspace() const { return jail_ ? "/workspace" : (directory_ / "workspace").string(); }

base::Result<pid_t> Inside::start(const Order& order, const std::map<std::string, std::string>& more,
                                  std::vector<int> fds, bool terminal) const {
  std::map<std::string, std::string> variables = environment_;
  variables.insert(more.begin(), more.end());
  variables["HOME"] = home();
  variables["USER"] = variables["LOGNAME"] = "root";
  variables["SHELL"] = shell_;
  variables.try_emplace("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  if (!jail_) {
    variables["TMPDIR"] = (directory_ / "tmp").string();
    variables[mark_name] = mark_;
  }
  SpawnSpec spec;
  spec.program = shell_;
  spec.arguments = {"bash", "-c", order.text};
  if (order.kind == Order::login_shell) spec.arguments = {"-bash"};
  if (order.kind == Order::sftp) {
    spec.program = "/usr/lib/openssh/sftp-server";
    spec.arguments = {"sftp-server"};
  }
  for (const auto& [name, value] : variables) spec.environment.push_back(name + "=" + value);
  spec.directory = home();
  spec.fds = std::move(fds);
  spec.jail = jail_ ? jail_->namespaces() : -1;
  spec.terminal = terminal;
  return spawn(spec);
}

base::Result<std::pair<base::Fd, base::Fd>> Inside::open_terminal() const {
#ifdef TIOCGPTPEER
  // The jail has terminals of its own, so that `tty` and `ps` inside can name this one.
  const std::string path = jail_ ? "/proc/" + std::to_string(jail_->first()) + "/root/dev/pts/ptmx" : "/dev/ptmx";
  base::Fd control(::open(path.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!control.open()) return base::system_error(errno, "opening", path);
  int unlock = 0;
  ::ioctl(control.get(), TIOCSPTLCK, &unlock);
  base::Fd other(::ioctl(control.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
#else
  base::Fd control(::posix_openpt(O_RDWR | O_NOCTTY));
  if (!control.open() || ::grantpt(control.get()) != 0 || ::unlockpt(control.get()) != 0) {
    return base::system_error(errno, "opening", "a terminal");
  }
  base::Fd other(::open(::ptsname(control.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
#endif
  if (!other.open()) return base::system_error(errno, "opening", "a terminal");
  return std::pair(std::move(control), std::move(other));
}

void Inside::kill_all() const {
  if (jail_) return jail_->kill_all();
#ifdef __linux__
  // One that forks while we look is found the next time.
  for (int turn = 0; turn < 20 && kill_marked(mark_) > 0; ++turn) {
  }
#endif
}

}  // namespace failover::sandbox
