// Who runs side by side, and how they wait for each other: threads, or under a virtual clock one at a time. The second
// seam beside Clock; what runs in a crew waits through these two alone.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>

namespace failover::base {

class Crew {
 public:
  // One that was started; waited for when it is destroyed.
  class Member {
   public:
    virtual ~Member() = default;
  };

  virtual ~Crew() = default;
  // Runs `body`, which must not throw, beside the caller.
  virtual std::unique_ptr<Member> start(std::function<void()> body) = 0;
  // Waits until `done` holds. `lock` is held before and after, and while `done` is asked; whoever changes what it asks
  // for notifies `changed`.
  virtual void wait(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
                    const std::function<bool()>& done) = 0;
};

// Each in a thread of its own.
class Threads final : public Crew {
 public:
  std::unique_ptr<Member> start(std::function<void()> body) override;
  void wait(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
            const std::function<bool()>& done) override;
};

}  // namespace failover::base
