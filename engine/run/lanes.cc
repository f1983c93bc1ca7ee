#include "engine/run/lanes.h"

#include <algorithm>

namespace failover::run {

Lanes::Lanes(std::size_t count, std::size_t together, Join join, Work work, const std::stop_token& outer)
    : count_(count), join_(join), work_(std::move(work)), linked_(outer, [this] { stop_.request_stop(); }) {
  const std::size_t threads = std::min(count, std::max<std::size_t>(together, 1));
  threads_.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { this->work(); });
}

Lanes::~Lanes() {
  stop_.request_stop();
  threads_.clear();  // joins
}

void Lanes::work() {
  for (;;) {
    std::size_t lane = 0;
    {
      const std::lock_guard lock(mutex_);
      if (next_ >= count_ || stop_.stop_requested()) break;
      lane = next_++;
      ++busy_;
    }
    ended(lane, work_.run(lane, stop_.get_token()));
  }
  const std::lock_guard lock(mutex_);
  ++idle_;
  changed_.notify_all();
}

void Lanes::ended(std::size_t lane, std::optional<base::Error> error) {
  bool lost = false;
  {
    const std::lock_guard lock(mutex_);
    if (join_ == Join::first) {
      lost = error.has_value() || outcome_.winner.has_value();
      if (!lost) outcome_.winner = lane;
      if (error && !outcome_.winner) outcome_.error = std::move(error);
    } else if (error && !outcome_.error) {
      outcome_.error = std::move(error);
    }
    if (outcome_.winner || (join_ == Join::all && outcome_.error)) stop_.request_stop();
    changed_.notify_all();
  }
  if (lost && work_.lost) work_.lost(lane);
  const std::lock_guard lock(mutex_);
  --busy_;
  changed_.notify_all();
}

Lanes::Outcome Lanes::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return outcome_.winner || idle_ == threads_.size(); });
  Outcome out = outcome_;
  if (out.winner) out.error.reset();
  return out;
}

}  // namespace failover::run
