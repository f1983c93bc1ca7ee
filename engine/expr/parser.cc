#include "engine/expr/parser.h"

#include <algorithm>
#include <array>

#include "engine/base/text.h"
#include "engine/expr/meant.h"
#include "engine/expr/pattern.h"

namespace failover::expr {
namespace {

bool is_reserved(std::string_view word) {
  static constexpr std::array<std::string_view, 17> kWords = {
      "as",  "break", "const",   "continue",  "else",   "for", "function", "if",   "import",
      "let", "loop",  "package", "namespace", "return", "var", "void",     "while"};
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

}  // namespace

std::string_view text_of(Op op) {
  static constexpr std::array<std::string_view, 17> kTexts = {
      "", "||", "&&", "==", "!=", "<", "<=", ">", ">=", "in", "+", "-", "*", "/", "%", "!", "-"};
  return kTexts[static_cast<std::size_t>(op)];
}

int precedence(Op op) {
  if (op == Op::either) return 1;
  if (op == Op::both) return 2;
  if (op >= Op::eq && op <= Op::in) return 3;
  if (op == Op::add || op == Op::sub) return 4;
  return op == Op::mul || op == Op::div || op == Op::mod ? 5 : 0;
}

void Parser::fail(std::size_t begin, std::size_t end, std::string message, std::string hint, source::Code code) {
  throw Failed{{begin, std::max(begin, end), code, std::move(message), std::move(hint)}};
}

void Parser::fail_here(std::string message, std::string hint) const {
  fail(token_.begin, token_.end, std::move(message), std::move(hint));
}

void Parser::unexpected(const std::string& wanted) const {
  if (token_.kind == Kind::name) {
    if (const auto hint = operator_meant(word()); !hint.empty())
      fail_here("`" + std::string(word()) + "` is no operator here", std::string(hint));
    // `not x`: the name before it is to blame.
    const auto before = text_.substr(last_begin_, last_end_ - last_begin_);
    if (base::lower(before) == "not")
      fail(last_begin_, last_end_, "`" + std::string(before) + "` is no operator here", "write !");
    const std::string unit = unit_meant(text_.substr(last_begin_, token_.end - last_begin_));
    if (!unit.empty()) fail(last_begin_, token_.end, "a unit cannot stand alone in an expression", "write " + unit);
  }
  if (is(',') && wanted.starts_with("`)` to close")) fail_here("a list stands in brackets", "write [a, b]");
  if (is('?') && wanted == "a value") fail_here("expected " + wanted + ", found " + shown(), "use has() and ? :");
  if (token_.kind == Kind::op && text_.substr(last_begin_, token_.end - last_begin_) == "<>")
    fail(last_begin_, token_.end, "`<>` is no operator", "write !=");
  fail_here("expected " + wanted + ", found " + shown());
}

void Parser::fail_left_out(std::size_t begin, std::size_t end, std::string what, std::string instead) {
  fail(begin, end, std::move(what) + " is not part of this language", std::move(instead), "not-supported");
}

void Parser::advance() {
  last_begin_ = token_.begin;
  last_end_ = token_.end;
  read_token(text_, token_.end, token_);
}

std::string_view Parser::word() const {
  const std::size_t quote = token_.kind == Kind::quoted_name ? 1 : 0;
  return text_.substr(token_.begin + quote, token_.end - token_.begin - 2 * quote);
}

std::string Parser::shown() const {
  switch (token_.kind) {
    case Kind::end: return "the end";
    case Kind::string: return "a string";
    case Kind::bytes: return "bytes";
    case Kind::integer:
    case Kind::uinteger:
    case Kind::number: return "a number";
    default: return "`" + std::string(word()) + "`";
  }
}

bool Parser::take(char symbol) {
  if (!is(symbol)) return false;
  advance();
  return true;
}

void Parser::expect(char symbol, const char* why) {
  if (!take(symbol)) unexpected("`" + std::string(1, symbol) + "` " + why);
}

Node* Parser::make(Node::Kind kind, std::size_t begin) {
  static_assert(std::is_trivially_destructible_v<Node>, "the tree frees its memory as one");
  void* place = tree_.memory.allocate(sizeof(Node), alignof(Node));
  auto* node = new (place) Node;
  node->kind = kind;
  node->begin = static_cast<std::uint32_t>(begin);
  node->name_begin = static_cast<std::uint32_t>(token_.begin);
  node->name_end = static_cast<std::uint32_t>(token_.end);
  return node;
}

const Node* Parser::finish(Node* node, std::size_t from) {
  const std::size_t count = scratch_.size() - from;
  if (count > 0) {
    using Pointer = const Node*;
    auto* args = std::pmr::polymorphic_allocator<Pointer>(&tree_.memory).allocate(count);
    std::copy(scratch_.begin() + static_cast<std::ptrdiff_t>(from), scratch_.end(), args);
    scratch_.resize(from);
    node->args = {args, count};
  }
  node->end = static_cast<std::uint32_t>(last_end_);
  std::uint16_t below = 0;
  for (const Node* arg : node->args) below = std::max(below, arg->depth);
  node->depth = static_cast<std::uint16_t>(below + 1);
  if (node->depth > kDeepestTree) {
    fail(node->begin, node->end, "the expression is nested too deeply, or has too many operators in a row",
         "at most " + std::to_string(kDeepestTree) + " below each other");
  }
  if (node->kind == Node::Kind::name) node->path_size = 1;
  const bool by_text = node->kind == Node::Kind::index && node->args[1]->kind == Node::Kind::literal &&
                       node->args[1]->value->text() != nullptr;
  if ((node->kind == Node::Kind::field || by_text) && node->args[0]->path_size > 0)
    node->path_size = static_cast<std::uint16_t>(node->args[0]->path_size + 1);
  return node;
}

const Node* Parser::literal(base::Value value, std::size_t begin) {
  Node* node = make(Node::Kind::literal, begin);
  node->value = &tree_.values.emplace_front(std::move(value));
  advance();
  return finish(node);
}

const Node* Parser::whole() {
  if (token_.kind == Kind::end) fail(0, text_.size(), "there is no expression");
  const Node* node = conditional();
  if (token_.kind != Kind::end) unexpected("the end of the expression");
  return node;
}

const Node* Parser::conditional() {
  const Deeper deeper(*this);
  const Node* condition = binary(1);
  if (!is('?')) return condition;
  Node* node = make(Node::Kind::conditional, condition->begin);
  const std::size_t from = scratch_.size();
  scratch_.push_back(condition);
  advance();
  scratch_.push_back(binary(1));
  expect(':', "between the two results of `? :`");
  scratch_.push_back(conditional());
  return finish(node, from);
}

const Node* Parser::binary(int least) {
  const Node* left = unary();
  while (token_.kind == Kind::op && precedence(token_.op) >= least) {
    Node* node = make(Node::Kind::binary, left->begin);
    node->op = token_.op;
    const std::size_t from = scratch_.size();
    scratch_.push_back(left);
    advance();
    scratch_.push_back(binary(precedence(node->op) + 1));
    left = finish(node, from);
  }
  return left;
}

const Node* Parser::unary() {
  const bool minus = token_.kind == Kind::op && token_.op == Op::sub;
  if (!minus && !(token_.kind == Kind::op && token_.op == Op::no)) return postfix(primary());
  const Deeper deeper(*this);
  const Op written = token_.op;
  Node* node = make(Node::Kind::unary, token_.begin);
  node->op = minus ? Op::minus : Op::no;
  advance();
  if (minus && (token_.kind == Kind::integer || token_.kind == Kind::number)) {
    // The sign belongs to the number: 9223372036854775808 alone is too large.
    base::Value value = token_.kind == Kind::number
                            ? base::Value(-token_.real)
                            : base::Value(static_cast<std::int64_t>(std::uint64_t{0} - token_.whole));
    return postfix(literal(std::move(value), node->begin));
  }
  if (token_.kind == Kind::op && (token_.op == Op::sub || token_.op == Op::no) && token_.op != written)
    fail_here("`!` and `-` do not follow each other", "put what belongs together into parentheses");
  const std::size_t from = scratch_.size();
  scratch_.push_back(unary());
  return finish(node, from);
}

const Node* Parser::number() {
  if (token_.kind == Kind::number) return literal(token_.real, token_.begin);
  if (token_.kind == Kind::uinteger) return literal(token_.whole, token_.begin);
  if (token_.whole > static_cast<std::uint64_t>(INT64_MAX)) fail_here("the number does not fit into 64 bits");
  return literal(static_cast<std::int64_t>(token_.whole), token_.begin);
}

const Node* Parser::primary() {
  switch (token_.kind) {
    case Kind::integer:
    case Kind::uinteger:
    case Kind::number: return number();
    case Kind::string: return literal(std::move(token_.text), token_.begin);
    case Kind::bytes: return literal(base::Bytes{std::move(token_.text)}, token_.begin);
    case Kind::name: return named();
    case Kind::quoted_name: fail_here("backticks are for fields, as in a.`b-c`", "a name stands without them");
    case Kind::end: fail_here("the expression ends where a value is expected");
    default: break;
  }
  if (is('[')) return list();
  if (is('{')) return map();
  if (is('.')) fail_left_out(token_.begin, token_.end, "a name that begins with a dot", "write the name alone");
  if (!take('(')) unexpected("a value");
  const Node* inside = conditional();
  expect(')', "to close the parenthesis");
  return inside;
}

const Node* Parser::named() {
  const std::string_view name = word();
  if (name == "true" || name == "false") return literal(name == "true", token_.begin);
  if (name == "null") return literal(base::Value(), token_.begin);
  if (is_reserved(name)) {
    const auto hint = operator_meant(name);
    fail_here("`" + std::string(name) + "` is a reserved word",
              hint.empty() ? "choose another name" : std::string(hint));
  }
  Node* node = make(Node::Kind::name, token_.begin);
  node->name = name;
  advance();
  if (!is('(')) return finish(node);
  node->kind = Node::Kind::call;
  const std::size_t from = scratch_.size();
  arguments();
  return name == "has" ? has(node, from) : call(node, from);
}

const Node* Parser::list() {
  Node* node = make(Node::Kind::list, token_.begin);
  const std::size_t from = scratch_.size();
  advance();
  while (!is(']')) {
    if (is('?')) fail_left_out(token_.begin, token_.end, "an optional element, `[?x]`,", "use has() and ? :");
    scratch_.push_back(conditional());
    if (!take(',')) break;
  }
  expect(']', "to close the list");
  return finish(node, from);
}

const Node* Parser::map() {
  Node* node = make(Node::Kind::map, token_.begin);
  const std::size_t from = scratch_.size();
  advance();
  if (is('{') && token_.begin == node->begin + 1) {  // no map is the key of another
    fail(node->begin, token_.end, "`{{` has no meaning here",
         "an expression stands here already: leave `{{` and `}}` out");
  }
  while (!is('}')) {
    if (is('?')) fail_left_out(token_.begin, token_.end, "an optional entry, `{?k: x}`,", "use has() and ? :");
    scratch_.push_back(conditional());
    expect(':', "between key and value");
    scratch_.push_back(conditional());
    if (!take(',')) break;
  }
  expect('}', "to close the map");
  return finish(node, from);
}

// --- trees ---

namespace {

// About what the nodes of a text take, each with its place in its parent's list: one for each word, number, text or
// run of operator signs. A little too much is cheaper than a second block.
std::size_t room_for(std::string_view text) {
  constexpr std::string_view kSigns = "=!<>&|+-*/%?[{";
  std::size_t nodes = 1;
  char before = ' ';
  for (std::size_t at = 0; at < text.size(); before = text[at++]) {
    const char c = text[at];
    const auto word = [](char one) {
      return one == '_' || (one >= '0' && one <= '9') || ((one | 0x20) >= 'a' && (one | 0x20) <= 'z');
    };
    const auto sign = [&](char one) { return kSigns.find(one) != std::string_view::npos; };
    if (c == '"' || c == '\'') {
      ++nodes;
      at = std::min(text.find(c, at + 1), text.size() - 1);
    } else if ((word(c) && !word(before)) || (sign(c) && !sign(before))) {
      ++nodes;
    }
  }
  return nodes * (sizeof(Node) + sizeof(const Node*));
}

}  // namespace

Tree::Tree(std::string_view source) : text(source), memory(room_for(source)) {}
Tree::~Tree() = default;

Parsed parse(std::string_view text) {
  const auto refuse = [](std::size_t begin, std::size_t end, std::string message, std::string hint) {
    return Parsed{{}, {{begin, end, "expression-syntax", std::move(message), std::move(hint)}}};
  };
  if (text.size() > kLongestExpression) {
    return refuse(0, text.size(), "the expression is too long",
                  "at most " + std::to_string(kLongestExpression) + " bytes");
  }
  if (const auto at = base::invalid_utf8(text)) return refuse(*at, *at + 1, "the expression is not UTF-8 text", "");
  try {
    auto tree = std::make_shared<Tree>(text);
    tree->root = Parser(*tree).whole();
    tree->paths = collect_paths(*tree->root);
    return {Expression(std::move(tree)), {}};
  } catch (Failed& failed) {
    failed.problem.message = base::printable(failed.problem.message, 1'000);  // it quotes the text
    return {{}, {std::move(failed.problem)}};
  }
}

Expression::Expression(std::shared_ptr<const Tree> tree) : tree_(std::move(tree)) {}
const Node& Expression::root() const { return *tree_->root; }
const std::string& Expression::text() const { return tree_->text; }
const std::vector<Path>& references(const Expression& expression) { return expression.tree_->paths; }

}  // namespace failover::expr
