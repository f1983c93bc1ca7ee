// What is true in the simulated world: an account, a market, instances with a billing meter, an object store, faults.
// Knows no sockets; the doors (vast/, b2/) turn requests into calls of it, the sandbox puts it behind ports, and a
// virtual clock works as well as a real one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/error.h"
#include "tools/sandbox/world/faults.h"
#include "tools/sandbox/world/instance.h"
#include "tools/sandbox/world/market.h"
#include "tools/sandbox/world/pacing.h"
#include "tools/sandbox/world/store.h"

namespace failover::sandbox {

struct WorldOptions {
  Pace pace = Pace::quick;
  std::uint64_t seed = 0;           // 0: a random one
  std::filesystem::path directory;  // for bodies too big for memory; must exist
  double credit_usd = 25.0;
  base::Duration charges_lag{0};  // how long usage takes to reach the books
  bool strict_pacing = true;      // 429 by the interval table of references/vastai-api.md 10
  int bad_key_status = 404;       // 404 as seen live, or 401 as documented
  // Rows of offers and instances without what only describes hardware and no client decides by: for simulations, whose
  // time goes into JSON.
  bool lean_rows = false;
  // The SSH proxy has a port of its own, as the real one has (8.2); on loopback one server stands behind both.
  bool proxy_apart = false;
};

struct Account {
  std::int64_t user_id = 0;
  std::string api_key;
  double credit_at_start = 0;
  std::vector<SshKey> ssh_keys;
};

// What to rent: a create request that a door found to be in order.
struct Rental {
  std::int64_t offer_id = 0;
  std::string label, image, runtype, onstart;
  double disk_gb = 10;
  std::vector<std::pair<std::string, std::string>> env;
  std::optional<double> bid;  // $/h
  bool stopped = false;       // made, but not started
  bool never_scheduled = false;
  double dearer = 1;  // how many times what the offer was found at
};

// How an instance's inside should be just now; the sandbox makes it so.
struct MachinePlan {
  std::int64_t id = 0;
  int boots = 0, wipes = 0;  // a change is a restart, with or without its files
  bool listening = false;
  std::vector<std::string> keys;  // that it accepts now
  std::map<std::string, std::string> environment;
  std::string onstart;
  bool drop_command = false, change_host_key = false, disk_full = false;
  friend bool operator==(const MachinePlan&, const MachinePlan&) = default;
};

// One line of the bill, for tests and for the oracle.
struct MeterLine {
  std::int64_t id = 0;
  std::string label, status;
  base::WallTime created{};
  std::optional<base::WallTime> destroyed;
  double billed_s = 0;  // storage time: how long it cost anything at all
  double gpu_s = 0;
  double usd = 0;
  std::vector<std::string> ssh_keys;  // public keys on it, or when it ended
};
struct Meter {
  std::vector<MeterLine> instances;  // all that ever were, by id
  int billed_now = 0;                // how many cost money at this moment
  double credit_usd = 0;
  std::vector<SshKey> ssh_keys;
  std::vector<std::pair<std::string, std::int64_t>> objects;  // visible keys and sizes
  std::int64_t hidden_versions = 0;                           // versions that no key shows, markers included
  int uploads = 0;                                            // unfinished multipart uploads
  std::int64_t requests = 0;
  int vast_requests = 0, b2_requests = 0, refused_too_frequent = 0;
  std::map<std::string, int> faults_played;
};

class World {
 public:
  World(WorldOptions options, base::Clock& clock);

  // Takes the lock and brings the world up to now. Everything below needs the lock held.
  [[nodiscard]] std::unique_lock<std::mutex> enter();

  [[nodiscard]] base::Instant now() const { return now_; }  // of the last enter()
  [[nodiscard]] base::WallTime wall() const { return wall_; }
  [[nodiscard]] base::WallTime wall_of(base::Instant at) const { return wall_ + (at - now_); }
  [[nodiscard]] const WorldOptions& options() const { return options_; }
  // How long things take in this world, spread included.
  Timing new_timing();

  // $ left; falls per second.
  [[nodiscard]] double credit() const { return credit_at(now_); }

  Offer* find_offer(std::int64_t id);
  // Alive and not destroyed; nullptr otherwise.
  Instance* find(std::int64_t id);
  Instance* find_by_key(const std::string& api_key);
  // Rents at once; the offer must be free. Plays the faults that belong to an instance.
  Instance& rent(const Rental& rental);
  // The same after the fault's delay; nobody learns the id.
  void rent_later(const Rental& rental);
  void destroy(Instance& instance);
  void halt(Instance& instance);
  // Starts, reboots or recycles: a new boot.
  void boot(Instance& instance, Instance::Boot kind);
  SshKey make_key(std::string text);
  std::int64_t next_id() { return ++last_id_; }

  // Without `start` their environments and start scripts are left empty.
  [[nodiscard]] std::vector<MachinePlan> machine_plans(bool start = true) const;
  [[nodiscard]] MachinePlan machine_plan(const Instance& instance, bool start) const;
  // Does its SSH port answer?
  [[nodiscard]] bool is_listening(const Instance& instance) const;
  [[nodiscard]] Meter meter() const;

  Account account;
  std::vector<Offer> offers;
  std::map<std::int64_t, Instance> instances;  // destroyed ones stay for the meter
  Store store;
  Bucket* bucket(const std::string& name);
  Faults faults;
  Pacing pacing;
  std::mt19937_64 random;
  std::string vast_url;      // the door's address, as a machine is told it
  bool key_revoked = false;  // auth_revoked_mid_run has happened
  int vast_requests = 0, b2_requests = 0, refused_too_frequent = 0;
  int too_soon = 0;  // of the refused: by the interval table, not by a fault

 private:
  void settle(base::Instant until);
  // The next thing that happens by itself before `until`; returns its time.
  std::optional<base::Instant> next_event(base::Instant until) const;
  void happen(base::Instant at);
  void stop_when_broke(base::Instant from, base::Instant until);
  [[nodiscard]] double credit_at(base::Instant at) const;
  void play_instance_faults(Instance& instance);

  WorldOptions options_;
  base::Clock& clock_;
  std::mutex mutex_;
  base::Instant now_{};
  base::WallTime wall_{};
  std::int64_t last_id_ = 0;
  std::vector<std::pair<base::Instant, Rental>> late_;
};

}  // namespace failover::sandbox
