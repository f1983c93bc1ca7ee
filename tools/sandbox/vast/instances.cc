#include <algorithm>

#include "engine/base/digest.h"
#include "engine/base/text.h"
#include "tools/sandbox/vast/internal.h"
#include "tools/sandbox/vast/lean.h"

namespace failover::sandbox::vast {
namespace {

constexpr std::size_t kPage = 25;

// What may be searched and sorted by; computed columns may not (4.2).
const std::vector<std::string>& columns() {
  static const std::vector<std::string> names{
      "id",         "label",      "machine_id", "host_id",  "actual_status", "intended_status", "cur_state",
      "next_state", "status_msg", "image_uuid", "gpu_name", "start_date",    "end_date",        "is_bid",
      "dph_base",   "disk_space", "ssh_host",   "ssh_port", "geolocation",   "verification",    "template_hash_id"};
  return names;
}

struct Order {
  std::string column;
  bool descending = false;
};

Answer bad_query(const std::string& what) {
  return reply({{"error", "invalid_request"}, {"msg", "Error in query parameters: " + what}}, 400);
}

bool known_column(const std::string& name) {
  return std::find(columns().begin(), columns().end(), name) != columns().end();
}

Json parameter_json(const Call& call, const char* name, Json otherwise) {
  const auto text = call.request.parameter(name);
  if (!text || text->empty()) return otherwise;
  return Json::parse(*text, nullptr, false);
}

std::size_t page_size(const std::string& limit) {
  const double asked = as_number(limit).value_or(25);
  return asked <= 0 ? 5 : std::min(kPage, static_cast<std::size_t>(std::min(asked, 1000.0)));
}

// A page of everything by id, as clients read the whole listing, or of one id; nullopt when something else is asked.
std::optional<Answer> plain_page(const Call& call) {
  std::optional<std::int64_t> only;
  std::int64_t after = 0;
  std::size_t limit = kPage;
  for (const auto& [name, value] : call.request.query()) {
    if (name == "limit") {
      limit = page_size(value);
    } else if (name == "after_token") {
      const auto text = base::from_base64(value);
      const Json token = text ? Json::parse(*text, nullptr, false) : Json();
      const auto id = Json::json_pointer("/values/id");
      if (!token.is_object() || !token.contains(id) || !token[id].is_number_integer()) return std::nullopt;
      after = token[id].get<std::int64_t>();
    } else if (name == "select_filters") {
      const Json filter = Json::parse(value, nullptr, false);
      const auto id = Json::json_pointer("/id/eq");
      const bool plain = filter.is_object() && filter.contains(id) && filter[id].is_number_integer();
      if (!plain || filter.size() != 1 || filter["id"].size() != 1) return std::nullopt;
      only = filter[id].get<std::int64_t>();
    } else if (name != "order_by" || value != R"([{"col":"id","dir":"asc"}])") {
      return std::nullopt;
    }
  }
  const auto& all = call.world.instances;
  const bool rows = std::any_of(all.upper_bound(after), all.end(), [&](const auto& one) {
    return (!only || one.first == *only) && is_listed(call.world, one.second);
  });
  return lean::instances(call.world, only, after, limit, rows && call.world.faults.take("list_page_lost"));
}

// Negative when row `a` comes before the row with these values.
int order_against(const Json& a, const Json& values, const std::vector<Order>& order) {
  for (const Order& key : order) {
    const int result = compare(a.value(key.column, Json()), values.value(key.column, Json()));
    if (result != 0) return key.descending ? -result : result;
  }
  return 0;
}

Json ports_of(const Instance& instance, bool running) {
  if (!running) return nullptr;
  if (!has_direct_port(instance)) return Json::object();  // the proxy alone (3.1)
  const std::string port = std::to_string(instance.port);
  return {
      {"22/tcp", Json::array({{{"HostIp", "0.0.0.0"}, {"HostPort", port}}, {{"HostIp", "::"}, {"HostPort", port}}})}};
}

Json env_pairs(const Instance& instance) {
  Json out = Json::array();
  for (const auto& [name, value] : instance.env) out.push_back(Json::array({name, value}));
  return out;
}

// What describes a rental to people and dashboards.
Json details(const Instance& instance, bool running) {
  const auto text_or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  return {{"image_args", Json::array()},
          {"onstart", text_or_null(instance.onstart)},
          {"extra_env", env_pairs(instance)},
          {"template_id", nullptr},
          {"template_hash_id", nullptr},
          {"template_name", nullptr},
          {"jupyter_token", base::digest_hex(base::Algorithm::sha256, instance.api_key)},
          {"gpu_totalram", instance.offer.gpu_ram_mb * instance.offer.num_gpus},
          {"gpu_util", running ? Json(0.0) : Json()},
          {"gpu_temp", running ? Json(41.0) : Json()},
          {"cpu_util", 0.0},
          {"mem_limit", 62.9},
          {"mem_usage", 1.2},
          {"vmem_usage", 0.0},
          {"disk_usage", running ? 1.0 : -1.0},
          {"disk_util", running ? 0.1 : -1.0},
          {"country_code", "US"},
          {"volume_info", Json::array()},
          {"storage_total_cost", storage_usd_per_hour(instance.offer, instance.disk_gb)},
          {"inet_up_billed", static_cast<double>(instance.bytes_out) / 1e9},
          {"inet_down_billed", static_cast<double>(instance.bytes_in) / 1e9},
          {"credit_balance", nullptr},
          {"credit_discount", nullptr},
          {"uptime_mins", nullptr},
          {"client_run_time", 1.1},
          {"host_run_time", 2592000.0},
          {"time_remaining", ""},
          {"time_remaining_isbid", ""}};
}

}  // namespace

bool is_visible(const World& world, const Instance& instance) {
  return !instance.destroyed && world.now() >= instance.created + instance.timing.visible;
}

bool is_listed(const World& world, const Instance& instance) {
  return is_visible(world, instance) && world.now() >= instance.created + instance.timing.visible + instance.unlisted;
}

bool has_direct_port(const Instance& instance) {
  return base::contains(instance.runtype, "direc") && instance.offer.direct_ports > 0;
}

Json instance_row(const World& world, const Instance& instance) {
  const Status status = status_of(instance, world.now());
  const bool running = status.running();
  Json row = offer_row(instance.offer, instance.disk_gb, instance.is_bid);
  for (const char* offers_only : {"ask_contract_id", "gpu_total_ram", "rented", "datacenter"}) row.erase(offers_only);
  const double storage = storage_usd_per_hour(instance.offer, instance.disk_gb);
  const double start = unix_seconds(instance.created_wall);
  const double end = start + 20 * 86400.0;
  const auto text_or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  const auto rows = [](const Json& more, Json& into) { into.update(more); };
  rows({{"id", instance.id},
        {"label", text_or_null(instance.label)},
        {"image_uuid", instance.image},
        {"image_runtype", instance.runtype},
        {"disk_space", instance.disk_gb},
        {"rentable", false}},
       row);
  rows(details(instance, running), row);
  rows({{"dph_base", instance.gpu_usd_per_hour},
        {"dph_total", instance.gpu_usd_per_hour + storage},
        {"is_bid", instance.is_bid},
        {"start_date", start},
        {"end_date", end},
        {"duration", end - unix_seconds(world.wall())}},
       row);
  rows({{"actual_status", status.actual ? Json(*status.actual) : Json()},
        {"intended_status", status.intended},
        {"cur_state", status.current},
        {"next_state", status.next},
        {"status_msg", text_or_null(status.message)},
        {"ssh_host", "127.0.0.1"},
        {"ssh_port", instance.port + (world.options().proxy_apart ? 1 : 0)},
        {"ssh_idx", "0"},
        {"public_ipaddr", "127.0.0.1\n"},
        {"local_ipaddrs", "127.0.0.1 \n"},
        {"ports", ports_of(instance, running)},
        {"direct_port_start", running ? instance.port : -1},
        {"direct_port_end", running ? instance.port : -1},
        {"machine_dir_ssh_port", instance.port},
        {"workspace", text_or_null(instance.workspace)}},
       row);
  return row;
}

Answer show_instance(Call& call) {
  const Instance* instance = call.world.find(call.ids.front());
  const bool shown = instance != nullptr && is_visible(call.world, *instance);
  if (call.world.options().lean_rows) return lean::instance(call.world, shown ? instance : nullptr);
  return reply({{"instances", shown ? instance_row(call.world, *instance) : Json()}});
}

Answer list_instances(Call& call) {
  if (call.world.options().lean_rows) {
    if (auto page = plain_page(call)) return *std::move(page);
  }
  const Json filters = parameter_json(call, "select_filters", Json::object());
  const Json order_by = parameter_json(call, "order_by", Json::array());
  const Json cols = parameter_json(call, "select_cols", Json::array({"*"}));
  if (!filters.is_object() || !order_by.is_array() || !cols.is_array()) return bad_query("invalid JSON");
  if (const auto name = Filters::malformed(filters)) return bad_query(*name + " must be a dictionary of operators");
  for (const auto& [name, conditions] : filters.items()) {
    if (!known_column(name)) return bad_query(name + " is not a valid search key");
  }
  std::vector<Order> order;
  for (const Json& key : order_by) {
    const std::string name = key.is_object() ? text_or(key, "col") : "";
    if (!known_column(name)) return bad_query(name + " is not a valid search key");
    order.push_back({name, text_or(key, "dir") == "desc"});
  }
  order.push_back({"id", false});
  Json after;
  if (const auto token = call.request.parameter("after_token"); token && !token->empty()) {
    const auto text = base::from_base64(*token);
    const Json decoded = text ? Json::parse(*text, nullptr, false) : Json();
    if (!decoded.is_object() || !decoded.contains("values"))
      return failure(400, "invalid_token", "Invalid pagination token");
    after = decoded["values"];
  }
  std::vector<Json> rows;
  Json counts = Json::object();
  for (const auto& [id, instance] : call.world.instances) {
    if (!is_listed(call.world, instance)) continue;
    Json row = instance_row(call.world, instance);
    if (!Filters::match(row, filters)) continue;
    if (!instance.label.empty()) counts[instance.label] = counts.value(instance.label, 0) + 1;
    rows.push_back(std::move(row));
  }
  const std::size_t total = rows.size();
  std::sort(rows.begin(), rows.end(), [&](const Json& a, const Json& b) { return order_against(a, b, order) < 0; });
  if (!after.is_null()) {
    rows.erase(std::remove_if(rows.begin(), rows.end(),
                              [&](const Json& row) { return order_against(row, after, order) <= 0; }),
               rows.end());
  }
  const std::size_t limit = page_size(call.request.parameter("limit").value_or("25"));
  Json next;
  if (rows.size() > limit) {
    rows.resize(limit);
    Json values = Json::object();
    for (const Order& key : order) values[key.column] = rows.back().value(key.column, Json());
    next = base::base64(Json{{"values", values}}.dump());
  }
  if (!rows.empty() && call.world.faults.take("list_page_lost")) {
    rows.clear();
    next = Json();
  }
  const bool every = std::find(cols.begin(), cols.end(), "*") != cols.end();
  for (Json& row : rows) {
    if (every) break;
    Json chosen = Json::object();
    for (const Json& name : cols) {
      if (name.is_string()) chosen[name.get<std::string>()] = row.value(name.get<std::string>(), Json());
    }
    row = std::move(chosen);
  }
  return reply({{"success", true},
                {"instances_found", rows.size()},
                {"total_instances", total},
                {"label_counts", counts},
                {"next_token", next},
                {"instances", rows}});
}

Answer list_instances_old(Call&) {
  return failure(410, "deprecated_endpoint", "/api/v0/instances/ is deprecated. Use /api/v1/instances/ instead.");
}

}  // namespace failover::sandbox::vast
