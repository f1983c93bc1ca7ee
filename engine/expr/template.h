// Text with `${{ expression }}` in it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/expr/expression.h"

namespace failover::expr {

struct Piece {
  std::string literal{};  // when the expression is empty
  Expression expression{};
  std::size_t begin = 0;  // of the literal, or of the expression's own text, in the template's text
  std::size_t end = 0;
};

struct Template {
  std::vector<Piece> pieces;

  [[nodiscard]] bool constant() const;  // no expression at all
  // One expression and nothing around it: the value keeps its type.
  [[nodiscard]] bool single() const { return pieces.size() == 1 && !pieces.front().expression.empty(); }
};

struct ParsedTemplate {
  Template value;
  std::vector<Problem> problems;  // offsets in `text`
};

// Does `text` hold `${{`?
bool has_expression(std::string_view text);
ParsedTemplate parse_template(std::string_view text);
// Offsets of problems are in the template's text. The type is the expression's when single(), else string.
Checked check(const Template& text, const Scope& scope);
base::Result<base::Value> evaluate(const Template& text, const Values& values, std::int64_t* spent = nullptr);

}  // namespace failover::expr
