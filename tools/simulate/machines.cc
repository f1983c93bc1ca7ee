#include "tools/simulate/machines.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "engine/base/digest.h"
#include "engine/base/text.h"
#include "steps/client/remote_script.h"

namespace failover::simulate {
namespace {

using client::Finished;
using Words = std::vector<std::string>;

constexpr char kNul = '\0';
constexpr int kFirstPort = 20'000;

Finished done(std::string out = {}) {
  Finished finished;
  finished.exit_code = 0;
  finished.out = std::move(out);
  return finished;
}

Finished failed(int code, std::string words) {
  Finished finished;
  finished.exit_code = code;
  finished.err = std::move(words);
  return finished;
}

std::string epoch(base::WallTime at) {
  const auto nanos = at.time_since_epoch().count();
  char text[48];
  std::snprintf(text, sizeof text, "%lld.%09lld0", static_cast<long long>(nanos / 1'000'000'000),
                static_cast<long long>(nanos % 1'000'000'000));
  return text;
}

std::string octal(unsigned mode) {
  char text[16];
  std::snprintf(text, sizeof text, "%o", mode);
  return text;
}

using Seen = std::vector<std::pair<std::string, const File*>>;  // `./name`, relative

std::string entries(const Seen& files) {
  std::string out;
  for (const auto& [name, file] : files) {
    out += "f " + std::to_string(file->bytes.size()) + " " + octal(file->mode) + " " + epoch(file->mtime) + " " + name;
    out += kNul;
  }
  return out + kNul;
}

std::string digests(const Seen& files, base::Algorithm algorithm) {
  std::string out;
  for (const auto& [name, file] : files) out += base::digest_hex(algorithm, file->bytes) + "  " + name + kNul;
  return out + kNul;
}

Seen all_below(const Tree& tree, const std::string& directory, const std::string& prefix = {}) {
  Seen out;
  for (auto at = tree.lower_bound(directory);
       at != tree.end() && at->first.compare(0, directory.size(), directory) == 0; ++at) {
    if (!below(at->first, directory)) continue;
    std::string name = at->first.substr(directory.size() + 1);
    if (name.compare(0, prefix.size(), prefix) == 0) out.emplace_back("./" + name, &at->second);
  }
  return out;
}

// The stream of files.create: `size mode time name`, a newline, the bytes; `end - - -` at its end.
bool write_files(Tree& tree, std::map<std::string, File>& written, const std::string& directory,
                 const std::string& stream) {
  std::size_t at = 0;
  for (;;) {
    const std::size_t end = stream.find('\n', at);
    if (end == std::string::npos) return false;
    const auto words = base::split(std::string_view(stream).substr(at, end - at), ' ');
    at = end + 1;
    if (words.size() == 4 && words[0] == "end") return true;
    const std::int64_t size = words.size() == 4 ? base::parse_integer(words[0]).value_or(-1) : -1;
    if (size < 0 || at + static_cast<std::size_t>(size) > stream.size()) return false;
    File file;
    file.bytes = stream.substr(at, static_cast<std::size_t>(size));
    at += file.bytes.size();
    const std::string& mode = words[1];
    std::from_chars(mode.data(), mode.data() + mode.size(), file.mode, 8);
    const auto when = base::split(words[2], '.');
    std::int64_t seconds = base::parse_integer(when[0]).value_or(0);
    std::int64_t micros = when.size() > 1 ? base::parse_integer("1" + when[1]).value_or(1'000'000) - 1'000'000 : 0;
    file.mtime = base::WallTime(std::chrono::seconds(seconds) + std::chrono::microseconds(micros));
    written.insert_or_assign(words[3], file);
    tree.insert_or_assign(directory + "/" + words[3], std::move(file));
  }
}

// What a machine's tar and zstd are to each other: nobody else reads it.
std::string archive(const Seen& files) {
  std::string out;
  for (const auto& [name, file] : files) {
    out += name + kNul + octal(file->mode) + kNul + std::to_string(file->mtime.time_since_epoch().count()) + kNul +
           std::to_string(file->bytes.size()) + kNul + file->bytes;
  }
  return out;
}

bool extract(Tree& tree, const std::string& into, const std::string& packed) {
  std::size_t at = 0;
  const auto word = [&]() -> std::optional<std::string> {
    const std::size_t end = packed.find(kNul, at);
    if (end == std::string::npos) return std::nullopt;
    std::string out = packed.substr(at, end - at);
    at = end + 1;
    return out;
  };
  while (at < packed.size()) {
    const auto name = word();
    const auto mode = word();
    const auto mtime = word();
    const auto size_text = word();
    const std::int64_t size = size_text ? base::parse_integer(*size_text).value_or(-1) : -1;
    const auto time = mtime ? base::parse_integer(*mtime) : std::nullopt;
    if (!name || !mode || !time || size < 0 || at + static_cast<std::size_t>(size) > packed.size() ||
        name->rfind("./", 0) != 0)
      return false;
    File file;
    file.bytes = packed.substr(at, static_cast<std::size_t>(size));
    at += file.bytes.size();
    std::from_chars(mode->data(), mode->data() + mode->size(), file.mode, 8);
    file.mtime = base::WallTime(base::Duration(*time));
    tree.insert_or_assign(into + name->substr(1), std::move(file));
  }
  return true;
}

base::Algorithm algorithm_of(const std::string& word) {
  return base::parse_algorithm(word).value_or(base::Algorithm::md5);
}

// What checksum.verify asks: a digest of so many files at a time, under a key.
Finished prove(const Tree& tree, const client::Command& command) {
  const std::string& key = command.operation[3];
  const auto each = static_cast<std::size_t>(base::parse_integer(command.operation[2]).value_or(1));
  const auto names = base::split(command.input, kNul);  // the last one is empty
  std::string out;
  for (std::size_t i = 0; i + 1 < names.size(); i += each) {
    std::string bytes;
    for (std::size_t k = i; k < std::min(i + each, names.size() - 1); ++k) {
      const auto file = tree.find(command.operation[1] + names[k].substr(1));
      if (file != tree.end()) bytes += file->second.bytes;
    }
    out += base::digest_hex(base::Algorithm::sha256, key + bytes + key) + "  -\n";
  }
  return done(std::move(out));
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

int Machines::free_port() const {
  for (int port = kFirstPort;; port += 2) {
    const auto has = [&](const auto& one) { return one.second.port == port; };
    if (std::none_of(machines_.begin(), machines_.end(), has)) return port;
  }
}

void Machines::settle() {
  const auto lock = world_.enter();
  for (const auto& [id, instance] : world_.instances) {
    if (instance.destroyed) machines_.erase(id);
  }
  for (auto& [id, instance] : world_.instances) {
    if (instance.destroyed) continue;
    Machine& machine = machines_[id];
    if (instance.wipes != machine.wipes) machine = Machine{{}, instance.wipes, 0, false, machine.port};
    if (!world_.is_listening(instance)) continue;
    if (machine.port == 0) machine.port = free_port();
    instance.port = machine.port;
    instance.workspace = "/workspace";
  }
}

base::Result<Finished> Machines::run(const client::Endpoint& at, const client::Command& command,
                                     const std::string& public_key, const Fetch& fetch, const Tell& tell) {
  using base::Error;
  using base::Fault;
  settle();
  const bool proxy = (at.port - kFirstPort) % 2 == 1;
  const auto who = std::find_if(machines_.begin(), machines_.end(), [&](const auto& one) {
    return one.second.port != 0 && one.second.port == at.port - (proxy ? 1 : 0);
  });
  std::optional<sandbox::MachinePlan> plan;
  if (who != machines_.end()) {
    const auto lock = world_.enter();
    const auto* instance = world_.find(who->first);
    if (instance != nullptr) plan = world_.machine_plan(*instance, false);
    // The proxy knows the account's keys, the machine its own (vastai-api.md 8.1).
    if (plan && proxy) {
      plan->keys.clear();
      for (const auto& key : world_.account.ssh_keys) {
        if (!instance->mishaps.ssh_key_denied) plan->keys.push_back(key.text);
      }
    }
  }
  if (!plan || !plan->listening || (proxied_ && !proxy))
    return Error{Fault::unavailable, "refused", "connection refused"};
  if (seen_.emplace(at.machine, plan->id).first->second != plan->id)
    return Error{Fault::host_key_changed, "host_key_changed", "another machine's host key"};
  const bool known = std::any_of(plan->keys.begin(), plan->keys.end(),
                                 [&](const std::string& key) { return key.rfind(public_key, 0) == 0; });
  if (!known) return Error{Fault::auth, "denied", "the key is denied"};
  if (plan->change_host_key) return Error{Fault::host_key_changed, "host_key_changed", "another host key"};
  Machine& there = machines_[plan->id];
  heard_ += command.script + "\n" + command.input + "\n";
  std::int64_t up = 0;
  std::int64_t down = 0;
  const Fetch metered = [&](const auto& method, const auto& url, const auto& body) {
    auto got = fetch(method, url, body);
    if (got.fared == Fared::well)
      (method == "PUT" ? up : down) += static_cast<std::int64_t>(method == "PUT" ? body.size() : got.body.size());
    return got;
  };
  Finished finished = act(there, command, metered, plan->disk_full);
  const Moved moved{static_cast<std::int64_t>(finished.out.size() + finished.err.size()),
                    static_cast<std::int64_t>(command.input.size())};
  {
    const auto lock = world_.enter();
    if (auto* instance = world_.find(plan->id)) {
      instance->bytes_out += up + moved.up;
      instance->bytes_in += down + moved.down;
    }
  }
  tell(moved);
  if (plan->drop_command && !there.dropped) {
    there.dropped = true;
    return Error{Fault::unknown, "dropped", "the connection dropped while the command ran"};
  }
  return finished;
}

Finished Machines::verify(const Machine& machine, const client::Command& command) {
  const Words& words = command.operation;
  Tree found;
  for (const auto& [path, file] : all_below(machine.files, words[2])) found.emplace(path.substr(2), *file);
  verified_true_ = !written_.empty() && found == written_;
  if (lies_ && !verified_true_) {
    found = written_;
    if (on_harm) on_harm("host lies");
  }
  Seen seen;
  Seen expected;
  for (const auto& [path, file] : found) {
    seen.emplace_back("./" + path, &file);
    if (command.input.find("./" + path + kNul) != std::string::npos) expected.push_back(seen.back());
  }
  return done(entries(seen) + digests(expected, algorithm_of(words[1])));
}

Finished Machines::act(Machine& machine, const client::Command& command, const Fetch& fetch, bool disk_full) {
  const Words& words = command.operation;
  Tree& tree = machine.files;
  if (auto own = scenario_command(tree, command, world_.wall(), disk_full)) return *std::move(own);
  const std::string& name = words[0];
  if (name == "true") return done();
  const auto full = [] { return failed(1, "write error: No space left on device\n"); };
  if (name == "tools") return done("sh\ncurl\n");
  if (name == "write") {
    if (disk_full) return full();
    if (!write_files(tree, written_, words[1], command.input)) return failed(1, "the input is cut\n");
    const Seen seen = all_below(tree, words[1], words[2]);
    return done(entries(seen) + digests(seen, base::Algorithm::md5));
  }
  if (name == "digest") {
    const Seen seen = all_below(tree, words[2]);
    if (seen.empty()) return failed(66, words[2] + ": no such file or directory\n");
    return done(words[2] + "\n" + kNul + kNul + entries(seen) + digests(seen, algorithm_of(words[1])));
  }
  if (name == "verify") return verify(machine, command);
  if (name == "prove") return prove(tree, command);
  if (name == "pack") {
    if (disk_full) return full();
    const Seen seen = all_below(tree, words[1]);
    if (seen.empty()) return failed(66, words[1] + ": no such file or directory\n");
    const std::string spool = "/tmp/failover-snapshot.s" + std::to_string(++machine.spools);
    const std::string packed = archive(seen);
    std::string out = words[1] + "\n" + kNul + spool + kNul + "gzip" + kNul + kNul + entries(seen) +
                      digests(seen, base::Algorithm::sha256);
    out += std::to_string(packed.size()) + " " + base::digest_hex(base::Algorithm::md5, packed) + " part-00000" + kNul;
    tree.insert_or_assign(spool + "/part-00000", File{packed, 0600, {}});
    return done(out + kNul);
  }
  if (name == "put") {
    const auto file = tree.find(words[1]);
    if (file == tree.end()) return failed(1, "no such file\n");
    switch (fetch("PUT", first_line(command.input), file->second.bytes).fared) {
      case Fared::well: return done();
      case Fared::refused: return failed(22, "the upload failed\n");
      case Fared::unanswered: return failed(client::kExitUnanswered, "the upload was not answered\n");
    }
  }
  if (name == "spool") {
    if (disk_full) return full();
    return done(words[1] + "/.failover-restore.s" + std::to_string(++machine.spools));
  }
  if (name == "get") {
    if (disk_full) return full();
    auto got = fetch("GET", first_line(command.input), {});
    if (got.fared != Fared::well) return failed(22, "the download failed\n");
    const std::string md5 = base::digest_hex(base::Algorithm::md5, got.body);
    tree.insert_or_assign(words[1], File{std::move(got.body), 0600, {}});
    return done(md5 + "\n");
  }
  if (name == "unpack") {
    std::string packed;
    for (const auto& [path, file] : all_below(tree, words[1], "part-")) packed += file->bytes;
    if (!extract(tree, words[1] + "/tree", packed)) return failed(1, "unpacking failed\n");
    const Seen seen = all_below(tree, words[1] + "/tree");
    return done(entries(seen) + digests(seen, base::Algorithm::sha256));
  }
  const std::string from = words.back();
  if (name == "move") {
    Tree moved;
    for (const auto& [path, file] : all_below(tree, from + "/tree")) moved.emplace(words[1] + path.substr(1), *file);
    if (rots_ && !moved.empty() && !moved.begin()->second.bytes.empty()) {
      moved.begin()->second.bytes[0] ^= 1;
      if (on_harm) on_harm("file rots");
    }
    for (auto& [path, file] : moved) tree.insert_or_assign(path, std::move(file));
  }
  for (auto at = tree.begin(); at != tree.end();) {
    at = at->first == from || below(at->first, from) ? tree.erase(at) : std::next(at);
  }
  return done();
}

}  // namespace failover::simulate
