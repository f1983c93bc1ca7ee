// The type of a Value, as declarations state it and as expressions are checked against it. Immutable, cheap to copy.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/value.h"

namespace failover::base {

class Type {
 public:
  enum class Kind {
    any,  // not known before the run (CEL's dyn)
    null,
    boolean,
    integer,
    uinteger,
    number,  // double
    string,
    bytes,
    money,
    size,
    rate,
    duration,
    timestamp,
    list,    // of element()
    map,     // of string to element()
    object,  // with fields(), and no others
  };
  struct Field;

  Type() = default;
  Type(Kind kind) : kind_(kind) {}  // NOLINT(google-explicit-constructor)
  static Type list_of(Type element);
  static Type map_of(Type element);
  static Type object(std::vector<Field> fields);
  // The same type, or null.
  [[nodiscard]] Type or_null() const;
  // The same type, for values that identify one kind of thing: `of an instance`. `what` must live for ever. Only
  // accepts() looks at it: an id of something else is not taken; and what is computed from an id identifies nothing.
  [[nodiscard]] Type id_of(const char* what) const;

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] bool nullable() const { return nullable_; }
  // For list and map; Kind::any for every other.
  [[nodiscard]] const Type& element() const;
  // For object, in declared order; empty for every other.
  [[nodiscard]] const std::vector<Field>& fields() const;
  [[nodiscard]] const Type* field(std::string_view name) const;

  friend bool operator==(const Type& a, const Type& b);
  // May a value of type `from` stand where this type is wanted? any goes both ways; integer is taken for number.
  [[nodiscard]] bool accepts(const Type& from) const;
  // Is the value of this type (an integer is one of number too)?
  [[nodiscard]] bool holds(const Value& value) const;
  // What it identifies; nullptr: nothing, or not known.
  [[nodiscard]] const char* identifies() const { return identifies_; }
  // `string`, `list of money`, `{host: string, port: integer}`.
  [[nodiscard]] std::string name() const;

 private:
  Kind kind_ = Kind::any;
  bool nullable_ = false;
  const char* identifies_ = nullptr;
  std::shared_ptr<const Type> element_;
  std::shared_ptr<const std::vector<Field>> fields_;
};

struct Type::Field {
  std::string name;
  Type type;
  bool optional = false;  // has a default where a value is taken
};

}  // namespace failover::base
