#include <algorithm>

#include "tools/sandbox/vast/internal.h"

namespace failover::sandbox::vast {
namespace {

Answer start(World& world, Instance& instance) {
  if (world.faults.take("start_unavailable")) {
    return reply({{"success", false},
                  {"error", "resources_unavailable"},
                  {"msg", "Required resources are currently unavailable, state change queued."}});
  }
  if (world.credit() <= 0) return failure(400, "missing_billing", "Your account lacks credit.");
  if (instance.halted) world.boot(instance, Instance::Boot::start);
  return reply({{"success", true}});
}

Answer set_state(World& world, Instance& instance, const std::string& state) {
  if (state == "running") return start(world, instance);
  if (state != "stopped") return failure(400, "invalid_args", "state must be running or stopped");
  world.halt(instance);
  return reply({{"success", true}});
}

Answer reboot(Call& call, Instance::Boot kind) {
  Instance* instance = call.world.find(call.ids.front());
  if (instance == nullptr) return no_such_instance(call.ids.front());
  call.world.boot(*instance, kind);
  return reply({{"success", true}});
}

}  // namespace

Answer manage_instance(Call& call) {
  const std::int64_t id = call.ids.front();
  Instance* instance = call.world.find(id);
  if (instance == nullptr) return no_such_instance(id);
  if (const auto label = call.body.find("label"); label != call.body.end()) {
    if (!label->is_string() && !label->is_null()) return failure(400, "invalid_args", "label must be a string");
    const std::string text = text_or(call.body, "label");
    if (text.size() > 1024) return failure(400, "label_too_long", "label is longer than 1024 characters");
    instance->label = text;
    return reply({{"success", true}, {"msg", "label for " + std::to_string(id) + " set to " + text}});
  }
  return set_state(call.world, *instance, text_or(call.body, "state"));
}

Answer manage_many(Call& call) {
  const Json ids = call.body.value("ids", Json());
  if (!ids.is_array()) return failure(400, "invalid_args", "ids must be a list");
  Json missing = Json::array();
  for (const Json& id : ids) {
    Instance* instance = id.is_number_integer() ? call.world.find(id.get<std::int64_t>()) : nullptr;
    if (instance == nullptr) {
      missing.push_back(id);
      continue;
    }
    Answer answer = set_state(call.world, *instance, text_or(call.body, "state"));
    if (answer.status != 200) return answer;
  }
  return reply({{"success", missing.empty()}, {"missing", missing}});
}

Answer reboot_instance(Call& call) { return reboot(call, Instance::Boot::reboot); }
Answer recycle_instance(Call& call) { return reboot(call, Instance::Boot::recycle); }

Answer change_bid(Call& call) {
  Instance* instance = call.world.find(call.ids.front());
  if (instance == nullptr) return no_such_instance(call.ids.front());
  const auto price = as_number(call.body.value("price", Json()));
  if (!price || *price < 0.001 || *price > 32.0 * instance->offer.num_gpus) {
    return failure(400, "invalid_price", "price is out of range");
  }
  if (!instance->is_bid) return failure(400, "invalid_args", "not an interruptible instance");
  // What was used so far keeps its price.
  const double before = cost_usd(*instance, call.world.now());
  instance->gpu_usd_per_hour = *price;
  call.world.account.credit_at_start -= before - cost_usd(*instance, call.world.now());
  return reply({{"success", true}});
}

Answer destroy_instance(Call& call) {
  const std::int64_t id = call.ids.front();
  Instance* instance = call.world.find(id);
  if (instance == nullptr) return no_such_instance(id);
  call.world.destroy(*instance);
  return reply({{"success", true}, {"msg", "Instance " + std::to_string(id) + " destroyed."}});
}

Answer destroy_many(Call& call) {
  const Json ids = call.body.value("instance_ids", Json());
  if (!ids.is_array()) return failure(400, "invalid_args", "instance_ids must be a list");
  for (const Json& id : ids) {
    Instance* instance = id.is_number_integer() ? call.world.find(id.get<std::int64_t>()) : nullptr;
    if (instance != nullptr) call.world.destroy(*instance);
  }
  return reply({{"success", true}});
}

}  // namespace failover::sandbox::vast
