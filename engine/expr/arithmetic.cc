#include "engine/expr/operations.h"

namespace failover::expr {
namespace {

using base::Bytes;
using base::Result;
using base::Value;

constexpr std::size_t kMostText = 1 << 20;  // bytes of one text that an expression makes

template <class T>
Result<Value> whole_numbers(Op op, T a, T b) {
  T out{};
  bool over = false;
  switch (op) {
    case Op::add: over = __builtin_add_overflow(a, b, &out); break;
    case Op::sub: over = __builtin_sub_overflow(a, b, &out); break;
    case Op::mul: over = __builtin_mul_overflow(a, b, &out); break;
    default:
      if (b == 0) return by_zero();
      if constexpr (std::is_signed_v<T>) {
        if (a == std::numeric_limits<T>::min() && b == -1) return overflow();
      }
      out = op == Op::div ? static_cast<T>(a / b) : static_cast<T>(a % b);
  }
  return over ? Result<Value>(overflow()) : Result<Value>(out);
}

Result<Value> reals(Op op, double a, double b) {
  switch (op) {
    case Op::add: return Value(a + b);
    case Op::sub: return Value(a - b);
    case Op::mul: return Value(a * b);
    case Op::div: return Value(a / b);
    default: return no_overload("double % double");
  }
}

Result<Value> joined_texts(const std::string& a, const std::string& b, Budget& budget, bool bytes) {
  if (a.size() + b.size() > kMostText)
    return broken("too_costly", bytes ? "the bytes become more than 1 MiB" : "the text becomes longer than 1 MiB");
  if (!budget.spend_text(a.size() + b.size())) return too_costly();
  std::string out;
  out.reserve(a.size() + b.size());
  out += a;
  out += b;
  return bytes ? Value(Bytes{std::move(out)}) : Value(std::move(out));
}

Result<Value> joined_lists(const Value& left, const Value& right, Budget& budget) {
  if (!budget.spend_value(left) || !budget.spend_value(right)) return too_costly();
  Value::List out;
  out.reserve(left.list()->size() + right.list()->size());
  out.insert(out.end(), left.list()->begin(), left.list()->end());
  out.insert(out.end(), right.list()->begin(), right.list()->end());
  return Value(std::move(out));
}

}  // namespace

bool Budget::spend(std::int64_t steps) {
  if (left_ < 0) return false;
  left_ -= steps;
  return left_ >= 0;
}

bool Budget::spend_value(const Value& value) {
  if (!spend(1)) return false;
  if (const auto* text = value.text()) return spend_text(text->size());
  if (const auto* bytes = value.get<Bytes>()) return spend_text(bytes->data.size());
  if (value.is_list()) {
    for (const auto& one : *value.list()) {
      if (!spend_value(one)) return false;
    }
  } else if (value.is_map()) {
    for (const auto& [key, one] : *value.map()) {
      if (!spend_text(key.size()) || !spend_value(one)) return false;
    }
  }
  return true;
}

base::Error broken(std::string code, std::string message) {
  return {base::Fault::invalid, std::move(code), std::move(message)};
}
base::Error too_costly() { return broken("too_costly", "the expression takes more than a million steps"); }
base::Error overflow() { return broken("overflow", "the result does not fit into 64 bits"); }
base::Error by_zero() { return broken("division_by_zero", "division by zero"); }
base::Error no_overload(const std::string& what) { return broken("no_such_overload", "no such overload: " + what); }
base::Error no_overload(Op op, const Value& left, const Value& right) {
  return no_overload(kind_name(left) + " " + std::string(text_of(op)) + " " + kind_name(right));
}

std::string kind_name(const Value& value) {
  static constexpr const char* kNames[] = {"null",  "bool", "int",  "uint",     "double",    "string", "bytes",
                                           "money", "size", "rate", "duration", "timestamp", "list",   "map"};
  return kNames[value.data().index()];
}

Result<Value> arithmetic(Op op, const Value& left, const Value& right, Budget& budget) {
  if (left.data().index() != right.data().index()) return unit_arithmetic(op, left, right);
  if (const auto* a = left.get<std::int64_t>()) return whole_numbers(op, *a, *right.get<std::int64_t>());
  if (const auto* u = left.get<std::uint64_t>()) return whole_numbers(op, *u, *right.get<std::uint64_t>());
  if (const auto* d = left.get<double>()) return reals(op, *d, *right.get<double>());
  if (op == Op::add) {
    if (const auto* text = left.text()) return joined_texts(*text, *right.text(), budget, false);
    if (const auto* bytes = left.get<Bytes>()) return joined_texts(bytes->data, right.get<Bytes>()->data, budget, true);
    if (left.is_list()) return joined_lists(left, right, budget);
  }
  return unit_arithmetic(op, left, right);
}

}  // namespace failover::expr
