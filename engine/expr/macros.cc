// all, exists, exists_one, map and filter: over the elements of a list, over the keys of a map.
#include "engine/expr/evaluate.h"

namespace failover::expr {
namespace {

using base::Value;

base::Error not_boolean(const Node& node, const Value& found) {
  return no_overload(std::string(node.name) + "() by " + kind_name(found));
}

}  // namespace

Evaluator::Result Evaluator::macro(const Node& node) {
  auto range = eval(*node.args[0]);
  if (!range) return range;
  const Value& value = **range;
  if (value.is_list()) return over(node, *value.list());
  if (!value.is_map()) return no_overload(kind_name(value) + "." + std::string(node.name) + "()");
  if (!budget_.spend(static_cast<std::int64_t>(value.map()->size()))) return too_costly();
  Value::List keys;
  keys.reserve(value.map()->size());
  for (const auto& [key, ignored] : *value.map()) keys.emplace_back(key);
  return over(node, keys);
}

Evaluator::Result Evaluator::over(const Node& node, const Value::List& items) {
  switch (node.macro) {
    case Node::Macro::all:
    case Node::Macro::exists: return quantified(node, items);
    case Node::Macro::exists_one: return exactly_one(node, items);
    default: return transformed(node, items);
  }
}

// What it gives may point into `element`, no further than to the caller that holds the elements.
Evaluator::Result Evaluator::with(const Node& node, const Value& element, const Node& body) {
  variables_.emplace_back(node.variable, &element);
  auto out = eval(body);
  variables_.pop_back();
  return out;
}

Evaluator::Result Evaluator::quantified(const Node& node, const Value::List& items) {
  const bool decides = node.macro == Node::Macro::exists;
  std::optional<base::Error> error;
  for (const auto& item : items) {
    auto holds = with(node, item, *node.args[1]);
    const bool* yes = holds ? (*holds)->get<bool>() : nullptr;
    if (yes != nullptr && *yes == decides) return Held(decides);
    if (budget_.exhausted()) return too_costly();
    if (yes == nullptr && !error) error = holds ? not_boolean(node, **holds) : std::move(holds).error();
  }
  if (error) return *std::move(error);
  return Held(!decides);
}

Evaluator::Result Evaluator::exactly_one(const Node& node, const Value::List& items) {
  std::size_t found = 0;
  for (const auto& item : items) {
    auto holds = with(node, item, *node.args[1]);
    if (!holds) return holds;
    const bool* yes = (*holds)->get<bool>();
    if (yes == nullptr) return not_boolean(node, **holds);
    found += *yes ? 1 : 0;
  }
  return Held(found == 1);
}

Evaluator::Result Evaluator::transformed(const Node& node, const Value::List& items) {
  const bool filters = node.macro == Node::Macro::filter;
  const Node* condition = filters || node.args.size() == 3 ? node.args[1] : nullptr;
  Value::List out;
  for (const auto& item : items) {
    if (condition != nullptr) {
      auto wanted = with(node, item, *condition);
      if (!wanted) return wanted;
      const bool* yes = (*wanted)->get<bool>();
      if (yes == nullptr) return not_boolean(node, **wanted);
      if (!*yes) continue;
    }
    if (filters) {  // never more than there was
      if (!budget_.spend(1)) return too_costly();
      out.push_back(item);
      continue;
    }
    auto value = with(node, item, *node.args.back());
    if (!value) return value;
    if (!budget_.spend_value(**value)) return too_costly();
    out.push_back((*std::move(value)).take());
  }
  return Held(Value(std::move(out)));
}

}  // namespace failover::expr
