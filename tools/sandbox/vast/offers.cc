#include <algorithm>
#include <set>

#include "tools/sandbox/vast/internal.h"
#include "tools/sandbox/vast/lean.h"

namespace failover::sandbox::vast {
namespace {

constexpr std::size_t kMostRows = 64;  // whatever `limit` says (2.2)

Json price_object(double gpu, double disk) {
  return {{"gpuCostPerHour", gpu},
          {"diskHour", disk},
          {"totalHour", gpu + disk},
          {"discountTotalHour", 0},
          {"discountedTotalPerHour", gpu + disk}};
}

void add_hardware(Json& row, const Offer& offer) {
  row.update({{"gpu_name", offer.gpu_name},
              {"num_gpus", offer.num_gpus},
              {"gpu_ram", offer.gpu_ram_mb},
              {"gpu_total_ram", offer.gpu_ram_mb * offer.num_gpus},
              {"gpu_frac", offer.num_gpus == 1 ? 0.5 : 1.0},
              {"gpu_ids", Json::array({offer.machine_id * 8})},
              {"gpu_lanes", 16},
              {"gpu_arch", "nvidia"},
              {"gpu_mem_bw", 912.0},
              {"gpu_max_power", 350.0},
              {"gpu_max_temp", 90.0},
              {"gpu_display_active", false},
              {"compute_cap", offer.compute_cap},
              {"cuda_max_good", offer.cuda_max_good},
              {"driver_version", offer.driver_version},
              {"driver_vers", 550127005},
              {"pci_gen", 4.0},
              {"pcie_bw", 23.1},
              {"bw_nvlink", 0.0},
              {"mobo_name", "ROME2D32GM-2T"},
              {"os_version", "22.04"},
              {"cpu_name", offer.cpu_name},
              {"cpu_arch", "amd64"},
              {"cpu_cores", offer.cpu_cores},
              {"cpu_cores_effective", offer.cpu_cores / 4.0 * offer.num_gpus},
              {"cpu_ram", offer.cpu_ram_mb},
              {"cpu_ghz", 3.2},
              {"has_avx", 1},
              {"disk_space", offer.disk_gb},
              {"disk_bw", offer.disk_mbps},
              {"disk_name", "nvme"},
              {"inet_up", offer.up_mbps},
              {"inet_down", offer.down_mbps}});
}

void add_prices(Json& row, const Offer& offer, double gb, bool bid) {
  const double floor = offer.gpu_usd_per_hour * 0.6;
  const double gpu = bid ? floor : offer.gpu_usd_per_hour;
  const double disk = storage_usd_per_hour(offer, gb);
  row.update({{"dph_base", gpu},
              {"dph_total", gpu + disk},
              {"dph_total_adj", gpu + disk},
              {"storage_cost", offer.storage_usd_gb_month},
              {"storage_total_cost", disk},
              {"min_bid", floor},
              {"is_bid", bid},
              {"discount_rate", 0},
              {"discounted_hourly", 0},
              {"discounted_dph_total", gpu + disk},
              {"credit_discount_max", 0.4},
              {"inet_up_cost", offer.up_usd_gb},
              {"inet_down_cost", offer.down_usd_gb},
              {"internet_up_cost_per_tb", offer.up_usd_gb * 1000},
              {"internet_down_cost_per_tb", offer.down_usd_gb * 1000},
              {"search", price_object(gpu, disk)},
              {"instance", price_object(gpu, 0)},
              {"dlperf", offer.dlperf},
              {"dlperf_per_dphtotal", offer.dlperf / (gpu + disk)},
              {"flops_per_dphtotal", offer.tflops / (gpu + disk)},
              {"total_flops", offer.tflops},
              {"score", offer.dlperf / (gpu + disk) * offer.reliability},
              {"rn", 1}});
}

// The filter object and what is beside it, from any of the three endpoints (2.1).
std::optional<Json> question(const Call& call) {
  if (call.request.method == "GET") {
    const Json q = Json::parse(call.request.parameter("q").value_or("{}"), nullptr, false);
    return q.is_object() ? std::optional(q) : std::nullopt;
  }
  if (call.request.method == "PUT") {
    const auto q = call.body.find("q");
    if (q == call.body.end()) return Json::object();
    return q->is_object() ? std::optional(*q) : std::nullopt;
  }
  return call.body;
}

Json take(Json& from, const char* name) {
  const auto found = from.find(name);
  if (found == from.end()) return nullptr;
  Json value = *found;
  from.erase(found);
  return value;
}

using SortKeys = std::vector<std::pair<std::string, bool>>;  // column, descending

SortKeys sort_keys(const Json& order) {
  SortKeys keys;
  for (const Json& key : order) {
    if (key.is_array() && !key.empty() && key[0].is_string()) {
      keys.emplace_back(key[0].get<std::string>(), key.size() > 1 && key[1] == "desc");
    }
  }
  if (keys.empty()) keys.emplace_back("score", true);
  return keys;
}

// `column(row, name)` is what a row holds there.
template <class Row, class ColumnOf>
void sort_rows(std::vector<Row>& rows, const SortKeys& keys, const ColumnOf& column) {
  std::stable_sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
    for (const auto& [name, descending] : keys) {
      const int order_of = compare(column(a, name), column(b, name));
      if (order_of != 0) return descending ? order_of > 0 : order_of < 0;
    }
    return false;
  });
}

// No row of this offer can match: spares the making of it. Everything else is Filters' to judge.
bool certainly_not(const Offer& offer, const Json& filters) {
  const auto model = filters.find("gpu_name");
  if (model == filters.end()) return false;
  const auto wanted = model->find("eq");
  if (wanted == model->end()) return false;
  const auto* name = wanted->get_ptr<const std::string*>();
  return name != nullptr && *name != offer.gpu_name;
}

}  // namespace

Json offer_row(const Offer& offer, double allocated_gb, bool bid) {
  Json row{{"id", offer.id},
           {"ask_contract_id", offer.id},
           {"bundle_id", offer.machine_id * 11},
           {"machine_id", offer.machine_id},
           {"host_id", offer.host_id},
           {"cluster_id", nullptr},
           {"reliability", offer.reliability},
           {"reliability2", offer.reliability},
           {"expected_reliability", offer.reliability},
           {"reliability_mult", 1.0},
           {"rentable", !offer.rented},
           {"rented", offer.rented},
           {"verification", offer.verification},
           {"vericode", 1},
           {"hosting_type", offer.datacenter ? 1 : 0},
           {"datacenter", offer.datacenter},
           {"static_ip", offer.static_ip},
           {"external", nullptr},
           {"vms_enabled", false},
           {"resource_type", "gpu"},
           {"direct_port_count", offer.direct_ports},
           {"public_ipaddr", "127.0.0.1"},
           {"geolocation", offer.geolocation},
           {"geolocode", 1}};
  add_hardware(row, offer);
  add_prices(row, offer, allocated_gb, bid);
  return row;
}

Answer search_offers(Call& call) {
  auto asked = question(call);
  if (!asked) return reply({{"error", "invalid_request"}, {"msg", "Invalid json body"}}, 400);
  Json filters = *std::move(asked);
  const Json type = take(filters, "type");
  Json order = take(filters, "order");
  const Json limit = take(filters, "limit");
  const Json storage = take(filters, "allocated_storage");
  for (const char* other : {"disable_bundling", "api_key", "select_cols"}) take(filters, other);
  if (const auto name = Filters::malformed(filters)) {
    return reply(
        {{"success", false}, {"error", "bad_request"}, {"msg", "q." + *name + " must be a dictionary of operators"}},
        400);
  }
  for (const char* flag : {"verified", "rentable"}) {
    if (!filters.contains(flag)) filters[flag] = {{"eq", true}};
  }
  if (!filters.contains("rented")) filters["rented"] = {{"eq", false}};
  const bool impossible = filters.contains("id");  // matches nothing (2.2)
  const double gb = as_number(storage).value_or(8.0);
  const double left_s = 20 * 86400.0;
  const double wall = unix_seconds(call.world.wall());
  const Json times{{"start_date", wall - 86400},
                   {"end_date", wall + left_s},
                   {"duration", left_s},
                   {"time_remaining", ""},
                   {"time_remaining_isbid", ""}};
  const bool none = call.world.faults.take("no_offers") || impossible;
  const bool bid = type == "bid" || type == "interruptible";
  const double wanted = as_number(limit).value_or(static_cast<double>(kMostRows));
  const auto most = wanted < 1 ? kMostRows : std::min(kMostRows, static_cast<std::size_t>(std::min(wanted, 1e6)));
  const SortKeys keys = sort_keys(order.is_array() ? order : Json::array());
  const auto on_market = [&](const Offer& offer) { return !none && !offer.gone && !certainly_not(offer, filters); };
  Answer answer;
  if (call.world.options().lean_rows && !bid) {
    const auto column = [&](const Offer* offer, const std::string& name) {
      return lean::column(*offer, gb, times, name);
    };
    std::vector<const Offer*> rows;
    for (const Offer& offer : call.world.offers) {
      if (!on_market(offer)) continue;
      if (Filters::match([&](const std::string& name) { return column(&offer, name); }, filters))
        rows.push_back(&offer);
    }
    sort_rows(rows, keys, column);
    if (rows.size() > most) rows.resize(most);
    answer = lean::offers(rows, gb, rows.empty() || !call.world.faults.take("price_unreadable"));
  } else {
    std::vector<Json> rows;
    for (const Offer& offer : call.world.offers) {
      if (!on_market(offer)) continue;
      Json row = offer_row(offer, gb, bid);
      row.update(times);
      if (Filters::match(row, filters)) rows.push_back(std::move(row));
    }
    sort_rows(rows, keys, [](const Json& row, const std::string& name) { return row.value(name, Json()); });
    if (rows.size() > most) rows.resize(most);
    if (!rows.empty() && call.world.faults.take("price_unreadable"))
      rows.front()["dph_base"] = rows.front()["dph_total"] = nullptr;
    answer = reply({{"offers", rows}});
  }
  answer.delay = call.world.new_timing().search;
  return answer;
}

Answer gpu_names(Call& call) {
  std::set<std::string> names;
  for (const Offer& offer : call.world.offers) names.insert(offer.gpu_name);
  return reply({{"gpu_names", names}});
}

}  // namespace failover::sandbox::vast
