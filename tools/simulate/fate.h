// What goes wrong in one simulated journey, and when: everything follows from a seed, or is told outright.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/clock.h"

namespace failover::simulate {

// Faults of one call to the outside (leak-safety.md, "Faults the simulated world must be able to play").
enum class Wire {
  none,
  unreachable,         // nothing was sent: DNS, TLS, refused
  request_lost,        // sent, never arrived, no answer
  answer_lost,         // arrived and took effect, no answer
  answer_late,         // arrived and took effect; the answer takes up to 90 s
  effect_late,         // no answer, and the effect comes up to 600 s later
  duplicate,           // arrives twice
  too_many,            // 429 in its shapes, without effect
  server_error,        // 500, 502, 503, 504 without effect
  server_error_after,  // the same, after the effect
  denied,              // 401, 403, 404 `auth_error`, without effect
  garbled,             // took effect; the answer's body is cut, empty, null or something else
  captive,             // a page of somebody else's with status 200, without effect
  accepted_late,       // an end is accepted at once and takes effect up to 600 s later; any other call: answer_late
  creeps,              // took effect; the answer comes byte by byte until the client gives the connection up
  huge,                // took effect; the answer is larger than the client takes, which keeps nothing of it
};
constexpr int kWires = 16;
const char* to_string(Wire wire);

// What the world can play by itself: the names of the sandbox's faults that a swarm arms, some of them rarely.
const std::vector<const char*>& world_faults();

// How the runner dies.
enum class Death {
  none,
  before,   // before the record is written
  torn,     // in the middle of the record
  lost,     // written, not on the disk; with a power cut it is lost
  durable,  // on the disk, nothing after it
};

struct Blow {
  Death death = Death::none;
  int at = 0;          // the record's number, from 1; with `call`: the outside call's
  bool power = false;  // unsynced bytes are lost too
  bool call = false;   // at an outside call instead: `before` it is sent, else after its effect and before its answer
};

struct Stop {
  int at = 0;  // the outside call before which it comes, from 1; 0: never
};

// One journey's fate.
struct Script {
  std::uint64_t seed = 0;
  // Per mille of calls that go wrong, and how.
  int rate = 0;
  std::vector<Wire> wires{};
  std::vector<std::pair<std::string, int>> world{};  // armed in the sandbox's world, with counts
  std::vector<Blow> blows{};                         // of the run, then of each recovery in turn
  Stop interrupt{};
  Stop give_up{};
  // Outright: this call goes wrong, and with `lasting` every later one of the run.
  int call = 0;
  Wire wire = Wire::none;
  bool lasting = false;
  std::map<int, Wire> at{};  // outright too: these calls of the run, each in its way
  // How long the runner stays away after a death.
  base::Duration away = std::chrono::minutes(2);
  // The weather ends so long after closing began, whoever lives then; nullopt: with the last recovery.
  std::optional<base::Duration> heals{};
  int purse = 1000;   // per mille of the scenario's cost limit
  bool rots = false;  // what a restore has put in place rots on the machine's disk
  bool lies = false;  // a host that does not hold what was written says that it does
  // The runner's wall clock is set so much ahead (or back) so long after the run's start. Below the quarter of an hour
  // from which on signatures are refused (b2-s3-api.md).
  base::Duration set_by{0};
  base::Duration set_at{0};
  int dear = 0;          // dollars that each host asks for a GB of traffic; 0: what it usually asks
  bool proxied = false;  // the hosts' firewalls block the direct SSH ports: the proxy alone leads there
  int breaks = 0;        // from this record of the run on its journal cannot be written (EIO), from 1; 0: never
  // What the runner leaves behind when it dies is not recovered from its journal, which is lost with its disk: somebody
  // else gives it back, by the labels alone, once the run's deadline has passed.
  bool orphaned = false;
  // Who does that comes first while the weather still lasts; a recovery's blow falls on it.
  bool labels_in_weather = false;
  // So long after the run's start somebody else has spent what credit the account had: the service stops all machines
  // and rents none. While the weather lasts.
  std::optional<base::Duration> credit_ends{};

  // Everything from a seed: a swarm, since a mix of all faults hides what few of them do.
  static Script swarm(std::uint64_t seed);
  // Nothing goes wrong: what the scenario asks for is what happens.
  [[nodiscard]] bool is_calm() const;
  // One line that says what will happen, for people.
  [[nodiscard]] std::string text() const;
};

}  // namespace failover::simulate
