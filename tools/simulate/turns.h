// Virtual time for several who take turns: exactly one runs; whoever sleeps or waits hands over to the one whose
// wake-up comes first, and of two at the same moment to the one that has waited longer. So what runs side by side runs
// in an order that the seed gives, and twenty minutes take microseconds. Threads carry it, since the engine waits deep
// inside its calls; none of them runs beside another.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <utility>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/crew.h"

namespace failover::simulate {

class Turns final : public base::Clock, public base::Crew {
 public:
  // `seed` is of the randomness that each one who is started has of its own.
  Turns(base::WallTime start, std::uint64_t seed);
  ~Turns() override;
  Turns(const Turns&) = delete;
  Turns& operator=(const Turns&) = delete;

  // All of these are for the one whose turn it is.
  [[nodiscard]] base::Instant now() const override { return base::Instant(passed_); }
  [[nodiscard]] base::WallTime wall() const override { return start_ + passed_; }
  bool sleep_until(base::Instant at, const std::stop_token& stop) override;
  // The turn stays with whoever has it, also while it sleeps: the others may not see what is half done.
  void keep_turn(bool on) { kept_ = on; }
  // Time passes although nobody sleeps: nobody else may be under way.
  void advance(base::Duration by) { passed_ += by; }
  // Plays `what` as of `at`, which has passed already: what took effect while nobody looked.
  template <class What>
  void as_of(base::Instant at, What&& what) {
    const base::Duration now = std::exchange(passed_, std::min(passed_, at.time_since_epoch()));
    what();
    passed_ = now;
  }
  std::unique_ptr<Member> start(std::function<void()> body) override;
  void wait(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
            const std::function<bool()>& done) override;
  // Whose turn it is: 0 is the one who made this, then in the order of their starts.
  [[nodiscard]] std::size_t current() const { return running_; }

 private:
  // One who takes part. Waits for a time, or for `done`.
  struct Seat {
    std::mutex mutex;
    std::condition_variable go;
    bool turn = false;  // it is this one's; all else here and in Turns belongs to the one whose turn it is
    base::Instant due{};
    const std::stop_token* stop = nullptr;
    const std::function<bool()>* done = nullptr;
    std::unique_lock<std::mutex>* lock = nullptr;
    std::uint64_t since = 0;  // orders those of one moment
    bool over = false;
  };
  class Started;
  class OneCore;

  // The turn goes to the next one, and comes back.
  void yield(Seat& seat);
  void hand_over();
  static void await(Seat& seat);
  // Takes whose wake-up comes first, and the time to it.
  std::size_t next();
  [[nodiscard]] bool ready(Seat& seat) const;
  void work(Seat& seat, std::uint64_t seed, const std::function<void()>& body);

  const base::WallTime start_;
  const std::uint64_t seed_;
  base::Duration passed_{0};
  std::unique_ptr<OneCore> core_;  // from the first start on
  std::vector<std::unique_ptr<Seat>> seats_;
  std::size_t running_ = 0;
  std::size_t present_ = 1;  // seats that are not over
  bool kept_ = false;        // the turn is not handed over
  std::uint64_t waits_ = 0;
};

}  // namespace failover::simulate
