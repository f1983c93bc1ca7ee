#include "tests/client/raw_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "engine/base/text.h"

namespace failover::testing {
namespace {

int listen_on_loopback(int& port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  ::bind(fd, reinterpret_cast<sockaddr*>(&at), size);
  ::listen(fd, 16);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size);
  port = ntohs(at.sin_port);
  return fd;
}

}  // namespace

int closed_port() {
  int port = 0;
  ::close(listen_on_loopback(port));
  return port;
}

bool Peer::more() {
  char block[65536];
  while (!*ending_) {
    pollfd waiting{fd_, POLLIN, 0};
    if (::poll(&waiting, 1, 20) <= 0) continue;
    const ssize_t got = ::recv(fd_, block, sizeof block, 0);
    if (got <= 0) return false;
    held_.append(block, static_cast<std::size_t>(got));
    return true;
  }
  return false;
}

std::string Peer::head() {
  std::size_t end = 0;
  while ((end = held_.find("\r\n\r\n")) == std::string::npos) {
    if (!more()) return {};
  }
  std::string out = held_.substr(0, end + 4);
  held_.erase(0, end + 4);
  return out;
}

std::string Peer::request() {
  std::string out = head();
  if (out.empty()) return out;
  const std::string low = base::lower(out);
  const auto at = low.find("content-length: ");
  const std::size_t size = at == std::string::npos ? 0 : std::stoul(low.substr(at + 16));
  while (held_.size() < size) {
    if (!more()) return {};
  }
  out += held_.substr(0, size);
  held_.erase(0, size);
  return out;
}

void Peer::say(const std::string& bytes) {
  for (std::size_t at = 0; at < bytes.size() && !*ending_;) {
    pollfd waiting{fd_, POLLOUT, 0};
    if (::poll(&waiting, 1, 20) <= 0) continue;
    const std::size_t piece = std::min<std::size_t>(bytes.size() - at, 1 << 16);
    const ssize_t put = ::send(fd_, bytes.data() + at, piece, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (put < 0 && errno == EAGAIN) continue;
    if (put <= 0) return;
    at += static_cast<std::size_t>(put);
  }
}

void Peer::answer(int status, const std::string& body, const std::string& headers) {
  say("HTTP/1.1 " + std::to_string(status) + " Word\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
      headers + "\r\n" + body);
}

void Peer::reset() {
  const linger hard{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
}

std::size_t Peer::drain() {
  std::size_t out = held_.size();
  held_.clear();
  while (more()) {
    out += held_.size();
    held_.clear();
  }
  return out;
}

RawServer::RawServer(std::function<void(Peer&)> serve) : serve_(std::move(serve)) {
  listener_ = listen_on_loopback(port_);
  thread_ = std::thread([this] { run(); });
}

RawServer::~RawServer() {
  ending_ = true;
  thread_.join();
  ::close(listener_);
}

std::string RawServer::url(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(port_) + path; }

void RawServer::note(const std::string& text) {
  const std::lock_guard lock(mutex_);
  notes_.push_back(text);
}

std::vector<std::string> RawServer::notes() const {
  const std::lock_guard lock(mutex_);
  return notes_;
}

void RawServer::run() {
  while (!ending_) {
    pollfd waiting{listener_, POLLIN, 0};
    if (::poll(&waiting, 1, 20) <= 0) continue;
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    ++connections_;
    Peer peer(fd, ending_);
    serve_(peer);
    ::close(fd);
  }
}

}  // namespace failover::testing
