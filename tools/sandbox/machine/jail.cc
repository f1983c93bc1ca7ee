#include "tools/sandbox/machine/jail.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/file.h"
#include "tools/sandbox/machine/machine.h"
#include "tools/sandbox/machine/spawn.h"

#ifdef __linux__
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace failover::sandbox {
namespace {

namespace fs = std::filesystem;

constexpr int start_ms_max = 10'000;

base::Error unavailable(std::string why) {
  return base::Error{base::Fault::unavailable, "no_jail", "bubblewrap does not work here: " + std::move(why),
                     "the portable view works without it"};
}

std::optional<std::string> find_program(const char* name) {
  for (const char* place : {"/usr/bin/", "/bin/", "/usr/local/bin/"}) {
    std::string path = std::string(place) + name;
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return std::nullopt;
}

// The least that programs expect of /etc, in a directory of the machine's own.
base::Result<void> furnish(const fs::path& etc) {
  const std::pair<const char*, const char*> files[] = {
      {"passwd", "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"},
      {"group", "root:x:0:\nnogroup:x:65534:\n"},
      {"hosts", "127.0.0.1 localhost machine\n::1 localhost\n"},
      {"hostname", "machine\n"},
      {"nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"},
  };
  for (const auto& [name, text] : files) {
    if (fs::exists(etc / name)) continue;  // a restarted machine keeps its own
    if (auto written = base::write_file(etc / name, text); !written) return written;
  }
  return {};
}

// The host's system, read-only: what /usr holds, and the links and tables that make it work.
void add_system(std::vector<std::string>& arguments) {
  const auto add = [&](std::initializer_list<std::string> more) { arguments.insert(arguments.end(), more); };
  add({"--ro-bind", "/usr", "/usr"});
  std::error_code ignored;
  for (const char* name : {"/bin", "/lib", "/lib32", "/lib64", "/libx32", "/sbin"}) {
    if (fs::is_symlink(name, ignored)) {
      add({"--symlink", fs::read_symlink(name, ignored).string(), name});
    } else {
      add({"--ro-bind-try", name, name});
    }
  }
  for (const char* name : {"/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/ssl",
                           "/etc/ca-certificates", "/etc/pki"}) {
    add({"--ro-bind-try", name, name});
  }
}

std::vector<std::string> bwrap_arguments(const fs::path& directory, const std::string& shell) {
  std::vector<std::string> arguments = {"bwrap",
                                        "--bind",
                                        (directory / "etc").string(),
                                        "/etc",
                                        "--info-fd",
                                        "3",
                                        "--uid",
                                        "0",
                                        "--gid",
                                        "0",
                                        "--unshare-user",
                                        "--unshare-pid",
                                        "--unshare-ipc",
                                        "--unshare-uts",
                                        "--hostname",
                                        "machine"};
  const auto add = [&](std::initializer_list<std::string> more) { arguments.insert(arguments.end(), more); };
  add_system(arguments);
  add({"--proc", "/proc", "--dev", "/dev", "--tmpfs", "/run", "--dir", "/var", "--tmpfs", "/var/tmp"});
  for (const char* name : {"workspace", "root", "tmp"}) {
    add({"--bind", (directory / name).string(), std::string("/") + name});
  }
  // The first process takes orphans in, cannot be killed from inside, and ends when we do.
  add({"--chdir", "/", "--die-with-parent", "--as-pid-1", "--", shell, "-c",
       "trap '' HUP INT TERM QUIT USR1 USR2; printf r; while read -r line; do :; done"});
  return arguments;
}

// What comes out of a pipe until it ends or `enough` of it is there; bounded in time.
std::string read_some(const base::Fd& from, std::size_t enough) {
  std::string text;
  std::array<char, 4096> buffer{};
  while (text.size() < enough) {
    pollfd wait{from.get(), POLLIN, 0};
    const int ready = ::poll(&wait, 1, start_ms_max);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) break;
    const ssize_t count = ::read(from.get(), buffer.data(), std::min(buffer.size(), enough - text.size()));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return text;
}

pid_t child_pid(std::string_view info) {
  constexpr std::string_view key = "\"child-pid\":";
  const auto at = info.find(key);
  if (at == std::string_view::npos) return -1;
  return static_cast<pid_t>(std::strtol(std::string(info.substr(at + key.size())).c_str(), nullptr, 10));
}

}  // namespace

base::Result<std::unique_ptr<Jail>> Jail::raise(const fs::path& directory) {
#ifdef __linux__
  const auto bwrap = find_program("bwrap");
  if (!bwrap) return unavailable("it is not installed");
  const std::string shell = find_program("bash").value_or("/bin/sh");
  for (const char* name : {"workspace", "root", "tmp", "etc"}) {
    if (auto made = base::make_directories(directory / name); !made) return std::move(made).error();
  }
  if (auto furnished = furnish(directory / "etc"); !furnished) return std::move(furnished).error();
  auto in = base::make_pipe();
  auto out = base::make_pipe();
  auto err = base::make_pipe();
  auto info = base::make_pipe();
  for (auto* made : {&in, &out, &err, &info}) {
    if (!*made) return std::move(*made).error();
  }
  std::unique_ptr<Jail> jail(new Jail);
  auto pid = spawn({*bwrap,
                    bwrap_arguments(directory, shell),
                    {"PATH=/usr/bin:/bin"},
                    "/",
                    {in->read.get(), out->write.get(), err->write.get(), info->write.get()},
                    -1,
                    false});
  if (!pid) return std::move(pid).error();
  jail->bwrap_ = *pid;
  jail->alive_ = std::move(in->write);
  in->read.close();
  out->write.close();
  err->write.close();
  info->write.close();
  jail->first_ = child_pid(read_some(info->read, 4096));
  if (read_some(out->read, 1) != "r" || jail->first_ <= 0) {
    ::kill(jail->bwrap_, SIGKILL);
    return unavailable(read_some(err->read, 4096));
  }
  jail->first_watch_ = watch_process(jail->first_);
  if (!jail->first_watch_.open()) return unavailable("this system has no pidfd_open");
  return jail;
#else
  (void)directory;
  return unavailable("this system has no namespaces");
#endif
}

void Jail::kill_all() const {
  // The end of a process namespace's first process is the end of all of them.
#if defined(__linux__) && defined(SYS_pidfd_send_signal)
  if (first_watch_.open()) ::syscall(SYS_pidfd_send_signal, first_watch_.get(), SIGKILL, nullptr, 0U);
#endif
  if (bwrap_ > 0) ::kill(bwrap_, SIGKILL);
}

Jail::~Jail() {
  kill_all();
  if (bwrap_ > 0) wait_for(bwrap_);
  // Its first process is a child of bubblewrap's, which is gone: the watch tells when it is, too.
  if (first_watch_.open()) {
    pollfd gone{first_watch_.get(), POLLIN, 0};
    while (::poll(&gone, 1, start_ms_max) < 0 && errno == EINTR) {
    }
  }
}

#ifdef __linux__
namespace {

// Between fork and exit: system calls alone. 0, or errno.
int lay_full_overlay(int jail) {
  if (::setns(jail, CLONE_NEWUSER | CLONE_NEWNS) != 0) return errno;
  ::mkdir("/run/.full", 0700);
  if (::mount("tmpfs", "/run/.full", "tmpfs", 0, "size=64k,nr_inodes=64") != 0) return errno;
  if (::mkdir("/run/.full/upper", 0755) != 0 || ::mkdir("/run/.full/work", 0755) != 0) return errno;
  if (::mount("overlay", "/workspace", "overlay", 0,
              "lowerdir=/workspace,upperdir=/run/.full/upper,workdir=/run/.full/work") != 0) {
    return errno;
  }
  static const char zeros[4096] = {};
  const int filler = ::open("/run/.full/filler", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  while (::write(filler, zeros, sizeof zeros) > 0) {
  }
  char name[] = "/run/.full/aa";
  for (int i = 0; i < 64; ++i) {
    name[11] = static_cast<char>('a' + i / 26);
    name[12] = static_cast<char>('a' + i % 26);
    if (::mkdir(name, 0700) != 0) break;
  }
  return ::umount2("/run/.full", MNT_DETACH) == 0 ? 0 : errno;
}

int lift_overlay(int jail) {
  if (::setns(jail, CLONE_NEWUSER | CLONE_NEWNS) != 0) return errno;
  return ::umount2("/workspace", MNT_DETACH) == 0 ? 0 : errno;
}

}  // namespace

base::Result<void> fill_disk(const Jail& jail, bool full) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = bare_fork();
  if (pid == 0) bare_exit(full ? lay_full_overlay(jail.namespaces()) : lift_overlay(jail.namespaces()));
  const int number = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return base::system_error(number, "filling", "/workspace");
  const int status = wait_for(pid);
  if (status == 0) return {};
  return base::system_error(WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD, "filling", "/workspace");
}
#else
base::Result<void> fill_disk(const Jail&, bool) { return unavailable("this system has no namespaces"); }
#endif

View probe_view() {
  static const View seen = [] {
    std::error_code ignored;
    std::string name = (fs::temp_directory_path(ignored) / "failover-probe-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) return View::portable;
    View view = View::portable;
    if (auto jail = Jail::raise(fs::canonical(name, ignored))) {
      const base::Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
      const int fd = null.get();
      const auto pid = spawn(
          {"/bin/sh", {"sh", "-c", "test -d /workspace"}, {}, "/root", {fd, fd, fd}, (*jail)->namespaces(), false});
      if (pid && wait_for(*pid) == 0) view = View::jailed;
    }
    fs::remove_all(name, ignored);
    return view;
  }();
  return seen;
}

}  // namespace failover::sandbox
