#include "engine/base/text.h"
#include "engine/plugin/step.h"
#include "steps/b2/parts.h"
#include "steps/client/checks.h"

namespace failover::steps::b2 {
namespace {

using base::Fault;
using base::Result;
using plugin::Context;
using namespace std::chrono_literals;

constexpr std::int64_t kInMemory = 1 << 20;

struct In {
  std::string bucket;
  std::string key;
  std::string to;
  std::string version;
};
struct Out {
  std::int64_t bytes = 0;
  std::string etag;
  std::string text;
};

Result<Out> run(client::S3& store, const In& in, const Context& context) {
  if (!in.to.empty()) {
    auto got = store.get_file(in.bucket, in.key, in.version, in.to, context);
    if (!got) return std::move(got).error();
    return Out{got->bytes, got->etag, ""};
  }
  auto got = store.get(in.bucket, in.key, in.version, kInMemory, context);
  if (!got) return std::move(got).error();
  const bool readable = !base::invalid_utf8(got->body);
  return Out{got->object.bytes, got->object.etag, readable ? std::move(got->body) : std::string()};
}

}  // namespace

plugin::StepType get_object(client::Services& services) {
  return plugin::step<In, Out>({
      .name = "b2.get_object",
      .summary = "Get an object into a file of the runner, or a small one as a text, and verify its bytes.",
      .inputs = {plugin::required("bucket", &In::bucket, "Name of the bucket.", client::check_bucket),
                 plugin::required("key", &In::key, "Name of the object.", client::check_key).id_of(kAnObject),
                 plugin::optional("to", &In::to, "File of the runner; replaced when it is there.",
                                  client::check_path_or_empty)
                     .doubted(client::doubt_path)
                     .on_the_runner(plugin::Local::parent),
                 plugin::optional("version", &In::version, "Version to get; the newest when empty.")},
      .outputs = {plugin::output("bytes", &Out::bytes, "Its size."), plugin::output("etag", &Out::etag, "As stored."),
                  plugin::output("text", &Out::text, "The content, without `to` and when it is UTF-8; at most 1 MiB.")
                      .empty_with("to")},
      .writes_locally = true,
      .errors = {Fault::not_found, Fault::auth, Fault::refused, Fault::rate_limited, Fault::unavailable, Fault::corrupt,
                 Fault::no_space},
      .agrees = {{"bucket", "key", "key", "bucket", "the object would not be found"}},
      .example = "{bucket: drill-bucket, key: notes/hello.txt}",
      .estimate =
          [](const In&) {
            return plugin::Estimate{{300ms, 2s, 10min}, {}};
          },
      .run = [&services](const In& in, const Context& context) { return run(*services.b2, in, context); },
  });
}

}  // namespace failover::steps::b2
