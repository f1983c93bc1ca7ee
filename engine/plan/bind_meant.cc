// The part of the binder that looks at plain texts: some were meant as expressions.
#include <algorithm>

#include "engine/base/text.h"
#include "engine/plan/binder.h"

namespace failover::plan {
namespace {

bool begins_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool in_name(char c) { return begins_name(c) || (c >= '0' && c <= '9'); }

// `steps.offer.count` at the beginning of the text; empty when no name is there.
std::string_view reference_at(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && begins_name(text[at])) {
    while (at < text.size() && in_name(text[at])) ++at;
    if (at + 1 >= text.size() || text[at] != '.' || !begins_name(text[at + 1])) break;
    ++at;
  }
  return text.substr(0, at);
}

// Does it begin like what only an expression can mean?
bool of_ours(std::string_view reference) {
  for (const std::string_view root : {"inputs.", "steps.", "env.", "outputs.", "each."}) {
    if (reference.starts_with(root)) return true;
  }
  return reference == "run.id" || reference == "run.target";
}

struct Braces {
  std::string_view open;
  std::string_view close;
};

}  // namespace

// A reference to what there is.
bool Binder::names_something(std::string_view text) const {
  if (text == "run.id" || text == "run.target") return true;
  const auto parts = base::split(text, '.');
  if (parts.size() < 2) return false;
  if (parts[0] == "steps") return parts.size() > 2 && names_.earlier(parts[1]) != nullptr;
  if (parts[0] == "inputs") return home_.input(parts[1]) != nullptr;
  return parts[0] == "env" && home_.variable(parts[1]) != nullptr;
}

// `{{ inputs.x }}`, `${ inputs.x }`, or the whole a reference. `text` is a part of the value's own, at `offset`.
void Binder::meant(const scenario::Given& given, std::string_view text, std::size_t offset) {
  const auto say = [&](source::Span span, const std::string& what, const std::string& expression) {
    shared_.diagnostics.warning(home_.file(), span, "seldom-meant", "`" + what + "` is no expression: it stays a text",
                                span.begin == given.node->span.begin ? "write \"${{ " + expression + " }}\""
                                                                     : "write ${{ " + expression + " }}");
    if (expression.starts_with("inputs.")) used_.insert(base::split(expression, '.')[1]);
  };
  const bool whole = offset == 0 && text.size() == given.node->text.size();
  if (whole && reference_at(text) == text && names_something(text))
    return say(given.node->span, std::string(text), std::string(text));
  for (const auto& [open, close] : {Braces{"{{", "}}"}, Braces{"${", "}"}}) {
    for (std::size_t at = text.find(open); at != std::string_view::npos; at = text.find(open, at + open.size())) {
      const std::size_t begin = at + open.size();
      const std::size_t end = text.find(close, begin);
      if (end == std::string_view::npos) break;
      const std::string_view inside = base::trim(text.substr(begin, end - begin));
      const std::string_view name = reference_at(inside);
      // `${x}` is a variable of a shell; `${ x }` is nothing there.
      const bool input = name == inside && text[begin] == ' ' && home_.input(std::string(name)) != nullptr;
      if (!of_ours(name) && !input) continue;
      const std::size_t last = end + close.size();
      say(source::locate(*home_.file(), *given.node, offset + at, offset + last),
          base::printable(text.substr(at, last - at), 80), (input ? "inputs." : "") + std::string(name));
    }
  }
}

void Binder::meant(const scenario::Given& given) {
  if (given.node == nullptr) return;
  if (const auto* text = given.literal.text(); text != nullptr && given.node->is_scalar()) meant(given, *text, 0);
  for (const auto& piece : given.text.pieces) {
    if (piece.expression.empty()) meant(given, piece.literal, piece.begin);
  }
  for (const auto& item : given.items) meant(item);
  for (const auto& [ignored, member] : given.members) meant(member);
}

}  // namespace failover::plan
