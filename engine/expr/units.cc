// Arithmetic of money, sizes, rates, durations and timestamps: exact for whole numbers, an error beyond 64 bits.
#include <cmath>

#include "engine/expr/operations.h"

namespace failover::expr {
namespace {

using base::Duration;
using base::Money;
using base::Rate;
using base::Result;
using base::Size;
using base::Value;
using base::WallTime;

__extension__ using Wide = __int128;

// The amount of money, a size or a rate in its smallest unit, and back.
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
Result<Value> fitting(const Value& unit, Wide amount) {
  if (amount > INT64_MAX || amount < INT64_MIN) return overflow();
  return like(unit, static_cast<std::int64_t>(amount));
}

std::optional<Wide> whole(const Value& value) {
  if (const auto* i = value.get<std::int64_t>()) return Wide{*i};
  if (const auto* u = value.get<std::uint64_t>()) return static_cast<Wide>(*u);
  return std::nullopt;
}

// a / b, rounded half away from zero.
Wide rounded_quotient(Wide a, Wide b) {
  const Wide half = (b < 0 ? -b : b) / 2;
  const bool minus = (a < 0) != (b < 0);
  const Wide positive = ((a < 0 ? -a : a) + half) / (b < 0 ? -b : b);
  return minus ? -positive : positive;
}

Result<Value> from_real(const Value& unit, double wanted) {
  constexpr double kLargest = 9.0e18;
  if (!(std::abs(wanted) < kLargest)) return overflow();
  return like(unit, std::llround(wanted));
}

Result<Value> multiplied(const Value& unit, const Value& by) {
  // 2^63 times 2^64 just fits.
  if (const auto factor = whole(by)) return fitting(unit, Wide{*amount(unit)} * *factor);
  return from_real(unit, static_cast<double>(*amount(unit)) * *by.get<double>());
}

Result<Value> divided(const Value& unit, const Value& by) {
  if (const auto divisor = whole(by)) {
    return *divisor == 0 ? Result<Value>(by_zero()) : fitting(unit, rounded_quotient(*amount(unit), *divisor));
  }
  const double divisor = *by.get<double>();
  return divisor == 0 ? Result<Value>(by_zero()) : from_real(unit, static_cast<double>(*amount(unit)) / divisor);
}

bool is_number(const Value& value) {
  return value.is<std::int64_t>() || value.is<std::uint64_t>() || value.is<double>();
}

Result<Value> of_amounts(Op op, const Value& left, const Value& right) {
  const auto a = amount(left);
  const auto b = amount(right);
  if (a && b && left.data().index() == right.data().index()) {
    if (op == Op::add) return fitting(left, Wide{*a} + *b);
    if (op == Op::sub) return fitting(left, Wide{*a} - *b);
    if (op == Op::div)
      return *b == 0 ? Result<Value>(by_zero()) : Result<Value>(static_cast<double>(*a) / static_cast<double>(*b));
  } else if (a && is_number(right)) {
    if (op == Op::mul) return multiplied(left, right);
    if (op == Op::div) return divided(left, right);
  } else if (b && is_number(left) && op == Op::mul) {
    return multiplied(right, left);
  }
  return no_overload(op, left, right);
}

// Nanoseconds of a duration, or since 1970 of a timestamp.
std::optional<std::int64_t> nanoseconds(const Value& value) {
  if (const auto* time = value.get<Duration>()) return time->count();
  if (const auto* at = value.get<WallTime>()) return at->time_since_epoch().count();
  return std::nullopt;
}

Result<Value> of_times(Op op, const Value& left, const Value& right) {
  const auto a = nanoseconds(left);
  const auto b = nanoseconds(right);
  const bool moments_left = left.is<WallTime>();
  const bool moments_right = right.is<WallTime>();
  const bool sum = op == Op::add && !(moments_left && moments_right);
  const bool gap = op == Op::sub && (moments_left || !moments_right);
  if (!a || !b || !(sum || gap)) return no_overload(op, left, right);
  std::int64_t out = 0;
  const bool over = sum ? __builtin_add_overflow(*a, *b, &out) : __builtin_sub_overflow(*a, *b, &out);
  if (over) {
    return broken("overflow", "the result is outside of what a " +
                                  std::string(moments_left != moments_right ? "timestamp" : "duration") + " can hold");
  }
  if (moments_left != moments_right) return Value(WallTime(Duration(out)));
  return Value(Duration(out));
}

}  // namespace

Result<Value> unit_arithmetic(Op op, const Value& left, const Value& right) {
  if (amount(left) || amount(right)) return of_amounts(op, left, right);
  return of_times(op, left, right);
}

Result<Value> negate(const Value& value) {
  if (const auto* i = value.get<std::int64_t>())
    return *i == INT64_MIN ? Result<Value>(overflow()) : Result<Value>(-*i);
  if (const auto* d = value.get<double>()) return Value(-*d);
  if (const auto* time = value.get<Duration>())
    return *time == Duration::min() ? Result<Value>(overflow()) : Result<Value>(-*time);
  return no_overload("-" + kind_name(value));
}

}  // namespace failover::expr
