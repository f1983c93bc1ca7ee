#include "engine/base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <functional>
#include <optional>
#include <utility>

#include "engine/base/fd.h"

#ifdef __linux__
#include <sys/syscall.h>
#endif

namespace failover::base {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds grace{300};  // between TERM and KILL
constexpr milliseconds tick{20};    // how often a wait looks again where the kernel cannot tell
constexpr std::size_t chunk = 65536;

Error os_error(int number, const std::string& doing) {
  const Fault fault = number == EMFILE || number == ENFILE || number == EAGAIN ? Fault::unavailable : Fault::internal;
  return Error{fault, "process", doing + ": " + std::strerror(number)};
}

// write() to a reader that may be gone, whatever this process does on SIGPIPE.
ssize_t write_quietly(const Fd& to, const char* data, std::size_t size) {
  sigset_t pipe;
  sigset_t before;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe, &before);
  const ssize_t count = ::write(to.get(), data, size);
  const int number = errno;
  if (count < 0 && number == EPIPE) {  // the signal is pending for this thread: taken, or it strikes when unblocked
    sigset_t pending;
    int taken = 0;
    if (::sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1) ::sigwait(&pipe, &taken);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = number;
  return count;
}

// The file that the command's first word names.
Result<std::string> program(const ProcessSpec& spec) {
  if (spec.command.empty() || spec.command.front().empty()) {
    return Error{Fault::invalid, "no_program", "the command is empty"};
  }
  const std::string& name = spec.command.front();
  if (name.find('/') != std::string::npos) return name;
  std::string path = "/usr/local/bin:/usr/bin:/bin";
  if (const auto own = spec.environment.find("PATH"); own != spec.environment.end()) {
    path = own->second;
  } else if (const char* inherited = std::getenv("PATH")) {
    path = inherited;
  }
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find(':', at), path.size());
    const std::string file = path.substr(at, end - at) + "/" + name;
    std::error_code ignored;
    if (end > at && ::access(file.c_str(), X_OK) == 0 && std::filesystem::is_regular_file(file, ignored)) return file;
    at = end + 1;
  }
  return Error{Fault::not_found, "no_program", "the program '" + name + "' is not on this machine",
               "install it, or name it by its whole path"};
}

Error spawn_error(int number, const std::string& name) {
  if (number == ENOENT || number == ENOTDIR) {
    return Error{Fault::not_found, "no_program", "the program '" + name + "' is not on this machine",
                 "install it, or name it by its whole path"};
  }
  if (number == EACCES || number == ENOEXEC || number == EPERM) {
    return Error{Fault::refused, "not_executable",
                 "the program '" + name + "' cannot be run: " + std::strerror(number)};
  }
  if (number == E2BIG) return Error{Fault::invalid, "too_long", "the command and its environment are too long"};
  return os_error(number, "starting '" + name + "'");
}

// posix_spawn's two objects, destroyed together.
class Plan {
 public:
  Plan() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;
  ~Plan() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

// The runner blocks signals in its threads and ignores SIGPIPE: a program must start with neither.
void reset_signals(Plan& plan) {
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  sigdelset(&all, SIGKILL);
  sigdelset(&all, SIGSTOP);
  ::posix_spawnattr_setsigmask(&plan.attributes, &none);
  ::posix_spawnattr_setsigdefault(&plan.attributes, &all);
  ::posix_spawnattr_setpgroup(&plan.attributes, 0);
  ::posix_spawnattr_setflags(&plan.attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (std::string& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

class Child {
 public:
  static Result<ProcessResult> run(const ProcessSpec& spec, const Patience& patience);

 private:
  Child(const ProcessSpec& spec, const Patience& patience) : spec_(spec), patience_(patience) {}
  Result<void> start();
  Result<void> serve();                  // until it ends; Error when patience does
  void wait_once(milliseconds longest);  // moves what can be moved, waits for more
  void write_input();
  void read_into(Fd& from, std::string& into);
  bool ended();      // it is a zombie now; stays one
  void end_group();  // TERM, grace, KILL; on return it is reaped
  void reap();

  const ProcessSpec& spec_;
  const Patience& patience_;
  Fd in_, out_, err_, watch_;
  Pipe wake_;
  std::size_t written_ = 0;
  pid_t pid_ = -1;
  int status_ = 0;
  ProcessResult result_;
};

Result<void> Child::start() {
  auto file = program(spec_);
  if (!file) return std::move(file).error();
  if (std::error_code ignored; !spec_.directory.empty() && !std::filesystem::is_directory(spec_.directory, ignored)) {
    return Error{Fault::not_found, "no_directory", "the directory '" + spec_.directory + "' does not exist"};
  }
  auto in = make_pipe();
  auto out = make_pipe();
  auto err = make_pipe();
  auto wake = make_pipe();
  for (auto* made : {&in, &out, &err, &wake}) {
    if (!*made) return std::move(*made).error();
  }
  Plan plan;
  reset_signals(plan);
  ::posix_spawn_file_actions_adddup2(&plan.actions, in->read.get(), 0);
  ::posix_spawn_file_actions_adddup2(&plan.actions, out->write.get(), 1);
  ::posix_spawn_file_actions_adddup2(&plan.actions, err->write.get(), 2);
  if (!spec_.directory.empty()) ::posix_spawn_file_actions_addchdir_np(&plan.actions, spec_.directory.c_str());
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
  ::posix_spawn_file_actions_addclosefrom_np(&plan.actions, 3);
#endif
  std::vector<std::string> words = spec_.command;
  std::vector<std::string> settings;
  for (const auto& [name, value] : spec_.environment) settings.push_back(name + "=" + value);
  const int failed = ::posix_spawn(&pid_, file->c_str(), &plan.actions, &plan.attributes, pointers(words).data(),
                                   pointers(settings).data());
  if (failed != 0) {
    pid_ = -1;
    return spawn_error(failed, spec_.command.front());
  }
  in_ = std::move(in->write);
  out_ = std::move(out->read);
  err_ = std::move(err->read);
  wake_ = std::move(*wake);
  for (const Fd* fd : {&in_, &out_, &err_, &wake_.read, &wake_.write}) set_nonblocking(*fd);
#ifdef SYS_pidfd_open
  watch_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
#endif
  return {};
}

void Child::write_input() {
  while (written_ < spec_.input.size()) {
    const ssize_t count = write_quietly(in_, spec_.input.data() + written_, spec_.input.size() - written_);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count < 0) break;  // it does not want the rest
    written_ += static_cast<std::size_t>(count);
  }
  in_.close();
}

void Child::read_into(Fd& from, std::string& into) {
  std::array<char, chunk> buffer{};
  // Bounded, so that a program that never stops talking cannot keep us from looking at the deadline.
  for (int turn = 0; turn < 16; ++turn) {
    const ssize_t count = ::read(from.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return from.close();
    const auto room = static_cast<std::size_t>(
        std::max<std::int64_t>(0, spec_.output_limit - static_cast<std::int64_t>(into.size())));
    into.append(buffer.data(), std::min(room, static_cast<std::size_t>(count)));
    result_.truncated |= room < static_cast<std::size_t>(count);
  }
}

void Child::wait_once(milliseconds longest) {
  std::array<pollfd, 5> fds{};
  fds[0] = {in_.get(), POLLOUT, 0};
  fds[1] = {out_.get(), POLLIN, 0};
  fds[2] = {err_.get(), POLLIN, 0};
  fds[3] = {wake_.read.get(), POLLIN, 0};
  fds[4] = {watch_.get(), POLLIN, 0};
  if (!watch_.open()) longest = std::min(longest, tick);
  if (::poll(fds.data(), fds.size(), static_cast<int>(longest.count())) <= 0) return;
  if (fds[0].revents != 0) write_input();
  if (fds[1].revents != 0) read_into(out_, result_.out);
  if (fds[2].revents != 0) read_into(err_, result_.err);
}

bool Child::ended() {
  siginfo_t info{};
  // It stays a zombie, so that its number still names its group when that is killed.
  return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid_;
}

void Child::reap() {
  ::kill(-pid_, SIGKILL);
  while (::waitpid(pid_, &status_, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

void Child::end_group() {
  ::kill(-pid_, SIGTERM);
  in_.close();
  wake_.read.close();  // a stop that was seen would end every wait at once
  const auto end = std::chrono::steady_clock::now() + grace;
  while (!ended() && std::chrono::steady_clock::now() < end) wait_once(tick);
  reap();
}

Result<void> Child::serve() {
  const std::stop_callback stop(patience_.stop(), [this] {
    while (::write(wake_.write.get(), "x", 1) < 0 && errno == EINTR) {
    }
  });
  if (spec_.input.empty()) in_.close();
  while (!ended()) {
    if (auto alive = patience_.check(); !alive) return std::move(alive).error();
    const auto left = std::chrono::ceil<milliseconds>(patience_.left());
    wait_once(std::min(left, milliseconds(100)));
  }
  return {};
}

Result<ProcessResult> Child::run(const ProcessSpec& spec, const Patience& patience) {
  if (auto alive = patience.check(); !alive) return std::move(alive).error();
  Child child(spec, patience);
  if (auto started = child.start(); !started) return std::move(started).error();
  if (auto served = child.serve(); !served) {
    child.end_group();
    return std::move(served.error()).during("running '" + spec.command.front() + "'");
  }
  child.reap();
  // What it wrote before it ended is still in the pipes, at most their size; a daemon of another group that holds
  // them open is not waited for.
  if (child.out_.open()) child.read_into(child.out_, child.result_.out);
  if (child.err_.open()) child.read_into(child.err_, child.result_.err);
  const bool signaled = WIFSIGNALED(child.status_);
  child.result_.exit_code = signaled ? -1 : WEXITSTATUS(child.status_);
  if (signaled) child.result_.signal = signal_name(WTERMSIG(child.status_));
  return std::move(child.result_);
}

}  // namespace

Result<ProcessResult> run_process(const ProcessSpec& spec, const Patience& patience) {
  return Child::run(spec, patience);
}

std::string signal_name(int number) {
  static constexpr std::pair<int, const char*> names[] = {
      {SIGABRT, "ABRT"}, {SIGALRM, "ALRM"}, {SIGBUS, "BUS"},   {SIGFPE, "FPE"},   {SIGHUP, "HUP"},   {SIGILL, "ILL"},
      {SIGINT, "INT"},   {SIGKILL, "KILL"}, {SIGPIPE, "PIPE"}, {SIGQUIT, "QUIT"}, {SIGSEGV, "SEGV"}, {SIGTERM, "TERM"},
      {SIGTRAP, "TRAP"}, {SIGUSR1, "USR1"}, {SIGUSR2, "USR2"}, {SIGSYS, "SYS"},   {SIGXCPU, "XCPU"}, {SIGXFSZ, "XFSZ"}};
  for (const auto& [value, name] : names) {
    if (value == number) return name;
  }
  return std::to_string(number);
}

}  // namespace failover::base
