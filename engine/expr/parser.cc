#include <algorithm>
#include <array>

#include "engine/base/text.h"
#include "engine/expr/lexer.h"
#include "engine/expr/node.h"

namespace failover::expr {
namespace {

using Kind = Token::Kind;

// Thrown inside this file alone: the first problem ends the parse.
struct Failed {
  Problem problem;
};

int precedence(const std::string& op) {
  if (op == "||") return 1;
  if (op == "&&") return 2;
  if (op == "==" || op == "!=" || op == "<" || op == "<=" || op == ">" || op == ">=" || op == "in") return 3;
  if (op == "+" || op == "-") return 4;
  if (op == "*" || op == "/" || op == "%") return 5;
  return 0;
}

bool is_reserved(std::string_view word) {
  static constexpr std::array<std::string_view, 17> kWords = {
      "as",  "break", "const",   "continue",  "else",   "for", "function", "if",   "import",
      "let", "loop",  "package", "namespace", "return", "var", "void",     "while"};
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

bool is_macro(std::string_view word) {
  return word == "all" || word == "exists" || word == "exists_one" || word == "map" || word == "filter";
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) { advance(); }

  NodePtr whole() {
    if (token_.kind == Kind::end) fail(0, text_.size(), "there is no expression");
    NodePtr node = conditional();
    if (token_.kind != Kind::end) fail(token_, "expected the end of the expression, found " + shown(token_));
    return node;
  }

 private:
  class Deeper {
   public:
    explicit Deeper(Parser& parser) : parser_(parser) {
      if (++parser_.depth_ > kDeepestExpression) {
        parser_.fail(parser_.token_, "the expression is nested too deeply",
                     "at most " + std::to_string(kDeepestExpression) + " levels");
      }
    }
    ~Deeper() { --parser_.depth_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;

   private:
    Parser& parser_;
  };

  [[noreturn]] static void fail(std::size_t begin, std::size_t end, std::string message, std::string hint = {},
                                std::string code = "expression-syntax") {
    throw Failed{{begin, std::max(begin, end), std::move(code), std::move(message), std::move(hint)}};
  }
  [[noreturn]] static void fail(const Token& token, std::string message, std::string hint = {}) {
    fail(token.begin, token.end, std::move(message), std::move(hint));
  }

  static std::string shown(const Token& token) {
    switch (token.kind) {
      case Kind::end: return "the end";
      case Kind::string: return "a string";
      case Kind::bytes: return "bytes";
      case Kind::integer:
      case Kind::uinteger:
      case Kind::number: return "a number";
      default: return "`" + token.text + "`";
    }
  }

  void advance() {
    last_end_ = token_.end;
    auto next = next_token(text_, token_.end);
    if (auto* problem = std::get_if<Problem>(&next)) throw Failed{std::move(*problem)};
    token_ = std::get<Token>(std::move(next));
  }
  [[nodiscard]] bool is(std::string_view symbol) const { return token_.kind == Kind::symbol && token_.text == symbol; }
  bool take(std::string_view symbol) {
    if (!is(symbol)) return false;
    advance();
    return true;
  }
  void expect(std::string_view symbol, const std::string& why) {
    if (!take(symbol)) fail(token_, "expected `" + std::string(symbol) + "` " + why + ", found " + shown(token_));
  }

  static std::shared_ptr<Node> make(Node::Kind kind, std::size_t begin) {
    auto node = std::make_shared<Node>();
    node->kind = kind;
    node->begin = begin;
    return node;
  }
  NodePtr finish(std::shared_ptr<Node> node) const {
    node->end = last_end_;
    return node;
  }

  NodePtr conditional() {
    const Deeper deeper(*this);
    NodePtr condition = binary(1);
    if (!is("?")) return condition;
    auto node = make(Node::Kind::conditional, condition->begin);
    node->name_begin = token_.begin;
    node->name_end = token_.end;
    advance();
    NodePtr yes = binary(1);
    expect(":", "between the two results of `? :`");
    NodePtr no = conditional();
    node->args = {std::move(condition), std::move(yes), std::move(no)};
    return finish(std::move(node));
  }

  [[nodiscard]] std::string operator_here() const {
    const bool word = token_.kind == Kind::name && token_.text == "in";
    return word || token_.kind == Kind::symbol ? token_.text : std::string();
  }

  NodePtr binary(int least) {
    NodePtr left = unary();
    int chain = 0;
    for (std::string op = operator_here(); precedence(op) >= least; op = operator_here()) {
      constexpr int kLongestChain = 400;
      if (++chain > kLongestChain)
        fail(token_, "too many operators in a row", "at most " + std::to_string(kLongestChain));
      auto node = make(Node::Kind::binary, left->begin);
      node->text = op;
      node->name_begin = token_.begin;
      node->name_end = token_.end;
      advance();
      NodePtr right = binary(precedence(op) + 1);
      node->args = {std::move(left), std::move(right)};
      left = finish(std::move(node));
    }
    return left;
  }

  NodePtr unary() {
    if (!is("!") && !is("-")) return postfix(primary());
    const Deeper deeper(*this);
    auto node = make(Node::Kind::unary, token_.begin);
    node->text = token_.text;
    node->name_begin = token_.begin;
    node->name_end = token_.end;
    advance();
    if (node->text == "-" && (token_.kind == Kind::integer || token_.kind == Kind::number)) {
      auto literal = make(Node::Kind::literal, node->begin);
      if (const auto* whole = token_.value.get<std::uint64_t>()) {
        literal->value = static_cast<std::int64_t>(std::uint64_t{0} - *whole);
      } else {
        literal->value = -*token_.value.get<double>();
      }
      advance();
      return postfix(finish(std::move(literal)));
    }
    node->args = {unary()};
    return finish(std::move(node));
  }

  NodePtr literal(base::Value value) {
    auto node = make(Node::Kind::literal, token_.begin);
    node->value = std::move(value);
    advance();
    return finish(std::move(node));
  }

  NodePtr primary() {
    switch (token_.kind) {
      case Kind::integer: {
        const std::uint64_t whole = *token_.value.get<std::uint64_t>();
        if (whole > static_cast<std::uint64_t>(INT64_MAX)) fail(token_, "the number does not fit into 64 bits");
        return literal(static_cast<std::int64_t>(whole));
      }
      case Kind::uinteger:
      case Kind::number: return literal(token_.value);
      case Kind::string: return literal(token_.text);
      case Kind::bytes: return literal(base::Bytes{token_.text});
      case Kind::name: return name();
      case Kind::symbol: break;
      case Kind::end: fail(token_, "the expression ends where a value is expected");
    }
    if (is("(")) {
      advance();
      NodePtr inside = conditional();
      expect(")", "to close the parenthesis");
      return inside;
    }
    if (is("[")) return list();
    if (is("{")) return map();
    if (is(".")) {
      fail(token_.begin, token_.end, "a name may not begin with a dot", "write the name alone", "not-supported");
    }
    fail(token_, "expected a value, found " + shown(token_));
  }

  NodePtr name() {
    const Token word = token_;
    if (word.text == "true") return literal(true);
    if (word.text == "false") return literal(false);
    if (word.text == "null") return literal(base::Value());
    if (word.text == "in") fail(word, "expected a value, found `in`");
    if (is_reserved(word.text)) fail(word, "`" + word.text + "` is a reserved word", "choose another name");
    advance();
    if (is("(")) {
      auto node = make(Node::Kind::call, word.begin);
      node->text = word.text;
      node->name_begin = word.begin;
      node->name_end = word.end;
      node->args = arguments();
      if (node->text == "has") return has(std::move(node));
      return finish(std::move(node));
    }
    if (is("{"))
      fail(word.begin, token_.end, "messages are not supported", "a map is written {'key': value}", "not-supported");
    auto node = make(Node::Kind::name, word.begin);
    node->text = word.text;
    return finish(std::move(node));
  }

  NodePtr has(std::shared_ptr<Node> node) {
    const bool fits = node->args.size() == 1 && node->args[0]->kind == Node::Kind::field;
    if (!fits) fail(node->begin, last_end_, "has() takes one field, as in has(steps.offer.best)");
    node->kind = Node::Kind::has;
    return finish(std::move(node));
  }

  std::vector<NodePtr> arguments() {
    expect("(", "before the arguments");
    std::vector<NodePtr> out;
    if (take(")")) return out;
    do {
      out.push_back(conditional());
    } while (take(","));
    expect(")", "behind the arguments");
    return out;
  }

  NodePtr postfix(NodePtr node) {
    int chain = 0;
    for (;;) {
      constexpr int kLongestChain = 100;
      if (++chain > kLongestChain) fail(token_, "too many fields in a row");
      if (is(".")) {
        node = member(std::move(node));
      } else if (is("[")) {
        auto index = make(Node::Kind::index, node->begin);
        advance();
        NodePtr key = conditional();
        expect("]", "behind the index");
        index->args = {std::move(node), std::move(key)};
        node = finish(std::move(index));
      } else {
        return node;
      }
    }
  }

  NodePtr member(NodePtr of) {
    advance();
    if (is("?"))
      fail(token_.begin, token_.end, "optional fields (`.?`) are not supported", "use has()", "not-supported");
    if (token_.kind != Kind::name) fail(token_, "expected a name behind the dot, found " + shown(token_));
    const Token word = token_;
    advance();
    auto node = make(Node::Kind::field, of->begin);
    node->text = word.text;
    node->name_begin = word.begin;
    node->name_end = word.end;
    node->args = {std::move(of)};
    if (!is("(")) return finish(std::move(node));
    node->kind = Node::Kind::call;
    node->member = true;
    auto arguments_here = arguments();
    if (is_macro(word.text) && !arguments_here.empty()) return macro(std::move(node), std::move(arguments_here));
    for (auto& one : arguments_here) node->args.push_back(std::move(one));
    return finish(std::move(node));
  }

  NodePtr macro(std::shared_ptr<Node> node, std::vector<NodePtr> given) {
    const std::size_t most = node->text == "map" ? 3 : 2;
    if (given.size() < 2 || given.size() > most) {
      fail(node->name_begin, last_end_, "`" + node->text + "` takes a variable and an expression",
           "as in files." + node->text + "(f, f.size > 0)");
    }
    if (given[0]->kind != Node::Kind::name) {
      fail(given[0]->begin, given[0]->end, "the first argument of `" + node->text + "` is the name of a variable");
    }
    node->kind = Node::Kind::macro;
    node->variable = given[0]->text;
    for (std::size_t i = 1; i < given.size(); ++i) node->args.push_back(std::move(given[i]));
    return finish(std::move(node));
  }

  NodePtr list() {
    auto node = make(Node::Kind::list, token_.begin);
    advance();
    while (!is("]")) {
      node->args.push_back(conditional());
      if (!take(",")) break;
    }
    expect("]", "to close the list");
    return finish(std::move(node));
  }

  NodePtr map() {
    auto node = make(Node::Kind::map, token_.begin);
    advance();
    while (!is("}")) {
      node->args.push_back(conditional());
      expect(":", "between key and value");
      node->args.push_back(conditional());
      if (!take(",")) break;
    }
    expect("}", "to close the map");
    return finish(std::move(node));
  }

  std::string_view text_;
  Token token_;
  std::size_t last_end_ = 0;
  int depth_ = 0;
};

}  // namespace

Expression::Expression(std::shared_ptr<const Node> root, std::string text)
    : root_(std::move(root)), text_(std::move(text)) {}

Parsed parse(std::string_view text) {
  if (text.size() > kLongestExpression) {
    return {{},
            {{0, text.size(), "expression-syntax", "the expression is too long",
              "at most " + std::to_string(kLongestExpression) + " bytes"}}};
  }
  try {
    return {Expression(Parser(text).whole(), std::string(text)), {}};
  } catch (Failed& failed) {
    return {{}, {std::move(failed.problem)}};
  }
}

}  // namespace failover::expr
