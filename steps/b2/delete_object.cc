#include <algorithm>

#include "engine/base/text.h"
#include "engine/plugin/step.h"
#include "steps/b2/parts.h"
#include "steps/client/checks.h"

namespace failover::steps::b2 {
namespace {

using base::Error;
using base::Fault;
using base::Result;
using plugin::Context;
using namespace std::chrono_literals;

struct In {
  std::string bucket;
  std::string key;
};
struct Out {
  bool deleted = true;  // nothing answers under the key
};

// What this run stored under the key, each time that it did, goes for good: a plain DELETE would leave it hidden,
// beside a marker that nobody removes. What that was.
Result<std::vector<plugin::Held>> take_back_ours(client::S3& store, const In& in, const Context& context) {
  const std::string id = id_of(in.bucket, in.key);
  std::vector<plugin::Held> out;
  auto ours = context.held(kObject, id);
  for (; ours && !ours->over; ours = context.held(kObject, id)) {
    auto gone = store.take_back(in.bucket, in.key, attribute(*ours, "version"), ours->name, ours->begun_at, context);
    if (!gone) return std::move(gone).error();
    context.ended(kObject, id);
    out.push_back(*std::move(ours));
  }
  if (ours) out.push_back(*std::move(ours));
  return out;
}

// Does the key still answer with something of somebody else's? What of ours came late goes too.
Result<bool> shows_another(client::S3& store, const In& in, const std::vector<plugin::Held>& ours,
                           const Context& context) {
  constexpr int kLooks = 3;
  for (int look = 0; look < kLooks; ++look) {
    auto left = store.head(in.bucket, in.key, context);
    if (!left && left.error().fault == Fault::not_found) return false;
    if (!left) return std::move(left).error();
    if (left->etag.empty()) break;  // a captive portal's answer: nothing is hidden on its word
    const auto own = std::find_if(ours.begin(), ours.end(), [&](const auto& one) { return one.name == left->label; });
    if (own == ours.end()) return true;
    auto gone = store.take_back(in.bucket, in.key, "", own->name, own->begun_at, context);
    if (!gone) return std::move(gone).error();
  }
  return Error{Fault::unavailable, "still_there",
               "what was removed is still shown, deleting " + base::printable(in.key, 120),
               "try again; what this run stored is given back at its end all the same"};
}

Result<Out> run(client::S3& store, const In& in, const Context& context) {
  auto ours = take_back_ours(store, in, context);
  if (!ours) return std::move(ours).error();
  if (!ours->empty()) {
    auto another = shows_another(store, in, *ours, context);
    if (!another) return std::move(another).error();
    // It was there before: it stays as it is.
    return Out{!*another};
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
      .outputs = {plugin::output("deleted", &Out::deleted,
                                 "False where somebody else's older object has come to light; it stays.")},
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
