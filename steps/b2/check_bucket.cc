#include "engine/plugin/step.h"
#include "steps/b2/parts.h"
#include "steps/client/checks.h"

namespace failover::steps::b2 {
namespace {

using base::Fault;
using namespace std::chrono_literals;

struct In {
  std::string bucket;
  std::string prefix;
};
struct Out {
  std::string name;
  std::string region;
};

}  // namespace

plugin::StepType check_bucket(client::Services& services) {
  return plugin::step<In, Out>({
      .name = "b2.check_bucket",
      .summary = "Check that the bucket is there and that the key may list it.",
      .inputs = {plugin::required("bucket", &In::bucket, "Name of the bucket.", client::check_bucket),
                 plugin::optional("prefix", &In::prefix, "What the key is restricted to, if it is.")},
      .outputs = {plugin::output("name", &Out::name, "The bucket."),
                  plugin::output("region", &Out::region, "Where it is.")},
      .errors = {Fault::auth, Fault::not_found, Fault::rate_limited, Fault::unavailable, Fault::refused},
      .timeout = 1min,
      .example = "{bucket: drill-bucket}",
      .estimate =
          [](const In&) {
            return plugin::Estimate{{200ms, 1s, 10s}, {}};
          },
      .run = [&services](const In& in, const plugin::Context& context) -> base::Result<Out> {
        if (auto fine = services.b2->check(in.bucket, in.prefix, context); !fine) return std::move(fine).error();
        return Out{in.bucket, services.settings.b2_region};
      },
  });
}

}  // namespace failover::steps::b2
