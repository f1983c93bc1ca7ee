// A TCP server on loopback that says exactly what a test wants said. Each connection is served by the given function
// in one thread; connections come one after the other.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace failover::testing {

// One accepted connection.
class Peer {
 public:
  explicit Peer(int fd, std::atomic<bool>& ending) : fd_(fd), ending_(&ending) {}
  // A whole request, head and body by its Content-Length; empty when the client has gone.
  std::string request();
  // The head alone.
  std::string head();
  void say(const std::string& bytes);
  // The usual answer, connection kept.
  void answer(int status, const std::string& body, const std::string& headers = "");
  // Ends the connection with a reset instead of an end of file.
  void reset();
  // Reads and drops until the client hangs up or the server ends; how many bytes came.
  std::size_t drain();

 private:
  bool more();

  int fd_;
  std::atomic<bool>* ending_;
  std::string held_;
};

class RawServer {
 public:
  explicit RawServer(std::function<void(Peer&)> serve);
  ~RawServer();
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string url(const std::string& path = "/") const;
  [[nodiscard]] int connections() const { return connections_; }
  // What the test wants remembered, from any thread.
  void note(const std::string& text);
  [[nodiscard]] std::vector<std::string> notes() const;

 private:
  void run();

  std::function<void(Peer&)> serve_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> connections_{0};
  std::atomic<bool> ending_{false};
  mutable std::mutex mutex_;
  std::vector<std::string> notes_;
  std::thread thread_;
};

// A port where nobody listens.
int closed_port();

}  // namespace failover::testing
