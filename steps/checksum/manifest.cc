#include "engine/base/text.h"
#include "engine/plugin/step.h"
#include "steps/checksum/parts.h"
#include "steps/client/checks.h"

namespace failover::steps::checksum {
namespace {

using base::Error;
using base::Fault;
using base::Result;
using plugin::Context;
using namespace std::chrono_literals;

struct In {
  client::Endpoint host;
  std::vector<std::string> paths;
  std::string algorithm = "md5";
};
struct Out {
  std::vector<client::FileRow> files;
  client::Manifest manifest;
};

// Where relative paths begin: the one path when it is a directory, else the root.
std::string script_for(const In& in, base::Algorithm algorithm) {
  std::string words;
  if (in.paths.size() > 1) {
    for (const auto& path : in.paths) words += (words.empty() ? "" : " ") + base::shell_quote("." + path);
  }
  std::string out;
  for (const auto& path : in.paths) {
    out += "[ -e " + base::shell_quote(path) + " ] || { printf '%s\\n' " +
           base::shell_quote(path + ": no such file or directory") + " >&2; exit 66; }\n";
  }
  if (in.paths.size() == 1) {
    const std::string path = base::shell_quote(in.paths[0]);
    out += "if [ -d " + path + " ]; then cd -- " + path + "; set -- .; else cd /; set -- ." + path + "; fi\n";
    words = "\"$@\"";
  } else {
    out += "cd /\n";
  }
  return "set -e\n" + out + "pwd\nprintf '\\0\\0'\n" + client::list_words(words + " -type f") + "\n" +
         client::digest_words(words, algorithm);
}

Result<Out> run(client::Ssh& ssh, const In& in, const Context& context) {
  const auto algorithm = *base::parse_algorithm(in.algorithm);
  const std::string doing = "reading checksums on " + client::name_of(in.host);
  client::Command command;
  command.script = script_for(in, algorithm);
  command.operation = {"digest", in.algorithm};
  command.operation.insert(command.operation.end(), in.paths.begin(), in.paths.end());
  command.output_limit = 256 << 20;
  auto done = client::run_script(ssh, in.host, command, doing, context);
  if (!done) return std::move(done).error();
  const auto parts = client::sections(done->out);
  if (parts.size() < 3 || parts[0].size() != 1)
    return Error{Fault::corrupt, "bad_listing", doing + ": the machine's answer is cut short"};
  auto listed = client::read_listing(parts[1], parts[2]);
  if (!listed) return std::move(listed).error();
  Out out;
  out.manifest = client::manifest_of(*listed, std::string(base::trim(parts[0][0])), algorithm);
  if (out.manifest.directory == "/") out.manifest.paths = in.paths;
  if (out.manifest.files.empty()) {
    return Error{Fault::not_found, "empty_set",
                 "there are no files below " + base::join(in.paths) + " on " + client::name_of(in.host),
                 "an empty set proves nothing; check `paths`"};
  }
  for (const auto& file : out.manifest.files) {
    if (file.digest.empty())
      return Error{Fault::refused, "unreadable", doing + ": " + base::printable(file.path, 200) + " cannot be read"};
  }
  out.files = client::rows_of(out.manifest);
  return out;
}

}  // namespace

std::vector<std::string> algorithms() { return {"md5", "sha256", "blake2b"}; }

plugin::StepType manifest(client::Services& services) {
  return plugin::step<In, Out>(
      {.name = "checksum.manifest",
       .summary = "Reads size, mode, time and checksum of every file below some paths, in one round trip.",
       .effect = plugin::Effect::reads,
       .inputs = {plugin::required("host", &In::host, "The machine: `ssh` of vast.wait_until_ready.",
                                   client::check_endpoint)
                      .of_what_runs(),
                  plugin::required("paths", &In::paths, "Absolute; directories are read to their depths.",
                                   client::check_absolute_paths)
                      .doubted(client::doubt_paths)
                      .on_the_machine(plugin::Remote::read),
                  plugin::optional("algorithm", &In::algorithm, "Of the checksums.").one_of(algorithms())},
       .outputs = {plugin::output("files", &Out::files, "Every file.").at_least(1),
                   plugin::output("manifest", &Out::manifest, "The same, as checksum.verify takes it.")},
       .records_files = "manifest",
       .errors = {Fault::unavailable, Fault::unknown, Fault::auth, Fault::host_key_changed, Fault::refused,
                  Fault::not_found, Fault::corrupt, Fault::no_space},
       .timeout = 10min,
       .example = "{host: \"${{ steps.ready.ssh }}\", paths: [/workspace/drill]}",
       .estimate =
           [](const In&) {
             return plugin::Estimate{.time = {500ms, 2s, 0s}, .quotes = std::nullopt};
           },
       .run = [&services](const In& in, const Context& context) { return run(*services.ssh, in, context); }});
}

}  // namespace failover::steps::checksum
