// Giving back what a run holds, whatever ended it: with a clock and a stop of its own, never those of the run.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/run/host.h"

namespace failover::run {

struct CleanupOptions {
  base::Duration patience = std::chrono::minutes(5);   // for things known to exist
  base::Duration watch = std::chrono::seconds(30);     // for things that may yet come to exist
  base::Duration one_undo = std::chrono::seconds(60);  // bound of one attempt at one thing
  base::Duration doubt{0};  // by how much less time than the stream says may have passed since the things were sent
  std::set<std::string> barred{};          // kinds that nobody here can end: looked at once, never waited for
  std::set<std::string> leave{};           // names of what is somebody else's business this time
  std::optional<base::Duration> settle{};  // shortens every kind's window; loopback endpoints only
  std::function<void(const std::string& line)> say{};  // what is still held, now and then, for people
};

struct Leftover {
  std::string kind;
  std::string name;
  std::string id;
  std::string why;
  std::string by_hand;  // how a person ends it without this program; may be empty
};

struct CleanupResult {
  int attempted = 0;
  int released = 0;
  std::vector<Leftover> left;
};

// How a person ends it without this program; empty where its kind does not say.
std::string by_hand(const plugin::Registry& registry, const plugin::Held& held);

// Undoes everything open in the ledger, newest first, and journals each proof. Returns when nothing is left, when
// patience ends or when `stop` is asked for. Finding things already gone is success; doing it twice is doing it once.
CleanupResult clean_up(Shared& shared, const CleanupOptions& options, const std::stop_token& stop);

// Asks at once for the end of everything known to exist, one request per kind; proves nothing. From any thread, also
// while the run's steps still wait for answers. Returns when the requests are answered or after 10 s.
void ask_for_the_end(Shared& shared, const std::stop_token& stop);

// The same for the open entries that `mine` picks, one look at each, while the run goes on: what is not proven gone
// then stays open for clean_up().
void give_back_some(Shared& shared, const CleanupOptions& options, const std::stop_token& stop,
                    const std::function<bool(const Entry&)>& mine);

}  // namespace failover::run
