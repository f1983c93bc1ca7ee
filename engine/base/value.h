// A value as scenarios, expressions, step outputs and journals know it. Immutable and cheap to copy.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/units.h"

namespace failover::base {

struct Bytes {
  std::string data;
  friend auto operator<=>(const Bytes&, const Bytes&) = default;
};

class Value {
 public:
  using List = std::vector<Value>;
  using Map = std::map<std::string, Value, std::less<>>;
  using Null = std::monostate;

  Value() = default;
  Value(bool b) : data_(b) {}                      // NOLINT(google-explicit-constructor)
  Value(int i) : data_(std::int64_t{i}) {}         // NOLINT(google-explicit-constructor)
  Value(std::int64_t i) : data_(i) {}              // NOLINT(google-explicit-constructor)
  Value(std::uint64_t u) : data_(u) {}             // NOLINT(google-explicit-constructor)
  Value(double d) : data_(d) {}                    // NOLINT(google-explicit-constructor)
  Value(const char* s) : data_(std::string(s)) {}  // NOLINT(google-explicit-constructor)
  Value(std::string s) : data_(std::move(s)) {}    // NOLINT(google-explicit-constructor)
  Value(Bytes b) : data_(std::move(b)) {}          // NOLINT(google-explicit-constructor)
  Value(Money m) : data_(m) {}                     // NOLINT(google-explicit-constructor)
  Value(Size s) : data_(s) {}                      // NOLINT(google-explicit-constructor)
  Value(Rate r) : data_(r) {}                      // NOLINT(google-explicit-constructor)
  Value(Duration d) : data_(d) {}                  // NOLINT(google-explicit-constructor)
  Value(WallTime t) : data_(t) {}                  // NOLINT(google-explicit-constructor)
  Value(List list);                                // NOLINT(google-explicit-constructor)
  Value(Map map);                                  // NOLINT(google-explicit-constructor)

  template <class T>
  [[nodiscard]] bool is() const {
    return std::holds_alternative<T>(data_);
  }
  // The value as a T, or nullptr when it is of another kind. For List and Map use list() and map().
  template <class T>
  [[nodiscard]] const T* get() const {
    return std::get_if<T>(&data_);
  }
  [[nodiscard]] bool is_null() const { return is<Null>(); }
  [[nodiscard]] bool is_list() const { return is<std::shared_ptr<const List>>(); }
  [[nodiscard]] bool is_map() const { return is<std::shared_ptr<const Map>>(); }
  [[nodiscard]] const List* list() const;
  [[nodiscard]] const Map* map() const;
  [[nodiscard]] const std::string* text() const { return get<std::string>(); }
  // The member `name` of a map, or nullptr.
  [[nodiscard]] const Value* find(std::string_view name) const;

  // Same kind and same value. int 1 and double 1.0 differ here; the expression language compares by its own rules.
  friend bool operator==(const Value& a, const Value& b);

  // One line as a person reads it: strings bare, money `$0.50`, durations `1m0s`, lists and maps like JSON.
  [[nodiscard]] std::string display() const;
  // Strings quoted, for assertion trees and diffs.
  [[nodiscard]] std::string literal() const;

  using Data = std::variant<Null, bool, std::int64_t, std::uint64_t, double, std::string, Bytes, Money, Size, Rate,
                            Duration, WallTime, std::shared_ptr<const List>, std::shared_ptr<const Map>>;
  [[nodiscard]] const Data& data() const { return data_; }

 private:
  Data data_;
};

// For journals and reports: money as USD number, durations as seconds, sizes as bytes, times as RFC 3339. Invalid UTF-8
// in strings is replaced, never thrown on. One way: the reader gets plain JSON kinds back.
nlohmann::json to_json(const Value& value);
Value from_json(const nlohmann::json& json);
// dump() that replaces invalid UTF-8 instead of throwing.
std::string dump(const nlohmann::json& json, int indent = -1);

}  // namespace failover::base
