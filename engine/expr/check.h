// Types offline. check.cc has names, fields and operators, check_calls.cc functions and macros, check_constants.cc what
// no name takes part in. Inside the room only.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/expr/node.h"

namespace failover::expr {

class Checker {
 public:
  Checker(std::string_view text, const Scope& scope) : text_(text), scope_(scope) {}
  base::Type type(const Node& node);
  std::vector<Problem> take() { return std::move(problems_); }
  [[nodiscard]] bool dynamic() const { return dynamic_; }
  [[nodiscard]] bool has_problems() const { return !problems_.empty(); }
  // What types do not say: parts that are the same on every run and fail, and divisions by zero.
  void constants();

 private:
  struct Blame {
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  static Blame all(const Node& node) { return {node.begin, node.end}; }
  static Blame its_name(const Node& node) { return {node.name_begin, node.name_end}; }
  void problem(Blame at, source::Code code, const std::string& message, const std::string& hint = {});
  [[nodiscard]] std::string_view text(const Node& node) const {
    return text_.substr(node.begin, node.end - node.begin);
  }
  // How to make the two sides of `node` fit each other.
  [[nodiscard]] std::string remedy(const Node& node, const base::Type& left, const base::Type& right) const;
  [[nodiscard]] std::string of_duration(const Node& node, const base::Type& left, const base::Type& right) const;
  // Complains unless it is a boolean, or unknown. `what` is what must be one.
  void want_boolean(const Node& node, const base::Type& found, std::string_view what);

  base::Type inner(const Node& node);
  // Of a part that no name takes part in: where it fails.
  void fails(const Node& node);
  [[nodiscard]] bool may_work() const;
  void worked(std::int64_t steps);
  // Of a pattern that no name takes part in: that it is none.
  void pattern(const Node& node);
  void readable(const Node& node, const Pattern& pattern);
  // `words == 'literal'`, `'literal' in words`: a word that can never be there.
  void closed(const Node& words, const Node& literal, bool within = false);
  // Of a path that begins with a name; `in_has` when has() asks for it.
  base::Type path(const Node& node, bool in_has);
  base::Type resolved(const Node& node, const Resolver& resolver, bool in_has);
  const base::Type& along(const Node& node, const base::Type& first);
  const base::Type& field(const base::Type& of, const PartView& part);
  void unknown_name(const Node& node);
  // `steps.my-step.x`, whose left side leads nowhere: a name with a minus in it, and one mistake.
  bool hyphenated(const Node& node);
  // `left op right` with a guard on the right side.
  base::Type under(const Node& condition, bool outcome, const Node& node);

  base::Type index(const Node& node);
  void within(const Node& node);
  void no_place(const Node& key, std::int64_t index, const Range& length);
  base::Type unary(const Node& node);
  base::Type binary(const Node& node);
  base::Type conditional(const Node& node);
  base::Type list(const Node& node);
  base::Type map(const Node& node);
  base::Type has(const Node& node);
  base::Type macro(const Node& node);

  base::Type call(const Node& node);
  // Refuses what the language has not; true when it did.
  bool left_out(const Node& node);
  void unknown_function(const Node& node);
  bool wrong_form(const Node& node);
  void literals(const Node& node);

  [[nodiscard]] const base::Type* variable(std::string_view name) const;

  std::string_view text_;
  const Scope& scope_;
  std::vector<std::pair<std::string_view, base::Type>> variables_;  // of macros, the innermost last
  Guards guards_;
  std::vector<Problem> problems_;
  std::size_t refused_ = 0;  // paths that lead nowhere
  bool dynamic_ = false;
  int under_ = 0;                       // conditions around what is looked at
  bool constant_ = true;                // no name takes part in what was looked at so far of the innermost node
  std::vector<const Node*> constants_;  // the largest parts that are constant and no literals
  std::vector<const Node*> patterns_;   // of matches(), where they are constant and no literals
  std::vector<const Node*> divisors_;   // what is divided by, where that is constant
  std::vector<std::pair<const Node*, const std::vector<std::string>*>> words_;  // paths that are one of some words
  std::vector<std::pair<const Node*, Range>> lengths_;                          // paths that are lists of known length
};

}  // namespace failover::expr
