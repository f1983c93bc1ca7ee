#include <filesystem>
#include <optional>

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

constexpr std::int64_t kWhole = 100'000'000;  // above, it goes in parts

struct In {
  std::string bucket;
  std::string key;
  std::string from;
  std::string text;
};
struct Out {
  std::string key;
  std::int64_t bytes = 0;
  std::string etag;
  std::string version;
};

Result<void> check_key_or_empty(const std::string& key) {
  return key.empty() ? Result<void>() : client::check_key(key);
}

// Was it a no that leaves nothing behind? Parts that were stored before it may be.
bool certain(const Error& error, std::int64_t bytes) {
  if (bytes > kWhole) return false;
  switch (error.fault) {
    case Fault::auth:
    case Fault::not_found:
    case Fault::refused:
    case Fault::invalid:
    case Fault::rate_limited: return true;
    case Fault::unavailable:
      for (const char* code : {"ServiceUnavailable", "dns", "connect", "connect_timeout", "tls"}) {
        if (error.code == code) return true;
      }
      return false;
    default: return false;
  }
}

std::string default_key(const In& in, const Context& context) {
  if (!in.key.empty()) return in.key;
  const std::string name = std::filesystem::path(in.from).filename().string();
  return "failover/" + context.run().id + "/" + (name.empty() ? "object" : name);
}

Result<Out> run(client::S3& store, const In& in, const Context& context) {
  std::int64_t bytes = static_cast<std::int64_t>(in.text.size());
  if (!in.from.empty()) {
    std::error_code problem;
    bytes = static_cast<std::int64_t>(std::filesystem::file_size(in.from, problem));
    if (problem) {
      return Error{Fault::invalid, "no_file", "cannot read " + base::printable(in.from, 200) + ": " + problem.message(),
                   "`from` is a file of the runner"};
    }
  }
  const std::string key = default_key(in, context);
  auto hold = context.hold(
      {kObject, "object " + base::printable(id_of(in.bucket, key), 200), {}, {{"bucket", in.bucket}, {"key", key}}});
  if (!hold) return std::move(hold).error();
  client::Upload upload;
  upload.bucket = in.bucket;
  upload.key = key;
  upload.body = in.text;
  upload.body_file = in.from;
  upload.label = hold->name();
  upload.on_bytes = [&](std::int64_t done) {
    context.progress("stored " + base::format(base::Size{done}) + " of " + base::format(base::Size{bytes}));
  };
  // The object may be kept, and then nobody asks after what else its name stands for.
  std::optional<plugin::Hold> orphan;
  upload.on_lost_begin = [&] {
    if (orphan) {
      (void)context.of(*orphan).sending();  // whatever comes of this one may come as late
      return;
    }
    auto held = context.hold({kUpload,
                              "upload of " + base::printable(id_of(in.bucket, key), 200),
                              {},
                              {{"bucket", in.bucket}, {"key", key}}});
    if (held) orphan.emplace(*std::move(held));  // else the run is closing, and nothing is kept
  };
  auto stored = store.put(upload, context.of(*hold));
  if (orphan) {
    orphan->unclear({Fault::unknown, "sent",
                     "the request that begins the upload of " + base::printable(key, 160) +
                         " was not answered: another upload may come to be",
                     ""});
  }
  if (!stored) {
    if (stored.error().code == "unsent" && bytes <= kWhole) {
      hold->unsent(stored.error());
    } else if (certain(stored.error(), bytes)) {
      hold->refused(stored.error());
    } else {
      hold->unclear(stored.error());
    }
    return std::move(stored).error();
  }
  hold->made({id_of(in.bucket, key), {{"bucket", in.bucket}, {"key", key}, {"version", stored->version}}});
  return Out{key, stored->bytes, stored->etag, stored->version};
}

}  // namespace

plugin::StepType put_object(client::Services& services) {
  return plugin::step<In, Out>({
      .name = "b2.put_object",
      .summary = "Store a file of the runner, or a text, as an object; it goes with the run unless it is kept.",
      .effect = plugin::Effect::creates,
      .inputs = {plugin::required("bucket", &In::bucket, "Name of the bucket.", client::check_bucket),
                 plugin::optional("key", &In::key, "Name of the object; failover/<run>/<file> when empty.",
                                  check_key_or_empty),
                 plugin::optional("from", &In::from, "File of the runner.", client::check_path_or_empty)
                     .doubted(client::doubt_path)
                     .on_the_runner(plugin::Local::file),
                 plugin::optional("text", &In::text, "Or the content itself.")},
      .outputs = {plugin::output("key", &Out::key, "Name of the object.").id_of(kAnObject),
                  plugin::output("bytes", &Out::bytes, "Its size."),
                  plugin::output("etag", &Out::etag, "MD5 of the content, unless it went in parts."),
                  plugin::output("version", &Out::version, "Version that was made.")},
      .holds = {kObject, kUpload},
      .errors = {Fault::auth, Fault::not_found, Fault::refused, Fault::rate_limited, Fault::unavailable, Fault::unknown,
                 Fault::corrupt},
      .one_of = {{"from", "text"}},
      .example = "{bucket: drill-bucket, key: notes/hello.txt, text: hello}",
      .estimate =
          [](const In&) {
            return plugin::Estimate{{300ms, 2s, 10min}, {}};
          },
      .run = [&services](const In& in, const Context& context) { return run(*services.b2, in, context); },
  });
}

}  // namespace failover::steps::b2
