// SIGINT, SIGTERM and SIGHUP as stop requests: the first ends the run, the second ends the cleanup.
// A hangup is no second one, and neither is what comes with the first: a terminal that is closed and a wrapper such as
// timeout(1) signal twice.
#pragma once

#include <csignal>
#include <stop_token>
#include <thread>

namespace failover::cli {

// Make it before any other thread starts: it blocks the signals for all of them and waits for them in one of its own.
class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  [[nodiscard]] std::stop_token first() const { return first_.get_token(); }
  [[nodiscard]] std::stop_token second() const { return second_.get_token(); }

 private:
  sigset_t set_{};
  sigset_t before_{};
  std::stop_source first_;
  std::stop_source second_;
  std::stop_source end_;
  std::thread waiter_;
  // Tells the first: whoever listens may take its time, and the second signal must be heard meanwhile.
  std::thread teller_;
};

}  // namespace failover::cli
