// The part of the binder that knows what programs print.
#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/text.h"
#include "engine/plan/binder.h"

namespace failover::plan {
namespace {

const plugin::Output* printed(const plugin::StepType* type, const std::string& name) {
  const plugin::Output* output = type == nullptr ? nullptr : type->output(name);
  return output != nullptr && output->printed ? output : nullptr;
}

// Does it end what it prints in a line break? Of most programs nobody can tell.
bool ends_lines(const scenario::Step& written) {
  static const std::set<std::string, std::less<>> kPrograms = {
      "awk",   "basename",   "date",    "free", "grep",      "lscpu", "ps",       "readlink", "realpath", "sort",
      "uniq",  "df",         "dirname", "du",   "expr",      "git",   "hostname", "id",       "ls",       "md5sum",
      "nproc", "nvidia-smi", "pwd",     "seq",  "sha256sum", "stat",  "uname",    "wc",       "which",    "whoami"};
  const source::Entry* entry = written.with == nullptr ? nullptr : written.with->find("script");
  std::string_view script = entry == nullptr ? std::string_view() : entry->value.text;
  if (const source::Entry* command = written.with == nullptr ? nullptr : written.with->find("command")) {
    const auto& words = command->value.items;
    if (words.empty()) return false;
    const std::string& program = words.front().text;
    if (program == "echo") return words.size() < 2 || !std::string_view(words[1].text).starts_with("-n");
    if (kPrograms.count(program) > 0) return true;
    if (words.size() != 3 || !std::string_view(program).ends_with("sh") || words[1].text != "-c") return false;
    script = words[2].text;
  }
  for (const std::string_view other : {"printf", "echo -n", "tr -d", "curl", "jq", "head -c", "cat "}) {
    if (base::contains(script, other)) return false;
  }
  return base::contains(script, "echo ");
}

// The words of a command; nullopt for one that is not known before the run.
using Words = std::vector<std::optional<std::string>>;

std::string program_of(const std::optional<std::string>& word) {
  return word ? word->substr(word->rfind('/') + 1) : std::string();
}

bool is_shell(std::string_view name) {
  static const std::set<std::string_view> kShells = {"ash",  "bash", "csh",       "dash",  "fish", "ksh",  "ksh93",
                                                     "lksh", "mksh", "osh",       "pdksh", "posh", "pwsh", "rbash",
                                                     "rksh", "sh",   "static-sh", "tcsh",  "yash", "zsh"};
  return kShells.count(name) > 0;
}

// Programs that run another one, which their words name.
bool runs_another(std::string_view name) {
  static const std::set<std::string_view> kWrappers = {
      "busybox", "chroot",  "chrt",   "command", "doas", "env", "exec",    "flock", "ionice",  "nice",    "nohup",
      "runuser", "setpriv", "setsid", "stdbuf",  "sudo", "su",  "taskset", "time",  "timeout", "unshare", "xargs"};
  return kWrappers.count(name) > 0;
}

std::string_view text_of(const Words& words, std::size_t at) {
  return words[at] ? std::string_view(*words[at]) : std::string_view();
}

bool asks_for_a_shell(std::string_view word) {
  const bool cluster = word.size() > 1 && word[0] == '-' && word[1] != '-' && word.back() == 'c';
  return cluster || word == "--command";
}

// The word that the program at `at` gives to a shell by an option of its own: `su -c`, `script -qc`, `flock FILE -c`.
std::optional<std::size_t> command_of(const Words& words, std::size_t at) {
  const std::string program = program_of(words[at]);
  if (program == "flock") {
    while (++at < words.size() && text_of(words, at).starts_with('-')) {
      const std::string_view word = text_of(words, at);
      if (word == "-w" || word == "--timeout" || word == "--wait" || word == "-E" || word == "--conflict-exit-code")
        ++at;
    }
    // Behind the file, or not at all: what stands elsewhere is the other program's.
    return at + 2 < words.size() && asks_for_a_shell(text_of(words, at + 1)) ? std::optional(at + 2) : std::nullopt;
  }
  if (program != "su" && program != "runuser" && program != "script") return std::nullopt;
  for (std::size_t i = at + 1; i + 1 < words.size(); ++i) {
    const std::string_view word = text_of(words, i);
    if (word == "--" || (program == "runuser" && (word == "-u" || word == "--user" || word.starts_with("--user="))))
      return std::nullopt;
    if (asks_for_a_shell(word)) return i + 1;
  }
  return std::nullopt;
}

// The word that the shell at `at` takes for its script.
std::optional<std::size_t> script_of(const Words& words, std::size_t at) {
  bool script = false;
  while (++at < words.size()) {
    const std::string_view word = words[at] ? std::string_view(*words[at]) : std::string_view();
    if (word == "--" || word.size() < 2 || (word[0] != '-' && word[0] != '+')) {
      if (word == "--") ++at;
      return script && at < words.size() ? std::optional(at) : std::nullopt;
    }
    if (word.starts_with("--")) {
      if (word == "--rcfile" || word == "--init-file") ++at;
      script = script || word == "--command";
      continue;
    }
    script = script || (word[0] == '-' && word.find('c') != std::string_view::npos);
    // `-o errexit`, `-euo pipefail`
    at +=
        static_cast<std::size_t>(std::count_if(word.begin(), word.end(), [](char c) { return c == 'o' || c == 'O'; }));
  }
  return std::nullopt;
}

std::optional<std::size_t> script_of(const Words& words) {
  if (words.empty()) return std::nullopt;
  const std::string first = program_of(words.front());
  if (is_shell(first)) return script_of(words, 0);
  if (const auto found = command_of(words, 0)) return found;
  if (!runs_another(first)) return std::nullopt;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string program = program_of(words[i]);
    std::optional<std::size_t> found;
    if (is_shell(program)) {
      found = script_of(words, i);
    } else if (program != "script") {  // a word like any other
      found = command_of(words, i);
    }
    if (found) return found;
  }
  return std::nullopt;
}

}  // namespace

// `outputs.stdout == 'ready'` does not hold for what `echo ready` prints, and int() does not read it.
void Binder::taken_whole(const expr::Expression& expression, const Step* own, const PlaceOf& place) {
  for (const auto& [path, text, reader] : expr::taken_whole(expression)) {
    const auto& parts = path.parts;
    const plugin::Output* output = nullptr;
    const scenario::Step* written = nullptr;
    if (parts.size() == 2 && parts[0].name == "outputs") {
      output = own == nullptr ? nullptr : printed(own->type, parts[1].name);
      written = own == nullptr ? nullptr : own->written;
    } else if (parts.size() == 3 && parts[0].name == "steps") {
      const Earlier* other = names_.earlier(parts[1].name);
      output = other == nullptr ? nullptr : printed(other->type, parts[2].name);
      written = other == nullptr ? nullptr : other->written;
    }
    if (output == nullptr || (reader.empty() && (text.empty() || text.ends_with('\n')))) continue;
    if (written == nullptr || !ends_lines(*written)) continue;
    const std::string name = expression.text().substr(path.begin, path.end - path.begin);
    shared_.diagnostics.warning(
        home_.file(), place(path), "seldom-meant",
        reader.empty()
            ? "what a program prints ends in a line break, and '" + base::printable(text, 60) + "' does not"
            : "what a program prints ends in a line break, which " + std::string(reader) + "() does not read",
        "write " + base::printable(name, 80) + ".trim()");
  }
}

void Binder::taken_whole(const scenario::Condition& condition, const Step* own) {
  taken_whole(condition.expression, own, [&](const expr::Path& path) {
    return scenario::span_of(*home_.file(), condition, path.begin, path.end);
  });
}

void Binder::taken_whole(const scenario::Given& given) {
  for (const auto& item : given.items) taken_whole(item);
  for (const auto& [ignored, member] : given.members) taken_whole(member);
  for (const auto& piece : given.text.pieces) {
    taken_whole(piece.expression, nullptr, [&](const expr::Path& path) {
      return source::locate(*home_.file(), *given.node, piece.begin + path.begin, piece.begin + path.end);
    });
  }
}

// May it hold what a machine or a service said? What an operator gives, and what is known before the run, does not.
bool Binder::said_by_others(const expr::Path& path) const {
  const std::string& root = path.parts.front().name;
  if (root == "each") return !foreknown_.all_elements;
  if (root == "inputs") return path.parts.size() > 1 && said_.count(path.parts[1].name) > 0;
  return root == "steps";
}

bool Binder::said_by_others(const scenario::Given& given) const {
  bool out = false;
  scenario::each_reference(given, [&](const auto& reference) { out = out || said_by_others(reference.path); });
  return out;
}

// A shell would read it as commands.
void Binder::shell(const plugin::Input& input, const scenario::Given& given, const expr::Scope& scope) {
  using K = base::Type::Kind;
  for (const auto& piece : given.text.pieces) {
    if (piece.expression.empty()) continue;
    const auto kind = expr::check(piece.expression, scope).type.kind();
    if (kind == K::boolean || kind == K::integer || kind == K::uinteger || kind == K::number) continue;
    const auto& paths = expr::references(piece.expression);
    const auto at = std::find_if(paths.begin(), paths.end(), [&](const auto& path) { return said_by_others(path); });
    if (at == paths.end()) continue;
    const std::string name = piece.expression.text().substr(at->begin, at->end - at->begin);
    error(source::locate(*home_.file(), *given.node, piece.begin + at->begin, piece.begin + at->end), "value-in-script",
          "a shell would read what `" + base::printable(name, 80) + "` says as commands, in `" + input.name + "`",
          (input.words ? "give it as a word behind the script, which reads it as `$1`: "
                       : "give it as a word that no shell reads: ") +
              std::string("command: [sh, -c, 'echo \"$1\"', sh, \"${{ ") + base::printable(name, 80) + " }}\"]" +
              (input.words ? "" : ", or on `stdin`"));
  }
}

// What `sh -c` takes for its script, also behind `env` and the like.
void Binder::words(const plugin::Input& input, const scenario::Given& given, const expr::Scope& scope) {
  if (!said_by_others(given)) return;
  const auto look = [&](const Before& here) {
    Words all;
    for (const auto& item : given.items) {
      const auto value = known(item, here);
      const std::string* text = value ? value->text() : nullptr;
      all.push_back(text == nullptr ? std::nullopt : std::optional(*text));
    }
    if (const auto at = script_of(all)) shell(input, given.items[*at], scope);
  };
  const std::size_t errors = shared_.diagnostics.errors();
  look(before());
  if (shared_.diagnostics.errors() == errors && reads_each(given)) cases(true, look);
}

}  // namespace failover::plan
