#include "engine/base/text.h"
#include "engine/plugin/step.h"
#include "steps/client/checks.h"
#include "steps/client/remote_script.h"
#include "steps/ssh/parts.h"

namespace failover::steps::ssh {
namespace {

using base::Fault;
using base::Result;
using namespace std::chrono_literals;

struct In {
  client::Endpoint host;
};
struct Out {
  base::Duration latency{0};
};

// What a machine that is still starting may answer with.
bool may_pass(Fault fault) { return fault == Fault::unavailable || fault == Fault::unknown || fault == Fault::timeout; }

Result<Out> run(client::Ssh& machine, const In& in, const plugin::Context& context) {
  std::string last = "no answer yet";
  auto ready = context.poll(2s, [&]() -> Result<std::optional<Out>> {
    const auto before = context.clock().now();
    client::Command command;
    command.script = "true";
    command.operation = {"true"};
    auto finished = machine.run(in.host, command, context.within(20s));
    if (finished && finished->exit_code == 0) return std::optional(Out{context.clock().now() - before});
    if (!finished && !may_pass(finished.error().fault)) return std::move(finished).error();
    last = finished ? client::remote_failure(*finished, "running `true`").message : finished.error().line();
    if (auto patient = context.check(); !patient) return std::move(patient).error();
    context.progress("waiting for SSH: " + last);
    return std::optional<Out>();
  });
  if (!ready) return std::move(ready).error().during("waiting for SSH (" + last + ")");
  return *ready;
}

}  // namespace

plugin::StepType wait_until_ready(client::Services& services) {
  return plugin::step<In, Out>({
      .name = "ssh.wait_until_ready",
      .summary = "Wait until a command over SSH succeeds.",
      .inputs = {plugin::required("host", &In::host, "The machine.", client::check_endpoint).of_what_runs()},
      .outputs = {plugin::output("latency", &Out::latency, "How long the command that succeeded took.")},
      .waits = "host",
      .errors = {Fault::auth, Fault::host_key_changed, Fault::refused},
      .example = "{host: {host: 127.0.0.1, port: 22}}",
      .estimate =
          [](const In&) {
            return plugin::Estimate{{100ms, 15s, 10min}, {}};
          },
      .run = [&services](const In& in, const plugin::Context& context) { return run(*services.ssh, in, context); },
  });
}

}  // namespace failover::steps::ssh
