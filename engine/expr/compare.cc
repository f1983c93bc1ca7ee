// Equality, order and membership.
#include <compare>

#include "engine/expr/operations.h"

namespace failover::expr {
namespace {

using base::Bytes;
using base::Duration;
using base::Result;
using base::Value;
using base::WallTime;

double as_double(const Value& value) {
  if (const auto* i = value.get<std::int64_t>()) return static_cast<double>(*i);
  if (const auto* u = value.get<std::uint64_t>()) return static_cast<double>(*u);
  return *value.get<double>();
}

bool is_number(const Value& value) {
  return value.is<std::int64_t>() || value.is<std::uint64_t>() || value.is<double>();
}

// By value across kinds; a whole number that meets a double is compared as the nearest double, as CEL has it.
std::partial_ordering compare_numbers(const Value& left, const Value& right) {
  const auto* a = left.get<std::int64_t>();
  const auto* b = right.get<std::int64_t>();
  const auto* ua = left.get<std::uint64_t>();
  const auto* ub = right.get<std::uint64_t>();
  if (a != nullptr && b != nullptr) return *a <=> *b;
  if (ua != nullptr && ub != nullptr) return *ua <=> *ub;
  if (a != nullptr && ub != nullptr)
    return *a < 0 ? std::partial_ordering::less : static_cast<std::uint64_t>(*a) <=> *ub;
  if (ua != nullptr && b != nullptr)
    return *b < 0 ? std::partial_ordering::greater : *ua <=> static_cast<std::uint64_t>(*b);
  return as_double(left) <=> as_double(right);
}

// Bytes in UTF-8 are in the order of code points.
std::partial_ordering compare_texts(const std::string& a, const std::string& b, Budget& budget) {
  budget.spend_text(std::min(a.size(), b.size()));
  return a.compare(b) <=> 0;
}

std::optional<std::partial_ordering> order(const Value& left, const Value& right, Budget& budget) {
  if (is_number(left) && is_number(right)) return compare_numbers(left, right);
  if (left.data().index() != right.data().index()) return std::nullopt;
  if (const auto* b = left.get<bool>()) return static_cast<int>(*b) <=> static_cast<int>(*right.get<bool>());
  if (const auto* s = left.text()) return compare_texts(*s, *right.text(), budget);
  if (const auto* y = left.get<Bytes>()) return compare_texts(y->data, right.get<Bytes>()->data, budget);
  if (const auto* m = left.get<base::Money>()) return *m <=> *right.get<base::Money>();
  if (const auto* z = left.get<base::Size>()) return *z <=> *right.get<base::Size>();
  if (const auto* r = left.get<base::Rate>()) return *r <=> *right.get<base::Rate>();
  if (const auto* d = left.get<Duration>()) return *d <=> *right.get<Duration>();
  if (const auto* t = left.get<WallTime>()) return *t <=> *right.get<WallTime>();
  return std::nullopt;
}

Result<Value> contained(const Value& item, const Value& in, Budget& budget) {
  if (in.is_list()) {
    for (const auto& one : *in.list()) {
      const bool found = equal(item, one, budget);
      if (budget.exhausted()) return too_costly();
      if (found) return Value(true);
    }
    return Value(false);
  }
  if (in.is_map()) return Value(item.text() != nullptr && in.find(*item.text()) != nullptr);
  return no_overload(Op::in, item, in);
}

}  // namespace

bool equal(const Value& left, const Value& right, Budget& budget) {
  if (!budget.spend(1)) return false;
  if (is_number(left) && is_number(right)) return compare_numbers(left, right) == std::partial_ordering::equivalent;
  if (left.data().index() != right.data().index()) return false;
  if (left.is_list()) {
    const auto& a = *left.list();
    const auto& b = *right.list();
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                              [&](const Value& x, const Value& y) { return equal(x, y, budget); });
  }
  if (left.is_map()) {
    const auto& a = *left.map();
    const auto& b = *right.map();
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [&](const auto& x, const auto& y) {
             return x.first == y.first && equal(x.second, y.second, budget);
           });
  }
  if (const auto* text = left.text()) budget.spend_text(text->size());
  return left == right;
}

Result<Value> operate(Op op, const Value& left, const Value& right, Budget& budget) {
  if (op == Op::eq || op == Op::ne) {
    const bool same = equal(left, right, budget);
    return budget.exhausted() ? Result<Value>(too_costly()) : Result<Value>(same == (op == Op::eq));
  }
  if (op == Op::in) return contained(left, right, budget);
  if (!is_ordering(op)) return arithmetic(op, left, right, budget);
  const auto found = order(left, right, budget);
  if (!found) return no_overload(op, left, right);
  switch (op) {
    case Op::lt: return Value(std::is_lt(*found));
    case Op::le: return Value(std::is_lteq(*found));
    case Op::gt: return Value(std::is_gt(*found));
    default: return Value(std::is_gteq(*found));
  }
}

}  // namespace failover::expr
