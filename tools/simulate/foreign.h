// What belongs to somebody else on the same account: machines, keys, objects and unfinished uploads, some of them under
// names that look like ours, some of another run that may still need them. Everything else there is ours.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tools/sandbox/world/world.h"

namespace failover::simulate {

class Foreign {
 public:
  explicit Foreign(sandbox::World& world) : world_(world) {}

  // Takes the world's lock. `run_id`: of the run that is played; some of it stands where that run's things come to
  // stand. `crowded`: more machines than one page of a listing holds.
  void plant(const std::string& run_id, bool crowded);
  // So many machines more, that the run is told of; their ids. Takes the world's lock.
  std::vector<std::int64_t> lend(std::size_t count);

  // The rest needs the lock. Is it somebody else's?
  [[nodiscard]] bool is_machine(std::int64_t id) const { return machines_.count(id) > 0; }
  [[nodiscard]] bool is_account_key(std::int64_t id) const { return keys_.count(id) > 0; }
  // On one of the machines.
  [[nodiscard]] bool is_key_on(std::int64_t machine, std::int64_t key) const;
  [[nodiscard]] bool is_version(const std::string& id) const { return versions_.count(id) > 0; }
  [[nodiscard]] bool is_upload(const std::string& id) const { return uploads_.count(id) > 0; }
  // What is not as it was, in words (I6).
  [[nodiscard]] std::vector<std::string> touched() const;

 private:
  struct Machine {
    std::string label;
    std::set<std::int64_t> keys{};
  };
  struct Stored {
    std::string key;
    std::vector<std::string> versions{};  // oldest first
  };

  // Its id; 0: no offer is left.
  std::int64_t rent(const std::string& label);
  void store(const std::string& key, std::size_t versions);
  void begin_upload(const std::string& key);
  void touched_machines(std::vector<std::string>& out) const;
  void touched_objects(std::vector<std::string>& out) const;
  [[nodiscard]] sandbox::Bucket& bucket() const { return world_.store.buckets.begin()->second; }

  sandbox::World& world_;
  std::map<std::int64_t, Machine> machines_;
  std::map<std::int64_t, std::string> keys_;  // of the account, with their text
  std::vector<Stored> stored_;
  std::set<std::string> versions_;
  std::map<std::string, std::string> uploads_;  // by id, with their keys
};

}  // namespace failover::simulate
