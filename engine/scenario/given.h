// A value that an author gave where a type is wanted: outright, or through `${{ }}`, at any depth.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/type.h"
#include "engine/base/value.h"
#include "engine/expr/template.h"
#include "engine/source/tree.h"

namespace failover::scenario {

struct Given {
  enum class Kind { literal, expression, list, map };

  Kind kind = Kind::literal;
  base::Type type;                     // what is wanted here
  const source::Node* node = nullptr;  // where; lives as long as the scenario's document
  source::Span key{};                  // that it stands behind; empty: none
  // Elements or members are missing: a finding says why. What is there is worth checking, the whole means nothing.
  bool partial = false;
  base::Value literal{};                                 // Kind::literal
  expr::Template text{};                                 // Kind::expression
  std::vector<Given> items{};                            // Kind::list
  std::vector<std::pair<std::string, Given>> members{};  // Kind::map

  // No expression anywhere in it: evaluate() needs no values.
  [[nodiscard]] bool constant() const;
};

// `node` as a `type`, with every mistake reported exactly; nullopt when there was one, `partial` when it was in an
// element or member. Type any takes what YAML's core
// rules say; a number takes integers; a list of T also takes nothing but lists.
std::optional<Given> read_value(const source::FilePtr& file, const source::Node& node, const base::Type& type,
                                source::Diagnostics& diagnostics);

// Reports what is wrong with the expression that `node` is or holds; offsets are in its text.
void refuse(const source::FilePtr& file, const source::Node& node, const std::vector<expr::Problem>& problems,
            source::Diagnostics& diagnostics);
// Types every expression in it against `scope` and against the wanted type.
void check(const source::FilePtr& file, const Given& given, const expr::Scope& scope, source::Diagnostics& diagnostics);
base::Result<base::Value> evaluate(const Given& given, const expr::Values& values, std::int64_t* spent = nullptr);

// One use of a name in a value; refers into the value.
struct Reference {
  const expr::Path& path;
  const Given& given;      // the innermost: the one whose text it is
  std::size_t offset = 0;  // of the path's expression in that text
  [[nodiscard]] source::Span span(const source::File& file) const;
};
// All of them, in the order of the text.
template <class Visit>
void each_reference(const Given& given, const Visit& visit) {
  for (const auto& piece : given.text.pieces) {
    if (piece.expression.empty()) continue;
    for (const auto& path : expr::references(piece.expression)) visit(Reference{path, given, piece.begin});
  }
  for (const auto& item : given.items) each_reference(item, visit);
  for (const auto& [ignored, member] : given.members) each_reference(member, visit);
}

// `expected money like $0.50, found the number `0.5``: text, wanted type, and the hint for the traps that lie there.
// `text` as a typed literal: what a plain or quoted scalar gives. quoted text is never a number, boolean or null.
struct Literal {
  std::optional<base::Value> value;
  std::string message;  // when there is no value
  std::string hint;
};
Literal read_literal(std::string_view text, bool quoted, const base::Type& type);
// How a list or a mapping of this type is written; empty for what is neither.
std::string shape_hint(const base::Type& type);

}  // namespace failover::scenario
