#include "engine/base/text.h"
#include "steps/vast/parts.h"

namespace failover::steps::vast {

using base::Duration;
using base::Error;
using base::Fault;
using base::Result;
using plugin::Context;
using namespace std::chrono_literals;

Result<client::Rented> rent(client::Vast& vast, client::Order order, std::vector<std::int64_t> avoid,
                            const Context& context) {
  constexpr int kOffers = 6;
  for (int tries = 1;; ++tries) {
    auto rented = vast.create(order, context);
    if (rented || rented.error().fault != Fault::no_offer) return rented;
    Error error = std::move(rented).error();
    if (error.code == "not_scheduled") avoid.push_back(order.offer.machine_id);
    if (tries == kOffers) {
      error.hint = "the market moves fast just now: search again, or take another gpu_name";
      return error;
    }
    auto others = vast.others_like(order.offer.id, avoid, context);
    if (!others) return std::move(others).error();
    if (others->empty()) {
      error.message += ", and no other offer of the search is left";
      error.hint = "raise max_price, or take another gpu_name";
      return error;
    }
    order.offer = others->front();
    context.progress("the offer is gone: trying " + std::to_string(order.offer.id) + " at " +
                     base::format(order.offer.price_per_hour) + "/h");
  }
}

// vastai-api.md 7, "Give-up rule".
std::optional<std::string> past_hope(const client::Instance& instance, Duration age) {
  const std::string message = base::lower(instance.message);
  for (const char* sign : {"error response from daemon", "failed to pull", "pull access denied", "manifest unknown",
                           "unauthorized", "no space left on device", "unexpected eof", "oci runtime"}) {
    if (base::contains(message, sign)) return status_line(instance);
  }
  // After a create or a start the old words stay for some seconds (6).
  constexpr Duration kGrace = 20s;
  if (age < kGrace) return std::nullopt;
  for (const char* word : {"exited", "stopped", "frozen", "unknown", "offline", "error"}) {
    if (instance.actual_status == word) return "it is " + status_line(instance);
  }
  if (!instance.intended_status.empty() && instance.intended_status != "running") {
    return "Vast.ai intends it to be " + base::printable(instance.intended_status, 40);
  }
  return std::nullopt;
}

}  // namespace failover::steps::vast
