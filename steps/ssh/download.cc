#include <cstdio>
#include <filesystem>

#include "engine/base/digest.h"
#include "engine/base/file.h"
#include "engine/base/text.h"
#include "engine/plugin/step.h"
#include "steps/client/checks.h"
#include "steps/client/remote_script.h"
#include "steps/ssh/parts.h"
#include "steps/ssh/transfer.h"

namespace failover::steps::ssh {
namespace {

using base::Error;
using base::Fault;
using base::Result;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

struct In {
  client::Endpoint host;
  std::string from;
  std::string to;
  base::Size max_size{10'000'000'000};
};
struct Out {
  std::int64_t bytes = 0;
  std::string sha256;
};

// The digest goes first, on stderr, since stdout is the file.
const char* const kBody = R"sh(
[ -e "$from" ] || { echo "$from: No such file" >&2; exit 66; }
[ -f "$from" ] || { echo "$from: not a regular file" >&2; exit 74; }
size=$(wc -c < "$from") || exit 74
if [ "$size" -gt "$max" ]; then exit 78; fi
seen=$(sha256sum < "$from") || exit 74
echo "sha256 ${seen%% *}" >&2
cat < "$from" || exit 74
)sh";

struct Temporary {
  fs::path path;
  ~Temporary() {
    std::error_code ignored;
    fs::remove(path, ignored);
  }
};

Error too_large(const In& in) {
  return {Fault::refused, "too_much_output",
          base::printable(in.from, 200) + " has more than " + base::format(in.max_size) + ", the most that is taken",
          "raise `max_size`"};
}

Result<Out> run(client::Ssh& machine, const In& in, const plugin::Context& context) {
  std::error_code problem;
  fs::path to = in.to;
  if (fs::is_directory(to, problem)) to /= fs::path(in.from).filename();
  if (!to.has_filename()) return Error{Fault::invalid, "bad_path", "`to` names no file of the runner"};
  const Temporary part{to.parent_path() / ("." + to.filename().string() + "." + base::random_id(8) + ".part")};
  client::Command command;
  command.script =
      client::Script("ssh.download").set("from", in.from).set("max", std::to_string(in.max_size.bytes)).with(kBody);
  command.operation = {"send", in.from};
  command.output_file = part.path.string();
  command.output_limit = in.max_size.bytes;  // whatever the machine says its size is
  command.on_bytes = progress(context, "received", 0);
  auto finished = machine.run(in.host, command, context);
  if (!finished && finished.error().code == "too_much_output") return too_large(in);
  if (!finished) return std::move(finished).error();
  if (finished->exit_code == client::kExitUnsafe) return too_large(in);
  if (finished->exit_code != 0) return client::remote_failure(*finished, "reading " + base::printable(in.from, 200));
  auto local = read_local(part.path.string(), context);
  if (!local) return std::move(local).error();
  if (!base::contains(finished->err, "sha256 " + local->sha256)) {
    return Error{Fault::corrupt, "digest",
                 base::printable(in.from, 200) + " arrived with other bytes than it has there",
                 "it changed while it was read, or the machine's answer cannot be trusted"};
  }
  fs::rename(part.path, to, problem);
  if (problem) return base::system_error(problem.value(), "cannot write", to);
  return Out{local->bytes, local->sha256};
}

}  // namespace

plugin::StepType download(client::Services& services) {
  return plugin::step<In, Out>({
      .name = "ssh.download",
      .summary = "Copy a file of a machine to the runner, checked and put in place whole.",
      .effect = plugin::Effect::changes,
      .inputs = {plugin::required("host", &In::host, "The machine.", client::check_endpoint).of_what_runs(),
                 plugin::required("from", &In::from, "Path on the machine.", client::check_path)
                     .doubted(client::doubt_path)
                     .on_the_machine(plugin::Remote::read),
                 plugin::required("to", &In::to, "File of the runner; a directory keeps the name.", client::check_path)
                     .doubted(client::doubt_path)
                     .on_the_runner(plugin::Local::parent),
                 plugin::optional("max_size", &In::max_size, "A larger file is refused, and nothing of it stays.")},
      .outputs = {plugin::output("bytes", &Out::bytes, "Its size."),
                  plugin::output("sha256", &Out::sha256, "Of the content, computed on both sides.")},
      .writes_locally = true,
      .errors = machine_errors({Fault::not_found, Fault::corrupt, Fault::no_space}),
      .example = "{host: {host: 127.0.0.1, port: 22}, from: /workspace/train.log, to: train.log}",
      .estimate =
          [](const In&) {
            return plugin::Estimate{{500ms, 10s, 10min}, {}};
          },
      .run = [&services](const In& in, const plugin::Context& context) { return run(*services.ssh, in, context); },
  });
}

}  // namespace failover::steps::ssh
