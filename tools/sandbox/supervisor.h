// Makes the machines so that they are as the world says: starts, restarts and ends their SSH servers.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <thread>

#include "tools/sandbox/machine/machine.h"
#include "tools/sandbox/world/world.h"

namespace failover::sandbox {

class Supervisor {
 public:
  // `directory`: an existing one; each machine gets a folder of its own in it.
  Supervisor(World& world, std::filesystem::path directory, View view, base::Clock& clock);
  ~Supervisor();  // ends every machine
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

 private:
  struct Running {
    MachinePlan plan;
    std::unique_ptr<Machine> machine;  // null: not listening
  };
  void watch(const std::stop_token& stop);
  void settle(const MachinePlan& plan);
  void start(const MachinePlan& plan, Running& running);
  void adjust(const MachinePlan& plan, Running& running);
  void report(std::int64_t id, const Machine* machine);

  World& world_;
  std::filesystem::path directory_;
  View view_;
  base::Clock& clock_;
  std::map<std::int64_t, Running> running_;
  std::jthread thread_;
};

}  // namespace failover::sandbox
