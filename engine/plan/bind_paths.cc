// The part of the binder that knows where paths lead: on machines, where the steps so far have put something.
#include <algorithm>
#include <cctype>
#include <utility>

#include "engine/base/text.h"
#include "engine/plan/binder.h"

namespace failover::plan {
namespace {

// Is one of the two in the other, or are they the same?
bool within(std::string_view a, std::string_view b) {
  if (a.size() > b.size()) std::swap(a, b);
  while (!a.empty() && a.back() == '/') a.remove_suffix(1);
  return b.starts_with(a) && (a.size() == b.size() || b[a.size()] == '/');
}

// Is what the two have at as many levels one but for a slip: a letter or two at one place? `run1` and `run2` are two.
bool slipped(std::string_view path, std::string_view made) {
  const auto levels = std::count(made.begin(), made.end(), '/');
  std::size_t end = 0;
  for (auto level = levels; level >= 0 && end != std::string_view::npos; --level)
    end = path.find('/', end + (level == levels ? 0 : 1));
  path = path.substr(0, end);
  const std::size_t shorter = std::min(path.size(), made.size());
  const std::size_t longer = std::max(path.size(), made.size());
  std::size_t before = 0;
  while (before < shorter && path[before] == made[before]) ++before;
  std::size_t behind = 0;
  while (behind < shorter - before && path[path.size() - 1 - behind] == made[made.size() - 1 - behind]) ++behind;
  const auto numbered = [&](std::string_view text) {
    const auto part = text.substr(before, text.size() - before - behind);
    return std::any_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  const auto level = made.substr(made.rfind('/', before == 0 ? 0 : before - 1) + 1);
  return before + behind + 2 >= longer && level.substr(0, level.find('/')).size() > 3 && !numbered(path) &&
         !numbered(made);
}

// Does the path stand once in the file, where it is read? What else names it may have made it.
bool named_once(std::string_view text, std::string_view path) {
  int count = 0;
  for (std::size_t at = text.find(path); at != std::string_view::npos; at = text.find(path, at + path.size())) {
    const char next = at + path.size() < text.size() ? text[at + path.size()] : '\n';
    const bool longer =
        std::isalnum(static_cast<unsigned char>(next)) != 0 || next == '_' || next == '-' || next == '.';
    if (!longer) ++count;
  }
  return count < 2;
}

}  // namespace

// A path on a machine that is nearly one where a step has put something.
void Binder::on_machines(const plugin::Input& input, const scenario::Given& given, const base::Value& value) {
  const auto each = [&](const base::Value& one, source::Span span) {
    const std::string* path = one.text();
    auto& made = shared_.files.made_paths;
    if (path == nullptr || path->empty()) return;
    if (input.remote == plugin::Remote::made) return (void)made.insert(*path);
    if (std::any_of(made.begin(), made.end(), [&](const auto& other) { return within(*path, other); })) return;
    const auto near = std::find_if(made.begin(), made.end(), [&](const auto& other) { return slipped(*path, other); });
    if (near == made.end() || !named_once(home_.file()->text(), *path)) return;
    shared_.diagnostics.warning(home_.file(), span, "seldom-meant",
                                "no step so far has put anything at `" + base::printable(*path, 80) + "`",
                                "did you mean `" + base::printable(*near, 80) + "`?");
  };
  if (const auto* list = value.list()) {
    for (std::size_t i = 0; i < list->size(); ++i)
      each((*list)[i], given.items.size() == list->size() ? given.items[i].node->span : given.node->span);
  } else {
    each(value, given.node->span);
  }
}

// `${{ steps.ready.workspace }}/x` is a path on the machine: the runner has none such.
void Binder::of_a_machine(const plugin::Input& input, const scenario::Given& given) {
  if (input.local == plugin::Local::nothing || input.local == plugin::Local::program) return;
  if (given.kind != scenario::Given::Kind::expression || given.text.pieces.empty()) return;
  const auto& expression = given.text.pieces.front().expression;
  if (expression.empty()) return;
  for (const auto& path : expr::references(expression)) {
    const bool first = path.begin == 0 && path.parts.size() == 3 && path.parts[0].name == "steps";
    const Earlier* other = first ? names_.earlier(path.parts[1].name) : nullptr;
    const plugin::Output* output =
        other == nullptr || other->type == nullptr ? nullptr : other->type->output(path.parts[2].name);
    if (output == nullptr || !output->remote) continue;
    error(given.node->span, "bad-value",
          "`" + input.name + "` is a path of the runner, and `steps." + path.parts[1].name + "." + output->name +
              "` is one on the machine",
          "ssh.upload and ssh.download bring files from one to the other");
  }
}

// A mapping has no place within a text that is read as something: a URL, a path.
void Binder::structured(const plugin::Input& input, const scenario::Given& given, const expr::Scope& scope) {
  const bool read = input.check && input.type.kind() == base::Type::Kind::string;
  if (!read || given.kind != scenario::Given::Kind::expression || given.text.single()) return;
  for (const auto& piece : given.text.pieces) {
    if (piece.expression.empty()) continue;
    const base::Type type = expr::check(piece.expression, scope).type;
    if (type.kind() != base::Type::Kind::object && type.kind() != base::Type::Kind::list) continue;
    std::string field = "host";
    if (type.kind() == base::Type::Kind::object && type.field(field) == nullptr && !type.fields().empty())
      field = type.fields().front().name;
    error(source::locate(*home_.file(), *given.node, piece.begin, piece.end), "wrong-type",
          "a value of type " + type.name() + " is no part of `" + input.name + "`",
          type.kind() == base::Type::Kind::list
              ? "take one with [0]"
              : "take a field of it, as in ${{ " + std::string(piece.expression.text()) + "." + field + " }}");
  }
}

}  // namespace failover::plan
