#include "engine/plugin/step.h"
#include "steps/vast/parts.h"

namespace failover::steps::vast {
namespace {

using base::Fault;
using namespace std::chrono_literals;

struct In {
  Id instance;
};
struct Out {
  std::string status;
  std::string message;
  std::string label;
  std::string gpu_name;
  base::Money price_per_hour{};
  std::int64_t machine_id = 0;
};

}  // namespace

plugin::StepType show_instance(client::Services& services) {
  return plugin::step<In, Out>({
      .name = "vast.show_instance",
      .summary = "Read what Vast.ai says about an instance; one that is not there has the status `gone`.",
      .inputs = {plugin::required("instance", &In::instance, "Id of the instance.").id_of(kAnInstance)},
      .outputs = {plugin::output("status", &Out::status,
                                 "What its container does; provisioning before there is one, gone where there is no "
                                 "such instance.")
                      .one_of({"provisioning", "created", "loading", "running", "exited", "stopped", "frozen",
                               "rebooting", "recycling", "unknown", "offline", "error", "gone"}),
                  plugin::output("message", &Out::message, "Vast.ai's own words about it."),
                  plugin::output("label", &Out::label, "Empty when it has none."),
                  plugin::output("gpu_name", &Out::gpu_name, "Model."),
                  plugin::output("price_per_hour", &Out::price_per_hour, "While it runs."),
                  plugin::output("machine_id", &Out::machine_id, "The machine behind it.").id_of(kAMachine)},
      .errors = {Fault::auth, Fault::rate_limited, Fault::unavailable, Fault::refused},
      .timeout = 2min,
      .example = "{instance: 8812345}",
      .estimate =
          [](const In&) {
            return plugin::Estimate{{200ms, 1s, 10s}, {}};
          },
      .run = [&services](const In& in, const plugin::Context& context) -> base::Result<Out> {
        client::Vast& vast = *services.vast;
        auto found = vast.find(vast.current(in.instance.number), context);
        if (!found) return std::move(found).error();
        Out out;
        out.status = "gone";
        if (!*found) return out;
        const client::Instance& instance = **found;
        context.priced(kInstance, std::to_string(instance.id), instance.price_per_hour);
        return Out{status_word(instance), instance.message,        instance.label,
                   instance.gpu_name,     instance.price_per_hour, instance.machine_id};
      },
  });
}

}  // namespace failover::steps::vast
