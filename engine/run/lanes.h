// Parts of a journey side by side.
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include "engine/base/crew.h"
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
    // Optional, with Join::first: has a lane that passed done anything? One that has not is as if it were not there.
    std::function<bool(std::size_t lane)> acted{};
    // Optional, with Join::first: called in the lane's thread when it has lost, by failing or by being late.
    std::function<void(std::size_t lane)> lost{};
  };

  // Starts at most `together` of `count` lanes at once, in order. `outer` stops them all. What a lane throws ends the
  // others and is thrown by wait(), unless the race was decided before.
  Lanes(base::Crew& crew, std::size_t count, std::size_t together, Join join, Work work, const std::stop_token& outer);
  ~Lanes();
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;

  struct Outcome {
    std::optional<std::size_t> winner;  // of Join::first; with no error either: no lane did anything
    std::optional<base::Error> error;   // all: of the first failure; first: of the last one, when none won
  };
  // Waits until the outcome is known. With Join::first the losers may still be ending.
  Outcome wait();

 private:
  void work();
  // A lane and its end; false: it threw.
  bool one(std::size_t lane);
  void ended(std::size_t lane, std::optional<base::Error> error);

  base::Crew& crew_;
  const std::size_t count_;
  const Join join_;
  const Work work_;
  std::stop_source stop_;
  std::stop_callback<std::function<void()>> linked_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t next_ = 0;
  std::size_t idle_ = 0;  // members that have ended
  Outcome outcome_;
  std::exception_ptr thrown_;
  std::vector<std::unique_ptr<base::Crew::Member>> members_;
};

}  // namespace failover::run
