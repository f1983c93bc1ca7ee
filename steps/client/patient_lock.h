// Waiting in turn without losing patience, and writing to closed connections without dying of it. For clients alone.
#pragma once

#include <signal.h>

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "engine/base/clock.h"

namespace failover::client {

// A lock whose waiters hear a stop and a deadline. Not fair.
class PatientLock {
 public:
  base::Result<void> take(const base::Patience& patience) {
    std::unique_lock lock(mutex_);
    for (;;) {
      if (!busy_) {
        busy_ = true;
        return {};
      }
      if (auto alive = patience.check(); !alive) return alive;
      // Slices, because the patience's clock need not be the one that this waits by.
      free_.wait_for(lock, std::chrono::milliseconds(20));
    }
  }
  bool try_take() {
    const std::lock_guard lock(mutex_);
    if (busy_) return false;
    busy_ = true;
    return true;
  }
  void give() {
    {
      const std::lock_guard lock(mutex_);
      busy_ = false;
    }
    free_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable free_;
  bool busy_ = false;
};

// Gives a taken lock back.
class Turn {
 public:
  explicit Turn(PatientLock& lock) : lock_(&lock) {}
  ~Turn() { lock_->give(); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  PatientLock* lock_;
};

// Keeps SIGPIPE from this thread: libssh and OpenSSL write to sockets without MSG_NOSIGNAL.
class NoSigpipe {
 public:
  NoSigpipe() {
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~NoSigpipe() {
    sigset_t pending;
    sigpending(&pending);
    if (!was_pending_ && sigismember(&pending, SIGPIPE) == 1) {
      int taken = 0;
      sigwait(&pipe_, &taken);
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoSigpipe(const NoSigpipe&) = delete;
  NoSigpipe& operator=(const NoSigpipe&) = delete;

 private:
  sigset_t pipe_{};
  sigset_t before_{};
  bool was_pending_ = false;
};

}  // namespace failover::client
