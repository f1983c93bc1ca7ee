#include <algorithm>

#include "tools/sandbox/vast/internal.h"

namespace failover::sandbox::vast {
namespace {

constexpr double kCheapestBid = 0.001, kDearestBid = 128.0;

Answer invalid(const std::string& what) {
  return failure(400, "invalid_args", "error 400/3467: Invalid args: " + what);
}

// The live form of an offer that is gone: 400, and two spaces (3.3).
Answer no_such_ask(std::int64_t id) {
  return reply(
      {{"success", false},
       {"error", "invalid_args"},
       {"msg", "error 404/3603: no_such_ask  Instance type by id " + std::to_string(id) + " is not available."},
       {"ask_id", id}},
      400);
}

std::optional<std::string> problem_of(const Json& body) {
  const struct {
    const char* name;
    std::size_t limit;
  } texts[] = {{"image", 1024}, {"label", 256}, {"onstart", 4096}, {"runtype", 256}, {"args_str", 4096}};
  for (const auto& [name, limit] : texts) {
    if (auto problem = text_problem(body, name, limit)) return problem;
  }
  if (text_or(body, "image").empty() && text_or(body, "template_hash_id").empty()) {
    return "image or template_hash_id is required";
  }
  std::size_t start = text_or(body, "onstart").size() + text_or(body, "args_str").size();
  for (const Json& word : body.value("args", Json::array()))
    start += word.is_string() ? word.get_ref<const std::string&>().size() : 0;
  if (start > 4096) return "args, args_str and onstart are longer than 4096 characters together";
  if (const auto env = body.find("env"); env != body.end() && env->is_object() && env->dump().size() > 32768) {
    return "env is longer than 32768 characters";
  }
  if (const auto disk = body.find("disk"); disk != body.end() && !disk->is_null()) {
    const auto gb = as_number(*disk);
    if (!gb || *gb <= 0) return "disk must be a number of GB";
  }
  return std::nullopt;
}

Rental rental_of(std::int64_t offer_id, const Json& body) {
  Rental rental;
  rental.offer_id = offer_id;
  rental.label = text_or(body, "label");
  rental.image = text_or(body, "image", "vastai/base-image:@vastai-automatic-tag");
  if (rental.image.find(':') == std::string::npos) rental.image += ":latest";
  rental.runtype = text_or(body, "runtype", body.value("args", Json()).is_array() ? "args" : "ssh");
  rental.onstart = text_or(body, "onstart");
  rental.disk_gb = as_number(body.value("disk", Json())).value_or(10.0);
  rental.stopped = text_or(body, "target_state") == "stopped";
  if (const auto env = body.find("env"); env != body.end() && env->is_object()) {
    for (const auto& [name, value] : env->items()) {
      rental.env.emplace_back(name, value.is_string() ? value.get<std::string>() : value.dump());
    }
  }
  return rental;
}

Answer made(const Instance& instance, bool success) {
  return reply({{"success", success}, {"new_contract", instance.id}, {"instance_api_key", instance.api_key}});
}

Answer bad_gateway() {
  Answer answer;
  answer.status = 502;
  answer.headers["Content-Type"] = "text/html";
  answer.text = "<html><head><title>502 Bad Gateway</title></head></html>";
  return answer;
}

// Rents, and answers as the armed fault wants it.
Answer rent(World& world, Rental rental) {
  Faults& faults = world.faults;
  if (faults.take("price_rises")) rental.dearer = 1.5;
  if (faults.take("create_late_effect")) {
    world.rent_later(rental);
    return bad_gateway();
  }
  const Offer& offer = *world.find_offer(rental.offer_id);
  const bool bid_too_low = rental.bid && *rental.bid < offer.gpu_usd_per_hour * 0.6;
  if (bid_too_low || faults.take("create_success_false")) {
    rental.never_scheduled = true;
    return made(world.rent(rental), false);
  }
  const Instance& instance = world.rent(rental);
  if (faults.take("create_502_after_effect")) return bad_gateway();
  Answer answer = made(instance, true);
  answer.drop = faults.take("create_reset_after_effect");
  return answer;
}

}  // namespace

Answer create_instance(Call& call) {
  World& world = call.world;
  const std::int64_t id = call.ids.front();
  if (const auto problem = problem_of(call.body)) return invalid(*problem);
  Rental rental = rental_of(id, call.body);
  if (const Json price = call.body.value("price", Json()); !price.is_null()) {
    rental.bid = as_number(price);
    if (!rental.bid || *rental.bid < kCheapestBid || *rental.bid > kDearestBid) {
      return failure(400, "invalid_price", "price must be between 0.001 and 128");
    }
  }
  if (world.credit() <= 0 || world.faults.take("no_credit")) {
    return reply({{"error", "insufficient_credit"}, {"msg", "Your account lacks credit; see the billing page."}}, 400);
  }
  if (call.body.value("vm", Json()) == true && world.account.ssh_keys.empty()) {
    return failure(400, "no_ssh_key_for_vm", "An SSH key is needed for a VM.");
  }
  Offer* offer = world.find_offer(id);
  if (offer != nullptr && !offer->rented && world.faults.take("offer_gone")) offer->gone = true;
  if (offer == nullptr || offer->rented || offer->gone) return no_such_ask(id);
  if (rental.disk_gb > offer->disk_gb) {
    const std::string detail = "disk " + Json(rental.disk_gb).dump() + " > " + Json(offer->disk_gb).dump();
    return reply({{"success", false}, {"error", "invalid_args"}, {"detail", detail}});
  }
  Answer answer = rent(world, std::move(rental));
  answer.delay = world.new_timing().create;
  return answer;
}

}  // namespace failover::sandbox::vast
