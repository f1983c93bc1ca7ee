#include "engine/expr/evaluate.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/base/text.h"

namespace failover::expr {
namespace {

using base::Value;

// The place that a number of any kind stands for; CEL takes 1u and 1.0 for 1.
std::optional<std::int64_t> place(const Value& key) {
  constexpr std::int64_t kNowhere = -1;
  if (const auto* i = key.get<std::int64_t>()) return *i;
  if (const auto* u = key.get<std::uint64_t>())
    return *u <= static_cast<std::uint64_t>(INT64_MAX) ? static_cast<std::int64_t>(*u) : kNowhere;
  if (const auto* d = key.get<double>()) {
    constexpr double kExact = 9007199254740992.0;
    return *d == std::floor(*d) && std::abs(*d) <= kExact ? static_cast<std::int64_t>(*d) : kNowhere;
  }
  return std::nullopt;
}

std::size_t text_size(const Value& value) {
  if (const auto* text = value.text()) return text->size();
  const auto* bytes = value.get<base::Bytes>();
  return bytes == nullptr ? 0 : bytes->data.size();
}

}  // namespace

Evaluator::Result Evaluator::eval(const Node& node) {
  if (!remembers_ || !variables_.empty()) return fresh(node);
  if (const auto known = remembered_.find(&node); known != remembered_.end()) return known->second;
  return remembered_.emplace(&node, fresh(node)).first->second;
}

Evaluator::Result Evaluator::fresh(const Node& node) {
  if (!budget_.spend(1)) return too_costly();
  switch (node.kind) {
    case Node::Kind::literal: return Held(node.value);
    case Node::Kind::name: return name(node);
    case Node::Kind::field: return field(node);
    case Node::Kind::index: return index(node);
    case Node::Kind::call: return call(node);
    case Node::Kind::unary: return unary(node);
    case Node::Kind::binary: return node.op == Op::both || node.op == Op::either ? logical(node) : binary(node);
    case Node::Kind::conditional: return conditional(node);
    case Node::Kind::list: return list(node);
    case Node::Kind::map: return map(node);
    case Node::Kind::has: return has(node);
    case Node::Kind::macro: return macro(node);
  }
  return broken("internal", "unknown node");
}

Evaluator::Result Evaluator::name(const Node& node) const {
  for (auto at = variables_.rbegin(); at != variables_.rend(); ++at) {
    if (at->first == node.name) return Held(at->second);
  }
  const auto found = values_.find(node.name);
  if (found != values_.end()) return Held(&found->second);
  return broken("no_such_key", "`" + std::string(node.name) + "` has no value here");
}

Evaluator::Result Evaluator::member(const Held& of, std::string_view key) {
  if (!of->is_map()) return no_overload(kind_name(*of) + "." + base::printable(key, 80));
  const Value* found = of->find(key);
  if (found == nullptr) return broken("no_such_key", "there is no `" + base::printable(key, 80) + "` in it");
  return of.part(*found);
}

Evaluator::Result Evaluator::field(const Node& node) {
  auto of = eval(*node.args[0]);
  return of ? member(*of, node.name) : of;
}

Evaluator::Result Evaluator::index(const Node& node) {
  auto of = eval(*node.args[0]);
  if (!of) return of;
  auto key = eval(*node.args[1]);
  if (!key) return key;
  const Value& inside = **of;
  if (inside.is_map() && (*key)->text() != nullptr) return member(*of, *(*key)->text());
  const auto at = place(**key);
  if (!inside.is_list() || !at) return no_overload(kind_name(inside) + "[" + kind_name(**key) + "]");
  const auto size = static_cast<std::int64_t>(inside.list()->size());
  if (*at < 0 || *at >= size) {
    return broken("index_out_of_range", "index " + (*key)->display() + " is outside a list of " + std::to_string(size));
  }
  return of->part((*inside.list())[static_cast<std::size_t>(*at)]);
}

Evaluator::Result Evaluator::call(const Node& node) {
  const Function* found = node.function;
  const bool fits = found != nullptr && (node.member ? found->member : found->global) &&
                    node.args.size() >= found->least && node.args.size() <= found->most;
  if (!fits) return no_overload(std::string(node.name) + "()");
  std::array<std::optional<Held>, kMostArguments> held;
  std::array<const Value*, kMostArguments> arguments{};
  for (std::size_t i = 0; i < node.args.size(); ++i) {
    auto value = eval(*node.args[i]);
    if (!value) return value;
    held[i] = *std::move(value);
    arguments[i] = &**held[i];
    if (!budget_.spend_text(text_size(*arguments[i]))) return too_costly();
  }
  if (is_matches(found) && arguments[0]->text() != nullptr && arguments[1]->text() != nullptr)
    return matches(node, *arguments[0], *arguments[1]);
  auto out = found->call({arguments.data(), node.args.size()});
  return out ? Result(Held(*std::move(out))) : Result(std::move(out).error());
}

Evaluator::Result Evaluator::matches(const Node& node, const Value& text, const Value& pattern) {
  const Pattern* compiled = node.pattern;
  if (compiled == nullptr) {
    const auto known = std::find_if(patterns_.begin(), patterns_.end(),
                                    [&](const Pattern& one) { return one.text() == *pattern.text(); });
    if (known == patterns_.end()) {
      constexpr std::int64_t kCompiling = 1'000;  // what it takes, in steps; and so at most a thousand are kept
      if (!budget_.spend(kCompiling) || !budget_.spend_text(pattern.text()->size() * 64)) return too_costly();
      patterns_.emplace_front(*pattern.text());
    }
    compiled = known == patterns_.end() ? &patterns_.front() : &*known;
  }
  auto out = match(text, *compiled, budget_);
  return out ? Result(Held(*std::move(out))) : Result(std::move(out).error());
}

Evaluator::Result Evaluator::unary(const Node& node) {
  auto value = eval(*node.args[0]);
  if (!value) return value;
  if (node.op == Op::minus) {
    auto out = negate(**value);
    return out ? Result(Held(*std::move(out))) : Result(std::move(out).error());
  }
  const bool* yes = (*value)->get<bool>();
  return yes == nullptr ? Result(no_overload("!" + kind_name(**value))) : Result(Held(!*yes));
}

// CEL: one side that decides hides an error of the other, on either side.
Evaluator::Result Evaluator::logical(const Node& node) {
  const bool decides = node.op == Op::either;
  auto left = eval(*node.args[0]);
  const bool* a = left ? (*left)->get<bool>() : nullptr;
  if (a != nullptr && *a == decides) return Held(decides);
  if (budget_.exhausted()) return too_costly();
  auto right = eval(*node.args[1]);
  const bool* b = right ? (*right)->get<bool>() : nullptr;
  if (b != nullptr && *b == decides) return Held(decides);
  if (budget_.exhausted()) return too_costly();
  if (!left) return left;
  if (!right) return right;
  if (a == nullptr || b == nullptr) return no_overload(node.op, **left, **right);
  return Held(!decides);
}

Evaluator::Result Evaluator::binary(const Node& node) {
  auto left = eval(*node.args[0]);
  if (!left) return left;
  auto right = eval(*node.args[1]);
  if (!right) return right;
  auto out = operate(node.op, **left, **right, budget_);
  if (budget_.exhausted()) return too_costly();
  return out ? Result(Held(*std::move(out))) : Result(std::move(out).error());
}

Evaluator::Result Evaluator::conditional(const Node& node) {
  auto condition = eval(*node.args[0]);
  if (!condition) return condition;
  const bool* yes = (*condition)->get<bool>();
  if (yes == nullptr) return no_overload(kind_name(**condition) + " ? :");
  return eval(*node.args[*yes ? 1 : 2]);
}

// Elements are charged as a whole, whatever they share: a list of lists of lists grows no faster than the steps run
// out.
Evaluator::Result Evaluator::list(const Node& node) {
  Value::List out;
  out.reserve(node.args.size());
  for (const Node* arg : node.args) {
    auto value = eval(*arg);
    if (!value) return value;
    if (!budget_.spend_value(**value)) return too_costly();
    out.push_back((*std::move(value)).take());
  }
  return Held(Value(std::move(out)));
}

Evaluator::Result Evaluator::map(const Node& node) {
  Value::Map out;
  for (std::size_t i = 0; i + 1 < node.args.size(); i += 2) {
    auto key = eval(*node.args[i]);
    if (!key) return key;
    const auto* text = (*key)->text();
    if (text == nullptr) return no_overload("a map with a key of " + kind_name(**key));
    auto value = eval(*node.args[i + 1]);
    if (!value) return value;
    if (!budget_.spend_text(text->size()) || !budget_.spend_value(**value)) return too_costly();
    if (!out.emplace(*text, (*std::move(value)).take()).second)
      return broken("repeated_key", "the key `" + base::printable(*text, 80) + "` stands twice");
  }
  return Held(Value(std::move(out)));
}

Evaluator::Result Evaluator::has(const Node& node) {
  const Node& field = *node.args[0];
  auto of = eval(*field.args[0]);
  if (!of) return of.error().code == "no_such_key" ? Result(Held(false)) : of;
  if ((*of)->is_map()) return Held((*of)->find(field.name) != nullptr);
  return (*of)->is_null() ? Result(Held(false)) : Result(no_overload("has() on " + kind_name(**of)));
}

base::Result<Value> evaluate(const Expression& expression, const Values& values, std::int64_t* spent) {
  Evaluator evaluator(values);
  auto out = evaluator.eval(expression.root());
  if (spent != nullptr) *spent += evaluator.spent();
  return out ? base::Result<Value>((*std::move(out)).take()) : base::Result<Value>(std::move(out).error());
}

}  // namespace failover::expr
