#include "steps/client/grace.h"

#include <condition_variable>
#include <mutex>

namespace failover::client {

using namespace std::chrono_literals;

Grace::Grace(const plugin::Context& context)
    : on_stop_(context.patience().stop(), [this] { begin(); }),
      context_(context.with({context.clock(), context.patience().deadline(), late_.get_token()})) {}

void Grace::begin() {
  // Real time even under a virtual clock: there the answer comes at once.
  waiter_ = std::jthread([this](const std::stop_token& over) {
    std::mutex mutex;
    std::condition_variable_any woken;
    std::unique_lock lock(mutex);
    if (!woken.wait_for(lock, over, 5s, [&] { return over.stop_requested(); })) late_.request_stop();
  });
}

}  // namespace failover::client
