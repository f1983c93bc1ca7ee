#include "tools/cli/parts/signals.h"

#include <pthread.h>

#include <atomic>
#include <chrono>

#include "engine/base/clock.h"

namespace failover::cli {
namespace {

// One wish may come twice: a shell that ends and its terminal both hang up, timeout(1) signals the process and at once
// its group.
constexpr auto kOneWish = std::chrono::milliseconds(30);

}  // namespace

Signals::Signals() {
  sigemptyset(&set_);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set_, signal);
  // nohup: the terminal's end is to be passed over.
  struct sigaction hangup {};
  if (::sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler == SIG_IGN) sigdelset(&set_, SIGHUP);
  // SIGUSR2 wakes the waiter when the program ends; nobody else uses it here.
  sigaddset(&set_, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &set_, &before_);
  // A closed pipe is an error of the write, not the end of a program that holds machines.
  std::signal(SIGPIPE, SIG_IGN);
  waiter_ = std::thread([this] {
    const base::SystemClock clock;
    base::Instant heard{};
    int wish = 0;
    for (;;) {
      int signal = 0;
      if (sigwait(&set_, &signal) != 0) continue;
      if (signal == SIGUSR2) {
        if (end_.stop_requested()) return;
        continue;
      }
      const auto now = clock.now();
      if (teller_.joinable()) {
        // Of two that wait a hangup is taken first.
        const bool same = (signal == wish || wish == SIGHUP) && now - heard < kOneWish;
        if (signal != SIGHUP && !same) second_.request_stop();
      } else {
        heard = now;
        wish = signal;
        teller_ = std::thread([this] { first_.request_stop(); });
      }
    }
  });
}

Signals::~Signals() {
  end_.request_stop();
  pthread_kill(waiter_.native_handle(), SIGUSR2);
  waiter_.join();
  if (teller_.joinable()) teller_.join();
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace failover::cli
