// Those that take turns on virtual time: one at a time, the earliest wake-up first, whatever the threads do.
#include "tools/simulate/turns.h"

#include <doctest/doctest.h>

#include "engine/base/digest.h"
#include "engine/run/lanes.h"

using namespace failover;  // NOLINT(google-build-using-namespace)
using namespace std::chrono_literals;
using simulate::Turns;

namespace {

const base::WallTime kStart{std::chrono::seconds(1'767'225'600)};

struct Died {};

// What each lane does at which second.
std::string told(int lanes, std::size_t together, std::uint64_t seed) {
  Turns turns(kStart, seed);
  std::string out;
  run::Lanes side_by_side(turns, static_cast<std::size_t>(lanes), together, run::Join::all,
                          {[&](std::size_t lane, const std::stop_token& stop) -> std::optional<base::Error> {
                             for (int i = 0; i < 3; ++i) {
                               out += std::to_string(lane) + "@" +
                                      std::to_string(base::seconds(turns.now().time_since_epoch())).substr(0, 3) + "/" +
                                      base::random_id(2) + " ";
                               turns.sleep_until(turns.now() + std::chrono::seconds(lane + 1), stop);
                             }
                             return std::nullopt;
                           },
                           nullptr},
                          {});
  CHECK_FALSE(side_by_side.wait().error);
  out += "end@" + std::to_string(base::seconds(turns.now().time_since_epoch())).substr(0, 3);
  return out;
}

std::string without_noise(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '/') at += 3;
    out += text[at];
  }
  return out;
}

}  // namespace

TEST_CASE("the earliest wake-up comes next; of two at one moment the one that waits longer") {
  CHECK(without_noise(told(2, 2, 1)) == "0@0.0 1@0.0 0@1.0 1@2.0 0@2.0 1@4.0 end@6.0");
  CHECK(without_noise(told(3, 1, 1)) == "0@0.0 0@1.0 0@2.0 1@3.0 1@5.0 1@7.0 2@9.0 2@12. 2@15. end@18.");
}

TEST_CASE("the same seed gives the same, randomness included; another seed other randomness") {
  for (int i = 0; i < 20; ++i) CHECK(told(4, 3, 7) == told(4, 3, 7));
  CHECK(told(4, 3, 7) != told(4, 3, 8));
  CHECK(without_noise(told(4, 3, 7)) == without_noise(told(4, 3, 8)));
}

TEST_CASE("a failure stops the others at its own moment") {
  Turns turns(kStart, 1);
  base::Instant stopped{};
  run::Lanes lanes(turns, 2, 2, run::Join::all,
                   {[&](std::size_t lane, const std::stop_token& stop) -> std::optional<base::Error> {
                      turns.sleep_until(turns.now() + (lane == 0 ? 5s : 1h), stop);
                      if (lane == 0) return base::Error{base::Fault::refused, "no", "no"};
                      stopped = turns.now();
                      return std::nullopt;
                    },
                    nullptr},
                   {});
  const auto outcome = lanes.wait();
  REQUIRE(outcome.error);
  CHECK(outcome.error->code == "no");
  CHECK(stopped == base::Instant(5s));
}

TEST_CASE("what a lane throws ends the others and comes out of the wait") {
  base::Threads threads;
  Turns turns(kStart, 1);
  for (base::Crew* crew : {static_cast<base::Crew*>(&turns), static_cast<base::Crew*>(&threads)}) {
    base::SystemClock real;
    base::Clock& clock = crew == &turns ? static_cast<base::Clock&>(turns) : real;
    bool ended = false;
    {
      run::Lanes lanes(*crew, 2, 2, run::Join::all,
                       {[&](std::size_t lane, const std::stop_token& stop) -> std::optional<base::Error> {
                          if (lane == 1) throw Died{};
                          clock.sleep_until(clock.now() + 1h, stop);
                          ended = stop.stop_requested();
                          return std::nullopt;
                        },
                        nullptr},
                       {});
      CHECK_THROWS_AS(lanes.wait(), Died);
    }
    CHECK(ended);
  }
}

TEST_CASE("the loser of a race is waited for, in virtual time") {
  Turns turns(kStart, 1);
  bool lost = false;
  {
    run::Lanes lanes(turns, 2, 2, run::Join::first,
                     {[&](std::size_t lane, const std::stop_token& stop) -> std::optional<base::Error> {
                        turns.sleep_until(turns.now() + (lane == 0 ? 2s : 9s), stop);
                        return std::nullopt;
                      },
                      {},
                      [&](std::size_t lane) {
                        turns.sleep_until(turns.now() + 10s, {});
                        lost = lane == 1;
                      }},
                     {});
    const auto outcome = lanes.wait();
    CHECK(outcome.winner == std::optional<std::size_t>(0));
    CHECK(turns.now() == base::Instant(2s));
    CHECK_FALSE(lost);
  }
  CHECK(lost);
  CHECK(turns.now() == base::Instant(12s));
}
