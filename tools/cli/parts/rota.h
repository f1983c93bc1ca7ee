// Several journeys, one after the other or side by side, until a stop.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace failover::cli {

// The exit code that outranks the other: 4, then what the user did, the world, the command line, the scenario.
int worse(int a, int b);

struct Rota {
  std::vector<std::string> names;
  int repeat = 1;  // each so often
  int jobs = 1;    // so many at a time
};

struct Played {
  int code = 0;                       // the worst; at least `interrupted` where something was not played
  std::vector<std::string> unplayed;  // `hello`, or `hello (2 of 3)`, in the order of the names
};

// `play` gets a place in `names` and returns an exit code; it is called from `jobs` threads. None begins after `stop`.
Played play_each(const Rota& rota, const std::stop_token& stop, const std::function<int(std::size_t)>& play);

}  // namespace failover::cli
