#include "engine/plugin/step.h"
#include "steps/vast/parts.h"

namespace failover::steps::vast {
namespace {

using base::Error;
using base::Fault;
using base::Result;
using plugin::Context;
using namespace std::chrono_literals;

struct In {
  Id instance;
};
struct Out {
  std::string status;
};

bool halted(const client::Instance& instance) {
  return instance.actual_status == "exited" || instance.actual_status == "stopped";
}

Result<Out> run(client::Vast& vast, const In& in, const Context& context) {
  const std::int64_t id = vast.current(in.instance.number);
  if (auto asked = vast.set_state(id, "stopped", context); !asked) return std::move(asked).error();
  return context.poll(1s, [&]() -> Result<std::optional<Out>> {
    auto found = vast.find(id, context);
    if (!found) return std::move(found).error();
    if (!*found)
      return Error{Fault::not_found, "no_such_instance",
                   "instance " + std::to_string(id) + " vanished while it was stopped", ""};
    context.progress(status_line(**found));
    if (!halted(**found)) return std::optional<Out>();
    return std::optional<Out>(Out{status_word(**found)});
  });
}

}  // namespace

plugin::StepType stop_instance(client::Services& services) {
  return plugin::step<In, Out>({
      .name = "vast.stop_instance",
      .summary = "Stop an instance and wait until it is. It is still rented: its disk costs until it is destroyed.",
      .effect = plugin::Effect::changes,
      .inputs = {plugin::required("instance", &In::instance, "Id of the instance.").id_of(kAnInstance).of_what_lives()},
      .outputs = {plugin::output("status", &Out::status, "As Vast.ai says it.").one_of({"exited", "stopped"})},
      .halts = "instance",
      .errors = {Fault::not_found, Fault::auth, Fault::rate_limited, Fault::unavailable, Fault::unknown,
                 Fault::refused},
      .timeout = 3min,
      .example = "{instance: 8812345}",
      .estimate =
          [](const In&) {
            return plugin::Estimate{{1s, 5s, 60s}, {}};
          },
      .run = [&services](const In& in, const Context& context) { return run(*services.vast, in, context); },
  });
}

}  // namespace failover::steps::vast
