#include "tools/sandbox/machine/spawn.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstring>

#include "engine/base/file.h"

#ifdef __linux__
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <utility>
#endif

namespace failover::sandbox {
namespace {

// What the child says on the report pipe before it is the program.
struct Report {
  enum Kind : int { started, failed } kind;
  int value;  // a process number, or errno
};

// Everything the child needs, made before fork: between fork and exec only system calls are safe, for another
// thread may have held any lock.
struct Prepared {
  const SpawnSpec& spec;
  std::vector<char*> arguments;
  std::vector<char*> environment;
  int report = -1;
};

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (const std::string& text : texts) list.push_back(const_cast<char*>(text.c_str()));
  list.push_back(nullptr);
  return list;
}

[[noreturn]] void give_up(int report) {
  const Report last{Report::failed, errno};
  if (::write(report, &last, sizeof last) < 0) bare_exit(126);
  bare_exit(127);
}

void close_from(int first) {
#if defined(__linux__) && defined(SYS_close_range)
  if (::syscall(SYS_close_range, static_cast<unsigned>(first), ~0U, 0U) == 0) return;
#endif
  const long most = std::min(::sysconf(_SC_OPEN_MAX), 65536L);
  for (int fd = first; fd < most; ++fd) ::close(fd);
}

// fds[i] becomes i, the report pipe the one after them (and closes at exec), nothing else stays.
void arrange_descriptors(Prepared& prepared) {
  constexpr int high = 256;
  int count = 0;
  std::array<int, 8> moved{};
  for (const int fd : prepared.spec.fds) moved[static_cast<std::size_t>(count++)] = ::fcntl(fd, F_DUPFD_CLOEXEC, high);
  const int report = ::fcntl(prepared.report, F_DUPFD_CLOEXEC, high);
  for (int i = 0; i < count; ++i) {
    if (::dup2(moved[static_cast<std::size_t>(i)], i) < 0) give_up(report);
  }
  ::dup2(report, count);
  ::fcntl(count, F_SETFD, FD_CLOEXEC);
  prepared.report = count;
  close_from(count + 1);
}

void reset_signals() {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) {
    if (number != SIGKILL && number != SIGSTOP) ::sigaction(number, &standard, nullptr);
  }
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

#ifdef __linux__

// Root of a machine may do what root of a container may; not mount, which could undo the read-only system.
void drop_capabilities() {
  for (int capability = 0; capability < 64; ++capability) {
    switch (capability) {
      case CAP_CHOWN:
      case CAP_DAC_OVERRIDE:
      case CAP_FOWNER:
      case CAP_FSETID:
      case CAP_KILL:
      case CAP_SETGID:
      case CAP_SETUID:
      case CAP_SETPCAP:
      case CAP_SYS_CHROOT:
      case CAP_SETFCAP: break;
      default: ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    }
  }
}

// A user namespace made without privilege knows one user, so `tar x` or `rsync -a` as root would fail on files of
// anybody else, which they do not on a real machine: a change of owner says yes and does nothing.
void forgive_chown() {
#if defined(__x86_64__) || defined(__aarch64__)
#ifdef __x86_64__
  constexpr unsigned arch = AUDIT_ARCH_X86_64;
#else
  constexpr unsigned arch = AUDIT_ARCH_AARCH64;
#endif
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, arch, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
#ifdef __x86_64__
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_chown, 4, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_lchown, 3, 0),
#endif
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_fchown, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_fchownat, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO),
  };
  sock_fprog program{static_cast<unsigned short>(std::size(code)), code};
  ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);  // where it is not possible, chown fails honestly
#endif
}

// A process of the jail's namespaces whose parent is this process: only a child born after setns is in the jail's
// process namespace, and CLONE_PARENT makes it ours to wait for.
void enter_jail(const Prepared& prepared) {
  constexpr int spaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;
  if (::setns(prepared.spec.jail, spaces) != 0) give_up(prepared.report);
  const long child = ::syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
  if (child < 0) give_up(prepared.report);
  if (child == 0) return;
  const Report born{Report::started, static_cast<int>(child)};
  if (::write(prepared.report, &born, sizeof born) < 0) bare_exit(126);
  bare_exit(0);
}

#endif

[[noreturn]] void become(Prepared& prepared) {
  const SpawnSpec& spec = prepared.spec;
#ifdef __linux__
  if (spec.jail >= 0) enter_jail(prepared);
#endif
  ::setsid();
  arrange_descriptors(prepared);
  if (spec.terminal) ::ioctl(0, TIOCSCTTY, 0);
  if (spec.directory.empty() || ::chdir(spec.directory.c_str()) != 0) {
    if (::chdir("/") != 0) give_up(prepared.report);
  }
#ifdef __linux__
  if (spec.jail >= 0) {
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    drop_capabilities();
    forgive_chown();
  }
#endif
  ::umask(022);
  reset_signals();
  ::execve(spec.program.c_str(), prepared.arguments.data(), prepared.environment.data());
  give_up(prepared.report);
}

// Reads until the program runs (its end of the pipe closes at exec) or has failed to.
base::Result<pid_t> outcome(const base::Pipe& report, pid_t first, const SpawnSpec& spec) {
  pid_t pid = spec.jail >= 0 ? -1 : first;
  int failure = 0;
  Report said{};
  for (;;) {
    const ssize_t count = ::read(report.read.get(), &said, sizeof said);
    if (count < 0 && errno == EINTR) continue;
    if (count != static_cast<ssize_t>(sizeof said)) break;
    if (said.kind == Report::started) pid = said.value;
    if (said.kind == Report::failed) failure = said.value;
  }
  if (spec.jail >= 0) wait_for(first);
  if (failure == 0 && pid > 0) return pid;
  if (pid > 0) wait_for(pid);
  if (failure == ENOENT) {
    return base::Error{base::Fault::not_found, "no_program", "there is no program " + spec.program};
  }
  return base::system_error(failure == 0 ? ECHILD : failure, "starting", spec.program);
}

}  // namespace

base::Result<pid_t> spawn(const SpawnSpec& spec) {
  auto report = base::make_pipe();
  if (!report) return std::move(report).error();
  Prepared prepared{spec, pointers(spec.arguments), pointers(spec.environment), report->write.get()};
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);  // no handler of this process may run in the child
  const pid_t first = bare_fork();
  if (first == 0) become(prepared);
  const int number = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (first < 0) return base::system_error(number, "starting", spec.program);
  report->write.close();
  return outcome(*report, first, spec);
}

pid_t bare_fork() {
#ifdef __linux__
  return static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
#else
  return ::fork();
#endif
}

void bare_exit(int code) {
#ifdef __linux__
  ::syscall(SYS_exit_group, code);
#endif
  ::_exit(code);
}

base::Fd watch_process([[maybe_unused]] pid_t pid) {
#if defined(__linux__) && defined(SYS_pidfd_open)
  return base::Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
#else
  return base::Fd();
#endif
}

bool reap(pid_t pid, int& status) {
  const pid_t seen = ::waitpid(pid, &status, WNOHANG);
  if (seen < 0 && errno == ECHILD) status = 255 << 8;
  return seen == pid || (seen < 0 && errno == ECHILD);
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace failover::sandbox
