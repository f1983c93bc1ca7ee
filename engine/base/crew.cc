#include "engine/base/crew.h"

#include <thread>
#include <utility>

namespace failover::base {
namespace {

class Thread final : public Crew::Member {
 public:
  explicit Thread(std::function<void()> body) : thread_(std::move(body)) {}
  ~Thread() override { thread_.join(); }
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

 private:
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Crew::Member> Threads::start(std::function<void()> body) {
  return std::make_unique<Thread>(std::move(body));
}

void Threads::wait(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
                   const std::function<bool()>& done) {
  changed.wait(lock, done);
}

}  // namespace failover::base
