// A network with a will of its own between the program and the sandbox: a TCP proxy on loopback that resets, stalls and
// throttles connections as a seed says, and that can hold an answer back until a test lets it go.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <list>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/cli/program.h"

namespace failover::testing {

// Of 100 connections, how many meet what; the rest pass untouched.
struct Weather {
  int reset = 0;     // cut with a reset after some bytes, in one direction or the other
  int stall = 0;     // stands still for a while after some bytes
  int throttle = 0;  // lets a few bytes pass at a time
};

class Proxy {
 public:
  // To `port` of 127.0.0.1.
  Proxy(int port, unsigned seed) : upstream_(port), random_(seed) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);  // NOLINT
    REQUIRE(::listen(listener_, 64) == 0);
    REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);  // NOLINT
    port_ = ntohs(address.sin_port);
    acceptor_ = std::jthread([this](const std::stop_token& stop) { accept(stop); });
  }
  ~Proxy() {
    acceptor_.request_stop();
    acceptor_.join();
    relays_.clear();  // asks each to stop and waits for it
    ::close(listener_);
  }
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  // Of connections from now on.
  void set(const Weather& weather) {
    const std::lock_guard lock(mutex_);
    weather_ = weather;
  }
  [[nodiscard]] int mishaps() const { return mishaps_; }

  // Holds back the answers to requests that begin with `words`, but the first `but` of them, until let_go().
  void hold(const std::string& words, int but = 0) {
    const std::lock_guard lock(mutex_);
    held_ = words;
    but_ = but;
  }
  void let_go() { hold(""); }
  // Is such an answer being held back, for a client that still waits for it?
  [[nodiscard]] bool holding() const { return holding_ > 0; }
  // Answers requests that begin with `words` itself from now on: 403, as to a key without the right.
  void refuse(const std::string& words) {
    const std::lock_guard lock(mutex_);
    refused_ = words;
  }
  // The first lines of the requests so far, and whether an answer was being held back when each came.
  struct Line {
    std::string text;
    bool while_holding = false;
    base::Instant at{};
  };
  [[nodiscard]] std::vector<Line> requests() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  enum class Mishap { none, reset, stall, throttle };
  struct Fate {
    Mishap mishap = Mishap::none;
    std::size_t after = 0;  // bytes in both directions together
    std::chrono::milliseconds pause{0};
  };
  // One more, while it is on.
  struct Held {
    explicit Held(std::atomic<int>& all) : count(all) {}
    ~Held() { set(false); }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    void set(bool now) {
      if (now != on) count += now ? 1 : -1;
      on = now;
    }
    std::atomic<int>& count;
    bool on = false;
  };
  struct Relay {
    std::jthread thread;
    std::atomic<bool> done{false};
  };

  static std::string forbidden() {
    const std::string body = R"({"success":false,"error":"not_authorized","msg":"This key lacks user_read."})";
    return "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  static sockaddr_in loopback(int port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(static_cast<std::uint16_t>(port));
    out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return out;
  }
  static bool readable(int fd, int milliseconds) {
    pollfd wait{fd, POLLIN, 0};
    return ::poll(&wait, 1, milliseconds) > 0;
  }
  static bool send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  // So that close() resets.
  static void no_linger(int fd) {
    const linger now{1, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }

  Fate next_fate() {
    const std::lock_guard lock(mutex_);
    const int roll = static_cast<int>(random_() % 100);
    Fate out;
    out.after = random_() % 3 == 0 ? random_() % 64 : random_() % 4096;
    out.pause = std::chrono::milliseconds(200 + random_() % 4'000);
    if (roll < weather_.reset) {
      out.mishap = Mishap::reset;
    } else if (roll < weather_.reset + weather_.stall) {
      out.mishap = Mishap::stall;
    } else if (roll < weather_.reset + weather_.stall + weather_.throttle) {
      out.mishap = Mishap::throttle;
    }
    return out;
  }

  void accept(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      relays_.remove_if([](const Relay& relay) { return relay.done.load(); });
      if (!readable(listener_, 20)) continue;
      const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0) continue;
      auto& relay = relays_.emplace_back();
      relay.thread = std::jthread([this, client, fate = next_fate(), &relay](const std::stop_token& end) {
        serve(client, fate, end);
        relay.done = true;
      });
    }
  }

  void serve(int client, const Fate& fate, const std::stop_token& stop) {
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(upstream_);
    const int yes = 1;
    for (const int fd : {client, server}) ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {  // NOLINT
      relay(client, server, fate, stop);
    }
    ::close(server);
    ::close(client);
  }

  void relay(int client, int server, const Fate& fate, const std::stop_token& stop) {
    std::size_t passed = 0;
    bool played = fate.mishap == Mishap::none;
    bool counted = false;
    Held hold(holding_);  // the answer to the request that came last
    std::array<char, 16 << 10> buffer{};
    while (!stop.stop_requested()) {
      std::array<pollfd, 2> wait{pollfd{client, POLLIN, 0}, pollfd{server, POLLIN, 0}};
      const bool held_back = hold.on && is_held();
      if (held_back) wait[1].events = 0;
      if (::poll(wait.data(), wait.size(), 10) <= 0) continue;
      for (std::size_t side = 0; side < 2; ++side) {
        if (wait.at(side).revents == 0 || (side == 1 && held_back)) continue;
        const bool from_client = side == 0;
        std::size_t most = buffer.size();
        if (fate.mishap == Mishap::throttle) most = 512;
        const ssize_t count = ::recv(from_client ? client : server, buffer.data(), most, 0);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) {
          if (count < 0) no_linger(from_client ? server : client);
          return;
        }
        const std::string_view bytes(buffer.data(), static_cast<std::size_t>(count));
        if (from_client && is_refused(bytes)) {
          (void)send_all(client, forbidden());
          return;
        }
        if (from_client) {
          // A request's body may come by itself.
          if (!hold.on) hold.set(note(bytes));
        } else {
          hold.set(false);
        }
        passed += bytes.size();
        if (!played && passed > fate.after) {
          mishaps_ += counted ? 0 : 1;
          counted = true;
          played = fate.mishap != Mishap::throttle;
          if (fate.mishap == Mishap::reset) {
            // What came before the cut arrives: sometimes a whole request whose answer never comes.
            if (from_client && fate.after % 2 == 0) (void)send_all(server, bytes);
            no_linger(client);
            return;
          }
          pause(fate.mishap == Mishap::stall ? fate.pause : std::chrono::milliseconds(2), stop);
        }
        if (!send_all(from_client ? server : client, bytes)) return;
      }
    }
  }
  static void pause(std::chrono::milliseconds time, const std::stop_token& stop) {
    base::SystemClock clock;
    (void)clock.sleep_until(clock.now() + time, stop);
  }

  [[nodiscard]] bool is_held() const {
    const std::lock_guard lock(mutex_);
    return !held_.empty();
  }
  [[nodiscard]] bool is_refused(std::string_view bytes) const {
    const std::lock_guard lock(mutex_);
    return !refused_.empty() && bytes.substr(0, refused_.size()) == refused_;
  }
  // Remembers a request's first line; is its answer to be held back?
  bool note(std::string_view bytes) {
    const std::string_view line = bytes.substr(0, bytes.find('\r'));
    if (line.find(" HTTP/1.") == std::string_view::npos) return false;
    base::SystemClock clock;
    const std::lock_guard lock(mutex_);
    lines_.push_back({std::string(line), holding_ > 0, clock.now()});
    return !held_.empty() && line.substr(0, held_.size()) == held_ && but_-- <= 0;
  }

  int upstream_;
  int listener_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::mt19937 random_;
  Weather weather_;
  std::string held_;
  std::string refused_;
  int but_ = 0;
  std::vector<Line> lines_;
  std::atomic<int> mishaps_{0};
  std::atomic<int> holding_{0};
  std::list<Relay> relays_;  // the acceptor's
  std::jthread acceptor_;
};

}  // namespace failover::testing
