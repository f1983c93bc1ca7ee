#include <algorithm>
#include <cmath>

#include "engine/base/text.h"
#include "tools/sandbox/vast/internal.h"

namespace failover::sandbox::vast {
namespace {

double to_millis(double usd) { return std::round(usd * 1000) / 1000; }

}  // namespace

Answer show_user(Call& call) {
  const World& world = call.world;
  const double credit = world.faults.armed("no_credit") ? 0.0 : world.credit();
  const Json key = world.account.ssh_keys.empty() ? Json() : Json(world.account.ssh_keys.front().text);
  return reply({{"id", world.account.user_id},
                {"email", "sandbox@localhost"},
                {"username", "sandbox"},
                {"fullname", "Failover Sandbox"},
                {"credit", credit},
                {"balance", 0},
                {"balance_threshold", 0},
                {"balance_threshold_enabled", false},
                {"billed_expected", 0},
                {"billed_verified", 0},
                {"can_pay", true},
                {"has_billing", true},
                {"has_payout", false},
                {"email_verified", true},
                {"got_signup_credit", 0},
                {"last4", nullptr},
                {"paid_expected", 0},
                {"paid_verified", 0},
                {"ssh_key", key},
                {"sid", "sandbox"},
                {"key_id", 1}});
}

Answer show_charges(Call& call) {
  const World& world = call.world;
  const Json filters = Json::parse(call.request.parameter("select_filters").value_or("{}"), nullptr, false);
  if (!filters.is_object() || !filters.value("day", Json()).is_object()) {
    return failure(400, "invalid_args", "select_filters must name a day range");
  }
  const double from = as_number(filters["day"].value("gte", Json(0))).value_or(0);
  const double until = as_number(filters["day"].value("lte", Json(1e18))).value_or(1e18);
  Json rows = Json::array();
  double total = 0;
  for (const auto& [id, instance] : world.instances) {
    const double start = unix_seconds(instance.created_wall);
    if (start < from || start > until) continue;
    const double end =
        instance.destroyed ? unix_seconds(world.wall_of(*instance.destroyed)) : unix_seconds(world.wall());
    const double gpu = gpu_seconds(instance, world.now()) / 3600 * instance.gpu_usd_per_hour;
    const double all = cost_usd(instance, world.now());
    const auto item = [&](const char* type, double amount) {
      return Json{{"type", type}, {"start", start}, {"end", end}, {"description", type}, {"amount", to_millis(amount)}};
    };
    rows.push_back({{"start", start},
                    {"end", end},
                    {"type", "instance"},
                    {"source", "instance-" + std::to_string(id)},
                    {"description", "Instance " + std::to_string(id)},
                    {"amount", to_millis(all)},
                    {"metadata", {{"label", instance.label}}},
                    {"items", Json::array({item("gpu", gpu), item("disk", all - gpu)})}});
    total += all;
  }
  std::reverse(rows.begin(), rows.end());  // latest first
  return reply({{"success", true},
                {"count", rows.size()},
                {"total", to_millis(total)},
                {"next_token", nullptr},
                {"results", rows}});
}

Answer request_logs(Call& call) {
  const Instance* instance = call.world.find(call.ids.front());
  if (instance == nullptr) return failure(404, "invalid_id", "Invalid instance id.");
  return reply({{"success", true},
                {"result_url", call.world.vast_url + "/_sandbox/logs/" + std::to_string(instance->id)},
                {"msg", "Logs requested."}});
}

}  // namespace failover::sandbox::vast
