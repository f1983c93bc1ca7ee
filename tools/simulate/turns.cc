#include "tools/simulate/turns.h"

#ifdef __linux__
#include <sched.h>
#include <unistd.h>
#endif

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "engine/base/digest.h"

namespace failover::simulate {

// Keeps the calling thread, and those it starts meanwhile, on one core: one of them runs at a time, and to wake another
// core up for it takes longer than most turns. Threads that play side by side get different ones: where each is just
// now may be the same, and nobody could move them away.
class Turns::OneCore {
#ifdef __linux__
 public:
  OneCore() {
    if (::sched_getaffinity(0, sizeof before_, &before_) != 0) return;
    static std::atomic<unsigned> players{static_cast<unsigned>(::getpid())};
    static thread_local const unsigned player = players++;
    const int chosen = static_cast<int>(player % static_cast<unsigned>(CPU_COUNT(&before_)));
    int core = -1;
    for (int passed = -1; passed < chosen;) passed += CPU_ISSET(++core, &before_) ? 1 : 0;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    kept_ = ::sched_setaffinity(0, sizeof one, &one) == 0;
  }
  ~OneCore() {
    if (kept_) ::sched_setaffinity(0, sizeof before_, &before_);
  }
  OneCore(const OneCore&) = delete;
  OneCore& operator=(const OneCore&) = delete;

 private:
  cpu_set_t before_{};
  bool kept_ = false;
#endif
};

class Turns::Started final : public base::Crew::Member {
 public:
  Started(Turns& turns, std::size_t seat, std::function<void()> body)
      : turns_(turns),
        seat_(*turns.seats_[seat]),
        thread_([this, seed = turns.seed_ ^ (0x9E37U * seat), body = std::move(body)] {
          turns_.work(seat_, seed, body);
        }) {}
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
  if (present_ == 1 || kept_) {
    passed_ = std::max(passed_, at.time_since_epoch());
    return true;
  }
  Seat& seat = *seats_[running_];
  seat.due = at;
  seat.stop = &stop;
  seat.done = nullptr;
  yield(seat);
  return !stop.stop_requested();
}

void Turns::wait(std::unique_lock<std::mutex>& lock, std::condition_variable&, const std::function<bool()>& done) {
  if (done()) return;
  Seat& seat = *seats_[running_];
  seat.stop = nullptr;
  seat.done = &done;
  seat.lock = &lock;
  lock.unlock();
  yield(seat);
  lock.lock();
}

std::unique_ptr<base::Crew::Member> Turns::start(std::function<void()> body) {
  if (!core_) core_ = std::make_unique<OneCore>();
  auto seat = std::make_unique<Seat>();
  seat->due = now();
  seat->since = ++waits_;
  seats_.push_back(std::move(seat));
  ++present_;
  return std::make_unique<Started>(*this, seats_.size() - 1, std::move(body));
}

void Turns::work(Seat& seat, std::uint64_t seed, const std::function<void()>& body) {
  await(seat);
  const base::SeededRandom random(seed);
  body();
  seat.over = true;
  --present_;
  running_ = next();
  hand_over();
}

void Turns::yield(Seat& seat) {
  seat.since = ++waits_;
  const std::size_t me = running_;
  running_ = next();
  if (running_ == me) return;
  hand_over();
  await(seat);
}

// From then on nothing here is the caller's to touch.
void Turns::hand_over() {
  Seat& seat = *seats_[running_];
  {
    const std::lock_guard lock(seat.mutex);
    seat.turn = true;
  }
  // Its lock is free when it wakes up.
  seat.go.notify_one();
}

void Turns::await(Seat& seat) {
  std::unique_lock lock(seat.mutex);
  seat.go.wait(lock, [&] { return seat.turn; });
  seat.turn = false;
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
