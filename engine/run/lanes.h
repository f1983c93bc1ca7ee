// Parts of a journey side by side, each in a thread of its own.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "engine/base/error.h"

namespace failover::run {

enum class Join {
  all,   // every lane must pass; the first failure stops the others
  first  // the first to pass wins and stops the others; failures do not count while another lane may still pass
};

// Ends with the object: what still runs is stopped and waited for.
class Lanes {
 public:
  struct Work {
    // Does the lane's work until it has ended or `stop` is asked for.
    std::function<std::optional<base::Error>(std::size_t lane, const std::stop_token& stop)> run;
    // Optional, with Join::first: called in the lane's thread when it has lost, by failing or by being late.
    std::function<void(std::size_t lane)> lost;
  };

  // Starts at most `together` of `count` lanes at once, in order. `outer` stops them all.
  Lanes(std::size_t count, std::size_t together, Join join, Work work, const std::stop_token& outer);
  ~Lanes();
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;

  struct Outcome {
    std::optional<std::size_t> winner;  // of Join::first
    std::optional<base::Error> error;   // all: of the first failure; first: of the last one, when none passed
  };
  // Waits until the outcome is known. With Join::first the losers may still be ending.
  Outcome wait();

 private:
  void work();
  void ended(std::size_t lane, std::optional<base::Error> error);

  const std::size_t count_;
  const Join join_;
  const Work work_;
  std::stop_source stop_;
  std::stop_callback<std::function<void()>> linked_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t next_ = 0;
  std::size_t busy_ = 0;
  std::size_t idle_ = 0;  // threads that have ended
  Outcome outcome_;
  std::vector<std::jthread> threads_;
};

}  // namespace failover::run
