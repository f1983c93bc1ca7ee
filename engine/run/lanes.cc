#include "engine/run/lanes.h"

#include <algorithm>

namespace failover::run {

Lanes::Lanes(base::Crew& crew, std::size_t count, std::size_t together, Join join, Work work,
             const std::stop_token& outer)
    : crew_(crew), count_(count), join_(join), work_(std::move(work)), linked_(outer, [this] {
        stop_.request_stop();
      }) {
  const std::size_t members = std::min(count, std::max<std::size_t>(together, 1));
  members_.reserve(members);
  for (std::size_t i = 0; i < members; ++i) members_.push_back(crew.start([this] { this->work(); }));
}

Lanes::~Lanes() {
  stop_.request_stop();
  members_.clear();  // waits for them
}

void Lanes::work() {
  for (;;) {
    std::size_t lane = 0;
    {
      const std::lock_guard lock(mutex_);
      if (next_ >= count_ || stop_.stop_requested()) break;
      lane = next_++;
    }
    if (!one(lane)) break;
  }
  const std::lock_guard lock(mutex_);
  ++idle_;
  changed_.notify_all();
}

bool Lanes::one(std::size_t lane) {
  try {
    ended(lane, work_.run(lane, stop_.get_token()));
    return true;
  } catch (...) {
    const std::lock_guard lock(mutex_);
    if (!thrown_) thrown_ = std::current_exception();
    stop_.request_stop();
    return false;
  }
}

void Lanes::ended(std::size_t lane, std::optional<base::Error> error) {
  bool lost = false;
  {
    const std::lock_guard lock(mutex_);
    if (join_ == Join::first) {
      const bool absent = !error && work_.acted && !work_.acted(lane);
      lost = error || absent || outcome_.winner;
      if (!lost) outcome_.winner = lane;
      if (error && !outcome_.winner) outcome_.error = std::move(error);
    } else if (error && !outcome_.error) {
      outcome_.error = std::move(error);
    }
    if (outcome_.winner || (join_ == Join::all && outcome_.error)) stop_.request_stop();
    changed_.notify_all();
  }
  if (lost && work_.lost) work_.lost(lane);
}

Lanes::Outcome Lanes::wait() {
  std::unique_lock lock(mutex_);
  crew_.wait(lock, changed_, [this] { return outcome_.winner || idle_ == members_.size(); });
  if (thrown_ && !outcome_.winner) std::rethrow_exception(thrown_);
  Outcome out = outcome_;
  if (out.winner) out.error.reset();
  return out;
}

}  // namespace failover::run
