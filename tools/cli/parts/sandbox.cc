#include "tools/sandbox/sandbox.h"

#include <condition_variable>
#include <mutex>

#include "tools/cli/parts/commands.h"
#include "tools/cli/parts/output.h"
#include "tools/cli/parts/signals.h"

namespace failover::cli {
namespace {

// Until a signal comes.
void wait_for(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any signalled;
  std::unique_lock lock(mutex);
  signalled.wait(lock, stop, [] { return false; });
}

}  // namespace

int sandbox(const SandboxCommand& command) {
  const Signals signals;
  base::SystemClock clock;
  sandbox::SandboxOptions options;
  options.port_base = command.port_base;
  options.pace = command.typical_pace ? sandbox::Pace::typical : sandbox::Pace::quick;
  options.faults = command.faults;
  auto started = sandbox::Sandbox::start(std::move(options), clock);
  if (!started) {
    const bool mistake = started.error().fault == base::Fault::invalid;
    return complain(started.error(), mistake ? usage : world_failed);
  }
  if (!command.env_file.empty()) {
    if (auto written = (*started)->write_env_file(command.env_file); !written) return complain(written.error(), usage);
  }
  say_line("failover sandbox: simulated providers on loopback; nothing here is real or billed");
  for (const auto& [name, value] : (*started)->environment()) {
    if (name.find("URL") != std::string::npos || name == "B2_ENDPOINT") say_line("  " + name + "=" + value);
  }
  say_line(command.env_file.empty() ? "  (--env-file F writes all the exports that a client needs)"
                                    : "  exports in " + command.env_file);
  wait_for(signals.first());
  const auto meter = (*started)->meter();
  (*started)->stop();
  say_line("stopped; " + std::to_string(meter.instances.size()) + " machines were rented, " +
           std::to_string(meter.billed_now) + " still billed");
  return passed;
}

}  // namespace failover::cli
