// The part of the binder that knows what programs print.
#include <algorithm>
#include <set>

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
          "give it as a word that no shell reads: command: [sh, -c, 'echo \"$1\"', sh, \"${{ " +
              base::printable(name, 80) + " }}\"], or on `stdin`");
  }
}

}  // namespace failover::plan
