#include "engine/plugin/step.h"
#include "steps/b2/parts.h"
#include "steps/client/checks.h"

namespace failover::steps::b2 {
namespace {

using base::Fault;
using base::Result;
using plugin::Context;
using namespace std::chrono_literals;

struct In {
  std::string bucket;
  std::string key;
};
struct Out {
  bool deleted = true;
};

Result<Out> run(client::S3& store, const In& in, const Context& context) {
  const std::string id = id_of(in.bucket, in.key);
  // What this run stored, each time that it did, goes for good: a plain DELETE would leave it hidden, beside a marker
  // that nobody removes.
  auto ours = context.held(kObject, id);
  const bool stored = ours.has_value();
  for (; ours && !ours->over; ours = context.held(kObject, id)) {
    auto gone = store.take_back(in.bucket, in.key, attribute(*ours, "version"), ours->name, ours->begun_at, context);
    if (!gone) return std::move(gone).error();
    context.ended(kObject, id);
  }
  if (stored) {
    // An older version, of somebody else, may have come to light.
    auto left = store.head(in.bucket, in.key, context);
    if (!left && left.error().fault == Fault::not_found) return Out{};
    if (!left) return std::move(left).error();
  }
  auto gone = store.remove(in.bucket, in.key, context);
  if (!gone) return std::move(gone).error();
  return Out{};
}

}  // namespace

plugin::StepType delete_object(client::Services& services) {
  return plugin::step<In, Out>({
      .name = "b2.delete_object",
      .summary = "Delete an object: what this run stored for good, any other by hiding it. Absent is success.",
      .effect = plugin::Effect::changes,
      .inputs = {plugin::required("bucket", &In::bucket, "Name of the bucket.", client::check_bucket),
                 plugin::required("key", &In::key, "Name of the object.", client::check_key).id_of(kAnObject)},
      .outputs = {plugin::output("deleted", &Out::deleted, "Always true.")},
      .errors = {Fault::not_found, Fault::auth, Fault::refused, Fault::rate_limited, Fault::unavailable},
      .agrees = {{"bucket", "key", "key", "bucket", "the object would not be found"}},
      .timeout = 2min,
      .example = "{bucket: drill-bucket, key: notes/hello.txt}",
      .estimate =
          [](const In&) {
            return plugin::Estimate{{200ms, 2s, 20s}, {}};
          },
      .run = [&services](const In& in, const Context& context) { return run(*services.b2, in, context); },
  });
}

}  // namespace failover::steps::b2
