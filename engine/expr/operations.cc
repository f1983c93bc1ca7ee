#include "engine/expr/operations.h"

#include <cmath>
#include <compare>

namespace failover::expr {
namespace {

using base::Bytes;
using base::Duration;
using base::Money;
using base::Rate;
using base::Result;
using base::Size;
using base::Type;
using base::Value;
using base::WallTime;
using K = Type::Kind;

bool is_number(const Value& value) {
  return value.is<std::int64_t>() || value.is<std::uint64_t>() || value.is<double>();
}
bool is_number(K kind) { return kind == K::integer || kind == K::uinteger || kind == K::number; }
bool is_unit(K kind) { return kind == K::money || kind == K::size || kind == K::rate; }

base::Error overflow() { return broken("overflow", "the result does not fit into 64 bits"); }
base::Error by_zero() { return broken("division_by_zero", "division by zero"); }

template <class T>
Result<Value> whole_numbers(const std::string& op, T a, T b) {
  T out{};
  if (op == "+") return __builtin_add_overflow(a, b, &out) ? Result<Value>(overflow()) : Result<Value>(out);
  if (op == "-") return __builtin_sub_overflow(a, b, &out) ? Result<Value>(overflow()) : Result<Value>(out);
  if (op == "*") return __builtin_mul_overflow(a, b, &out) ? Result<Value>(overflow()) : Result<Value>(out);
  if (b == 0) return by_zero();
  if constexpr (std::is_signed_v<T>) {
    if (a == std::numeric_limits<T>::min() && b == -1) return overflow();
  }
  return Value(op == "/" ? a / b : a % b);
}

Result<Value> reals(const std::string& op, double a, double b) {
  if (op == "+") return Value(a + b);
  if (op == "-") return Value(a - b);
  if (op == "*") return Value(a * b);
  if (op == "/") return Value(a / b);
  return no_overload("double % double");
}

// The amount of a unit value, and back.
std::optional<std::int64_t> amount(const Value& value) {
  if (const auto* money = value.get<Money>()) return money->micros;
  if (const auto* size = value.get<Size>()) return size->bytes;
  if (const auto* rate = value.get<Rate>()) return rate->bits_per_second;
  return std::nullopt;
}
Value like(const Value& unit, std::int64_t amount) {
  if (unit.is<Money>()) return Money{amount};
  if (unit.is<Size>()) return Size{amount};
  return Rate{amount};
}

Result<Value> scaled(const Value& unit, double by) {
  const double wanted = static_cast<double>(*amount(unit)) * by;
  constexpr double kLargest = 9.0e18;
  if (!(std::abs(wanted) < kLargest)) return overflow();
  return like(unit, std::llround(wanted));
}

std::optional<double> as_double(const Value& value) {
  if (const auto* i = value.get<std::int64_t>()) return static_cast<double>(*i);
  if (const auto* u = value.get<std::uint64_t>()) return static_cast<double>(*u);
  if (const auto* d = value.get<double>()) return *d;
  return std::nullopt;
}

std::string pair_name(const std::string& op, const Value& left, const Value& right) {
  return kind_name(left) + " " + op + " " + kind_name(right);
}

Result<Value> units(const std::string& op, const Value& left, const Value& right) {
  const auto a = amount(left);
  const auto b = amount(right);
  if (a && b && left.data().index() == right.data().index()) {
    std::int64_t out = 0;
    if (op == "+")
      return __builtin_add_overflow(*a, *b, &out) ? Result<Value>(overflow()) : Result<Value>(like(left, out));
    if (op == "-")
      return __builtin_sub_overflow(*a, *b, &out) ? Result<Value>(overflow()) : Result<Value>(like(left, out));
    if (op == "/")
      return *b == 0 ? Result<Value>(by_zero()) : Result<Value>(static_cast<double>(*a) / static_cast<double>(*b));
  } else if (a && is_number(right) && op == "*") {
    return scaled(left, *as_double(right));
  } else if (a && is_number(right) && op == "/") {
    return *as_double(right) == 0 ? Result<Value>(by_zero()) : scaled(left, 1 / *as_double(right));
  } else if (b && is_number(left) && op == "*") {
    return scaled(right, *as_double(left));
  }
  return no_overload(pair_name(op, left, right));
}

Result<Value> times(const std::string& op, const Value& left, const Value& right) {
  const auto* a = left.get<Duration>();
  const auto* b = right.get<Duration>();
  const auto* at = left.get<WallTime>();
  const auto* other = right.get<WallTime>();
  const auto sum = [](std::int64_t x, std::int64_t y, bool minus) -> std::optional<Duration> {
    std::int64_t out = 0;
    const bool over = minus ? __builtin_sub_overflow(x, y, &out) : __builtin_add_overflow(x, y, &out);
    return over ? std::nullopt : std::optional(Duration(out));
  };
  const bool minus = op == "-";
  if (op == "+" || op == "-") {
    std::optional<Duration> out;
    const auto ticks = [](const WallTime* when) { return when->time_since_epoch().count(); };
    if (a != nullptr && b != nullptr) {
      out = sum(a->count(), b->count(), minus);
      return out ? Result<Value>(*out) : Result<Value>(overflow());
    }
    if (at != nullptr && b != nullptr) {
      out = sum(ticks(at), b->count(), minus);
      return out ? Result<Value>(WallTime(*out)) : Result<Value>(overflow());
    }
    if (a != nullptr && other != nullptr && !minus) {
      out = sum(a->count(), ticks(other), false);
      return out ? Result<Value>(WallTime(*out)) : Result<Value>(overflow());
    }
    if (at != nullptr && other != nullptr && minus) {
      out = sum(ticks(at), ticks(other), true);
      return out ? Result<Value>(*out) : Result<Value>(overflow());
    }
  }
  return no_overload(pair_name(op, left, right));
}

Result<Value> arithmetic(const std::string& op, const Value& left, const Value& right) {
  if (left.data().index() == right.data().index()) {
    if (const auto* a = left.get<std::int64_t>()) return whole_numbers(op, *a, *right.get<std::int64_t>());
    if (const auto* u = left.get<std::uint64_t>()) return whole_numbers(op, *u, *right.get<std::uint64_t>());
    if (const auto* d = left.get<double>()) return reals(op, *d, *right.get<double>());
    if (op == "+") {
      if (const auto* text = left.text()) return Value(*text + *right.text());
      if (const auto* bytes = left.get<Bytes>()) return Value(Bytes{bytes->data + right.get<Bytes>()->data});
      if (left.is_list()) {
        Value::List out = *left.list();
        out.insert(out.end(), right.list()->begin(), right.list()->end());
        return Value(std::move(out));
      }
    }
  }
  if (amount(left) || amount(right)) return units(op, left, right);
  if (left.is<Duration>() || left.is<WallTime>()) return times(op, left, right);
  return no_overload(pair_name(op, left, right));
}

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
  return *as_double(left) <=> *as_double(right);
}

std::optional<std::partial_ordering> order(const Value& left, const Value& right) {
  if (is_number(left) && is_number(right)) return compare_numbers(left, right);
  if (left.data().index() != right.data().index()) return std::nullopt;
  if (const auto* b = left.get<bool>()) return static_cast<int>(*b) <=> static_cast<int>(*right.get<bool>());
  if (const auto* s = left.text()) return s->compare(*right.text()) <=> 0;
  if (const auto* y = left.get<Bytes>()) return y->data.compare(right.get<Bytes>()->data) <=> 0;
  if (const auto a = amount(left)) return *a <=> *amount(right);
  if (const auto* d = left.get<Duration>()) return d->count() <=> right.get<Duration>()->count();
  if (const auto* t = left.get<WallTime>())
    return t->time_since_epoch().count() <=> right.get<WallTime>()->time_since_epoch().count();
  return std::nullopt;
}

Result<Value> contained(const Value& item, const Value& in) {
  if (in.is_list()) {
    for (const auto& one : *in.list()) {
      if (equal(item, one)) return Value(true);
    }
    return Value(false);
  }
  if (in.is_map()) return Value(item.text() != nullptr && in.find(*item.text()) != nullptr);
  return no_overload(pair_name("in", item, in));
}

bool is_ordering(const std::string& op) { return op == "<" || op == "<=" || op == ">" || op == ">="; }

}  // namespace

base::Error broken(std::string code, std::string message) {
  return {base::Fault::invalid, std::move(code), std::move(message)};
}
base::Error no_overload(const std::string& what) { return broken("no_such_overload", "no such overload: " + what); }

std::string kind_name(const Value& value) {
  static constexpr const char* kNames[] = {"null",  "bool", "int",  "uint",     "double",    "string", "bytes",
                                           "money", "size", "rate", "duration", "timestamp", "list",   "map"};
  return kNames[value.data().index()];
}

bool equal(const Value& left, const Value& right) {
  if (is_number(left) && is_number(right)) return compare_numbers(left, right) == std::partial_ordering::equivalent;
  if (left.is_list() && right.is_list()) {
    const auto& a = *left.list();
    const auto& b = *right.list();
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), equal);
  }
  if (left.is_map() && right.is_map()) {
    const auto& a = *left.map();
    const auto& b = *right.map();
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](const auto& x, const auto& y) {
             return x.first == y.first && equal(x.second, y.second);
           });
  }
  return left == right;
}

Result<Value> operate(const std::string& op, const Value& left, const Value& right) {
  if (op == "==") return Value(equal(left, right));
  if (op == "!=") return Value(!equal(left, right));
  if (op == "in") return contained(left, right);
  if (!is_ordering(op)) return arithmetic(op, left, right);
  const auto found = order(left, right);
  if (!found) return no_overload(pair_name(op, left, right));
  if (op == "<") return Value(std::is_lt(*found));
  if (op == "<=") return Value(std::is_lteq(*found));
  if (op == ">") return Value(std::is_gt(*found));
  return Value(std::is_gteq(*found));
}

Result<Value> negate(const Value& value) {
  if (const auto* i = value.get<std::int64_t>())
    return *i == INT64_MIN ? Result<Value>(overflow()) : Result<Value>(-*i);
  if (const auto* d = value.get<double>()) return Value(-*d);
  if (const auto* time = value.get<Duration>()) return Value(-*time);
  return no_overload("-" + kind_name(value));
}

bool comparable(const Type& left, const Type& right) {
  const K a = left.kind();
  const K b = right.kind();
  if (a == K::any || b == K::any || a == K::null || b == K::null) return true;
  if (is_number(a) && is_number(b)) return true;
  if (a == K::list && b == K::list) return comparable(left.element(), right.element());
  return left.accepts(right) || right.accepts(left);
}

std::optional<Type> result_type(const std::string& op, const Type& left, const Type& right) {
  const K a = left.kind();
  const K b = right.kind();
  if (op == "==" || op == "!=") return comparable(left, right) ? std::optional<Type>(K::boolean) : std::nullopt;
  if (op == "in") {
    if (b == K::any) return K::boolean;
    if (b == K::list) return comparable(left, right.element()) ? std::optional<Type>(K::boolean) : std::nullopt;
    const bool keyed = (b == K::map || b == K::object) && (a == K::string || a == K::any);
    return keyed ? std::optional<Type>(K::boolean) : std::nullopt;
  }
  if (is_ordering(op)) {
    const bool unordered = a == K::list || a == K::map || a == K::object || a == K::null || b == K::null;
    if (a == K::any || b == K::any) return K::boolean;
    const bool fits = !unordered && (a == b || (is_number(a) && is_number(b)));
    return fits ? std::optional<Type>(K::boolean) : std::nullopt;
  }
  if (a == K::any || b == K::any) return Type();
  if (op == "%") return a == b && (a == K::integer || a == K::uinteger) ? std::optional(left) : std::nullopt;
  if (a == b && is_number(a)) return Type(a);
  if (op == "*") {
    if (is_unit(a) && is_number(b)) return Type(a);
    if (is_number(a) && is_unit(b)) return Type(b);
    return std::nullopt;
  }
  if (op == "/") {
    if (is_unit(a) && is_number(b)) return Type(a);
    return a == b && is_unit(a) ? std::optional<Type>(K::number) : std::nullopt;
  }
  if (a == b && (is_unit(a) || a == K::duration)) return Type(a);
  if (op == "+") {
    if (a == b && (a == K::string || a == K::bytes)) return Type(a);
    if (a == K::list && b == K::list)
      return comparable(left.element(), right.element()) ? std::optional(left) : Type::list_of({});
    if (a == K::duration && b == K::timestamp) return Type(b);
  }
  if (a == K::timestamp && b == K::duration) return Type(a);
  if (op == "-" && a == K::timestamp && b == K::timestamp) return Type(K::duration);
  return std::nullopt;
}

}  // namespace failover::expr
