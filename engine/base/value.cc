#include "engine/base/value.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "engine/base/digest.h"

namespace failover::base {
namespace {

std::string number(double d) {
  if (std::isnan(d)) return "NaN";
  if (std::isinf(d)) return d < 0 ? "-Infinity" : "Infinity";
  char text[64];
  std::snprintf(text, sizeof text, "%.15g", d);
  if (std::strtod(text, nullptr) != d) std::snprintf(text, sizeof text, "%.17g", d);
  return text;
}

std::string print(const Value& value, bool quoted) {
  struct Printer {
    bool quoted;
    std::string operator()(Value::Null) const { return "null"; }
    std::string operator()(bool b) const { return b ? "true" : "false"; }
    std::string operator()(std::int64_t i) const { return std::to_string(i); }
    std::string operator()(std::uint64_t u) const { return std::to_string(u); }
    std::string operator()(double d) const { return number(d); }
    std::string operator()(const std::string& s) const { return quoted ? dump(nlohmann::json(s)) : s; }
    std::string operator()(const Bytes& b) const { return "b64:" + base64(b.data); }
    std::string operator()(Money m) const { return format(m); }
    std::string operator()(Size s) const { return format(s); }
    std::string operator()(Rate r) const { return format(r); }
    std::string operator()(Duration d) const { return format(d); }
    std::string operator()(WallTime t) const { return format_utc(t); }
    std::string operator()(const std::shared_ptr<const Value::List>& list) const {
      std::string out = "[";
      for (const auto& item : *list) out += (out.size() > 1 ? ", " : "") + print(item, true);
      return out + "]";
    }
    std::string operator()(const std::shared_ptr<const Value::Map>& map) const {
      std::string out = "{";
      for (const auto& [key, item] : *map) out += (out.size() > 1 ? ", " : "") + key + ": " + print(item, true);
      return out + "}";
    }
  };
  return std::visit(Printer{quoted}, value.data());
}

}  // namespace

Value::Value(List list) : data_(std::make_shared<const List>(std::move(list))) {}
Value::Value(Map map) : data_(std::make_shared<const Map>(std::move(map))) {}

const Value::List* Value::list() const {
  const auto* held = get<std::shared_ptr<const List>>();
  return held == nullptr ? nullptr : held->get();
}

const Value::Map* Value::map() const {
  const auto* held = get<std::shared_ptr<const Map>>();
  return held == nullptr ? nullptr : held->get();
}

const Value* Value::find(std::string_view name) const {
  const Map* members = map();
  if (members == nullptr) return nullptr;
  const auto at = members->find(name);
  return at == members->end() ? nullptr : &at->second;
}

bool operator==(const Value& a, const Value& b) {
  if (a.data_.index() != b.data_.index()) return false;
  if (a.is_list()) return *a.list() == *b.list();
  if (a.is_map()) return *a.map() == *b.map();
  return a.data_ == b.data_;
}

std::string Value::display() const { return print(*this, false); }
std::string Value::literal() const { return print(*this, true); }

nlohmann::json to_json(const Value& value) {
  struct Writer {
    nlohmann::json operator()(Value::Null) const { return nullptr; }
    nlohmann::json operator()(bool b) const { return b; }
    nlohmann::json operator()(std::int64_t i) const { return i; }
    nlohmann::json operator()(std::uint64_t u) const { return u; }
    nlohmann::json operator()(double d) const { return d; }
    nlohmann::json operator()(const std::string& s) const { return s; }
    nlohmann::json operator()(const Bytes& b) const { return base64(b.data); }
    nlohmann::json operator()(Money m) const { return usd(m); }
    nlohmann::json operator()(Size s) const { return s.bytes; }
    nlohmann::json operator()(Rate r) const { return r.bits_per_second; }
    nlohmann::json operator()(Duration d) const { return seconds(d); }
    nlohmann::json operator()(WallTime t) const { return format_utc(t); }
    nlohmann::json operator()(const std::shared_ptr<const Value::List>& list) const {
      auto out = nlohmann::json::array();
      for (const auto& item : *list) out.push_back(to_json(item));
      return out;
    }
    nlohmann::json operator()(const std::shared_ptr<const Value::Map>& map) const {
      auto out = nlohmann::json::object();
      for (const auto& [key, item] : *map) out[key] = to_json(item);
      return out;
    }
  };
  return std::visit(Writer{}, value.data());
}

Value from_json(const nlohmann::json& json) {
  switch (json.type()) {
    case nlohmann::json::value_t::boolean: return json.get<bool>();
    case nlohmann::json::value_t::number_integer: return json.get<std::int64_t>();
    case nlohmann::json::value_t::number_unsigned: {
      const auto u = json.get<std::uint64_t>();
      if (u <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        return static_cast<std::int64_t>(u);
      return u;
    }
    case nlohmann::json::value_t::number_float: return json.get<double>();
    case nlohmann::json::value_t::string: return json.get<std::string>();
    case nlohmann::json::value_t::array: {
      Value::List list;
      for (const auto& item : json) list.push_back(from_json(item));
      return list;
    }
    case nlohmann::json::value_t::object: {
      Value::Map map;
      for (const auto& [key, item] : json.items()) map.emplace(key, from_json(item));
      return map;
    }
    default: return {};
  }
}

std::string dump(const nlohmann::json& json, int indent) {
  return json.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace failover::base
