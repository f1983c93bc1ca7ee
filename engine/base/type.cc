#include "engine/base/type.h"

#include <algorithm>

namespace failover::base {

Type Type::list_of(Type element) {
  Type type(Kind::list);
  type.element_ = std::make_shared<const Type>(std::move(element));
  return type;
}

Type Type::map_of(Type element) {
  Type type(Kind::map);
  type.element_ = std::make_shared<const Type>(std::move(element));
  return type;
}

Type Type::object(std::vector<Field> fields) {
  Type type(Kind::object);
  type.fields_ = std::make_shared<const std::vector<Field>>(std::move(fields));
  return type;
}

Type Type::or_null() const {
  Type type = *this;
  type.nullable_ = true;
  return type;
}

Type Type::id_of(const char* what) const {
  Type type = *this;
  type.identifies_ = what;
  return type;
}

const Type& Type::element() const {
  static const Type any;
  return element_ ? *element_ : any;
}

const std::vector<Type::Field>& Type::fields() const {
  static const std::vector<Field> none;
  return fields_ ? *fields_ : none;
}

const Type* Type::field(std::string_view name) const {
  for (const auto& field : fields()) {
    if (field.name == name) return &field.type;
  }
  return nullptr;
}

namespace {

bool same_text(const char* a, const char* b) {
  return a == b || (a != nullptr && b != nullptr && std::string_view(a) == b);
}

}  // namespace

bool operator==(const Type& a, const Type& b) {
  return a.kind_ == b.kind_ && a.nullable_ == b.nullable_ && same_text(a.identifies_, b.identifies_) &&
         a.element().name() == b.element().name() &&
         std::equal(a.fields().begin(), a.fields().end(), b.fields().begin(), b.fields().end(),
                    [](const auto& x, const auto& y) { return x.name == y.name && x.type == y.type; });
}

bool Type::accepts(const Type& from) const {
  if (kind_ == Kind::any || from.kind_ == Kind::any) return true;
  if (from.kind_ == Kind::null) return nullable_ || kind_ == Kind::null;
  if (kind_ == Kind::number && (from.kind_ == Kind::integer || from.kind_ == Kind::uinteger)) return true;
  if (kind_ == Kind::map && from.kind_ == Kind::object) {
    return std::all_of(from.fields().begin(), from.fields().end(),
                       [&](const auto& field) { return element().accepts(field.type); });
  }
  if (kind_ == Kind::object && from.kind_ == Kind::map) return true;
  if (kind_ != from.kind_) return false;
  if (identifies_ != nullptr && from.identifies_ != nullptr && !same_text(identifies_, from.identifies_)) return false;
  if (kind_ == Kind::list || kind_ == Kind::map) return element().accepts(from.element());
  if (kind_ == Kind::object) {
    const bool astray = std::any_of(from.fields().begin(), from.fields().end(),
                                    [&](const auto& other) { return field(other.name) == nullptr; });
    return !astray && std::all_of(fields().begin(), fields().end(), [&](const auto& field) {
      const Type* other = from.field(field.name);
      return other == nullptr ? field.optional || field.type.nullable() : field.type.accepts(*other);
    });
  }
  return true;
}

bool Type::holds(const Value& value) const {
  if (kind_ == Kind::any || (nullable_ && value.is_null())) return true;
  switch (kind_) {
    case Kind::any: return true;
    case Kind::null: return value.is_null();
    case Kind::boolean: return value.is<bool>();
    case Kind::integer: return value.is<std::int64_t>();
    case Kind::uinteger: return value.is<std::uint64_t>();
    case Kind::number: return value.is<double>() || value.is<std::int64_t>() || value.is<std::uint64_t>();
    case Kind::string: return value.is<std::string>();
    case Kind::bytes: return value.is<Bytes>();
    case Kind::money: return value.is<Money>();
    case Kind::size: return value.is<Size>();
    case Kind::rate: return value.is<Rate>();
    case Kind::duration: return value.is<Duration>();
    case Kind::timestamp: return value.is<WallTime>();
    case Kind::list:
      return value.is_list() && std::all_of(value.list()->begin(), value.list()->end(),
                                            [&](const Value& item) { return element().holds(item); });
    case Kind::map:
      return value.is_map() && std::all_of(value.map()->begin(), value.map()->end(),
                                           [&](const auto& item) { return element().holds(item.second); });
    case Kind::object:
      return value.is_map() && std::all_of(fields().begin(), fields().end(), [&](const auto& field) {
               const Value* member = value.find(field.name);
               return member == nullptr ? field.type.nullable() : field.type.holds(*member);
             });
  }
  return false;
}

std::string Type::name() const {
  static constexpr const char* kNames[] = {"any",       "null",  "boolean", "integer", "uint", "number",
                                           "string",    "bytes", "money",   "size",    "rate", "duration",
                                           "timestamp", "list",  "map",     "object"};
  std::string out;
  if (kind_ == Kind::object) {
    for (const auto& field : fields()) out += (out.empty() ? "{" : ", ") + field.name + ": " + field.type.name();
    out = out.empty() ? "{}" : out + "}";
  } else {
    out = kNames[static_cast<std::size_t>(kind_)];
    if (kind_ == Kind::list || kind_ == Kind::map) out += " of " + element().name();
  }
  return nullable_ && kind_ != Kind::any ? out + " or null" : out;
}

}  // namespace failover::base
