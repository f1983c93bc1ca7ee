#include "engine/plugin/step.h"
#include "steps/vast/parts.h"

namespace failover::steps::vast {
namespace {

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

Result<Out> run(client::Vast& vast, const In& in, const Context& context) {
  const std::int64_t id = vast.current(in.instance.number);
  auto asked = vast.set_state(id, "running", context);
  if (!asked) {
    // The wish stays queued at the service and would start the meter later: withdrawn (vastai-api.md 6).
    if (asked.error().code == "resources_unavailable") {
      if (auto withdrawn = vast.set_state(id, "stopped", context); !withdrawn) {
        asked.error().trail.push_back("the queued wish could not be withdrawn: " + withdrawn.error().message);
      }
    }
    return std::move(asked).error();
  }
  auto found = vast.find(id, context);
  if (!found) return std::move(found).error();
  return Out{*found ? status_word(**found) : "gone"};
}

}  // namespace

plugin::StepType start_instance(client::Services& services) {
  return plugin::step<In, Out>({
      .name = "vast.start_instance",
      .summary = "Start a stopped instance; vast.wait_until_ready then waits for it.",
      .effect = plugin::Effect::changes,
      .inputs = {plugin::required("instance", &In::instance, "Id of the instance.").id_of(kAnInstance).of_what_lives()},
      .outputs = {plugin::output("status", &Out::status, "Just after the start: often still exited.")},
      .wakes = "instance",
      .errors = {Fault::not_found, Fault::no_credit, Fault::auth, Fault::rate_limited, Fault::unavailable,
                 Fault::unknown, Fault::refused},
      .timeout = 3min,
      .example = "{instance: 8812345}",
      .estimate =
          [](const In&) {
            return plugin::Estimate{{1s, 2s, 30s}, {}};
          },
      .run = [&services](const In& in, const Context& context) { return run(*services.vast, in, context); },
  });
}

}  // namespace failover::steps::vast
