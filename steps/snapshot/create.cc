#include <algorithm>

#include "engine/base/digest.h"
#include "engine/base/text.h"
#include "engine/plugin/step.h"
#include "steps/client/checks.h"
#include "steps/client/remote_script.h"
#include "steps/snapshot/parts.h"

namespace failover::steps::snapshot {
namespace {

constexpr unsigned kSetId = 06000;
constexpr unsigned kSticky = 01000;

using base::Error;
using base::Fault;
using base::Result;
using client::Endpoint;
using plugin::Context;
using namespace std::chrono_literals;

struct In {
  Endpoint host;
  std::vector<std::string> paths;
  std::string bucket;
  std::string name;
  std::string parent;
};
struct Out {
  std::string id;
  std::int64_t bytes = 0;
  std::int64_t compressed_bytes = 0;
  double ratio = 0;
  std::int64_t files = 0;
  std::int64_t skipped = 0;
  double seconds = 0;
};

// Lists and digests the tree, then packs just what it has listed into parts in a directory of its own. All this is true
// when the tree has stood still: names, sizes, modes and times, of directories too, are looked at before and after, and
// exit 76 names what is not the same. The time of the last change (ctime) is the kernel's, nobody sets it back, but two
// changes in one tick of its clock have the same: so nothing is listed before that clock has gone on. An
// overlay file system may tidy a directory up when it is read for the first time: the second look counts.
// What tar says goes to stderr and into a file, since only the last program of a pipe is asked for its exit code; -e
// does not hold in what is asked for its success, hence `bad`. Directories lose their set-id bits, which no restore
// takes: what is made below a set-gid directory inherits it, so refusing would hit ordinary trees.
std::string pack_script(const In& in) {
  std::string out = "set -e\numask 077\nLC_ALL=C; export LC_ALL\nlimit=" + std::to_string(kPartBytes) + "\n";
  std::string words;
  if (in.paths.size() == 1) {
    const std::string path = base::shell_quote(in.paths[0]);
    out += "[ -e " + path + " ] || { printf '%s: no such file or directory\\n' " + path + " >&2; exit 66; }\n";
    out += "if [ -d " + path + " ]; then cd -- " + path + "; at=.; else cd /; at=." + path + "; fi\n";
    words = "\"$at\"";
  } else {
    for (const auto& path : in.paths) words += (words.empty() ? "" : " ") + base::shell_quote("." + path);
    out += "cd /\n";
  }
  words += R"sh( -name "${spool##*/}" -prune -o)sh";
  out +=
      R"sh(spool=$(mktemp -d "${TMPDIR:-/tmp}/failover-snapshot.XXXXXXXX")
trap 'rm -rf -- "$spool"' EXIT
if command -v zstd >/dev/null 2>&1; then codec=zstd; pack() { zstd -q -T0 -3 -c; }; else codec=gzip; pack() { gzip -c; }; fi
look() {
  found=0
  find )sh" +
      words + R"sh( \( -type f -o -type d \) -printf '%y %s %m %T@ %C@ %p\0' >"$spool/look" || found=$?
  sort -z -T "$spool" "$spool/look" >"$spool/$1" && return "$found"
}
tick() {
  : >"$spool/then"; turns=0
  until [ -n "$(find "$spool/now" -newercc "$spool/then" 2>/dev/null)" ] || [ "$turns" -gt 2000 ]; do
    : >"$spool/now"; turns=$((turns + 1))
  done
}
set +e
(
set -e
look before
look before
tick
pwd; printf '\0%s\0%s\0\0' "$spool" "$codec"
)sh" +
      client::list_words(
          words +
          R"sh( \( \( -type f -o -type d \) -fprint0 "$spool/names" -type f -fprint0 "$spool/files" -o -true \))sh") +
      "\nxargs -0 -r " + std::string(client::digest_program(base::Algorithm::sha256)) +
      R"sh( -z -- <"$spool/files"; printf '\0'
{ tar --null --no-recursion --format=posix --mode=a-s -T "$spool/names" -cf - || echo failed >"$spool/failed"; } |
{ pack || echo failed >"$spool/failed"; } | split -b "$limit" -a 5 -d - "$spool/part-"
if [ -e "$spool/failed" ]; then echo 'packing failed' >&2; exit 1; fi
)
bad=$?
said=$(look after 2>&1) || { [ "$bad" -ne 0 ] || bad=1; printf '%s\n' "$said" >&2; }
set -e
if [ "$(sha256sum <"$spool/before")" != "$(sha256sum <"$spool/after")" ]; then
  one=$(comm -z -3 "$spool/before" "$spool/after" | tail -z -n 1 | tr '\n\0\t' '?\n ')
  case $one in *./*) one=${one#*./};; *) one=$(pwd);; esac
  printf '%s\n' "$one" >&2
  exit )sh" +
      std::to_string(client::kExitChanged) + R"sh(
fi
[ "$bad" -eq 0 ] || exit "$bad"
cd "$spool"
for part in part-*; do printf '%s %s %s\0' "$(wc -c <"$part" | tr -d ' ')" "$(md5sum <"$part" | cut -c1-32)" "$part"; done
printf '\0'
trap - EXIT
)sh";
  return out;
}

struct Packed {
  std::string spool;
  Contents contents;
  std::vector<std::string> files;  // on the machine, one for each part
  std::int64_t bytes = 0;
  std::int64_t compressed = 0;
  std::int64_t skipped = 0;
  std::int64_t set_id_directories = 0;
  std::string unfit;      // has bits that no restore takes
  std::string unnamable;  // has a name that the manifest's JSON cannot hold
};

Error garbled(const std::string& doing) {
  return {Fault::corrupt, "bad_answer", doing + ": the machine's answer is not what the script prints", ""};
}

bool plain_name(const std::string& text) {
  return text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./") ==
         std::string::npos;
}

// `a\xff.bin`: with what is not UTF-8 as a shell's printf takes it.
std::string spelled(std::string name) {
  for (auto at = base::invalid_utf8(name); at; at = base::invalid_utf8(name)) {
    name.replace(*at, 1, "\\x" + base::hex(name.substr(*at, 1)));
  }
  return name;
}

Result<Packed> read_packed(const std::string& output, const std::string& doing) {
  const auto sections = client::sections(output);
  if (sections.size() < 4 || sections[0].size() != 3) return garbled(doing);
  Packed out;
  const std::string directory(base::trim(sections[0][0]));
  out.spool = sections[0][1];
  out.contents.codec = sections[0][2];
  if (out.spool.find("/failover-snapshot.") == std::string::npos || !plain_name(out.spool)) return garbled(doing);
  auto listed = client::read_listing(sections[1], sections[2]);
  if (!listed) return std::move(listed).error();
  for (const auto& one : *listed) {
    if (one.type == 'd' && one.path != ".") out.contents.directories.push_back(one.path);
    if (one.type == 'f') out.bytes += one.size;
    if (one.type != 'd' && one.type != 'f') ++out.skipped;
    if (one.type == 'd' && (one.mode & kSetId) != 0) ++out.set_id_directories;
    const unsigned unfit = one.type == 'f' ? ~0777U : one.type == 'd' ? kSticky : 0U;
    if ((one.mode & unfit) != 0) out.unfit = one.path == "." ? directory : one.path;
    if ((one.type == 'd' || one.type == 'f') && base::invalid_utf8(one.path)) out.unnamable = one.path;
  }
  if (base::invalid_utf8(directory)) out.unnamable = directory;
  out.contents.files = client::manifest_of(*listed, directory, base::Algorithm::sha256);
  for (const auto& record : sections[3]) {
    const auto words = base::split(record, ' ');
    const auto bytes = words.size() == 3 ? base::parse_integer(words[0]) : std::nullopt;
    if (!bytes || words[1].size() != 32 || !plain_name(words[2])) return garbled(doing);
    out.contents.parts.push_back({"", *bytes, words[1]});
    out.files.push_back(out.spool + "/" + words[2]);
    out.compressed += *bytes;
  }
  if (out.contents.parts.empty()) return garbled(doing);
  return out;
}

Result<void> check_name(const std::string& name) {
  if (plain_name(name) && name.find('/') == std::string::npos && name.size() <= 60) return {};
  return Error{Fault::invalid, "bad_name", "'" + base::printable(name, 80) + "' cannot begin an id",
               "it takes letters, digits, `-`, `_` and `.`, at most 60"};
}

constexpr const char* kNotYet = "incremental snapshots are not possible in this version";

Result<void> check_parent(const std::string& parent) {
  if (parent.empty()) return {};
  return Error{Fault::invalid, "not_yet", kNotYet, "leave it out"};
}

class Creation {
 public:
  Creation(client::Services& services, const In& in, const Context& context)
      : services_(services), in_(in), context_(context), doing_("taking a snapshot of " + client::name_of(in.host)) {}

  Result<Out> run() {
    const auto began = context_.clock().now();
    auto packed = pack();
    if (!packed) return std::move(packed).error();
    auto out = store(*packed);
    sweep(packed->spool);
    if (!out) return out;
    out->seconds = base::seconds(context_.clock().now() - began);
    return out;
  }

 private:
  Result<Packed> pack() {
    context_.progress("packing");
    client::Command command;
    command.script = pack_script(in_);
    command.operation = {"pack"};
    command.operation.insert(command.operation.end(), in_.paths.begin(), in_.paths.end());
    command.output_limit = 256 << 20;
    auto done = services_.ssh->run(in_.host, command, context_);
    if (!done) return std::move(done).error().during(doing_);
    if (done->exit_code != 0) return client::remote_failure(*done, doing_);
    auto packed = read_packed(done->out, doing_);
    if (!packed) return packed;
    if (!packed->unnamable.empty()) {
      sweep(packed->spool);
      return Error{Fault::refused, "not_utf8",
                   doing_ + ": the name " + base::printable(spelled(packed->unnamable), 200) + " is not UTF-8",
                   "rename it, or leave it out: no restore would take it"};
    }
    if (!packed->unfit.empty()) {
      sweep(packed->spool);
      return Error{Fault::refused, "set_id",
                   doing_ + ": " + base::printable(packed->unfit, 200) + " has set-id or sticky bits",
                   "remove them, or leave it out: no restore would take it"};
    }
    if (packed->set_id_directories > 0) {
      context_.progress("leaving out the set-id bits of " + std::to_string(packed->set_id_directories) +
                        " directories");
    }
    if (packed->skipped > 0) {
      context_.progress("leaving out " + std::to_string(packed->skipped) + " links, sockets and the like");
    }
    if (packed->contents.files.files.empty()) {
      sweep(packed->spool);
      return Error{Fault::not_found, "empty_set", doing_ + ": there are no files below " + base::join(in_.paths),
                   "an empty snapshot proves nothing; check `paths`"};
    }
    return packed;
  }

  Result<Out> store(Packed& packed) {
    const std::string prefix = in_.name.empty() ? "" : in_.name + "-";
    auto hold = context_.hold({.kind = kKind,
                               .what = "snapshot in bucket " + in_.bucket,
                               .attributes = {{"bucket", in_.bucket}, {"prefix", prefix}}});
    if (!hold) return std::move(hold).error();
    packed.contents.id = prefix + hold->name();
    auto stored = send(packed, context_.of(*hold));
    if (!stored && stored.error().fault == Fault::unknown) {
      hold->unclear(stored.error());
      return std::move(stored).error();
    }
    // Whatever is there by now is known by its id, half a snapshot as well.
    hold->made({.id = packed.contents.id});
    if (!stored) return std::move(stored).error();
    Out out;
    out.id = packed.contents.id;
    out.bytes = packed.bytes;
    out.compressed_bytes = packed.compressed;
    out.ratio = static_cast<double>(packed.bytes) / static_cast<double>(std::max<std::int64_t>(1, packed.compressed));
    out.files = static_cast<std::int64_t>(packed.contents.files.files.size());
    out.skipped = packed.skipped;
    return out;
  }

  Result<void> send(Packed& packed, const Context& making) {
    for (std::size_t i = 0; i < packed.contents.parts.size(); ++i) {
      std::string number = std::to_string(i + 1);
      number.insert(0, 5 - std::min<std::size_t>(5, number.size()), '0');
      packed.contents.parts[i].key = prefix_of(packed.contents.id) + "part-" + number;
      context_.progress("uploading part " + std::to_string(i + 1) + " of " +
                        std::to_string(packed.contents.parts.size()));
      if (auto sent = send_part(packed.contents.parts[i], packed.files[i], making); !sent) return sent;
    }
    auto put = services_.b2->put({.bucket = in_.bucket,
                                  .key = manifest_key(packed.contents.id),
                                  .body = to_json_text(packed.contents),
                                  .body_file = {},
                                  .on_bytes = {},
                                  .label = {}},
                                 making);
    if (!put) return std::move(put).error().during("writing the snapshot's manifest");
    return {};
  }

  // The machine sends, the runner looks whether it arrived: some tries, since B2 wants a new connection now and then
  // (b2-s3-api.md 7). Sending the same bytes again harms nothing.
  Result<void> send_part(const Part& part, const std::string& file, const Context& making) {
    constexpr int kTries = 5;
    base::Duration pause = 500ms;
    for (int attempt = 1;; ++attempt, pause *= 2) {
      auto sent = send_once(part, file, making);
      const bool lost = !sent && sent.error().code == "unanswered";
      if (sent || lost) {
        auto there = arrived(part);
        if (there) return {};
        if (sent) sent = std::move(there);
      }
      // It may yet be stored (b2-s3-api.md 5), whatever comes of the next try.
      if (lost) making.unanswered();
      const Fault fault = sent.error().fault;
      const bool hopeless = fault != Fault::refused && fault != Fault::corrupt && fault != Fault::not_found &&
                            fault != Fault::unavailable;
      if (attempt == kTries || hopeless) return sent;
      if (auto slept = context_.sleep(pause); !slept) return slept;
    }
  }

  Result<void> send_once(const Part& part, const std::string& file, const Context& making) {
    std::string raw;
    for (std::size_t i = 0; i + 1 < part.md5.size(); i += 2)
      raw += static_cast<char>(std::stoi(part.md5.substr(i, 2), nullptr, 16));
    const std::string md5 = base::base64(raw);
    auto url = services_.b2->presign("PUT", in_.bucket, part.key, kUrlLife, part.bytes, md5, context_.clock());
    if (!url) return std::move(url).error();
    client::Command command;
    command.script = std::string(kTransferWords) + "put " + base::shell_quote(file) + " " + base::shell_quote(md5);
    command.operation = {"put", file};
    command.input = url->reveal() + "\n";
    if (auto told = making.sending(); !told) return told;
    const std::string doing = "uploading " + part.key + " from " + client::name_of(in_.host);
    auto done = services_.ssh->run(in_.host, command, making);
    // Counted also when it failed on the way: some of it left.
    if (client::may_have_run(done)) context_.traffic(in_.host.machine, part.bytes, 0);
    if (!done) {
      // The machine may go on sending, and what it has sent may be stored although its program was ended.
      if (client::may_have_run(done)) making.unanswered();
      return std::move(done).error().during(doing);
    }
    if (done->exit_code == 0) return {};
    auto error = client::remote_failure(*done, doing);
    if (!done->signal.empty() || done->exit_code == client::kExitUnanswered) error.code = "unanswered";
    return error;
  }

  Result<void> arrived(const Part& part) {
    auto head = services_.b2->head(in_.bucket, part.key, context_);
    if (!head) return std::move(head).error().during("looking whether " + part.key + " arrived");
    if (head->bytes == part.bytes && head->etag == part.md5) return {};
    return Error{Fault::corrupt, "not_as_sent", "B2 holds " + part.key + " with other bytes than were sent",
                 "try again"};
  }

  // The spool goes whatever happened; a machine that cannot be asked any more takes it along.
  void sweep(const std::string& spool) {
    client::Command command;
    command.script = "rm -rf -- " + base::shell_quote(spool);
    command.operation = {"remove", spool};
    (void)services_.ssh->run(in_.host, command, context_.within(10s));
  }

  client::Services& services_;
  const In& in_;
  const Context& context_;
  std::string doing_;
};

}  // namespace

plugin::StepType create(client::Services& services) {
  return plugin::step<In, Out>(
      {.name = "snapshot.create",
       .summary = "Stores a tree of files with modes and times in B2; the machine gets short-lived URLs and no key.",
       .effect = plugin::Effect::creates,
       .inputs =
           {plugin::required("host", &In::host, "The machine: `ssh` of vast.wait_until_ready.", client::check_endpoint)
                .of_what_runs(),
            plugin::required("paths", &In::paths,
                             "Absolute; regular files and directories below them, directories without set-id bits.",
                             client::check_absolute_paths)
                .doubted(client::doubt_paths)
                .on_the_machine(plugin::Remote::read),
            plugin::required("bucket", &In::bucket, "Where it goes.", client::check_bucket),
            plugin::optional("name", &In::name, "Begins its id.", check_name),
            plugin::optional("parent", &In::parent, "Not possible yet: an earlier snapshot to build on.", check_parent)
                .not_possible(kNotYet)},
       .outputs = {plugin::output("id", &Out::id, "What snapshot.restore takes.").id_of(kASnapshot),
                   plugin::output("bytes", &Out::bytes, "Of all files."),
                   plugin::output("compressed_bytes", &Out::compressed_bytes, "As stored."),
                   plugin::output("ratio", &Out::ratio, "The first by the second."),
                   plugin::output("files", &Out::files, "How many.").at_least(1),
                   plugin::output("skipped", &Out::skipped, "Links, sockets and the like: not stored."),
                   plugin::output("seconds", &Out::seconds, "It took.")},
       .holds = {kKind},
       .errors = {Fault::unavailable, Fault::unknown, Fault::auth, Fault::host_key_changed, Fault::refused,
                  Fault::not_found, Fault::corrupt, Fault::rate_limited, Fault::no_space},
       .timeout = 10min,
       .example = "{host: \"${{ steps.ready.ssh }}\", paths: [/workspace/drill], bucket: \"${{ env.B2_BUCKET }}\"}",
       .estimate =
           [](const In&) {
             return plugin::Estimate{.time = {2s, 8s, 0s}, .quotes = std::nullopt};
           },
       .run = [&services](const In& in, const Context& context) { return Creation(services, in, context).run(); }});
}

}  // namespace failover::steps::snapshot
