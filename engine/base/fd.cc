#include "engine/base/fd.h"

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace failover::base {
namespace {

constexpr int kLastStandard = 2;

Error no_pipe(int number) {
  const Fault fault = number == EMFILE || number == ENFILE ? Fault::unavailable : Fault::internal;
  return Error{fault, "no_pipe", std::string("a pipe: ") + std::strerror(number)};
}

}  // namespace

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
#ifdef __linux__
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return no_pipe(errno);
#else
  if (::pipe(ends.data()) != 0) return no_pipe(errno);
  for (const int end : ends) ::fcntl(end, F_SETFD, FD_CLOEXEC);
#endif
  Pipe pipe{Fd(ends[0]), Fd(ends[1])};
  for (Fd* end : {&pipe.read, &pipe.write}) {
    if (end->get() > kLastStandard) continue;
    const int higher = ::fcntl(end->get(), F_DUPFD_CLOEXEC, kLastStandard + 1);
    if (higher < 0) return no_pipe(errno);
    *end = Fd(higher);
  }
  return pipe;
}

void set_nonblocking(const Fd& fd) { ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK); }

}  // namespace failover::base
