#include "tools/simulate/turns.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "engine/base/digest.h"

namespace failover::simulate {

class Turns::Started final : public base::Crew::Member {
 public:
  Started(Turns& turns, std::size_t seat, std::function<void()> body)
      : turns_(turns),
        seat_(*turns.seats_[seat]),
        thread_([this, seat, body = std::move(body)] { turns_.work(seat, body); }) {}
  ~Started() override {
    std::mutex mutex;
    std::condition_variable unused;
    std::unique_lock lock(mutex);
    turns_.wait(lock, unused, [this] { return seat_.over; });
    thread_.join();
  }
  Started(const Started&) = delete;
  Started& operator=(const Started&) = delete;

 private:
  Turns& turns_;
  Seat& seat_;
  std::thread thread_;
};

Turns::Turns(base::WallTime start, std::uint64_t seed) : start_(start), seed_(seed) {
  seats_.push_back(std::make_unique<Seat>());
}

Turns::~Turns() = default;

bool Turns::sleep_until(base::Instant at, const std::stop_token& stop) {
  if (stop.stop_requested()) return false;
  if (present_ == 1) {
    passed_ = std::max(passed_, at.time_since_epoch());
    return true;
  }
  Seat& seat = *seats_[running_];
  seat.due = at;
  seat.stop = &stop;
  seat.done = nullptr;
  yield(running_);
  return !stop.stop_requested();
}

void Turns::wait(std::unique_lock<std::mutex>& lock, std::condition_variable&, const std::function<bool()>& done) {
  if (done()) return;
  Seat& seat = *seats_[running_];
  seat.stop = nullptr;
  seat.done = &done;
  seat.lock = &lock;
  lock.unlock();
  yield(running_);
  lock.lock();
}

std::unique_ptr<base::Crew::Member> Turns::start(std::function<void()> body) {
  auto seat = std::make_unique<Seat>();
  seat->due = now();
  seat->since = ++waits_;
  std::size_t added = 0;
  {
    const std::lock_guard lock(mutex_);  // those that were started before may be looking for their seats
    seats_.push_back(std::move(seat));
    ++present_;
    added = seats_.size() - 1;
  }
  return std::make_unique<Started>(*this, added, std::move(body));
}

void Turns::work(std::size_t me, const std::function<void()>& body) {
  {
    std::unique_lock lock(mutex_);
    seats_[me]->go.wait(lock, [&] { return running_ == me; });
  }
  const base::SeededRandom random(seed_ ^ (0x9E37U * me));
  body();
  leave(me);
}

void Turns::leave(std::size_t me) {
  const std::lock_guard lock(mutex_);
  seats_[me]->over = true;
  --present_;
  running_ = next();
  seats_[running_]->go.notify_one();
}

void Turns::yield(std::size_t me) {
  std::unique_lock lock(mutex_);
  Seat& seat = *seats_[me];
  seat.since = ++waits_;
  running_ = next();
  if (running_ == me) return;
  seats_[running_]->go.notify_one();
  seat.go.wait(lock, [&] { return running_ == me; });
}

bool Turns::ready(Seat& seat) const {
  if (seat.done == nullptr) return seat.stop != nullptr && seat.stop->stop_requested();
  const std::lock_guard lock(*seat.lock);
  return (*seat.done)();
}

std::size_t Turns::next() {
  std::size_t best = seats_.size();
  base::Instant when{};
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    Seat& seat = *seats_[i];
    if (seat.over) continue;
    const bool at_once = ready(seat);
    if (!at_once && seat.done != nullptr) continue;
    const base::Instant at = at_once ? now() : std::max(seat.due, now());
    const bool first = best == seats_.size() || at < when || (at == when && seat.since < seats_[best]->since);
    if (!first) continue;
    best = i;
    when = at;
  }
  if (best == seats_.size()) {
    // A mistake of the program that nothing here can go on from, and that real threads would hang in.
    std::fputs("failover simulate: all that run side by side wait for each other\n", stderr);
    std::abort();
  }
  passed_ = when.time_since_epoch();
  return best;
}

}  // namespace failover::simulate
