#include <map>

#include "engine/base/text.h"
#include "engine/plugin/step.h"
#include "steps/client/checks.h"
#include "steps/client/content.h"
#include "steps/client/remote.h"
#include "steps/files/files.h"

namespace failover::steps {
namespace {

using base::Error;
using base::Fault;
using base::Result;
using client::Endpoint;
using plugin::Context;
using namespace std::chrono_literals;

struct In {
  Endpoint host;
  std::string directory;
  std::int64_t count = 1;
  base::Size size{1'000'000};
  std::vector<std::string> modes{"0644", "0600", "0755", "0640"};
  std::vector<base::WallTime> mtimes;
};
struct Row {
  std::string path;
  std::int64_t size = 0;
  std::string md5;
  std::string mode;
  base::WallTime mtime{};
  static auto members() {
    return std::tuple{plugin::member("path", &Row::path), plugin::member("size", &Row::size),
                      plugin::member("md5", &Row::md5), plugin::member("mode", &Row::mode),
                      plugin::member("mtime", &Row::mtime)};
  }
};
struct Out {
  std::vector<Row> files;
  client::Manifest manifest;
  std::int64_t bytes = 0;
};

// One header line and the bytes for each file; `read` takes a line byte by byte, head exactly its count.
constexpr const char* kWrite = R"(
umask 077
mkdir -p -- "$dir" && cd -- "$dir" || exit 1
undo() { rm -f -- "$made"*; exit 1; }
while IFS=' ' read -r size mode time name; do
  [ "$size" = end ] && break
  head -c "$size" >"$name" && chmod "$mode" -- "$name" && touch -d "@$time" -- "$name" || undo
done
)";

// What the files are, before a byte is sent.
struct Written {
  std::string stream;
  client::Manifest manifest;
};

// As `touch -d @...` reads it.
std::string epoch(base::WallTime at) {
  const auto micros = std::chrono::floor<std::chrono::microseconds>(at.time_since_epoch()).count();
  const auto size = static_cast<std::uint64_t>(micros < 0 ? -micros : micros);
  const std::string fraction = std::to_string(1'000'000 + size % 1'000'000).substr(1);
  return (micros < 0 ? "-" : "") + std::to_string(size / 1'000'000) + "." + fraction;
}

base::WallTime time_of(const In& in, std::int64_t index) {
  if (!in.mtimes.empty())
    return std::chrono::floor<std::chrono::microseconds>(in.mtimes[static_cast<std::size_t>(index) % in.mtimes.size()]);
  // Some day of the past, another one for each file, with a fraction.
  const base::WallTime first(std::chrono::seconds(1'700'000'000));
  return first + index * 86'461s + std::chrono::microseconds(123'456 + index % 1'000);
}

Written make_files(const In& in, const std::string& token) {
  Written out;
  out.manifest.algorithm = "md5";
  out.manifest.seed = client::new_seed();
  out.manifest.directory = in.directory;
  for (std::int64_t i = 0; i < in.count; ++i) {
    std::string number = std::to_string(i + 1);
    if (number.size() < 4) number.insert(0, 4 - number.size(), '0');
    client::ManifestFile file{"drill-" + token + "-" + number + ".bin", in.size.bytes,
                              in.modes[static_cast<std::size_t>(i) % in.modes.size()], time_of(in, i), ""};
    const std::string bytes =
        client::Content(out.manifest.seed, file.path, file.size).next(static_cast<std::size_t>(file.size));
    file.digest = base::digest_hex(base::Algorithm::md5, bytes);
    file.mode = client::format_mode(*client::parse_mode(file.mode));
    out.stream +=
        std::to_string(file.size) + " " + file.mode + " " + epoch(file.mtime) + " " + file.path + "\n" + bytes;
    out.manifest.files.push_back(std::move(file));
  }
  out.stream += "end - - -\n";
  return out;
}

Result<void> check_modes(const std::vector<std::string>& modes) {
  if (modes.empty()) return Error{Fault::invalid, "no_modes", "the list is empty", "leave it out for varied ones"};
  for (const auto& mode : modes) {
    if (!client::parse_mode(mode))
      return Error{Fault::invalid, "bad_mode", "`" + base::printable(mode, 20) + "` is no mode",
                   "octal digits up to 0777, quoted"};
  }
  return {};
}

Result<void> check(const In& in) {
  constexpr std::int64_t kMost = std::int64_t{2} << 30;
  if (in.size.bytes > kMost || in.count > 100'000 || in.size.bytes * in.count > kMost) {
    return Error{Fault::invalid, "too_much", "`count` times `size` is more than 2 GiB", "write fewer or smaller files"};
  }
  return {};
}

// Read back from the machine's disk and compared with what was meant.
Result<void> compare(const client::Manifest& wanted, const std::vector<client::Listed>& seen) {
  std::map<std::string, const client::Listed*> by_path;
  for (const auto& one : seen) by_path.emplace(one.path, &one);
  for (const auto& file : wanted.files) {
    const auto found = by_path.find(file.path);
    const bool same = found != by_path.end() && found->second->digest == file.digest &&
                      found->second->size == file.size && client::format_mode(found->second->mode) == file.mode &&
                      std::chrono::floor<std::chrono::microseconds>(found->second->mtime) == file.mtime;
    if (!same) {
      return Error{Fault::corrupt, "not_as_written",
                   "the machine does not hold " + wanted.directory + "/" + file.path + " as it was written",
                   "its disk or its file system cannot be trusted"};
    }
  }
  return {};
}

Result<Out> run(client::Ssh& ssh, const In& in, const Context& context) {
  const std::string token = base::random_id(6);
  Written content = make_files(in, token);
  const std::string doing = "creating files on " + client::name_of(in.host);
  const std::string mask = base::shell_quote("drill-" + token + "-*");
  client::Command command;
  command.script = "dir=" + base::shell_quote(in.directory) + "\nmade=" + base::shell_quote("drill-" + token + "-") +
                   kWrite + client::list_words(". -maxdepth 1 -name " + mask) + "\n" +
                   client::digest_words(". -maxdepth 1 -name " + mask, base::Algorithm::md5);
  command.operation = {"write", in.directory, "drill-" + token + "-"};
  command.input = std::move(content.stream);
  context.progress("writing " + std::to_string(in.count) + " files of " + base::format(in.size));
  auto done = client::run_script(ssh, in.host, command, doing, context);
  if (!done) return std::move(done).error();
  const auto parts = client::sections(done->out);
  auto seen = parts.size() < 2 ? Result<std::vector<client::Listed>>(Error{
                                     Fault::corrupt, "bad_listing", doing + ": the machine's answer is cut short"})
                               : client::read_listing(parts[0], parts[1]);
  if (!seen) return std::move(seen).error();
  if (auto same = compare(content.manifest, *seen); !same) return std::move(same).error();
  Out out;
  for (const auto& file : content.manifest.files)
    out.files.push_back({file.path, file.size, file.digest, file.mode, file.mtime});
  out.bytes = in.size.bytes * in.count;
  out.manifest = std::move(content.manifest);
  return out;
}

}  // namespace

std::vector<plugin::StepType> files_steps(client::Services& services) {
  return {plugin::step<In, Out>(
      {.name = "files.create",
       .summary = "Writes files with unique content on a machine, and reads them back.",
       .effect = plugin::Effect::changes,
       .inputs =
           {plugin::required("host", &In::host, "The machine: `ssh` of vast.wait_until_ready.", client::check_endpoint)
                .of_what_runs(),
            plugin::required("directory", &In::directory, "Absolute; made if absent.", client::check_absolute)
                .doubted(client::doubt_path)
                .on_the_machine(plugin::Remote::made),
            plugin::required("count", &In::count, "How many files.").at_least(1),
            plugin::optional("size", &In::size, "Of each file."),
            plugin::optional("modes", &In::modes, "Octal, quoted; cycled over the files.", check_modes),
            plugin::optional("mtimes", &In::mtimes, "Cycled over the files; without it varied ones of the past.")},
       .outputs = {plugin::output("files", &Out::files, "Every file, its path below `directory`.").counts("count"),
                   plugin::output("manifest", &Out::manifest, "The same as the truth that checksum.verify takes.")
                       .counts("count"),
                   plugin::output("bytes", &Out::bytes, "Of all files.")},
       .records_files = "manifest",
       .errors = {Fault::unavailable, Fault::unknown, Fault::auth, Fault::host_key_changed, Fault::refused,
                  Fault::corrupt, Fault::no_space},
       .always = {{"algorithm", "md5"}},
       .timeout = 5min,
       .example = "{host: \"${{ steps.ready.ssh }}\", directory: /workspace/drill, count: 3}",
       .check = check,
       .estimate =
           [](const In& in) {
             const base::Duration sent = std::chrono::milliseconds(in.size.bytes * in.count / 5'000);  // about 5 MB/s
             return plugin::Estimate{.time = {1s, 2s + sent, 0s}, .quotes = std::nullopt};
           },
       .run = [&services](const In& in, const Context& context) { return run(*services.ssh, in, context); }})};
}

}  // namespace failover::steps
