#include "tools/sandbox/supervisor.h"

#include <algorithm>
#include <set>

namespace failover::sandbox {
namespace {

using namespace std::chrono_literals;
constexpr base::Duration kEvery = 25ms;

MachineFaults faults_of(const MachinePlan& plan) {
  MachineFaults faults;
  faults.drop_commands = plan.drop_command ? 1 : 0;
  faults.change_host_key = plan.change_host_key;
  faults.disk_full = plan.disk_full;
  return faults;
}

bool same_faults(const MachinePlan& a, const MachinePlan& b) {
  return a.drop_command == b.drop_command && a.change_host_key == b.change_host_key && a.disk_full == b.disk_full;
}

}  // namespace

Supervisor::Supervisor(World& world, std::filesystem::path directory, View view, base::Clock& clock)
    : world_(world), directory_(std::move(directory)), view_(view), clock_(clock) {
  thread_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
}

Supervisor::~Supervisor() {
  thread_.request_stop();
  thread_.join();
  running_.clear();
}

void Supervisor::watch(const std::stop_token& stop) {
  while (clock_.sleep_until(clock_.now() + kEvery, stop)) {
    std::vector<MachinePlan> plans;
    {
      const auto lock = world_.enter();
      plans = world_.machine_plans();
    }
    std::set<std::int64_t> alive;
    for (const auto& plan : plans) {
      alive.insert(plan.id);
      settle(plan);
    }
    // A destroyed machine goes with its files.
    for (auto at = running_.begin(); at != running_.end();) {
      if (alive.count(at->first) > 0) {
        ++at;
        continue;
      }
      const auto folder = directory_ / std::to_string(at->first);
      at = running_.erase(at);
      std::error_code ignored;
      std::filesystem::remove_all(folder, ignored);
    }
  }
}

void Supervisor::settle(const MachinePlan& plan) {
  Running& running = running_[plan.id];
  const bool restarted = plan.boots != running.plan.boots || plan.wipes != running.plan.wipes;
  if (running.machine != nullptr && (!plan.listening || restarted)) {
    report(plan.id, running.machine.get());
    running.machine.reset();
  }
  if (plan.wipes != running.plan.wipes) {
    std::error_code ignored;
    std::filesystem::remove_all(directory_ / std::to_string(plan.id), ignored);
  }
  if (plan.listening && running.machine == nullptr) {
    start(plan, running);
  } else if (running.machine != nullptr) {
    adjust(plan, running);
  }
  running.plan = plan;
}

void Supervisor::start(const MachinePlan& plan, Running& running) {
  MachineOptions options;
  options.directory = directory_ / std::to_string(plan.id);
  options.view = view_;
  options.authorized_keys = plan.keys;
  options.environment = plan.environment;
  options.onstart = plan.onstart;
  auto started = Machine::start(std::move(options));
  if (!started) return;  // it is tried again at the next look; to the client it is a machine that does not answer
  running.machine = *std::move(started);
  running.machine->set_faults(faults_of(plan));
  report(plan.id, running.machine.get());
}

void Supervisor::adjust(const MachinePlan& plan, Running& running) {
  if (plan.keys != running.plan.keys) running.machine->set_authorized_keys(plan.keys);
  if (!same_faults(plan, running.plan)) running.machine->set_faults(faults_of(plan));
  report(plan.id, running.machine.get());
}

void Supervisor::report(std::int64_t id, const Machine* machine) {
  const auto lock = world_.enter();
  Instance* instance = world_.find(id);
  if (instance == nullptr || machine == nullptr) return;
  instance->port = machine->port();
  instance->workspace = machine->workspace();
  instance->bytes_in = machine->bytes_in();
  instance->bytes_out = machine->bytes_out();
}

}  // namespace failover::sandbox
