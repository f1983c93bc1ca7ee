// Tokens to a tree. parser.cc has operators and values, members.cc what stands behind a value. Inside the room only.
#pragma once

#include <vector>

#include "engine/expr/lexer.h"

namespace failover::expr {

constexpr int kDeepestTree = 500;  // of nodes below each other, so that every walk fits on a small stack

class Parser {
 public:
  explicit Parser(Tree& tree) : tree_(tree), text_(tree.text) { advance(); }
  // All of the text. Throws Failed.
  const Node* whole();

 private:
  using Kind = Token::Kind;
  class Deeper;

  [[noreturn]] static void fail(std::size_t begin, std::size_t end, std::string message, std::string hint = {},
                                source::Code code = "expression-syntax");
  [[noreturn]] void fail_here(std::string message, std::string hint = {}) const;
  [[noreturn]] static void fail_left_out(std::size_t begin, std::size_t end, std::string what, std::string instead);

  // Refuses the token; `wanted` is what should stand there: `a value`.
  [[noreturn]] void unexpected(const std::string& wanted) const;

  void advance();
  [[nodiscard]] std::string_view word() const;  // the token's own text
  [[nodiscard]] std::string shown() const;      // the token, for messages
  [[nodiscard]] bool is(char symbol) const { return token_.kind == Kind::symbol && token_.symbol == symbol; }
  bool take(char symbol);
  void expect(char symbol, const char* why);

  Node* make(Node::Kind kind, std::size_t begin);
  // The scratch list from `from` on becomes the node's arguments.
  const Node* finish(Node* node, std::size_t from);
  const Node* finish(Node* node) { return finish(node, scratch_.size()); }
  const Node* literal(base::Value value, std::size_t begin);

  const Node* conditional();
  const Node* binary(int least);
  const Node* unary();
  const Node* primary();
  const Node* number();
  const Node* named();
  const Node* list();
  const Node* map();

  const Node* postfix(const Node* node);
  const Node* member(const Node* of);
  const Node* index(const Node* of);
  const Node* call(Node* node, std::size_t from);
  const Node* has(Node* node, std::size_t from);
  const Node* macro(Node* node, std::size_t from);
  // What stands in parentheses, onto the scratch list.
  void arguments();

  Tree& tree_;
  std::string_view text_;
  Token token_;
  std::size_t last_begin_ = 0;
  std::size_t last_end_ = 0;
  int depth_ = 0;
  std::vector<const Node*> scratch_;  // arguments of nodes that are not finished
};

class Parser::Deeper {
 public:
  explicit Deeper(Parser& parser) : parser_(parser) {
    if (++parser_.depth_ > kDeepestExpression) {
      parser_.fail_here("the expression is nested too deeply",
                        "at most " + std::to_string(kDeepestExpression) + " levels");
    }
  }
  ~Deeper() { --parser_.depth_; }
  Deeper(const Deeper&) = delete;
  Deeper& operator=(const Deeper&) = delete;

 private:
  Parser& parser_;
};

}  // namespace failover::expr
