#include "engine/plugin/step.h"
#include "steps/vast/parts.h"

namespace failover::steps::vast {
namespace {

using namespace std::chrono_literals;

struct In {
  base::Money at_least{};
};
struct Out {
  base::Money credit{};
};

}  // namespace

plugin::StepType check_account(client::Services& services) {
  return plugin::step<In, Out>({
      .name = "vast.check_account",
      .summary = "Check that Vast.ai accepts the API key and that the account has credit.",
      .inputs = {plugin::optional("at_least", &In::at_least, "Fail below this credit.")},
      .outputs = {plugin::output("credit", &Out::credit, "What is left to spend.")},
      .errors = {base::Fault::auth, base::Fault::no_credit, base::Fault::rate_limited, base::Fault::unavailable,
                 base::Fault::refused},
      .timeout = 2min,
      .example = "{at_least: $1.00}",
      .estimate =
          [](const In&) {
            return plugin::Estimate{{200ms, 1s, 10s}, {}};
          },
      .run = [&services](const In& in, const plugin::Context& context) -> base::Result<Out> {
        client::Vast& vast = *services.vast;
        auto credit = vast.credit(context);
        if (!credit) return std::move(credit).error();
        const bool spent = credit->micros <= 0 && in.at_least.micros > 0;
        if (spent || *credit < in.at_least) {
          const std::string left =
              credit->micros < 0 ? "-" + base::format(base::Money{} - *credit) : base::format(*credit);
          return base::Error{
              base::Fault::no_credit, "credit_too_low",
              "the Vast.ai account has " + left + " left, less than the " + base::format(in.at_least) + " asked for",
              "add credit at https://cloud.vast.ai/billing/, or lower at_least"};
        }
        // Money is never negative for those who read it.
        return Out{std::max(*credit, base::Money{})};
      },
  });
}

}  // namespace failover::steps::vast
