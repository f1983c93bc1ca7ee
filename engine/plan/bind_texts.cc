// The part of the binder that knows what programs print.
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

}  // namespace failover::plan
