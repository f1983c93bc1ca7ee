#include "engine/plugin/step.h"
#include "steps/b2/parts.h"
#include "steps/client/checks.h"

namespace failover::steps::b2 {
namespace {

using base::Fault;
using namespace std::chrono_literals;

struct In {
  std::string bucket;
  std::string key;
};
struct Out {
  std::int64_t bytes = 0;
  std::string etag;
  std::string version;
};

}  // namespace

plugin::StepType head_object(client::Services& services) {
  return plugin::step<In, Out>({
      .name = "b2.head_object",
      .summary = "Look at an object without getting it.",
      .inputs = {plugin::required("bucket", &In::bucket, "Name of the bucket.", client::check_bucket),
                 plugin::required("key", &In::key, "Name of the object.", client::check_key).id_of(kAnObject)},
      .outputs = {plugin::output("bytes", &Out::bytes, "Its size."), plugin::output("etag", &Out::etag, "As stored."),
                  plugin::output("version", &Out::version, "The newest version.")},
      .errors = {Fault::not_found, Fault::auth, Fault::refused, Fault::rate_limited, Fault::unavailable},
      .timeout = 2min,
      .example = "{bucket: drill-bucket, key: notes/hello.txt}",
      .estimate =
          [](const In&) {
            return plugin::Estimate{{200ms, 1s, 10s}, {}};
          },
      .run = [&services](const In& in, const plugin::Context& context) -> base::Result<Out> {
        client::S3& store = *services.b2;
        auto object = store.head(in.bucket, in.key, context);
        if (!object) return std::move(object).error();
        return Out{object->bytes, object->etag, object->version};
      },
  });
}

}  // namespace failover::steps::b2
