#include <map>
#include <set>

#include "engine/base/text.h"
#include "engine/plugin/step.h"
#include "steps/client/checks.h"
#include "steps/snapshot/parts.h"

namespace failover::steps::snapshot {
namespace {

using base::Error;
using base::Fault;
using base::Result;
using client::Endpoint;
using plugin::Context;
using namespace std::chrono_literals;

struct In {
  Endpoint host;
  std::string snapshot;
  std::string bucket;
  std::string directory;
};
struct Out {
  std::int64_t files = 0;
  std::int64_t bytes = 0;
  double seconds = 0;
};

// A directory beside the target, on the same file system, so that what is right is moved and never copied. A set-gid
// target gives its bit to what is made in it: here that would read as the archive's.
constexpr const char* kBegin = R"(
umask 077
fresh=
[ -d "$dir" ] || fresh=yes
mkdir -p -- "$dir" || exit 1
spool=$(mktemp -d -p "$dir" .failover-restore.XXXXXXXX) || exit 1
mkdir -- "$spool/tree" && chmod a-st -- "$spool" "$spool/tree" || exit 1
[ -z "$fresh" ] || : >"$spool/fresh"
printf '%s' "$spool"
)";

// tar gets no chance to leave the tree: names are relative, and links are refused by the look that follows.
constexpr const char* kUnpack = R"(
cd -- "$spool" || exit 1
umask 077
case $codec in zstd) unpack() { zstd -q -d -c; };; *) unpack() { gzip -d -c; };; esac
{ cat part-* | { unpack || echo failed >failed; } | tar -x -p -f - -C tree --no-same-owner || echo failed >failed; }
if [ -e failed ]; then echo 'unpacking failed' >&2; exit 1; fi
rm -f -- part-*
cd tree || exit 1
)";

// Says what stands in the way and then changes nothing: nothing may go through a link below the target, or below
// another name. Below `/` a directory that no list names is the way to what was asked for and may be a link, as the
// target may. Files by rename; listed directories' modes and times once nothing changes in them any more, the spool's
// end included. The target itself gets them only where the restore made it.
constexpr const char* kMove = R"(
cd -- "$spool/tree" && cat >"$spool/listed" || exit 1
case $dir in *[!/]*) find . -mindepth 1 -type d -print0;; *) cat "$spool/listed";; esac |
xargs -0 -r sh -c 'to=$0; for d; do
if [ -L "$to/$d" ]; then printf "%s is a link\0" "${d#./}"
elif [ -e "$to/$d" ] && [ ! -d "$to/$d" ]; then printf "%s is no directory\0" "${d#./}"; fi; done' "$dir" >"$spool/taken" || exit 1
find . -type f -exec sh -c 'to=$0; for f; do
if [ -d "$to/$f" ] && [ ! -L "$to/$f" ]; then printf "%s is a directory\0" "${f#./}"; fi; done' "$dir" {} + >>"$spool/taken" || exit 1
if [ -s "$spool/taken" ]; then head -c 10000 "$spool/taken"; exit 0; fi
{ [ ! -e "$spool/fresh" ] || printf './\0'; cat "$spool/listed"; } |
tar --null --no-recursion --format=posix -T - -cf "$spool/directories.tar" || exit 1
find . -type d -exec sh -c 'to=$0; for d; do mkdir -p -- "$to/$d" || exit 1; done' "$dir" {} + || exit 1
find . -type f -exec sh -c 'to=$0; for f; do mv -f -T -- "$f" "$to/$f" || exit 1; done' "$dir" {} + || exit 1
cp -- "$spool/directories.tar" "$spool.tar" && rm -rf -- "$spool" && exec 3<"$spool.tar" && rm -f -- "$spool.tar" || exit 1
tar -x -p -f - -C "$dir" --no-same-owner <&3 || exit 1
)";

Result<void> check_id(const std::string& snapshot) {
  const bool made = snapshot.find("failover-") != std::string::npos;  // every id ends in the name of its resource
  if (made && snapshot.find('/') == std::string::npos && snapshot.front() != '.') return {};
  return Error{Fault::invalid, "bad_id", "'" + base::printable(snapshot, 120) + "' is no snapshot id",
               "give it the `id` of snapshot.create, which ends in `failover-...`"};
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

// Its directories, those on the way to anything that it lists, and the tree itself.
std::set<std::string> with_parents(const Contents& contents) {
  std::set<std::string> out{"."};
  const auto add = [&](std::string path) {
    while (!path.empty() && out.insert(path).second) path = parent_of(path);
  };
  for (const auto& one : contents.directories) add(one);
  for (const auto& one : contents.files.files) add(parent_of(one.path));
  return out;
}

class Restoration {
 public:
  Restoration(client::Services& services, const In& in, const Context& context)
      : services_(services), in_(in), context_(context), doing_("restoring on " + client::name_of(in.host)) {}

  Result<Out> run() {
    const auto began = context_.clock().now();
    auto contents = fetch();
    if (!contents) return std::move(contents).error();
    directory_ = in_.directory.empty() ? contents->files.directory : in_.directory;
    if (auto fits = client::check_absolute(directory_); !fits) return std::move(fits).error();
    auto spool = begin();
    if (!spool) return std::move(spool).error();
    spool_ = *spool;
    auto restored = restore(*contents);
    if (!restored) {
      sweep();
      return std::move(restored).error();
    }
    Out out;
    out.files = static_cast<std::int64_t>(contents->files.files.size());
    for (const auto& file : contents->files.files) out.bytes += file.size;
    out.seconds = base::seconds(context_.clock().now() - began);
    return out;
  }

 private:
  Result<Contents> fetch() const {
    constexpr std::int64_t kLargest = 256 << 20;
    auto text = services_.b2->get(in_.bucket, manifest_key(in_.snapshot), "", kLargest, context_);
    if (!text) {
      if (text.error().fault != Fault::not_found)
        return std::move(text).error().during("reading the snapshot's manifest");
      return Error{Fault::not_found, "no_such_snapshot",
                   "bucket " + in_.bucket + " holds no whole snapshot " + base::printable(in_.snapshot, 120),
                   "its manifest is missing: check id and bucket"};
    }
    return contents_from_json(text->body, in_.snapshot);
  }

  [[nodiscard]] std::string variables() const {
    return "dir=" + base::shell_quote(directory_) + "\nspool=" + base::shell_quote(spool_) + "\n";
  }

  Result<std::string> begin() const {
    client::Command command;
    command.script = "dir=" + base::shell_quote(directory_) + kBegin;
    command.operation = {"spool", directory_};
    auto done = client::run_script(*services_.ssh, in_.host, command, doing_, context_);
    if (!done) return std::move(done).error();
    const std::string spool(base::trim(done->out));
    if (spool.find("/.failover-restore.") == std::string::npos || spool.find('\n') != std::string::npos) {
      return Error{Fault::corrupt, "bad_answer", doing_ + ": the machine's answer is not what the script prints"};
    }
    return spool;
  }

  Result<void> restore(const Contents& contents) {
    for (std::size_t i = 0; i < contents.parts.size(); ++i) {
      context_.progress("downloading part " + std::to_string(i + 1) + " of " + std::to_string(contents.parts.size()));
      if (auto got = fetch_part(contents.parts[i], i + 1); !got) return got;
    }
    context_.progress("unpacking and comparing");
    if (auto same = unpack(contents); !same) return same;
    return move(contents);
  }

  Result<void> move(const Contents& contents) const {
    client::Command command;
    command.script = variables() + kMove;
    command.operation = {"move", directory_, spool_};
    for (const auto& one : contents.directories) command.input += "./" + one + '\0';
    auto moved = client::run_script(*services_.ssh, in_.host, command, doing_, context_);
    if (!moved) return std::move(moved).error();
    if (moved->out.empty()) return {};
    return Error{Fault::refused, "place_taken",
                 doing_ + ": below " + base::printable(directory_, 200) + ", " +
                     base::printable(moved->out.substr(0, moved->out.find('\0')), 200),
                 "nothing was changed; take it away, or restore into another `directory`"};
  }

  // Some tries: connections to object stores break, and a byte that went wrong on the way is right the next time.
  Result<void> fetch_part(const Part& part, std::size_t number) {
    constexpr int kTries = 4;
    base::Duration pause = 500ms;
    for (int attempt = 1;; ++attempt, pause *= 2) {
      auto got = fetch_once(part, number);
      if (got) return {};
      const Fault fault = got.error().fault;
      if (attempt == kTries || (fault != Fault::refused && fault != Fault::corrupt)) return got;
      if (auto slept = context_.sleep(pause); !slept) return slept;
    }
  }

  Result<void> fetch_once(const Part& part, std::size_t number) {
    auto url = services_.b2->presign("GET", in_.bucket, part.key, kUrlLife, std::nullopt, "", context_.clock());
    if (!url) return std::move(url).error();
    std::string name = std::to_string(number);
    name.insert(0, 5 - std::min<std::size_t>(5, name.size()), '0');
    client::Command command;
    command.script = variables() + kTransferWords + "umask 077\nget \"$spool/part-" + name +
                     "\" || exit 1\nmd5sum <\"$spool/part-" + name + "\" | cut -c1-32";
    command.operation = {"get", spool_ + "/part-" + name};
    command.input = url->reveal() + "\n";
    auto done = client::run_script(*services_.ssh, in_.host, command,
                                   "downloading " + part.key + " to " + client::name_of(in_.host), context_);
    if (client::may_have_run(done)) context_.traffic(in_.host.machine, 0, part.bytes);
    if (!done) return missing(part, std::move(done).error());
    if (base::trim(done->out) == part.md5) return {};
    return Error{Fault::corrupt, "part_corrupted",
                 "the bytes of " + part.key + " in bucket " + in_.bucket + " are not the ones that were stored",
                 "the snapshot cannot be used; take another"};
  }

  // The machine only knows that its download failed: the runner may ask why.
  Result<void> missing(const Part& part, Error error) const {
    if (error.fault != Fault::refused) return error;
    auto head = services_.b2->head(in_.bucket, part.key, context_);
    if (head || head.error().fault != Fault::not_found) return error;
    return Error{Fault::not_found, "part_missing",
                 "bucket " + in_.bucket + " has lost " + part.key + " of the snapshot",
                 "the snapshot cannot be used; take another"};
  }

  Result<void> unpack(const Contents& contents) {
    client::Command command;
    command.script = variables() + "codec=" + contents.codec + "\n" + kUnpack + client::list_words(".") + "\n" +
                     client::digest_words(".", base::Algorithm::sha256);
    command.operation = {"unpack", spool_};
    command.output_limit = 256 << 20;
    auto done = client::run_script(*services_.ssh, in_.host, command, doing_, context_);
    if (!done) return std::move(done).error();
    const auto parts = client::sections(done->out);
    if (parts.size() < 2) return Error{Fault::corrupt, "bad_answer", doing_ + ": the machine's answer is cut short"};
    auto listed = client::read_listing(parts[0], parts[1]);
    if (!listed) return std::move(listed).error();
    return compare(contents, *listed);
  }

  // Only what the manifest lists, exactly as it lists it.
  Result<void> compare(const Contents& contents, const std::vector<client::Listed>& listed) const {
    const auto refuse = [&](const std::string& path, const char* why) {
      return Error{Fault::corrupt, "not_as_listed", doing_ + ": " + base::printable(path, 200) + " " + why,
                   "nothing was put in its place; the snapshot cannot be used"};
    };
    std::map<std::string, const client::ManifestFile*> wanted;
    for (const auto& file : contents.files.files) wanted.emplace(file.path, &file);
    std::set<std::string> directories(contents.directories.begin(), contents.directories.end());
    const std::set<std::string> known = with_parents(contents);
    for (const auto& one : listed) {
      if (one.type != 'f' && one.type != 'd') return refuse(one.path, "is neither a file nor a directory");
      if ((one.mode & ~0777U) != 0) return refuse(one.path, "has set-id or sticky bits");
      if (one.type == 'd') {
        if (known.count(one.path) == 0) return refuse(one.path, "is not in the manifest");
        directories.erase(one.path);
        continue;
      }
      const auto at = wanted.find(one.path);
      if (at == wanted.end()) return refuse(one.path, "is not in the manifest");
      if (one.digest != at->second->digest || one.size != at->second->size)
        return refuse(one.path, "has other bytes than the manifest says");
      if (client::format_mode(one.mode) != at->second->mode)
        return refuse(one.path, "has another mode than the manifest says");
      wanted.erase(at);
    }
    if (!wanted.empty()) return refuse(wanted.begin()->first, "is missing");
    if (!directories.empty()) return refuse(*directories.begin(), "is missing");
    return {};
  }

  void sweep() const {
    client::Command command;
    command.script = "rm -rf -- " + base::shell_quote(spool_);
    command.operation = {"remove", spool_};
    (void)services_.ssh->run(in_.host, command, context_.within(10s));
  }

  client::Services& services_;
  const In& in_;
  const Context& context_;
  std::string doing_;
  std::string directory_;
  std::string spool_;
};

}  // namespace

plugin::StepType restore(client::Services& services) {
  return plugin::step<In, Out>(
      {.name = "snapshot.restore",
       .summary = "Brings a snapshot's files back on a machine: verified beside their place, then moved into it.",
       .effect = plugin::Effect::changes,
       .inputs =
           {plugin::required("host", &In::host, "The machine: `ssh` of vast.wait_until_ready.", client::check_endpoint)
                .of_what_runs(),
            plugin::required("snapshot", &In::snapshot, "The `id` of snapshot.create.", check_id).id_of(kASnapshot),
            plugin::required("bucket", &In::bucket, "Where it is.", client::check_bucket),
            plugin::optional("directory", &In::directory,
                             "Where to; without it where it came from. What a snapshot of one directory holds lies in "
                             "it, of several paths each as a whole below it.",
                             client::check_absolute_or_empty)
                .doubted(client::doubt_path)
                .on_the_machine(plugin::Remote::made, "snapshot")},
       .outputs = {plugin::output("files", &Out::files, "How many."),
                   plugin::output("bytes", &Out::bytes, "Of all files."),
                   plugin::output("seconds", &Out::seconds, "It took.")},
       .errors = {Fault::unavailable, Fault::unknown, Fault::auth, Fault::host_key_changed, Fault::refused,
                  Fault::not_found, Fault::corrupt, Fault::rate_limited, Fault::no_space},
       .agrees = {{"bucket", "snapshot", "id", "bucket", "the snapshot would not be found"}},
       .timeout = 10min,
       .example = "{host: \"${{ steps.target.ssh }}\", snapshot: \"${{ steps.snapshot.id }}\", bucket: \"${{ "
                  "env.B2_BUCKET }}\"}",
       .estimate =
           [](const In&) {
             return plugin::Estimate{.time = {2s, 8s, 0s}, .quotes = std::nullopt};
           },
       .run = [&services](const In& in, const Context& context) { return Restoration(services, in, context).run(); }});
}

}  // namespace failover::steps::snapshot
