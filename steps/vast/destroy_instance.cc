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

Result<Out> run(client::Services& services, const In& in, const Context& context) {
  client::Vast& vast = *services.vast;
  const std::int64_t id = vast.current(in.instance.number);
  const std::string name = std::to_string(id);
  if (!context.held(kInstance, name)) {
    return Error{Fault::refused, "not_ours", "instance " + name + " was not rented by this run: it is not destroyed",
                 "a scenario destroys only what it made; destroy others at https://cloud.vast.ai/instances/"};
  }
  const bool again = vast.end_accepted(id);
  const auto gone = vast.destroy(id, context);
  if (!gone) return gone.error();
  // Billing stops here, unless it had before; the cleanup proves the absence.
  if (*gone || !again) context.ended(kInstance, name);
  return context.poll(1s, [&]() -> Result<std::optional<Out>> {
    auto found = vast.find(id, context);
    if (!found) return std::move(found).error();
    if (*found) return std::optional<Out>();
    return std::optional<Out>(Out{"destroyed"});
  });
}

}  // namespace

plugin::StepType destroy_instance(client::Services& services) {
  return plugin::step<In, Out>({
      .name = "vast.destroy_instance",
      .summary = "Destroy an instance that this run rented, and wait until Vast.ai does not know it any more.",
      .effect = plugin::Effect::changes,
      .inputs =
          {plugin::required("instance", &In::instance, "Id of the instance.").id_of(kAnInstance).made_by_the_run()},
      .outputs = {plugin::output("status", &Out::status, "It is gone.").one_of({"destroyed"})},
      .frees = "instance",
      .errors = {Fault::refused, Fault::auth, Fault::rate_limited, Fault::unavailable, Fault::unknown},
      .timeout = 3min,
      .example = "{instance: \"${{ steps.rental.id }}\"}",
      .estimate =
          [](const In&) {
            return plugin::Estimate{{1s, 4s, 60s}, {}};
          },
      .run = [&services](const In& in, const Context& context) { return run(services, in, context); },
  });
}

}  // namespace failover::steps::vast
