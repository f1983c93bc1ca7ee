#include "steps/client/vast_objects.h"

#include <cmath>

#include "engine/base/text.h"

namespace failover::client {

base::Money Offer::price_with(base::Size disk) const {
  const double gb = static_cast<double>(disk.bytes) / 1e9;
  const auto storage = base::money_from_usd(std::max(0.0, storage_usd_per_gb_month) * gb / 720.0);
  return gpu_per_hour + storage.value_or(base::Money{});
}

namespace vast {
namespace {

// Seconds that the host must still offer: a rental ends with the offer (9.2).
double long_enough(const OfferQuery& query) { return std::max(3600.0, base::seconds(query.lasts)); }

double gigabytes(base::Size size) { return static_cast<double>(size.bytes) / 1e9; }

struct HostPort {
  std::string host;
  std::int64_t port = 0;
};

// `{"22/tcp": [{"HostIp": ..., "HostPort": "40713"}]}` (5.3); the port is a text.
HostPort direct_of(const Json& row) {
  const auto ports = row.find("ports");
  if (ports == row.end() || !ports->is_object()) return {};
  const auto ssh = ports->find("22/tcp");
  if (ssh == ports->end() || !ssh->is_array() || ssh->empty()) return {};
  const std::int64_t port = integer_of(ssh->front(), "HostPort");
  std::string host(base::trim(text_of(row, "public_ipaddr")));
  if (port < 1 || port > 65535 || host.empty()) return {};
  return {std::move(host), port};
}

HostPort proxy_of(const Json& row) {
  std::string host(base::trim(text_of(row, "ssh_host")));
  const bool jupyter = base::contains(text_of(row, "image_runtype"), "jupyter");
  const std::int64_t port = integer_of(row, "ssh_port") + (jupyter ? 1 : 0);  // 8.2
  if (port < 1 || port > 65535 || host.empty()) return {};
  return {std::move(host), port};
}

}  // namespace

std::optional<Offer> offer_of(const Json& row, base::Size disk) {
  const auto gpu = base::money_from_usd(number_of(row, "dph_base", -1));
  const auto total = base::money_from_usd(number_of(row, "dph_total", -1));
  Offer offer;
  offer.id = integer_of(row, "ask_contract_id", integer_of(row, "id"));
  if (offer.id <= 0 || !total) return std::nullopt;
  offer.gpu_name = text_of(row, "gpu_name");
  offer.gpu_count = integer_of(row, "num_gpus", 1);
  offer.machine_id = integer_of(row, "machine_id");
  offer.host_id = integer_of(row, "host_id");
  offer.reliability = number_of(row, "reliability2", number_of(row, "reliability"));
  offer.location = base::printable(text_of(row, "geolocation"), 60);
  offer.storage_usd_per_gb_month = number_of(row, "storage_cost");
  offer.gpu_per_hour = gpu.value_or(*total);
  offer.per_gb_up = base::money_from_usd(number_of(row, "inet_up_cost")).value_or(base::Money{});
  offer.per_gb_down = base::money_from_usd(number_of(row, "inet_down_cost")).value_or(base::Money{});
  // The larger of the two figures, also for what is reserved by the parts: a price must never turn out to be too low.
  const base::Money parts = offer.price_with(disk);
  if (parts < *total) offer.gpu_per_hour = offer.gpu_per_hour + (*total - parts);
  offer.price_per_hour = offer.price_with(disk);
  return offer;
}

std::optional<Instance> instance_of(const Json& row) {
  Instance instance;
  instance.id = integer_of(row, "id");
  if (instance.id <= 0) return std::nullopt;
  instance.label = text_of(row, "label");
  instance.actual_status = text_of(row, "actual_status");
  instance.intended_status = text_of(row, "intended_status");
  instance.current_state = text_of(row, "cur_state");
  instance.next_state = text_of(row, "next_state");
  instance.message = base::printable(text_of(row, "status_msg"), 300);
  instance.gpu_name = text_of(row, "gpu_name");
  instance.price_per_hour = base::money_from_usd(number_of(row, "dph_total")).value_or(base::Money{});
  instance.machine_id = integer_of(row, "machine_id");
  instance.host_id = integer_of(row, "host_id");
  HostPort direct = direct_of(row);
  instance.direct_host = std::move(direct.host);
  instance.direct_port = direct.port;
  HostPort proxy = proxy_of(row);
  instance.proxy_host = std::move(proxy.host);
  instance.proxy_port = proxy.port;
  instance.workspace = text_of(row, "workspace");
  return instance;
}

Written search_body(const OfferQuery& query, std::optional<std::int64_t> offer) {
  const double disk = gigabytes(query.disk);
  Written body{{"rentable", {{"eq", true}}},
               {"type", "on-demand"},
               {"order", Written::array({Written::array({"dph_total", "asc"})})},
               {"limit", 64},
               {"allocated_storage", disk}};
  if (offer) {
    body["ask_contract_id"] = {{"eq", *offer}};  // `id` matches nothing (2.2)
    return body;
  }
  body["verified"] = {{"eq", true}};
  body["gpu_name"] = {{"eq", query.gpu_name}};
  body["num_gpus"] = {{"eq", query.gpu_count}};
  body["direct_port_count"] = {{"gte", 1}};
  body["duration"] = {{"gte", long_enough(query)}};
  if (disk > 0) body["disk_space"] = {{"gte", disk}};
  if (query.min_reliability > 0) body["reliability2"] = {{"gte", query.min_reliability}};
  if (query.max_price) body["dph_total"] = {{"lte", base::usd(*query.max_price)}};
  return body;
}

bool fits(const Json& row, const Offer& offer, const OfferQuery& query) {
  const auto at_least = [&](const char* field, double least) {
    const auto found = row.find(field);
    return found == row.end() || !found->is_number() || found->get<double>() >= least;
  };
  const auto rentable = row.find("rentable");
  if (rentable != row.end() && rentable->is_boolean() && !rentable->get<bool>()) return false;
  if (!at_least("disk_space", gigabytes(query.disk)) || !at_least("direct_port_count", 1) ||
      !at_least("duration", long_enough(query)))
    return false;
  const bool same = base::lower(offer.gpu_name) == base::lower(query.gpu_name) && offer.gpu_count == query.gpu_count;
  const bool cheap = !query.max_price || offer.price_per_hour <= *query.max_price;
  return same && cheap && offer.reliability >= query.min_reliability;
}

}  // namespace vast
}  // namespace failover::client
