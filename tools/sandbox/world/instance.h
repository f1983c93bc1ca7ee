// A rented machine as the provider's books have it: its states over time and what it costs
// (references/vastai-api.md 5, 7, 9.2). Everything that depends on time is computed when it is read.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/clock.h"
#include "tools/sandbox/world/market.h"

namespace failover::sandbox {

enum class Pace {
  quick,    // running a second after create
  typical,  // the measured times of the real service
};

// How long things take, each from the one before unless it says otherwise.
struct Timing {
  base::Duration search{0}, create{0};  // until the answer
  base::Duration visible{0};            // create to the first read that is not null
  base::Duration loading{0};            // create to `loading`
  base::Duration running{0};            // create (or start) to `running`
  base::Duration listening{0};          // `running` to an open SSH port
  base::Duration key_accepted{0};       // open port to an accepted key; also the lag of an attached key
  base::Duration late_effect{0};        // of the fault create_late_effect
  base::Duration mishap{0};             // `running` to what a fault does to the machine later
  base::Duration stuck{0};              // create to the service giving up on an image
};
// `random` spreads what the real service spreads.
Timing timing_of(Pace pace, std::mt19937_64& random);

struct SshKey {
  std::int64_t id = 0;
  std::string text;
  base::WallTime created{};
  base::Instant known_from{};  // attached keys reach the machine a little later
};

// What goes wrong with this one instance.
struct Mishaps {
  bool stuck_loading = false;
  bool ssh_never = false;
  bool ssh_key_denied = false;
  bool host_key_changed = false;
  bool ssh_drop = false;
  bool disk_full = false;
  bool vanishes = false;
  bool goes_offline = false;
  bool is_outbid = false;
};

struct Instance {
  std::int64_t id = 0;
  std::string label;  // empty: null
  Offer offer;
  double disk_gb = 0;
  std::string image, runtype, onstart;
  std::vector<std::pair<std::string, std::string>> env;
  bool is_bid = false;
  double gpu_usd_per_hour = 0;
  std::string api_key;
  std::vector<SshKey> keys;
  Timing timing;
  Mishaps mishaps;
  base::Duration unlisted{0};  // how long listings do not show it yet, beyond timing.visible
  int port = 0;                // of its SSH server
  std::string workspace;       // as its commands see it; empty until it listens

  base::Instant created{};
  base::WallTime created_wall{};
  std::optional<base::Instant> destroyed;
  enum class Boot { create, start, reboot, recycle };
  Boot boot_kind = Boot::create;
  int boots = 1;                         // counts create, start, reboot, recycle
  int wipes = 0;                         // counts recycle
  base::Instant booted{};                // when the current boot began
  std::optional<base::Instant> halted;   // stopped since, whoever did it
  bool never_scheduled = false;          // made by an answer with success:false
  std::optional<base::Instant> offline;  // its host is away since
  base::Duration gpu_before{0};          // billed GPU time of earlier boots
  std::int64_t bytes_in = 0, bytes_out = 0;

  [[nodiscard]] base::Instant running_from() const { return booted + timing.running; }
  // When the current boot came to run, if it has by `now`.
  [[nodiscard]] bool has_run(base::Instant now) const {
    return !mishaps.stuck_loading && !never_scheduled && now >= running_from();
  }
};

struct Status {
  std::optional<std::string> actual;
  std::string intended, current, next, message;
  [[nodiscard]] bool running() const { return actual == "running"; }
};
Status status_of(const Instance& instance, base::Instant now);

// GPU time until `now`, in seconds: from `running` until stop, loss of the host or destroy.
double gpu_seconds(const Instance& instance, base::Instant now);
// Storage time until `now`, in seconds: from create until destroy, the host's absence left out.
double storage_seconds(const Instance& instance, base::Instant now);
double traffic_usd(const Instance& instance);
// Of bytes out of and into a machine on this offer.
double traffic_usd(const Offer& offer, std::int64_t up, std::int64_t down);
// What it has cost until `now`, traffic included.
double cost_usd(const Instance& instance, base::Instant now);
// $/h for `gb` of this offer's disk.
double storage_usd_per_hour(const Offer& offer, double gb);

}  // namespace failover::sandbox
