#include "tools/sandbox/vast/lean.h"

#include <cmath>
#include <map>

#include "engine/base/digest.h"
#include "engine/base/json.h"
#include "engine/base/text.h"

namespace failover::sandbox::vast::lean {
namespace {

// One object; members in the order in which they are put.
class Members {
 public:
  explicit Members(std::string& out) : out_(out) { out_ += '{'; }
  Members(const Members&) = delete;
  Members& operator=(const Members&) = delete;
  ~Members() { out_ += '}'; }

  std::string& name(std::string_view name) {
    if (out_.back() != '{') out_ += ',';
    out_ += '"';
    out_ += name;
    out_ += "\":";
    return out_;
  }
  // The same for a name that may need escapes.
  std::string& any_name(std::string_view name) {
    if (out_.back() != '{') out_ += ',';
    base::append_json_text(out_, name);
    return out_ += ':';
  }
  void text(std::string_view member, std::string_view value) { base::append_json_text(name(member), value); }
  void text_or_null(std::string_view member, std::string_view value) {
    value.empty() ? void(name(member) += "null") : text(member, value);
  }
  template <class Number>
  void number(std::string_view member, Number value) {
    base::append_json_number(name(member), value);
  }

 private:
  std::string& out_;
};

Answer said(std::string text) {
  Answer answer;
  answer.headers["Content-Type"] = "application/json";
  answer.text = std::move(text);
  return answer;
}

void put_ports(std::string& out, const Instance& instance, bool running) {
  if (!running) {
    out += "null";
  } else if (!has_direct_port(instance)) {
    out += "{}";
  } else {
    const std::string port = std::to_string(instance.port);
    out +=
        R"({"22/tcp":[{"HostIp":"0.0.0.0","HostPort":")" + port + R"("},{"HostIp":"::","HostPort":")" + port + "\"}]}";
  }
}

void put_instance(std::string& out, const World& world, const Instance& instance) {
  const Status status = status_of(instance, world.now());
  Members row(out);
  row.text_or_null("actual_status", status.actual ? *status.actual : std::string());
  row.text("cur_state", status.current);
  row.number("dph_total", instance.gpu_usd_per_hour + storage_usd_per_hour(instance.offer, instance.disk_gb));
  row.text("gpu_name", instance.offer.gpu_name);
  row.number("host_id", instance.offer.host_id);
  row.number("id", instance.id);
  row.text("image_runtype", instance.runtype);
  row.text("intended_status", status.intended);
  row.text_or_null("label", instance.label);
  row.number("machine_id", instance.offer.machine_id);
  row.text("next_state", status.next);
  put_ports(row.name("ports"), instance, status.running());
  row.text("public_ipaddr", "127.0.0.1\n");
  row.text("ssh_host", "127.0.0.1");
  row.number("ssh_port", std::int64_t{instance.port} + (world.options().proxy_apart ? 1 : 0));
  row.text_or_null("status_msg", status.message);
  row.text_or_null("workspace", instance.workspace);
}

// What is no number is written as null.
void put_offer(std::string& out, const Offer& offer, double allocated_gb, bool priced) {
  const double gpu = priced ? offer.gpu_usd_per_hour : std::nan("");
  Members row(out);
  row.number("ask_contract_id", offer.id);
  row.number("dph_base", gpu);
  row.number("dph_total", gpu + storage_usd_per_hour(offer, allocated_gb));
  row.text("geolocation", offer.geolocation);
  row.text("gpu_name", offer.gpu_name);
  row.number("host_id", offer.host_id);
  row.number("id", offer.id);
  row.number("inet_down_cost", offer.down_usd_gb);
  row.number("inet_up_cost", offer.up_usd_gb);
  row.number("machine_id", offer.machine_id);
  row.number("num_gpus", std::int64_t{offer.num_gpus});
  row.number("reliability", offer.reliability);
  row.number("reliability2", offer.reliability);
  row.number("storage_cost", offer.storage_usd_gb_month);
}

}  // namespace

Answer instance(const World& world, const Instance* shown) {
  std::string out;
  {
    Members all(out);
    if (std::string& value = all.name("instances"); shown == nullptr) {
      value += "null";
    } else {
      put_instance(value, world, *shown);
    }
  }
  return said(std::move(out));
}

Answer instances(const World& world, std::optional<std::int64_t> only, std::int64_t after, std::size_t limit,
                 bool lost) {
  std::map<std::string_view, std::int64_t> labels;
  std::int64_t found = 0, total = 0, last = 0;
  bool more = false;
  std::string out;
  {
    Members all(out);
    std::string& rows = all.name("instances");
    rows += '[';
    for (const auto& [id, one] : world.instances) {
      if ((only && id != *only) || !is_listed(world, one)) continue;
      ++total;
      if (!one.label.empty()) ++labels[one.label];
      if (id <= after || lost) continue;
      if (static_cast<std::size_t>(found) == limit) {
        more = true;
        continue;
      }
      if (found++ > 0) rows += ',';
      put_instance(rows, world, one);
      last = id;
    }
    rows += ']';
    all.number("instances_found", found);
    {
      Members counts(all.name("label_counts"));
      for (const auto& [label, count] : labels) {
        base::append_json_number(counts.any_name(label), count);
      }
    }
    const std::string token = more ? base::base64("{\"values\":{\"id\":" + std::to_string(last) + "}}") : std::string();
    all.text_or_null("next_token", token);
    all.name("success") += "true";
    all.number("total_instances", total);
  }
  return said(std::move(out));
}

Json column(const Offer& offer, double allocated_gb, const Json& times, const std::string& name) {
  if (name == "gpu_name") return offer.gpu_name;
  if (name == "num_gpus") return offer.num_gpus;
  if (name == "verification") return offer.verification;
  if (name == "rentable") return !offer.rented;
  if (name == "rented") return offer.rented;
  if (name == "direct_port_count") return offer.direct_ports;
  if (name == "disk_space") return offer.disk_gb;
  if (name == "reliability2") return offer.reliability;
  if (name == "ask_contract_id") return offer.id;
  if (name == "dph_total") return offer.gpu_usd_per_hour + storage_usd_per_hour(offer, allocated_gb);
  if (const auto time = times.find(name); time != times.end()) return *time;
  const Json row = offer_row(offer, allocated_gb, false);
  const auto found = row.find(name);
  return found == row.end() ? Json() : *found;
}

Answer offers(const std::vector<const Offer*>& found, double allocated_gb, bool first_priced) {
  std::string out = "{\"offers\":[";
  for (const Offer* offer : found) {
    if (offer != found.front()) out += ',';
    put_offer(out, *offer, allocated_gb, first_priced || offer != found.front());
  }
  return said(out + "]}");
}

}  // namespace failover::sandbox::vast::lean
