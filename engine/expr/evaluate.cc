#include <algorithm>

#include "engine/base/text.h"
#include "engine/expr/node.h"
#include "engine/expr/operations.h"

namespace failover::expr {
namespace {

using base::Result;
using base::Value;

constexpr std::int64_t kMostSteps = 1'000'000;
constexpr std::size_t kMostText = 1 << 20;  // bytes of one text that an expression makes

class Evaluator {
 public:
  explicit Evaluator(const Values& values) : values_(values) {}

  Result<Value> eval(const Node& node) {
    if (--left_ < 0) return broken("too_costly", "the expression takes more than a million steps");
    switch (node.kind) {
      case Node::Kind::literal: return node.value;
      case Node::Kind::name: return name(node);
      case Node::Kind::field: return field(node);
      case Node::Kind::index: return index(node);
      case Node::Kind::call: return call(node);
      case Node::Kind::unary: return unary(node);
      case Node::Kind::binary: return binary(node);
      case Node::Kind::conditional: return conditional(node);
      case Node::Kind::list: return list(node);
      case Node::Kind::map: return map(node);
      case Node::Kind::has: return has(node);
      case Node::Kind::macro: return macro(node);
    }
    return broken("internal", "unknown node");
  }

 private:
  Result<Value> name(const Node& node) {
    for (auto at = variables_.rbegin(); at != variables_.rend(); ++at) {
      if (at->first == node.text) return at->second;
    }
    const auto found = values_.find(node.text);
    if (found != values_.end()) return found->second;
    return broken("no_such_key", "`" + node.text + "` has no value here");
  }

  static Result<Value> member(const Value& of, const std::string& key) {
    if (!of.is_map()) return no_overload(kind_name(of) + "." + key);
    const Value* found = of.find(key);
    if (found == nullptr) return broken("no_such_key", "there is no `" + base::printable(key, 80) + "` in it");
    return *found;
  }

  Result<Value> field(const Node& node) {
    auto of = eval(*node.args[0]);
    if (!of) return of;
    return member(*of, node.text);
  }

  Result<Value> index(const Node& node) {
    auto of = eval(*node.args[0]);
    if (!of) return of;
    auto key = eval(*node.args[1]);
    if (!key) return key;
    if (of->is_map() && key->text() != nullptr) return member(*of, *key->text());
    const auto* at = key->get<std::int64_t>();
    if (!of->is_list() || at == nullptr) return no_overload(kind_name(*of) + "[" + kind_name(*key) + "]");
    const auto size = static_cast<std::int64_t>(of->list()->size());
    if (*at < 0 || *at >= size) {
      return broken("index_out_of_range",
                    "index " + std::to_string(*at) + " is outside a list of " + std::to_string(size));
    }
    return (*of->list())[static_cast<std::size_t>(*at)];
  }

  Result<Value> call(const Node& node) {
    if (node.text == "size" && !node.member && node.args[0]->kind == Node::Kind::literal) {
      const auto* text = node.args[0]->value.text();
      if (text != nullptr && is_size_literal(*text)) return Value(*base::parse_size(*text));
    }
    const Function* found = function(node.text);
    if (found == nullptr || found->arguments != node.args.size()) return no_overload(node.text + "()");
    std::vector<Value> arguments;
    for (const auto& arg : node.args) {
      auto value = eval(*arg);
      if (!value) return value;
      arguments.push_back(*std::move(value));
    }
    return found->call(arguments);
  }

  Result<Value> unary(const Node& node) {
    auto value = eval(*node.args[0]);
    if (!value) return value;
    if (node.text == "-") return negate(*value);
    const bool* yes = value->get<bool>();
    return yes == nullptr ? Result<Value>(no_overload("!" + kind_name(*value))) : Result<Value>(!*yes);
  }

  // CEL: one side that decides hides an error of the other, on either side.
  Result<Value> logical(const Node& node, bool decides) {
    auto left = eval(*node.args[0]);
    const bool* a = left ? left->get<bool>() : nullptr;
    if (a != nullptr && *a == decides) return Value(decides);
    auto right = eval(*node.args[1]);
    const bool* b = right ? right->get<bool>() : nullptr;
    if (b != nullptr && *b == decides) return Value(decides);
    if (!left) return left;
    if (!right) return right;
    if (a == nullptr || b == nullptr) return no_overload(kind_name(*left) + " " + node.text + " " + kind_name(*right));
    return Value(!decides);
  }

  Result<Value> binary(const Node& node) {
    if (node.text == "&&") return logical(node, false);
    if (node.text == "||") return logical(node, true);
    auto left = eval(*node.args[0]);
    if (!left) return left;
    auto right = eval(*node.args[1]);
    if (!right) return right;
    auto out = operate(node.text, *left, *right);
    if (out && out->text() != nullptr && out->text()->size() > kMostText)
      return broken("too_costly", "the text becomes longer than 1 MiB");
    if (out && out->is_list()) left_ -= static_cast<std::int64_t>(out->list()->size());
    return out;
  }

  Result<Value> conditional(const Node& node) {
    auto condition = eval(*node.args[0]);
    if (!condition) return condition;
    const bool* yes = condition->get<bool>();
    if (yes == nullptr) return no_overload(kind_name(*condition) + " ? :");
    return eval(*node.args[*yes ? 1 : 2]);
  }

  Result<Value> list(const Node& node) {
    Value::List out;
    for (const auto& arg : node.args) {
      auto value = eval(*arg);
      if (!value) return value;
      out.push_back(*std::move(value));
    }
    return Value(std::move(out));
  }

  Result<Value> map(const Node& node) {
    Value::Map out;
    for (std::size_t i = 0; i + 1 < node.args.size(); i += 2) {
      auto key = eval(*node.args[i]);
      if (!key) return key;
      if (key->text() == nullptr) return no_overload("a map with a key of " + kind_name(*key));
      auto value = eval(*node.args[i + 1]);
      if (!value) return value;
      if (!out.emplace(*key->text(), *std::move(value)).second)
        return broken("repeated_key", "the key `" + *key->text() + "` stands twice");
    }
    return Value(std::move(out));
  }

  Result<Value> has(const Node& node) {
    const Node& field = *node.args[0];
    auto of = eval(*field.args[0]);
    if (!of) return of.error().code == "no_such_key" ? Result<Value>(false) : of;
    if (!of->is_map())
      return of->is_null() ? Result<Value>(false) : Result<Value>(no_overload("has() on " + kind_name(*of)));
    return Value(of->find(field.text) != nullptr);
  }

  // The elements of a list, the keys of a map.
  static std::optional<Value::List> elements(const Value& range) {
    if (range.is_list()) return *range.list();
    if (!range.is_map()) return std::nullopt;
    Value::List keys;
    for (const auto& [key, ignored] : *range.map()) keys.emplace_back(key);
    return keys;
  }

  Result<Value> with(const Node& node, const Value& element, const Node& body) {
    variables_.emplace_back(node.variable, element);
    auto out = eval(body);
    variables_.pop_back();
    return out;
  }

  Result<Value> macro(const Node& node) {
    auto range = eval(*node.args[0]);
    if (!range) return range;
    const auto items = elements(*range);
    if (!items) return no_overload(kind_name(*range) + "." + node.text + "()");
    if (node.text == "all" || node.text == "exists") return quantified(node, *items, node.text == "exists");
    if (node.text == "exists_one") return exactly_one(node, *items);
    Value::List out;
    const Node* condition = node.text == "filter" || node.args.size() == 3 ? node.args[1].get() : nullptr;
    for (const auto& item : *items) {
      if (condition != nullptr) {
        auto wanted = with(node, item, *condition);
        if (!wanted) return wanted;
        const bool* yes = wanted->get<bool>();
        if (yes == nullptr) return no_overload(node.text + " by " + kind_name(*wanted));
        if (!*yes) continue;
      }
      if (node.text == "filter") {
        out.push_back(item);
        continue;
      }
      auto value = with(node, item, *node.args.back());
      if (!value) return value;
      out.push_back(*std::move(value));
    }
    return Value(std::move(out));
  }

  Result<Value> quantified(const Node& node, const Value::List& items, bool decides) {
    std::optional<base::Error> error;
    for (const auto& item : items) {
      auto holds = with(node, item, *node.args[1]);
      const bool* yes = holds ? holds->get<bool>() : nullptr;
      if (yes != nullptr && *yes == decides) return Value(decides);
      if (yes == nullptr && !error)
        error = holds ? no_overload(node.text + " over " + kind_name(*holds)) : std::move(holds).error();
    }
    if (error) return *std::move(error);
    return Value(!decides);
  }

  Result<Value> exactly_one(const Node& node, const Value::List& items) {
    int found = 0;
    for (const auto& item : items) {
      auto holds = with(node, item, *node.args[1]);
      if (!holds) return holds;
      const bool* yes = holds->get<bool>();
      if (yes == nullptr) return no_overload("exists_one over " + kind_name(*holds));
      found += *yes ? 1 : 0;
    }
    return Value(found == 1);
  }

  const Values& values_;
  std::vector<std::pair<std::string, Value>> variables_;
  std::int64_t left_ = kMostSteps;
};

// --- an assertion's tree ---

class Operands {
 public:
  Operands(const Expression& expression, const Values& values) : text_(expression.text()), values_(values) {}
  std::vector<Operand> take() { return std::move(out_); }

  void add(const Node& node, int depth) {
    if (node.kind == Node::Kind::literal) return;
    constexpr std::size_t kLongest = 400;
    auto value = Evaluator(values_).eval(node);
    Operand operand{text_.substr(node.begin, node.end - node.begin), "", depth, node.begin, node.end};
    operand.value = base::printable(value ? value->literal() : "error: " + value.error().message, kLongest);
    const bool seen =
        std::any_of(out_.begin(), out_.end(), [&](const Operand& one) { return one.text == operand.text; });
    if (!seen) out_.push_back(std::move(operand));
    if (!path_of(node).parts.empty() || node.kind == Node::Kind::has) return;
    if (node.kind == Node::Kind::macro) {
      add(*node.args[0], depth + 1);  // the rest speaks of the macro's variable
      return;
    }
    for (const auto& arg : node.args) add(*arg, depth + 1);
  }

 private:
  const std::string& text_;
  const Values& values_;
  std::vector<Operand> out_;
};

}  // namespace

Result<Value> evaluate(const Expression& expression, const Values& values) {
  return Evaluator(values).eval(expression.root());
}

std::vector<Operand> operands(const Expression& expression, const Values& values) {
  Operands all(expression, values);
  all.add(expression.root(), 0);
  return all.take();
}

}  // namespace failover::expr
