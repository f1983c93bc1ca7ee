// A stop does not cut what makes something while it is in flight (leak-safety.md, "The protocol", 4).
#pragma once

#include <functional>
#include <stop_token>
#include <thread>

#include "engine/plugin/context.h"

namespace failover::client {

// While it lives, its context is the given one, with its deadline, but a stop comes 5 s later. Check the given one for
// a stop before anything is sent: this one has not heard of it.
class Grace {
 public:
  explicit Grace(const plugin::Context& context);
  Grace(const Grace&) = delete;
  Grace& operator=(const Grace&) = delete;
  [[nodiscard]] const plugin::Context& context() const { return context_; }

 private:
  void begin();

  std::stop_source late_;
  std::jthread waiter_;  // joined before late_ goes
  std::stop_callback<std::function<void()>> on_stop_;
  plugin::Context context_;
};

}  // namespace failover::client
