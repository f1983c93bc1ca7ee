// Between the plain structs that steps work with and the Values and Types that the engine sees.
//
// A struct of its own takes part by naming its members:
//   struct Ssh { std::string host; std::int64_t port = 22;
//     static auto members() { return std::tuple{plugin::member("host", &Ssh::host), plugin::member("port",
//     &Ssh::port)}; } };
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/type.h"
#include "engine/base/value.h"

namespace failover::plugin {

template <class S, class T>
struct Member {
  const char* name;
  T S::*at;
  const char* identifies = nullptr;  // base::Type::id_of
  bool optional = false;             // base::Type::Field::optional
};
template <class S, class T>
Member<S, T> member(const char* name, T S::*at, const char* identifies = nullptr) {
  return {name, at, identifies};
}
// One whose initialiser is a value to go by.
template <class S, class T>
Member<S, T> defaulted(const char* name, T S::*at) {
  return {name, at, nullptr, true};
}

template <class T>
struct Codec;

inline base::Error wrong_type(const base::Type& wanted, const base::Value& found) {
  return {base::Fault::invalid, "wrong_type", "expected " + wanted.name() + ", found " + found.literal()};
}

// A type that Value holds as it is.
template <class T, base::Type::Kind K>
struct PlainCodec {
  static base::Type type() { return K; }
  static base::Result<T> read(const base::Value& value) {
    if (const T* held = value.get<T>()) return *held;
    return wrong_type(type(), value);
  }
  static base::Value write(const T& value) { return value; }
};

template <>
struct Codec<bool> : PlainCodec<bool, base::Type::Kind::boolean> {};
template <>
struct Codec<std::int64_t> : PlainCodec<std::int64_t, base::Type::Kind::integer> {};
template <>
struct Codec<std::string> : PlainCodec<std::string, base::Type::Kind::string> {};
template <>
struct Codec<base::Money> : PlainCodec<base::Money, base::Type::Kind::money> {};
template <>
struct Codec<base::Size> : PlainCodec<base::Size, base::Type::Kind::size> {};
template <>
struct Codec<base::Duration> : PlainCodec<base::Duration, base::Type::Kind::duration> {};
template <>
struct Codec<base::WallTime> : PlainCodec<base::WallTime, base::Type::Kind::timestamp> {};

template <>
struct Codec<double> {
  static base::Type type() { return base::Type::Kind::number; }
  static base::Result<double> read(const base::Value& value) {
    if (const auto* d = value.get<double>()) return *d;
    if (const auto* i = value.get<std::int64_t>()) return static_cast<double>(*i);
    return wrong_type(type(), value);
  }
  static base::Value write(double value) { return value; }
};

template <>
struct Codec<base::Value> {
  static base::Type type() { return {}; }
  static base::Result<base::Value> read(const base::Value& value) { return value; }
  static base::Value write(const base::Value& value) { return value; }
};

template <class T>
struct Codec<std::optional<T>> {
  static base::Type type() { return Codec<T>::type().or_null(); }
  static base::Result<std::optional<T>> read(const base::Value& value) {
    if (value.is_null()) return std::optional<T>();
    auto inner = Codec<T>::read(value);
    if (!inner) return std::move(inner).error();
    return std::optional<T>(*std::move(inner));
  }
  static base::Value write(const std::optional<T>& value) { return value ? Codec<T>::write(*value) : base::Value(); }
};

template <class T>
struct Codec<std::vector<T>> {
  static base::Type type() { return base::Type::list_of(Codec<T>::type()); }
  static base::Result<std::vector<T>> read(const base::Value& value) {
    if (!value.is_list()) return wrong_type(type(), value);
    std::vector<T> out;
    for (const auto& item : *value.list()) {
      auto inner = Codec<T>::read(item);
      if (!inner) return std::move(inner).error();
      out.push_back(*std::move(inner));
    }
    return out;
  }
  static base::Value write(const std::vector<T>& value) {
    base::Value::List out;
    for (const auto& item : value) out.push_back(Codec<T>::write(item));
    return out;
  }
};

template <class T>
struct Codec<std::map<std::string, T>> {
  static base::Type type() { return base::Type::map_of(Codec<T>::type()); }
  static base::Result<std::map<std::string, T>> read(const base::Value& value) {
    if (!value.is_map()) return wrong_type(type(), value);
    std::map<std::string, T> out;
    for (const auto& [key, item] : *value.map()) {
      auto inner = Codec<T>::read(item);
      if (!inner) return std::move(inner).error();
      out.emplace(key, *std::move(inner));
    }
    return out;
  }
  static base::Value write(const std::map<std::string, T>& value) {
    base::Value::Map out;
    for (const auto& [key, item] : value) out.emplace(key, Codec<T>::write(item));
    return out;
  }
};

// A struct that names its members. Reading: a member that is absent keeps its initialiser.
template <class S>
requires requires { S::members(); }
struct Codec<S> {
  static base::Type type() {
    std::vector<base::Type::Field> fields;
    std::apply([&](const auto&... m) { (fields.push_back({m.name, type_of(m), m.optional}), ...); }, S::members());
    return base::Type::object(std::move(fields));
  }
  static base::Result<S> read(const base::Value& value) {
    if (!value.is_map()) return wrong_type(type(), value);
    S out{};
    std::optional<base::Error> failed;
    std::apply([&](const auto&... m) { (read_member(m, value, out, failed), ...); }, S::members());
    if (failed) return *std::move(failed);
    return out;
  }
  static base::Value write(const S& value) {
    base::Value::Map out;
    std::apply([&](const auto&... m) { (write_member(m, value, out), ...); }, S::members());
    return out;
  }

 private:
  template <class T>
  static base::Type type_of(const Member<S, T>& m) {
    const base::Type type = Codec<T>::type();
    return m.identifies == nullptr ? type : type.id_of(m.identifies);
  }
  template <class T>
  static void read_member(const Member<S, T>& m, const base::Value& value, S& out, std::optional<base::Error>& failed) {
    const base::Value* held = value.find(m.name);
    if (held == nullptr || failed) return;
    auto inner = Codec<T>::read(*held);
    if (inner) {
      out.*(m.at) = *std::move(inner);
    } else {
      failed = std::move(inner).error();
      failed->message = std::string(m.name) + ": " + failed->message;
    }
  }
  template <class T>
  static void write_member(const Member<S, T>& m, const S& value, base::Value::Map& out) {
    out.emplace(m.name, Codec<T>::write(value.*(m.at)));
  }
};

}  // namespace failover::plugin
