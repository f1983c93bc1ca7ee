#include "steps/client/ssh_socket.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <thread>

#include "engine/base/text.h"

namespace failover::client::ssh {
namespace {

using base::Error;
using base::Fault;
using base::Result;

constexpr int kSliceMs = 20;

struct AddressCloser {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, AddressCloser>;

struct Lookup {
  std::string host;
  std::string port;
  int flags = 0;
  std::atomic<bool> done{false};
  int failed = 0;
  Addresses list;

  void run() {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags;
    addrinfo* found = nullptr;
    failed = getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
    if (failed == 0) list.reset(found);
    done = true;
  }
};

Result<Addresses> look_up(const std::string& host, std::int64_t port, const base::Patience& patience) {
  auto lookup = std::make_shared<Lookup>();
  lookup->host = host;
  lookup->port = std::to_string(port);
  lookup->flags = AI_NUMERICHOST | AI_NUMERICSERV;
  lookup->run();
  if (lookup->failed != 0) {
    lookup = std::make_shared<Lookup>();
    lookup->host = host;
    lookup->port = std::to_string(port);
    lookup->flags = AI_NUMERICSERV | AI_ADDRCONFIG;
    // getaddrinfo cannot be interrupted: whoever loses patience leaves it behind, and it ends by itself.
    std::thread([lookup] { lookup->run(); }).detach();
    while (!lookup->done) {
      if (auto alive = patience.check(); !alive) return std::move(alive).error();
      wait_slice(-1, 0, patience);
    }
  }
  if (lookup->failed != 0) {
    return Error{Fault::unavailable, "dns",
                 "cannot find the host " + base::printable(host, 120) + ": " + gai_strerror(lookup->failed)};
  }
  return std::move(lookup->list);
}

void set_options(int fd) {
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  const auto set = [fd](int level, int name, int value) { ::setsockopt(fd, level, name, &value, sizeof value); };
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  // A peer that died in silence is noticed within about half a minute, also by a command without output.
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
#ifdef TCP_KEEPIDLE
  set(IPPROTO_TCP, TCP_KEEPIDLE, 15);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set(IPPROTO_TCP, TCP_KEEPCNT, 4);
#endif
#ifdef TCP_USER_TIMEOUT
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, 35'000);
#endif
}

// 0 when connected, else errno; -1 when patience ended.
int connect_one(int fd, const addrinfo& address, const base::Patience& patience) {
  if (::connect(fd, address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS && errno != EINTR) return errno;
  for (;;) {
    if (!patience.check()) return -1;
    pollfd waiting{fd, POLLOUT, 0};
    if (::poll(&waiting, 1, kSliceMs) <= 0) continue;
    int failed = 0;
    socklen_t size = sizeof failed;
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &size);
    return failed;
  }
}

}  // namespace

void wait_slice(int fd, short events, const base::Patience& patience) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(patience.left()).count();
  pollfd waiting{fd, events, 0};
  ::poll(&waiting, fd < 0 ? 0 : 1, static_cast<int>(std::clamp<std::int64_t>(left, 1, kSliceMs)));
}

Result<int> connect_to(const std::string& host, std::int64_t port, const base::Patience& patience) {
  auto addresses = look_up(host, port, patience);
  if (!addresses) return std::move(addresses).error();
  int last = ECONNREFUSED;
  for (const addrinfo* one = addresses->get(); one != nullptr; one = one->ai_next) {
    const int fd = ::socket(one->ai_family, one->ai_socktype, one->ai_protocol);
    if (fd < 0) {
      last = errno;
      continue;
    }
    set_options(fd);
    const int failed = connect_one(fd, *one, patience);
    if (failed == 0) return fd;
    ::close(fd);
    if (failed < 0) {
      if (auto alive = patience.check(); !alive) return std::move(alive).error();
      last = ETIMEDOUT;
      continue;
    }
    last = failed;
  }
  return Error{
      Fault::unavailable, last == ECONNREFUSED ? "refused" : "connect",
      "cannot connect to " + base::printable(host, 120) + ":" + std::to_string(port) + ": " + std::strerror(last)};
}

}  // namespace failover::client::ssh
