// Which types operators take, and what they give.
#include <algorithm>

#include "engine/expr/operations.h"

namespace failover::expr {
namespace {

using base::Type;
using K = Type::Kind;
using MaybeType = std::optional<Type>;

bool is_number(K kind) { return kind == K::integer || kind == K::uinteger || kind == K::number; }
bool is_unit(K kind) { return kind == K::money || kind == K::size || kind == K::rate; }
bool is_keyed(K kind) { return kind == K::map || kind == K::object; }
bool is_ordered(K kind) { return kind != K::null && kind != K::list && !is_keyed(kind); }
MaybeType boolean_if(bool fits) { return fits ? MaybeType(K::boolean) : std::nullopt; }

bool comparable_fields(const Type& left, const Type& right) {
  return std::all_of(left.fields().begin(), left.fields().end(), [&](const Type::Field& field) {
    const Type* other = right.field(field.name);
    return other == nullptr || comparable(field.type, *other);
  });
}

MaybeType sum(const Type& left, const Type& right) {
  const K a = left.kind();
  const K b = right.kind();
  if (a == b && (is_number(a) || is_unit(a) || a == K::string || a == K::bytes || a == K::duration)) return Type(a);
  if (a == K::list && b == K::list) return Type::list_of(joined(left.element(), right.element()));
  if ((a == K::timestamp && b == K::duration) || (a == K::duration && b == K::timestamp)) return K::timestamp;
  return std::nullopt;
}

MaybeType difference_type(K a, K b) {
  if (a == b && (is_number(a) || is_unit(a) || a == K::duration)) return Type(a);
  if (a == K::timestamp && b == K::timestamp) return K::duration;
  if (a == K::timestamp && b == K::duration) return K::timestamp;
  return std::nullopt;
}

MaybeType product(K a, K b) {
  if (a == b && is_number(a)) return Type(a);
  if (is_unit(a) && is_number(b)) return Type(a);
  if (is_number(a) && is_unit(b)) return Type(b);
  return std::nullopt;
}

MaybeType quotient(K a, K b) {
  if (a == b && is_number(a)) return Type(a);
  if (is_unit(a) && is_number(b)) return Type(a);
  return a == b && is_unit(a) ? MaybeType(K::number) : std::nullopt;
}

}  // namespace

bool comparable(const Type& left, const Type& right) {
  const K a = left.kind();
  const K b = right.kind();
  if (a == K::any || b == K::any || a == K::null || b == K::null) return true;
  if (is_number(a) && is_number(b)) return true;
  if (a == K::object && b == K::object) return comparable_fields(left, right);
  if (is_keyed(a) && is_keyed(b)) {
    const Type& map = a == K::map ? left : right;
    const Type& other = a == K::map ? right : left;
    if (other.kind() == K::map) return comparable(map.element(), other.element());
    return std::all_of(other.fields().begin(), other.fields().end(),
                       [&](const Type::Field& field) { return comparable(map.element(), field.type); });
  }
  return a == b && (a != K::list || comparable(left.element(), right.element()));
}

Type joined(const Type& left, const Type& right) {
  const K a = left.kind();
  const K b = right.kind();
  if (a == K::any || b == K::any) return {};
  if (a == K::null || b == K::null) return a == b ? left : (a == K::null ? right : left).or_null();
  if (a != b) return {};
  Type out = left.identifies() == right.identifies() ? left : Type(a);
  if (a == K::list) out = Type::list_of(joined(left.element(), right.element()));
  if (a == K::map) out = Type::map_of(joined(left.element(), right.element()));
  if (a == K::object && !(left == right)) {
    std::vector<Type::Field> fields;
    const Type maybe = Type().or_null();  // what only one of them has
    for (const auto& field : left.fields()) {
      const Type* other = right.field(field.name);
      fields.push_back({field.name, other == nullptr ? maybe : joined(field.type, *other)});
    }
    for (const auto& field : right.fields()) {
      if (left.field(field.name) == nullptr) fields.push_back({field.name, maybe});
    }
    out = Type::object(std::move(fields));
  }
  return left.nullable() || right.nullable() ? out.or_null() : out;
}

std::optional<Type> result_type(Op op, const Type& left, const Type& right) {
  const K a = left.kind();
  const K b = right.kind();
  if (op == Op::eq || op == Op::ne) return boolean_if(comparable(left, right));
  if (op == Op::in) {
    if (b == K::list) return boolean_if(comparable(left, right.element()));
    return boolean_if(b == K::any || (is_keyed(b) && (a == K::string || a == K::any)));
  }
  if (is_ordering(op)) {
    if (a == K::any || b == K::any) return boolean_if(is_ordered(a) && is_ordered(b));
    return boolean_if(is_ordered(a) && (a == b || (is_number(a) && is_number(b))));
  }
  if (a == K::any || b == K::any) return Type();
  switch (op) {
    case Op::add: return sum(left, right);
    case Op::sub: return difference_type(a, b);
    case Op::mul: return product(a, b);
    case Op::div: return quotient(a, b);
    default: return a == b && (a == K::integer || a == K::uinteger) ? MaybeType(Type(a)) : std::nullopt;
  }
}

}  // namespace failover::expr
