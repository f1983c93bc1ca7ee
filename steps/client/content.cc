#include "steps/client/content.h"

#include <algorithm>

#include "engine/base/text.h"
#include "steps/client/remote.h"

namespace failover::client {
namespace {

using base::Error;
using base::Fault;
using base::Result;

constexpr std::size_t kMostGroups = 256;
constexpr std::size_t kPiece = std::size_t{1} << 20;

// Feeds the file's bytes to the group's digest, and sees that they are the ones that the manifest lists.
Result<void> feed(base::Digest& group, const Manifest& manifest, const ManifestFile& file,
                  const plugin::Context& context) {
  Content content(manifest.seed, file.path, file.size);
  base::Digest own(*base::parse_algorithm(manifest.algorithm));
  for (std::string piece = content.next(kPiece); !piece.empty(); piece = content.next(kPiece)) {
    if (auto alive = context.check(); !alive) return alive;
    group.update(piece);
    own.update(piece);
  }
  if (base::hex(own.finish()) == file.digest) return {};
  return Error{Fault::corrupt, "bad_manifest",
               "the manifest cannot be trusted: its seed does not make `" + base::printable(file.path, 120) + "`",
               "somebody changed it after it was written"};
}

}  // namespace

std::string new_seed() { return base::hex(base::random_bytes(32)); }

Content::Content(const std::string& seed, const std::string& path, std::int64_t size)
    : bytes_(seed + "/" + path), left_(size) {}

std::string Content::next(std::size_t count) {
  const std::int64_t size = std::min(left_, static_cast<std::int64_t>(count));
  left_ -= size;
  return bytes_.next(static_cast<std::size_t>(size));
}

Result<std::set<std::string>> unproven(Ssh& ssh, const Endpoint& at, const Manifest& manifest,
                                       const std::vector<const ManifestFile*>& files, const std::string& directory,
                                       const plugin::Context& context) {
  std::set<std::string> out;
  if (files.empty()) return out;
  const std::size_t each = (files.size() + kMostGroups - 1) / kMostGroups;
  const std::string key = base::hex(base::random_bytes(32));
  const std::string doing = "challenging " + name_of(at) + " to show its files";
  Command command;
  command.script = "cd -- " + base::shell_quote(directory) + " && xargs -0 -r -x -n " + std::to_string(each) +
                   R"( sh -c '{ printf %s "$0"; cat -- "$@"; printf %s "$0"; } | sha256sum' )" + key;
  command.operation = {"prove", directory, std::to_string(each), key};
  for (const auto* file : files) command.input += "./" + file->path + std::string(1, '\0');
  auto done = run_script(ssh, at, command, doing, context);
  if (!done) return std::move(done).error();
  const auto answers = base::split(base::trim(done->out), '\n');
  if (answers.size() != (files.size() + each - 1) / each)
    return Error{Fault::corrupt, "bad_listing", doing + ": the machine's answer is cut short"};
  for (std::size_t i = 0; i < files.size(); i += each) {
    const std::size_t end = std::min(i + each, files.size());
    base::Digest wanted(base::Algorithm::sha256);
    wanted.update(key);
    for (std::size_t k = i; k < end; ++k) {
      if (auto fed = feed(wanted, manifest, *files[k], context); !fed) return std::move(fed).error();
    }
    wanted.update(key);
    if (answers[i / each] == base::hex(wanted.finish()) + "  -") continue;
    for (std::size_t k = i; k < end; ++k) out.insert(files[k]->path);
  }
  return out;
}

}  // namespace failover::client
