// What is known of numbers before they are there: `steps.run.exit_code` is 0 once that step has passed.
#include <algorithm>
#include <utility>

#include "engine/expr/expression.h"
#include "engine/expr/node.h"

namespace failover::expr {
namespace {

std::optional<std::int64_t> number_of(const Node& node) {
  const bool negative = node.kind == Node::Kind::unary && node.op == Op::minus;
  const Node& literal = negative ? *node.args[0] : node;
  const auto* number = literal.kind == Node::Kind::literal ? literal.value->get<std::int64_t>() : nullptr;
  if (number == nullptr || *number == std::numeric_limits<std::int64_t>::min()) return std::nullopt;
  return negative ? -*number : *number;
}

// `3 < x` is `x > 3`.
Op turned(Op op) {
  switch (op) {
    case Op::lt: return Op::gt;
    case Op::le: return Op::ge;
    case Op::gt: return Op::lt;
    case Op::ge: return Op::le;
    default: return op;
  }
}

Op negated(Op op) {
  switch (op) {
    case Op::eq: return Op::ne;
    case Op::ne: return Op::eq;
    case Op::lt: return Op::ge;
    case Op::le: return Op::gt;
    case Op::gt: return Op::le;
    case Op::ge: return Op::lt;
    default: return op;
  }
}

std::optional<bool> either_of(std::optional<bool> left, std::optional<bool> right) {
  if ((left && *left) || (right && *right)) return true;
  return left && right ? std::optional(false) : std::nullopt;
}

std::optional<bool> no(std::optional<bool> value) { return value ? std::optional(!*value) : std::nullopt; }

std::optional<bool> compared(Op op, const Range& a, const Range& b) {
  const bool below = a.most < b.least;
  const bool above = a.least > b.most;
  const bool not_above = a.most <= b.least;
  const bool not_below = a.least >= b.most;
  switch (op) {
    case Op::eq:
      if (below || above) return false;
      return not_above && not_below ? std::optional(true) : std::nullopt;
    case Op::ne: return no(compared(Op::eq, a, b));
    case Op::lt:
      if (below) return true;
      return not_below ? std::optional(false) : std::nullopt;
    case Op::gt: return compared(Op::lt, b, a);
    case Op::le: return no(compared(Op::gt, a, b));
    case Op::ge: return no(compared(Op::lt, a, b));
    default: return std::nullopt;
  }
}

class Decider {
 public:
  explicit Decider(const RangeOf& range) : range_(range) {}

  std::optional<bool> decide(const Node& node) {
    if (node.kind == Node::Kind::unary && node.op == Op::no) return no(decide(*node.args[0]));
    if (node.kind != Node::Kind::binary) return std::nullopt;
    const Node& left = *node.args[0];
    const Node& right = *node.args[1];
    switch (node.op) {
      case Op::either: return either_of(decide(left), decide(right));
      case Op::both: return no(either_of(no(decide(left)), no(decide(right))));
      case Op::in: return within(left, right);
      default: return compare(node.op, left, right);
    }
  }

 private:
  // A constant beside another one is no knowledge of ranges.
  std::optional<bool> compare(Op op, const Node& left, const Node& right) {
    if (number_of(left) && number_of(right)) return std::nullopt;
    const auto a = range(left);
    const auto b = a ? range(right) : std::nullopt;
    return a && b ? compared(op, *a, *b) : std::nullopt;
  }

  std::optional<bool> within(const Node& value, const Node& list) {
    if (list.kind != Node::Kind::list || list.args.empty()) return std::nullopt;
    std::optional<bool> out = false;
    for (const Node* one : list.args) out = either_of(out, compare(Op::eq, value, *one));
    return out;
  }

  std::optional<Range> range(const Node& node) {
    if (const auto number = number_of(node)) return Range{*number, *number};
    if (node.path_size > 1) return range_(path_of(node), false);
    const bool sum = node.kind == Node::Kind::binary && (node.op == Op::add || node.op == Op::sub);
    if (sum) return summed(range(*node.args[0]), range(*node.args[1]), node.op == Op::sub);
    const bool size = node.kind == Node::Kind::call && node.name == "size" && node.args.size() == 1;
    return size && node.args[0]->path_size > 1 ? range_(path_of(*node.args[0]), true) : std::nullopt;
  }

  // Of numbers far from the ends of 64 bits.
  static std::optional<Range> summed(const std::optional<Range>& a, const std::optional<Range>& b, bool minus) {
    constexpr std::int64_t kFar = std::int64_t{1} << 40;
    const auto near = [](const auto& one) { return one && one->least > -kFar && one->most < kFar; };
    if (!near(a) || !near(b)) return std::nullopt;
    if (minus) return Range{a->least - b->most, a->most - b->least};
    return Range{a->least + b->least, a->most + b->most};
  }

  const RangeOf& range_;
};

void bounds(const Node& node, bool outcome, std::vector<Bound>& out) {
  if (node.kind == Node::Kind::unary && node.op == Op::no) return bounds(*node.args[0], !outcome, out);
  if (node.kind != Node::Kind::binary) return;
  const Node& left = *node.args[0];
  const Node& right = *node.args[1];
  if (node.op == (outcome ? Op::both : Op::either)) {
    bounds(left, outcome, out);
    return bounds(right, outcome, out);
  }
  const Op op = outcome ? node.op : negated(node.op);
  const auto add = [&](const Node& path, Op how, const Node& other) {
    const auto number = number_of(other);
    if (path.path_size < 2 || !number) return;
    Range range;
    if (how == Op::eq || how == Op::ge) range.least = *number;
    if (how == Op::eq || how == Op::le) range.most = *number;
    if (how == Op::gt && *number < range.most) range.least = *number + 1;
    if (how == Op::lt && *number > range.least) range.most = *number - 1;
    out.push_back({path_of(path), range});
  };
  if (op < Op::eq || op > Op::ge) return;
  add(left, op, right);
  add(right, turned(op), left);
  if (op == Op::eq && left.path_size > 1 && right.path_size > 1) {
    out.push_back({path_of(left), {}, path_of(right)});
    out.push_back({path_of(right), {}, path_of(left)});
  }
}

}  // namespace

Range both(const Range& a, const Range& b) { return {std::max(a.least, b.least), std::min(a.most, b.most)}; }

std::optional<bool> decided(const Expression& condition, const RangeOf& range) {
  return condition.empty() ? std::nullopt : Decider(range).decide(condition.root());
}

std::vector<Bound> bounds(const Expression& condition) {
  std::vector<Bound> out;
  if (!condition.empty()) bounds(condition.root(), true, out);
  return out;
}

}  // namespace failover::expr
