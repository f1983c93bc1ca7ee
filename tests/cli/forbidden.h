// System calls that fail for a process and for what it becomes: a filter that the kernel keeps.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>

#ifdef __linux__
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

namespace failover::testing {

// A call by its number, of all its uses or of those whose second argument is `second`; it fails with `error`.
struct Forbidden {
  long call = 0;
  int error = EPERM;
  std::optional<std::uint32_t> second{};
};

// From now on, in this process and in what it becomes. False where the system does not allow such a filter. Allocates
// nothing: for a child of a process with threads.
inline bool forbid(const Forbidden& what) {
#ifdef __linux__
  constexpr std::uint32_t kLow = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 0 : 4;  // the argument's low word
  constexpr std::uint32_t kSecond = offsetof(seccomp_data, args) + 8 + kLow;
  const auto call = static_cast<std::uint32_t>(what.call);
  const auto no = static_cast<std::uint32_t>(SECCOMP_RET_ERRNO) | static_cast<std::uint32_t>(what.error);
  std::array<sock_filter, 6> code{{{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
                                   {BPF_JMP | BPF_JEQ | BPF_K, 0, 3, call},
                                   {BPF_LD | BPF_W | BPF_ABS, 0, 0, kSecond},
                                   {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, what.second.value_or(0)},
                                   {BPF_RET | BPF_K, 0, 0, no},
                                   {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}}};
  if (!what.second) code[3] = {BPF_JMP | BPF_JA, 0, 0, 0};  // whatever it is
  const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
#else
  (void)what;
  return false;
#endif
}

// Does this system allow such filters? Tried in a child.
inline bool can_forbid() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(forbid({-1, EPERM, {}}) ? 0 : 1);
  int status = 0;
  return child > 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace failover::testing
