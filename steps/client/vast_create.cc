// Renting: the one request that must never be sent twice (leak-safety.md, "The protocol"; vastai-api.md 3).
#include <algorithm>
#include <array>

#include "engine/base/text.h"
#include "steps/client/grace.h"
#include "steps/client/vast_client.h"
#include "steps/client/vast_timer.h"

namespace failover::client::vast {
namespace {

using base::Error;
using base::Fault;
using base::Result;
using plugin::Context;
using namespace std::chrono_literals;

Written create_body(const Order& order, const std::string& label, const std::string& onstart) {
  Written body{{"client_id", "me"},
               {"image", order.image},
               {"env", Written::object()},
               {"price", nullptr},
               {"disk", static_cast<double>(order.disk.bytes) / 1e9},
               {"label", label},
               {"runtype", "ssh_direc ssh_proxy"},  // as the vendor's CLI spells it (3.1)
               {"target_state", "running"},
               {"cancel_unavail", true}};
  if (!onstart.empty()) body["onstart"] = onstart;
  return body;
}

// The id that an answer names, whatever it says beside it (3.3).
std::int64_t contract_of(const Answer& answer) { return integer_of(answer.body, "new_contract"); }

// A no in a documented form (3.3): the service's own word for why, under one of its statuses. Everything else, such as
// what a gateway says after it has passed the request on, leaves the outcome unknown.
bool refuses(const Answer& answer) {
  if (!answer.body.is_object()) return false;
  const auto success = answer.body.find("success");
  const bool denied = success != answer.body.end() && success->is_boolean() && !success->get<bool>();
  if (is_success(answer.status)) return denied;
  constexpr std::array kStatuses{400, 401, 403, 404, 410};
  const std::string error = answer.text_of("error");
  const bool documented = std::find(kStatuses.begin(), kStatuses.end(), answer.status) != kStatuses.end();
  // Of this one the status is not known.
  return documented ? !error.empty() : error == "spend_rate_limit" && answer.status / 100 == 4;
}

plugin::Intent intent_of(const Order& order) {
  plugin::Intent intent;
  intent.kind = "vast.instance";
  intent.what = order.offer.gpu_name + ", offer " + std::to_string(order.offer.id);
  intent.per_hour = order.offer.price_with(order.disk);
  intent.attributes = {{"offer", order.offer.id},
                       {"machine_id", order.offer.machine_id},
                       {"gpu_name", order.offer.gpu_name},
                       {"gpu_count", order.offer.gpu_count}};
  intent.per_gb_up = order.offer.per_gb_up;
  intent.per_gb_down = order.offer.per_gb_down;
  return intent;
}

constexpr base::Duration kWriting = 30s;  // before what was to be sent is not any more

}  // namespace

// The timer first: whatever the rest of the script does, it is armed.
std::string HttpVast::start_script(const Order& order, const Context& context) const {
  const base::WallTime deadline = context.run().deadline;
  if (deadline == base::WallTime{}) return order.onstart;
  // The wall clock may have been set since the deadline was named.
  const auto& end = context.run().end;
  const base::Duration left = end ? *end - context.clock().now() : deadline - context.clock().wall();
  return end_script(wire_.url(), left) + order.onstart;
}

Result<Rented> HttpVast::create(const Order& order, const Context& context) {
  const std::string what = "renting offer " + std::to_string(order.offer.id);
  if (auto key = wire_.has_key(); !key) return std::move(key).error().during(what);
  plugin::Intent intent = intent_of(order);
  if (auto room = context.make_room(intent); !room) return std::move(room).error().during(what);
  // Spacing and turn are waited for before the intent, so that the settle window counts from the sending.
  auto slot = wire_.slot(lane::create, false, context);
  if (!slot) return std::move(slot).error().during(what);
  const std::string script = start_script(order, context);  // says how long from now
  const auto call = [&](const std::string& label) {
    return Call{lane::create, "PUT", "/api/v0/asks/" + std::to_string(order.offer.id) + "/",
                create_body(order, label, script), false};
  };
  intent.request = [&](const std::string& label) { return text_of(call(label)); };
  const base::Instant intended = context.clock().now();
  auto hold = context.hold(intent);
  if (!hold) return std::move(hold).error().during(what);
  memory_.used(order.offer.id);
  auto answer = send_create(call(hold->name()), *std::move(slot), intended, context);
  // The machine's own key; its commands see it.
  if (answer) context.hide(base::Secret(answer->text_of("instance_api_key")));
  return settle(order, *std::move(hold), std::move(answer), context);
}

// A stop that came until here begins nothing; one that comes later does not cut it.
Result<Answer> HttpVast::send_create(const Call& call, Wire::Slot slot, base::Instant intended,
                                     const Context& context) {
  if (auto alive = context.check(); !alive) return unsent(std::move(alive).error());
  // The settle window counts from the intent: a request that goes out much later would outlive it.
  if (context.clock().now() - intended > kWriting) {
    return unsent({Fault::unavailable, "slow_disk",
                   "it took too long to write down what was to be rented: nothing was sent",
                   "look at the disk of FAILOVER_HOME, and whether this machine was asleep"});
  }
  const Grace grace(context.within(60s));
  return wire_.once(call, std::move(slot), grace.context());
}

Result<Rented> HttpVast::settle(const Order& order, plugin::Hold hold, Result<Answer> answer, const Context& context) {
  const std::string what = "renting offer " + std::to_string(order.offer.id);
  if (!answer) {
    Error error = std::move(answer).error().during(what);
    if (!nothing_was_sent(error)) return reconcile(order, std::move(hold), error, context);
    hold.unsent(error);
    return error;
  }
  if (const std::int64_t id = contract_of(*answer); id > 0) {
    if (answer->good()) return made(order, std::move(hold), id);
    return give_up_unscheduled(order, std::move(hold), id, *answer, context);
  }
  Error error = error_of(*answer, what);
  if (!refuses(*answer)) return reconcile(order, std::move(hold), error, context);
  // A 403 in no documented form may be a gateway's, of a request that was passed on all the same.
  const bool certain = answer->status != 403 || answer->text_of("error") == "auth_error" || error.code == "two_factor";
  if (error.fault == Fault::auth && !certain) error.fault = Fault::refused;
  // The request may have arrived twice, and this be the second one's answer. The cleanup looks once more.
  if (error.fault != Fault::auth && context.sleep(2s)) {
    if (auto id = find_labelled(hold.name(), context); id && *id) return made(order, std::move(hold), **id);
  }
  hold.refused(error);
  return error;
}

// The id of the instance under a label; nullopt: a listing shows none.
Result<std::optional<std::int64_t>> HttpVast::find_labelled(const std::string& label, const Context& context) {
  auto listed = list(context);
  if (!listed) return std::move(listed).error();
  const auto found =
      std::find_if(listed->begin(), listed->end(), [&](const Instance& instance) { return instance.label == label; });
  return found == listed->end() ? std::nullopt : std::optional(found->id);
}

Result<Rented> HttpVast::made(const Order& order, plugin::Hold hold, std::int64_t id) {
  Rented rented{id, hold.name(), order.offer.price_with(order.disk)};
  memory_.ordered(id, order);
  hold.made({std::to_string(id), {{"machine_id", order.offer.machine_id}}});
  return rented;
}

// A contract that was made and will not run: it bills storage until it is destroyed (3.3).
Result<Rented> HttpVast::give_up_unscheduled(const Order& order, plugin::Hold hold, std::int64_t id,
                                             const Answer& answer, const Context& context) {
  const std::string name = std::to_string(id);
  hold.made({name, {{"machine_id", order.offer.machine_id}, {"unscheduled", true}}});
  auto gone = destroy(id, context);
  if (gone) context.ended("vast.instance", name);
  Error error{Fault::no_offer, "not_scheduled",
              "Vast.ai made instance " + name + " but cannot run it (" + answer.complaint() + ")",
              "take another offer"};
  if (!gone) error.trail.push_back("it could not be destroyed yet: " + gone.error().message);
  return error;
}

Result<Rented> HttpVast::reconcile(const Order& order, plugin::Hold hold, const Error& why, const Context& context) {
  context.progress("the answer to the rental was lost: looking for " + hold.name());
  constexpr std::array<base::Duration, 6> kPauses{1s, 2s, 4s, 8s, 15s, 15s};
  for (const base::Duration pause : kPauses) {
    if (!context.sleep(pause)) break;
    const auto id = find_labelled(hold.name(), context);
    if (!id && id.error().fault == Fault::auth) break;
    if (id && *id) return made(order, std::move(hold), **id);
  }
  Error error{
      Fault::unknown, "create_unclear",
      "whether Vast.ai rented offer " + std::to_string(order.offer.id) + " is not known: " + why.message,
      "it is not sent again; the cleanup looks for the label " + hold.name() + " until it cannot appear any more"};
  hold.unclear(error);
  return error;
}

}  // namespace failover::client::vast
