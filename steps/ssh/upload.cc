#include <filesystem>

#include "engine/base/text.h"
#include "engine/plugin/step.h"
#include "steps/client/checks.h"
#include "steps/client/manifest.h"
#include "steps/client/remote_script.h"
#include "steps/ssh/parts.h"
#include "steps/ssh/transfer.h"

namespace failover::steps::ssh {
namespace {

using base::Result;
using namespace std::chrono_literals;

struct In {
  client::Endpoint host;
  std::string from;
  std::string to;
};
struct Out {
  std::int64_t bytes = 0;
  std::string sha256;
};

// A reader of `to` sees the old file or the whole new one, checked.
const char* const kBody = R"sh(
case $to in */) to=$to$name ;; esac
if [ -d "$to" ]; then to=$to/$name; fi
case $to in */*) dir=${to%/*} ;; *) dir=. ;; esac
mkdir -p -- "${dir:-/}" || exit 74
part=$(mktemp "${dir:-/}/.failover-XXXXXX") || exit 74
trap 'rm -f -- "$part"' EXIT
trap 'exit 143' HUP INT TERM
cat > "$part" || exit 74
seen=$(sha256sum < "$part") || exit 74
[ "${seen%% *}" = "$sha256" ] || exit 75
chmod -- "$mode" "$part" && mv -f -T -- "$part" "$to" || exit 74
)sh";

Result<Out> run(client::Ssh& machine, const In& in, const plugin::Context& context) {
  auto local = read_local(in.from, context);
  if (!local) return std::move(local).error();
  client::Script script("ssh.upload");
  script.set("to", (in.to.front() == '-' ? "./" : "") + in.to)
      .set("name", std::filesystem::path(in.from).filename().string())
      .set("sha256", local->sha256)
      .set("mode", client::format_mode(local->mode));
  client::Command command;
  command.script = script.with(kBody);
  command.input_file = in.from;
  command.operation = {"receive", in.to, std::filesystem::path(in.from).filename().string(),
                       client::format_mode(local->mode)};
  command.on_bytes = progress(context, "sent", local->bytes);
  auto finished = machine.run(in.host, command, context);
  if (!finished) return std::move(finished).error();
  if (finished->exit_code != 0) return client::remote_failure(*finished, "writing " + base::printable(in.to, 200));
  return Out{local->bytes, local->sha256};
}

}  // namespace

plugin::StepType upload(client::Services& services) {
  return plugin::step<In, Out>({
      .name = "ssh.upload",
      .summary = "Copy a file of the runner to a machine, checked and put in place whole.",
      .effect = plugin::Effect::changes,
      .inputs = {plugin::required("host", &In::host, "The machine.", client::check_endpoint).of_what_runs(),
                 plugin::required("from", &In::from, "File of the runner.", client::check_path)
                     .doubted(client::doubt_path)
                     .on_the_runner(plugin::Local::file),
                 plugin::required("to", &In::to, "Path on the machine; a directory keeps the name.", client::check_path)
                     .doubted(client::doubt_path)
                     .on_the_machine(plugin::Remote::made)},
      .outputs = {plugin::output("bytes", &Out::bytes, "Its size."),
                  plugin::output("sha256", &Out::sha256, "Of the content, computed on both sides.")},
      .errors = machine_errors({base::Fault::corrupt, base::Fault::no_space}),
      .example = "{host: {host: 127.0.0.1, port: 22}, from: model.bin, to: /workspace/model.bin}",
      .estimate =
          [](const In&) {
            return plugin::Estimate{{500ms, 10s, 10min}, {}};
          },
      .run = [&services](const In& in, const plugin::Context& context) { return run(*services.ssh, in, context); },
  });
}

}  // namespace failover::steps::ssh
