#include "engine/plugin/context.h"

namespace failover::plugin {

Hold::~Hold() {
  if (host_ != nullptr) {
    host_->unclear(name_, base::Error{base::Fault::unknown, "no_outcome", "the outcome of making it was never read"});
  }
}

void Hold::made(const Made& made) { std::exchange(host_, nullptr)->made(name_, made); }
void Hold::refused(const base::Error& why) { std::exchange(host_, nullptr)->refused(name_, why); }
void Hold::unsent(const base::Error& why) { std::exchange(host_, nullptr)->unsent(name_, why); }
void Hold::unclear(const base::Error& why) { std::exchange(host_, nullptr)->unclear(name_, why); }

base::Result<Hold> Context::hold(const Intent& intent) const {
  auto name = host_->intend(intent);
  if (!name) return std::move(name).error();
  return Hold(*host_, *std::move(name));
}

}  // namespace failover::plugin
