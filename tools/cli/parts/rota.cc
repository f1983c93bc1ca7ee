#include "tools/cli/parts/rota.h"

#include <algorithm>
#include <mutex>
#include <thread>

#include "tools/cli/parts/output.h"

namespace failover::cli {

int worse(int a, int b) {
  const auto rank = [](int code) {
    switch (code) {
      case may_be_held: return 5;
      case interrupted: return 4;
      case world_failed: return 3;
      case usage: return 2;
      case assertion_failed: return 1;
      default: return 0;
    }
  };
  return rank(a) >= rank(b) ? a : b;
}

Played play_each(const Rota& rota, const std::stop_token& stop, const std::function<int(std::size_t)>& play) {
  const std::size_t all = rota.names.size() * static_cast<std::size_t>(rota.repeat);
  std::mutex mutex;
  std::size_t next = 0;
  std::vector<int> missing(rota.names.size(), rota.repeat);
  Played out;
  const auto work = [&] {
    std::unique_lock lock(mutex);
    while (next < all && !stop.stop_requested()) {
      const std::size_t which = next++ % rota.names.size();
      --missing[which];
      lock.unlock();
      const int code = play(which);
      lock.lock();
      out.code = worse(out.code, code);
    }
  };
  std::vector<std::thread> others;
  for (int i = 1; i < rota.jobs && static_cast<std::size_t>(i) < all; ++i) others.emplace_back(work);
  work();
  for (auto& other : others) other.join();

  for (std::size_t i = 0; i < missing.size(); ++i) {
    if (missing[i] == 0) continue;
    out.unplayed.push_back(rota.names[i] + (rota.repeat == 1 ? std::string()
                                                             : " (" + std::to_string(missing[i]) + " of " +
                                                                   std::to_string(rota.repeat) + ")"));
  }
  if (!out.unplayed.empty()) out.code = worse(out.code, interrupted);
  return out;
}

}  // namespace failover::cli
