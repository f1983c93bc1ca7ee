// What stands behind a value: fields, indices, calls, macros.
#include "engine/expr/left_out.h"
#include "engine/expr/meant.h"
#include "engine/expr/operations.h"
#include "engine/expr/parser.h"
#include "engine/expr/pattern.h"

namespace failover::expr {
namespace {

Node::Macro macro_of(std::string_view word) {
  if (word == "all") return Node::Macro::all;
  if (word == "exists") return Node::Macro::exists;
  if (word == "exists_one") return Node::Macro::exists_one;
  if (word == "map") return Node::Macro::map;
  return word == "filter" ? Node::Macro::filter : Node::Macro::none;
}

bool is_keyword(std::string_view word) { return word == "true" || word == "false" || word == "null"; }

const std::string* literal_text(const Node& node) {
  return node.kind == Node::Kind::literal ? node.value->text() : nullptr;
}

}  // namespace

const Node* Parser::postfix(const Node* node) {
  constexpr int kLongestChain = 100;
  for (int chain = 0; is('.') || is('['); ++chain) {
    if (chain >= kLongestChain) fail_here("too many fields in a row", "at most " + std::to_string(kLongestChain));
    node = is('.') ? member(node) : index(node);
  }
  if (is('{') && node->path_size > 0) {
    const std::string name(text_.substr(node->begin, node->end - node->begin));
    fail_left_out(node->begin, token_.end, "a message, `" + name + "{...}`,",
                  "there are no messages here; a map is written {'key': value}");
  }
  return node;
}

const Node* Parser::index(const Node* of) {
  Node* node = make(Node::Kind::index, of->begin);
  const std::size_t from = scratch_.size();
  scratch_.push_back(of);
  advance();
  if (is('?')) fail_left_out(token_.begin, token_.end, "an optional index, `a[?i]`,", "use has() and ? :");
  scratch_.push_back(conditional());
  expect(']', "behind the index");
  return finish(node, from);
}

const Node* Parser::member(const Node* of) {
  advance();
  if (is('?')) fail_left_out(token_.begin, token_.end, "an optional field, `a.?b`,", "use has()");
  const bool quoted = token_.kind == Kind::quoted_name;
  const bool keyword =
      (token_.kind == Kind::op && token_.op == Op::in) || (token_.kind == Kind::name && is_keyword(word()));
  if (keyword)
    fail_here("`" + std::string(word()) + "` is no name of a field", "write ['" + std::string(word()) + "']");
  if (token_.kind != Kind::name && !quoted) fail_here("expected a name behind the dot, found " + shown());
  Node* node = make(Node::Kind::field, of->begin);
  node->name = word();
  const std::size_t from = scratch_.size();
  scratch_.push_back(of);
  advance();
  if (quoted || !is('(')) return finish(node, from);
  node->kind = Node::Kind::call;
  node->member = true;
  arguments();
  node->macro = macro_of(node->name);
  if (node->macro != Node::Macro::none) return macro(node, from);
  return call(node, from);
}

void Parser::arguments() {
  advance();
  if (take(')')) return;
  do {
    scratch_.push_back(conditional());
  } while (take(','));
  expect(')', "behind the arguments");
}

const Node* Parser::call(Node* node, std::size_t from) {
  node->function = function(node->name);
  finish(node, from);
  if (!node->member && node->name == "size" && node->args.size() == 1) {
    // A size with its unit is a value of its own here.
    const std::string* text = literal_text(*node->args[0]);
    if (text != nullptr && is_size_literal(*text)) {
      node->kind = Node::Kind::literal;
      node->value = &tree_.values.emplace_front(*base::parse_size(*text));
      node->args = {};
      node->depth = 1;
    }
  } else if (is_matches(node->function) && node->args.size() == 2) {
    if (const std::string* pattern = literal_text(*node->args[1])) {
      node->pattern = &tree_.patterns.emplace_front(*pattern);
    }
  }
  return node;
}

const Node* Parser::has(Node* node, std::size_t from) {
  const bool fits = scratch_.size() - from == 1 && scratch_.back()->kind == Node::Kind::field;
  if (!fits) {
    const bool hyphen = scratch_.size() > from && is_hyphen(*scratch_.back());
    fail(node->begin, last_end_, "has() takes one field, as in has(steps.offer.best)", hyphen ? kHyphen : "");
  }
  node->kind = Node::Kind::has;
  return finish(node, from);
}

const Node* Parser::macro(Node* node, std::size_t from) {
  const std::size_t given = scratch_.size() - from - 1;  // the first is what it goes over
  const std::string name(node->name);
  const bool pairs = given >= 3 && scratch_[from + 2]->kind == Node::Kind::name;
  if (given > (node->macro == Node::Macro::map ? 3U : 2U) && pairs) {
    fail_left_out(node->name_begin, last_end_, "`" + name + "` with two variables",
                  "go over a list with one: list." + name + "(x, ...)");
  }
  if (given < 2 || given > (node->macro == Node::Macro::map ? 3U : 2U)) {
    fail(node->name_begin, last_end_, "`" + name + "` takes a variable and an expression",
         "as in files." + name + "(f, f.size > 0)");
  }
  const Node* variable = scratch_[from + 1];
  if (variable->kind != Node::Kind::name) {
    fail(variable->begin, variable->end, "the first argument of `" + name + "` is the name of a variable");
  }
  node->kind = Node::Kind::macro;
  node->variable = variable->name;
  scratch_.erase(scratch_.begin() + static_cast<std::ptrdiff_t>(from) + 1);
  return finish(node, from);
}

}  // namespace failover::expr
