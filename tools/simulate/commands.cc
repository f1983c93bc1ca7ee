#include "tools/simulate/commands.h"

#include <algorithm>
#include <charconv>
#include <fstream>

#include "engine/base/digest.h"
#include "engine/base/file.h"
#include "engine/base/text.h"

namespace failover::simulate {
namespace {

using client::Finished;
using Words = std::vector<std::string>;

constexpr int kNoProgram = 127;
constexpr std::size_t kLargest = std::size_t{64} << 20;  // bytes of a file of the runner

Finished exited(int code, std::string out, std::string err = {}) {
  Finished finished;
  finished.exit_code = code;
  finished.out = std::move(out);
  finished.err = std::move(err);
  finished.bytes_out = static_cast<std::int64_t>(finished.out.size());
  return finished;
}

Finished full() { return exited(74, "", "write error: No space left on device\n"); }

Finished absent(const std::string& program, const std::string& path) {
  return exited(1, "", program + ": " + path + ": No such file or directory\n");
}

// Operands without the options before them.
Words operands(const Words& words) {
  Words out;
  bool options = true;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const bool option = options && words[i].size() > 1 && words[i].front() == '-';
    if (option && words[i] == "--") options = false;
    if (!option) out.push_back(words[i]);
  }
  return out;
}

Finished uname(const Words& words) {
  const std::string flag = words.size() > 1 ? words[1] : "-s";
  static const std::map<std::string, std::string> said{{"-a", "Linux simulated 5.15.0 #1 SMP x86_64 GNU/Linux"},
                                                       {"-s", "Linux"},
                                                       {"-n", "simulated"},
                                                       {"-r", "5.15.0"},
                                                       {"-m", "x86_64"}};
  const auto line = said.find(flag);
  if (line == said.end()) return exited(1, "", "uname: invalid option " + flag + "\n");
  return exited(0, line->second + "\n");
}

Finished cat(const Tree& tree, const Words& words, const std::string& input) {
  const Words files = operands(words);
  if (files.empty()) return exited(0, input);
  std::string out;
  for (const auto& path : files) {
    const auto file = tree.find(path);
    if (file == tree.end()) return absent("cat", path);
    out += file->second.bytes;
  }
  return exited(0, std::move(out));
}

Finished sha256sum(const Tree& tree, const Words& words) {
  std::string out;
  for (const auto& path : operands(words)) {
    const auto file = tree.find(path);
    if (file == tree.end()) return absent("sha256sum", path);
    out += base::digest_hex(base::Algorithm::sha256, file->second.bytes) + "  " + path + "\n";
  }
  return exited(0, std::move(out));
}

Finished ls(const Tree& tree, const Words& words) {
  const Words places = operands(words);
  const std::string place = places.empty() ? "/root" : places.front();
  if (tree.count(place) > 0) return exited(0, place + "\n");
  std::string out;
  std::string last;
  for (const auto& [path, file] : tree) {
    if (!below(path, place)) continue;
    const std::size_t start = place == "/" ? 1 : place.size() + 1;
    std::string name = path.substr(start, path.find('/', start) - start);
    if (name != last) out += name + "\n";
    last = std::move(name);
  }
  return out.empty() && place != "/root" ? absent("ls", place) : exited(0, std::move(out));
}

Finished rm(Tree& tree, const Words& words) {
  for (const auto& path : operands(words)) {
    for (auto at = tree.begin(); at != tree.end();) {
      at = at->first == path || below(at->first, path) ? tree.erase(at) : std::next(at);
    }
  }
  return exited(0, "");
}

Finished program(Tree& tree, const Words& words, const std::string& input) {
  const std::string name = words.empty() ? std::string() : words.front();
  if (name == "true" || name == "sync") return exited(0, "");
  if (name == "false") return exited(1, "");
  if (name == "echo") return exited(0, base::join(Words(words.begin() + 1, words.end()), " ") + "\n");
  if (name == "uname") return uname(words);
  if (name == "cat") return cat(tree, words, input);
  if (name == "sha256sum") return sha256sum(tree, words);
  if (name == "ls") return ls(tree, words);
  if (name == "rm") return rm(tree, words);
  return exited(kNoProgram, "", "sh: 1: " + name + ": not found\n");
}

// The words of a script that is one plain command; nullopt: a shell is needed.
std::optional<Words> plain_words(const std::string& script) {
  const std::string text(base::trim(script));
  if (text.empty() || text.find_first_of("\n;|&<>()$`\\\"'*?[]#~={}!") != std::string::npos) return std::nullopt;
  Words out;
  for (const auto& word : base::split(text, ' ')) {
    if (!word.empty()) out.push_back(word);
  }
  return out;
}

// A file of the runner arrives whole.
Finished receive(Tree& tree, const Words& words, const client::Command& command, base::WallTime now) {
  auto bytes = from_file(command.input_file);
  if (!bytes) return exited(74, "", "cat: read error\n");
  std::string to = words.at(1);
  const bool directory =
      to.back() == '/' || std::any_of(tree.begin(), tree.end(), [&](const auto& one) { return below(one.first, to); });
  if (directory) to += (to.back() == '/' ? "" : "/") + words.at(2);
  File file{*std::move(bytes), 0644, now};
  std::from_chars(words.at(3).data(), words.at(3).data() + words.at(3).size(), file.mode, 8);
  tree.insert_or_assign(to, std::move(file));
  return exited(0, "");
}

Finished send(const Tree& tree, const Words& words, const client::Command& command) {
  const auto file = tree.find(words.at(1));
  if (file == tree.end()) return exited(66, "", words.at(1) + ": No such file\n");
  if (static_cast<std::int64_t>(file->second.bytes.size()) > command.output_limit) return exited(78, "");
  if (!to_file(command.output_file, file->second.bytes)) return exited(74, "", "cat: write error\n");
  return exited(0, "", "sha256 " + base::digest_hex(base::Algorithm::sha256, file->second.bytes) + "\n");
}

}  // namespace

std::optional<std::string> from_file(const std::string& path) {
  auto bytes = base::read_file(path, kLargest);
  if (!bytes) return std::nullopt;
  return *std::move(bytes);
}

bool to_file(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << bytes << std::flush;
  return file.good();
}

bool below(const std::string& path, const std::string& directory) {
  if (directory == "/") return path.size() > 1;
  return path.size() > directory.size() && path.compare(0, directory.size(), directory) == 0 &&
         path[directory.size()] == '/';
}

std::optional<Finished> scenario_command(Tree& tree, const client::Command& command, base::WallTime now,
                                         bool disk_full) {
  const Words& words = command.operation;
  if (words.empty()) return exited(kNoProgram, "", "sh: this machine lives in memory and has no shell\n");
  if (words[0] == "exec") return program(tree, Words(words.begin() + 1, words.end()), command.input);
  if (words[0] == "sh") {
    const auto plain = plain_words(words.at(1));
    if (plain) return program(tree, *plain, command.input);
    return exited(kNoProgram, "", "sh: this machine lives in memory and runs single plain commands alone\n");
  }
  if (words[0] == "receive") return disk_full ? full() : receive(tree, words, command, now);
  if (words[0] == "send") return send(tree, words, command);
  return std::nullopt;
}

}  // namespace failover::simulate
