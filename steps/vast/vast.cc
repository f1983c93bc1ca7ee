#include "steps/vast/vast.h"

#include "engine/base/text.h"
#include "steps/vast/parts.h"

namespace failover {

base::Result<steps::vast::Id> plugin::Codec<steps::vast::Id>::read(const base::Value& value) {
  if (const auto* number = value.get<std::int64_t>(); number != nullptr && *number > 0) return steps::vast::Id{*number};
  if (const auto* text = value.text()) {
    if (const auto number = base::parse_integer(base::trim(*text)); number && *number > 0)
      return steps::vast::Id{*number};
  }
  return base::Error{base::Fault::invalid, "wrong_type",
                     "expected the id of an offer or instance (a whole number), found " + value.literal()};
}

namespace steps {

std::vector<plugin::StepType> vast_steps(client::Services& services) {
  return {vast::check_account(services),    vast::search_offers(services),   vast::create_instance(services),
          vast::wait_until_ready(services), vast::show_instance(services),   vast::stop_instance(services),
          vast::start_instance(services),   vast::destroy_instance(services)};
}

namespace vast {

std::string status_word(const client::Instance& instance) {
  return instance.actual_status.empty() ? "provisioning" : base::printable(instance.actual_status, 40);
}

std::string status_line(const client::Instance& instance) {
  return status_word(instance) + (instance.message.empty() ? "" : ": " + instance.message);
}

}  // namespace vast
}  // namespace steps
}  // namespace failover
