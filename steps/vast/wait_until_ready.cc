#include "engine/base/text.h"
#include "engine/plugin/step.h"
#include "steps/vast/ready.h"

namespace failover::steps::vast {
namespace {

using base::Error;
using base::Fault;
using base::Result;
using plugin::Context;
using namespace std::chrono_literals;

constexpr int kReplacements = 2;

struct In {
  Id instance;
};
struct Out {
  client::Endpoint ssh;
  std::string workspace;
  std::string status;
  std::int64_t instance = 0;
  std::vector<std::string> tools;
};

Error gave_up(std::int64_t id, const std::string& why, const std::string& what) {
  return {Fault::unavailable, "instance_failed",
          "instance " + std::to_string(id) + " does not become ready: " + why + what,
          "take another machine, another image, or try again later"};
}

// Gives the machine back and rents another one for the same order.
Result<std::int64_t> replace(client::Services& services, std::int64_t id, const Hopeless& lost,
                             std::vector<std::int64_t>& avoid, const Context& context) {
  client::Vast& vast = *services.vast;
  context.progress("giving up instance " + std::to_string(id) + " (" + lost.why + ") and taking another machine");
  if (lost.ssh) services.ssh->forget(*lost.ssh);
  // Never two where the plan has one: when this fails no other is taken, and the cleanup goes on with this one.
  auto gone = vast.destroy(id, context);
  if (!gone) return std::move(gone).error().during("giving back instance " + std::to_string(id) + ", " + lost.why);
  context.ended(kInstance, std::to_string(id));
  auto order = vast.order_of(id);
  if (!order) return gave_up(id, lost.why, "; what was ordered is not known any more");
  avoid.push_back(order->offer.machine_id);
  auto others = vast.others_like(order->offer.id, avoid, context);
  if (!others) return std::move(others).error().during("replacing instance " + std::to_string(id));
  if (others->empty()) return gave_up(id, lost.why, "; no other offer is left");
  order->offer = others->front();
  auto rented = rent(vast, *std::move(order), avoid, context);
  if (!rented) return std::move(rented).error().during("replacing instance " + std::to_string(id));
  vast.replaced(id, rented->id);
  return rented->id;
}

// The last wall (leak-safety.md): said when it does not stand; the others do.
void tell_timer(std::int64_t id, const std::vector<std::string>& tools, const Context& context) {
  for (const auto& tool : tools) {
    if (tool != "sh") return;
  }
  context.progress("instance " + std::to_string(id) +
                   " has none of curl, python3 and wget: it cannot end itself at the deadline");
}

Result<Out> run(client::Services& services, const In& in, const Context& context) {
  std::int64_t id = services.vast->current(in.instance.number);
  const base::Duration whole = context.patience().left();
  std::vector<std::int64_t> avoid;
  for (int replaced = 0;; ++replaced) {
    const bool ours = context.held(kInstance, std::to_string(id)).has_value();
    Watch watch(services, id, ours, whole, context);
    auto ready = watch.run();
    if (!ready) return std::move(ready).error();
    if (*ready) {
      if (ours) tell_timer(id, (*ready)->tools, context);
      return Out{(*ready)->ssh, (*ready)->workspace, (*ready)->status, id, (*ready)->tools};
    }
    // What somebody else rented is never destroyed.
    if (!ours) return gave_up(id, watch.hopeless().why, "");
    if (replaced == kReplacements) return gave_up(id, watch.hopeless().why, ", and neither did those before it");
    auto next = replace(services, id, watch.hopeless(), avoid, context);
    if (!next) return std::move(next).error();
    id = *next;
  }
}

}  // namespace

plugin::StepType wait_until_ready(client::Services& services) {
  return plugin::step<In, Out>({
      .name = "vast.wait_until_ready",
      .summary = "Wait until an instance runs and a command over SSH succeeds; a machine that will not is replaced.",
      .effect = plugin::Effect::changes,
      .inputs = {plugin::required("instance", &In::instance,
                                  "Id of the instance; one that the run did not make is only waited for.")
                     .id_of(kAnInstance)
                     .of_what_runs()},
      .outputs =
          {plugin::output("ssh", &Out::ssh, "Where it answers."),
           plugin::output("workspace", &Out::workspace, "A directory on it for the drill's files.").on_the_machine(),
           plugin::output("status", &Out::status, "As Vast.ai says it.").one_of({"running"}),
           plugin::output("instance", &Out::instance,
                          "The instance that became ready: another one when it was replaced.")
               .id_of(kAnInstance),
           plugin::output("tools", &Out::tools, "Which of these it has.").one_of({"sh", "curl", "wget", "python3"})},
      .holds = {kInstance, kSshKey},
      .waits = "instance",
      .errors = {Fault::unavailable, Fault::not_found, Fault::auth, Fault::rate_limited, Fault::host_key_changed,
                 Fault::no_offer, Fault::no_credit, Fault::unknown, Fault::refused},
      .timeout = 10min,
      .example = "{instance: 8812345}",
      .estimate =
          [](const In&) {
            return plugin::Estimate{{30s, 75s, 10min}, {}};
          },
      .run = [&services](const In& in, const Context& context) { return run(services, in, context); },
  });
}

}  // namespace failover::steps::vast
