// Live runs on the sandbox that are killed, and what they leave.
#pragma once

#include "tests/cli/elsewhere.h"

namespace failover::testing {

inline const std::vector<std::string> kRun{"run", "realtime-sync", "--live", "--yes", "--output", "plain"};

inline std::vector<std::string> with(std::vector<std::string> words, const std::string& more) {
  words.push_back(more);
  return words;
}

// The only run's folder.
inline fs::path folder_of(const Elsewhere& elsewhere) {
  for (const auto& entry : fs::directory_iterator(elsewhere.failover.home.path() / "runs")) return entry.path();
  return {};
}

// A run that is killed when its log says `words`, with everything it has rented by then.
inline void kill_when(Elsewhere& elsewhere, const std::vector<std::string>& command, const std::string& words) {
  const auto log = elsewhere.failover.home.path() / "run.log";
  Background run(command, elsewhere.failover.environment, log);
  const bool said =
      eventually(elsewhere.failover.clock, 60s, [&] { return !run.running() || base::contains(text_of(log), words); });
  INFO(text_of(log));
  REQUIRE(said);
  REQUIRE(run.running());
  run.signal(SIGKILL);
  CHECK(run.wait() == 1000 + SIGKILL);
}

inline int billed(Elsewhere& elsewhere) { return elsewhere.meter().value("billed_now", -1); }

}  // namespace failover::testing
