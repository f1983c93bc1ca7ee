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

namespace {

// The books as they stand: usage reaches them late, and what is younger than that is not listed at all.
Json charge_row(const World& world, const Instance& instance, base::Instant until) {
  const double start = unix_seconds(instance.created_wall);
  const base::Instant end = instance.destroyed ? std::min(*instance.destroyed, until) : until;
  const double gpu = gpu_seconds(instance, until) / 3600 * instance.gpu_usd_per_hour;
  const double disk = storage_seconds(instance, until) / 3600 * storage_usd_per_hour(instance.offer, instance.disk_gb);
  const double down = static_cast<double>(instance.bytes_in) / 1e9 * instance.offer.down_usd_gb;
  const double up = static_cast<double>(instance.bytes_out) / 1e9 * instance.offer.up_usd_gb;
  const std::int64_t from_s = static_cast<std::int64_t>(start);
  const std::int64_t until_s = static_cast<std::int64_t>(unix_seconds(world.wall_of(end)));
  const auto item = [&](const char* type, double amount) {
    return Json{{"type", type},
                {"start", from_s},
                {"end", until_s},
                {"source", nullptr},
                {"description", type},
                {"amount", to_millis(amount)},
                {"metadata", Json::object()},
                {"items", Json::array()}};
  };
  const std::string id = std::to_string(instance.id);
  Json metadata = Json::object();
  if (!instance.label.empty()) metadata["label"] = instance.label;
  return {{"start", from_s},
          {"end", until_s},
          {"type", "instance"},
          {"source", "instance-" + id},
          {"description", "Instance " + id + " Charges"},
          {"amount", to_millis(gpu + disk + down + up)},
          {"metadata", metadata},
          {"items", Json::array({item("gpu", gpu), item("disk", disk), item("bwd", down), item("bwu", up)})}};
}

}  // namespace

// The contracts that began within the days, latest first (9.3).
Answer show_charges(Call& call) {
  const World& world = call.world;
  const Json filters = Json::parse(call.request.parameter("select_filters").value_or("{}"), nullptr, false);
  const Json day = filters.is_object() ? filters.value("day", Json()) : Json();
  const auto from = day.is_object() && day.contains("gte") ? as_number(day["gte"]) : std::nullopt;
  const auto until = day.is_object() && day.contains("lte") ? as_number(day["lte"]) : std::nullopt;
  if (!from || !until) {
    return reply({{"success", false}, {"msg", "Must provide both 'day' gte and lte filters for instance charges"}},
                 400);
  }
  const base::Instant known = world.now() - world.options().charges_lag;
  Json all = Json::array();
  for (const auto& [id, instance] : world.instances) {
    const double start = unix_seconds(instance.created_wall);
    if (start < *from || start > *until || instance.created > known) continue;
    Json row = charge_row(world, instance, known);
    if (Filters::match(row, {{"type", filters.value("type", Json{{"eq", "instance"}})}})) all.push_back(std::move(row));
  }
  const bool latest_first = call.request.parameter("latest_first").value_or("true") != "false";
  if (latest_first) std::reverse(all.begin(), all.end());
  const std::string token = call.request.parameter("after_token").value_or("");
  const auto first = token.empty() ? std::optional<std::int64_t>(0) : base::parse_integer(token);
  const auto size = static_cast<std::int64_t>(all.size());
  if (!first || *first < 0 || *first > size) return failure(400, "invalid_token", "Invalid pagination token");
  const std::int64_t limit = std::clamp<std::int64_t>(
      base::parse_integer(call.request.parameter("limit").value_or("100")).value_or(100), 1, 500);
  const std::int64_t last = std::min(size, *first + limit);
  Json rows = Json::array();
  for (std::int64_t i = *first; i < last; ++i) rows.push_back(all[static_cast<std::size_t>(i)]);
  return reply({{"success", true},
                {"count", rows.size()},
                {"total", size},
                {"next_token", last < size ? Json(std::to_string(last)) : Json(nullptr)},
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
