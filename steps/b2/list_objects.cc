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
struct Listed {
  std::string key;
  std::int64_t bytes = 0;
  std::string etag;
  static auto members() {
    return std::tuple{plugin::member("key", &Listed::key), plugin::member("bytes", &Listed::bytes),
                      plugin::member("etag", &Listed::etag)};
  }
};
struct Out {
  std::vector<Listed> objects;
  std::int64_t count = 0;
  std::int64_t bytes = 0;
};

}  // namespace

plugin::StepType list_objects(client::Services& services) {
  return plugin::step<In, Out>({
      .name = "b2.list_objects",
      .summary = "List all objects under a prefix.",
      .inputs = {plugin::required("bucket", &In::bucket, "Name of the bucket.", client::check_bucket),
                 plugin::optional("prefix", &In::prefix, "Beginning of their names.")},
      .outputs = {plugin::output("objects", &Out::objects, "All of them, by name."),
                  plugin::output("count", &Out::count, "How many."),
                  plugin::output("bytes", &Out::bytes, "Of all together.")},
      .errors = {Fault::not_found, Fault::auth, Fault::refused, Fault::rate_limited, Fault::unavailable},
      .timeout = 5min,
      .example = "{bucket: drill-bucket, prefix: notes/}",
      .estimate =
          [](const In&) {
            return plugin::Estimate{{200ms, 1s, 1min}, {}};
          },
      .run = [&services](const In& in, const plugin::Context& context) -> base::Result<Out> {
        client::S3& store = *services.b2;
        auto objects = store.list(in.bucket, in.prefix, context);
        if (!objects) return std::move(objects).error();
        Out out;
        for (const auto& object : *objects) {
          out.objects.push_back({object.key, object.bytes, object.etag});
          out.bytes += object.bytes;
        }
        out.count = static_cast<std::int64_t>(out.objects.size());
        return out;
      },
  });
}

}  // namespace failover::steps::b2
