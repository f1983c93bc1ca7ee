#include <map>
#include <set>

#include "engine/base/file.h"
#include "engine/base/text.h"
#include "engine/plugin/step.h"
#include "steps/checksum/parts.h"
#include "steps/client/checks.h"
#include "steps/client/content.h"

namespace failover::steps::checksum {

// A file of the manifest as it was found.
struct Row {
  std::string path;
  std::int64_t size = 0;
  std::string md5;  // the digest, of whichever algorithm
  std::string mode;
  base::WallTime mtime{};
  bool ok = false;
  bool intact = false;  // its bytes are those of the manifest, whatever its mode and time
  static auto members() {
    return std::tuple{plugin::member("path", &Row::path),    plugin::member("size", &Row::size),
                      plugin::member("md5", &Row::md5),      plugin::member("mode", &Row::mode),
                      plugin::member("mtime", &Row::mtime),  plugin::member("ok", &Row::ok),
                      plugin::member("intact", &Row::intact)};
  }
};

namespace {

using base::Error;
using base::Fault;
using base::Result;
using plugin::Context;
using namespace std::chrono_literals;

struct In {
  client::Endpoint host;
  base::Value expect;
  std::string algorithm;
  std::string directory;
};
struct Out {
  std::int64_t expected = 0;
  std::int64_t matched = 0;
  std::vector<std::string> mismatched;
  std::vector<std::string> missing;
  std::vector<std::string> extra;
  std::int64_t mode_changed = 0;
  std::int64_t mtime_changed = 0;
  std::vector<Row> files;
  std::string proof;
  std::vector<std::string> unproven;
};

constexpr const char* kChallenge = "challenge";
constexpr const char* kClaim = "claim";

Result<client::Manifest> wanted(const In& in) {
  if (const std::string* path = in.expect.text()) {
    constexpr std::size_t kLargest = 256 << 20;
    auto text = base::read_file(*path, kLargest);
    if (!text) return std::move(text).error().during("reading the manifest of `expect`");
    return client::manifest_from_json(*text);
  }
  auto manifest = plugin::Codec<client::Manifest>::read(in.expect);
  if (!manifest) return std::move(manifest).error();
  if (auto fits = client::check_manifest(*manifest); !fits) return std::move(fits).error();
  return manifest;
}

Result<void> check_expected(const base::Value& expect) {
  constexpr const char* kHint = "give it the `manifest` of files.create or checksum.manifest";
  if (const std::string* path = expect.text()) return client::check_path(*path);
  const auto manifest = plugin::Codec<client::Manifest>::read(expect);
  if (!manifest) return Error{Fault::invalid, "no_manifest", "it is no manifest: " + manifest.error().message, kHint};
  if (manifest->files.empty())
    return Error{Fault::invalid, "empty_set", "it lists no files: an empty set proves nothing", kHint}.in("files");
  return {};
}

// Lists everything that is there, of the root only what is below `paths`; but reads only what is expected: the names
// come on standard input.
std::string script_for(const std::string& directory, const std::vector<std::string>& paths, base::Algorithm algorithm) {
  const std::string quoted = base::shell_quote(directory);
  std::string out = "cd -- " + quoted + " 2>/dev/null || { [ -e " + quoted +
                    " ] || { printf '\\0\\0'; exit 0; }; exit 1; }\nset --\n";
  if (directory != "/" || paths.empty()) {
    out += "set -- .\n";
  } else {
    for (const auto& path : paths) {
      const std::string below = base::shell_quote("." + path);
      out += "[ ! -e " + below + " ] || set -- \"$@\" " + below + "\n";
    }
    out += "[ $# -gt 0 ] || { printf '\\0\\0'; exit 0; }\n";
  }
  return out + client::list_words("\"$@\" -type f") +
         "\nxargs -0 -r sh -c 'for f; do [ -f \"$f\" ] && printf \"%s\\0\" \"$f\"; done; :' sh | xargs -0 -r " +
         std::string(client::digest_program(algorithm)) + " -z --; printf '\\0'";
}

using Seen = std::map<std::string, const client::Listed*>;  // by path

bool same_content(const client::ManifestFile& file, const client::Listed& found) {
  return found.digest == file.digest && found.size == file.size;
}

// What the machine says that it holds.
std::vector<const client::ManifestFile*> claimed(const client::Manifest& manifest, const Seen& seen) {
  std::vector<const client::ManifestFile*> out;
  for (const auto& file : manifest.files) {
    const auto at = seen.find(file.path);
    if (at != seen.end() && same_content(file, *at->second)) out.push_back(&file);
  }
  return out;
}

Out compare(const client::Manifest& manifest, Seen seen, const std::set<std::string>& unproven) {
  Out out;
  out.expected = static_cast<std::int64_t>(manifest.files.size());
  for (const auto& file : manifest.files) {
    const auto at = seen.find(file.path);
    if (at == seen.end()) {
      out.missing.push_back(file.path);
      out.files.push_back({file.path, file.size, "", file.mode, file.mtime, false, false});
      continue;
    }
    const client::Listed& found = *at->second;
    const auto mtime = std::chrono::floor<std::chrono::microseconds>(found.mtime);
    const bool shown = unproven.count(file.path) == 0;
    const bool content = same_content(file, found) && shown;
    const bool mode = client::format_mode(found.mode) == file.mode;
    const bool time = mtime == std::chrono::floor<std::chrono::microseconds>(file.mtime);
    out.matched += content ? 1 : 0;
    if (!content) (shown ? out.mismatched : out.unproven).push_back(file.path);
    out.mode_changed += mode ? 0 : 1;
    out.mtime_changed += time ? 0 : 1;
    out.files.push_back({file.path, found.size, found.digest, client::format_mode(found.mode), mtime,
                         content && mode && time, content});
    seen.erase(at);
  }
  for (const auto& [path, ignored] : seen) out.extra.push_back(path);
  return out;
}

Result<Out> run(client::Ssh& ssh, const In& in, const Context& context) {
  auto manifest = wanted(in);
  if (!manifest) return std::move(manifest).error();
  if (manifest->files.empty()) {
    return Error{Fault::invalid, "empty_set", "`expect` lists no files: an empty set proves nothing",
                 "check the step that made the manifest"};
  }
  if (!in.algorithm.empty() && manifest->algorithm != in.algorithm) {
    return Error{
        Fault::invalid, "other_algorithm",
        "the manifest holds " + base::printable(manifest->algorithm, 20) + " and `algorithm` says " + in.algorithm,
        "use the same for both"};
  }
  const std::string directory = in.directory.empty() ? manifest->directory : in.directory;
  if (auto fits = client::check_absolute(directory); !fits) return std::move(fits).error();
  const auto algorithm = *base::parse_algorithm(manifest->algorithm);
  const std::string doing = "verifying files on " + client::name_of(in.host);
  client::Command command;
  command.script = script_for(directory, manifest->paths, algorithm);
  command.operation = {"verify", manifest->algorithm, directory};
  command.output_limit = 256 << 20;
  for (const auto& file : manifest->files) command.input += "./" + file.path + std::string(1, '\0');
  auto done = client::run_script(ssh, in.host, command, doing, context);
  if (!done) return std::move(done).error();
  auto parts = client::sections(done->out);
  if (parts.size() < 3) return Error{Fault::corrupt, "bad_listing", doing + ": the machine's answer is cut short"};
  auto listed = client::read_listing(parts[0], parts[1]);
  if (!listed) return std::move(listed).error();
  Seen seen;
  for (const auto& one : *listed) seen.emplace(one.path, &one);
  std::set<std::string> unproven;
  if (!manifest->seed.empty()) {
    auto doubted = client::unproven(ssh, in.host, *manifest, claimed(*manifest, seen), directory, context);
    if (!doubted) return std::move(doubted).error();
    unproven = *std::move(doubted);
  }
  Out out = compare(*manifest, std::move(seen), unproven);
  out.proof = manifest->seed.empty() ? kClaim : kChallenge;
  return out;
}

}  // namespace

plugin::StepType verify(client::Services& services) {
  return plugin::step<In, Out>(
      {.name = "checksum.verify",
       .summary = "Compares files on a machine with a manifest: checksum, size, mode, time, missing and extra ones.",
       .effect = plugin::Effect::reads,
       .inputs = {plugin::required("host", &In::host, "The machine: `ssh` of vast.wait_until_ready.",
                                   client::check_endpoint)
                      .of_what_runs(),
                  plugin::required("expect", &In::expect,
                                   "A manifest of an earlier step, or the path of a saved one on the runner.",
                                   check_expected)
                      .either({base::Type::Kind::string, plugin::Codec<client::Manifest>::type()})
                      .on_the_runner(plugin::Local::file),
                  plugin::optional("algorithm", &In::algorithm, "The manifest's own, which it is without this.")
                      .one_of(algorithms()),
                  plugin::optional("directory", &In::directory,
                                   "Where the files are now; without it where the manifest says.",
                                   client::check_absolute_or_empty)
                      .doubted(client::doubt_path)
                      .on_the_machine(plugin::Remote::read, "expect")},
       .outputs =
           {plugin::output("expected", &Out::expected, "Files of the manifest.").counts("expect"),
            plugin::output("matched", &Out::matched, "Those with the same size and checksum, and not `unproven`."),
            plugin::output("mismatched", &Out::mismatched, "Those that are there and differ."),
            plugin::output("missing", &Out::missing, "Those that are not there."),
            plugin::output("extra", &Out::extra, "Files that the manifest does not list."),
            plugin::output("mode_changed", &Out::mode_changed, "How many have another mode."),
            plugin::output("mtime_changed", &Out::mtime_changed, "How many have another time of change."),
            plugin::output("files", &Out::files, "Every file of the manifest as it was found.").counts("expect"),
            plugin::output("proof", &Out::proof,
                           "`challenge`: the drill wrote these files, so the machine had to show that it holds their "
                           "bytes, by a digest under a new key; `claim`: the checksums are the machine's word.")
                .one_of({kChallenge, kClaim}),
            plugin::output("unproven", &Out::unproven,
                           "Those whose checksum is right by the machine's word, and whose bytes it could not show.")},
       .shows_files = "files",
       .errors = {Fault::unavailable, Fault::unknown, Fault::auth, Fault::host_key_changed, Fault::refused,
                  Fault::not_found, Fault::corrupt, Fault::no_space},
       .asserts = {{"outputs.matched == outputs.expected"},
                   {"outputs.mode_changed == 0"},
                   {"outputs.mtime_changed == 0"}},
       .agrees = {{"algorithm", "expect", "manifest", "algorithm", "the checksums could not be compared"}},
       .timeout = 10min,
       .example = "{host: \"${{ steps.ready.ssh }}\", expect: \"${{ steps.files.manifest }}\"}",
       .estimate =
           [](const In&) {
             return plugin::Estimate{.time = {500ms, 2s, 0s}, .quotes = std::nullopt};
           },
       .run = [&services](const In& in, const Context& context) { return run(*services.ssh, in, context); }});
}

}  // namespace failover::steps::checksum

namespace failover::steps {
std::vector<plugin::StepType> checksum_steps(client::Services& services) {
  return {checksum::manifest(services), checksum::verify(services)};
}
}  // namespace failover::steps
