#include "engine/base/json_read.h"

#include <simdjson.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace failover::base {
namespace {

// simdjson's buffers grow with the longest text and stay: longer ones are left to nlohmann.
constexpr std::size_t kLongest = std::size_t{1} << 20U;

// false: deeper than kDeepestJson.
bool tell(const simdjson::dom::element& element, JsonReader& reader, std::size_t depth) {
  using Kind = simdjson::dom::element_type;
  switch (element.type()) {
    case Kind::NULL_VALUE: reader.null(); return true;
    case Kind::BOOL: reader.boolean(element.get_bool().value_unsafe()); return true;
    case Kind::INT64: reader.number(std::int64_t{element.get_int64().value_unsafe()}); return true;
    case Kind::UINT64: reader.number(std::uint64_t{element.get_uint64().value_unsafe()}); return true;
    case Kind::DOUBLE: reader.number(element.get_double().value_unsafe()); return true;
    case Kind::STRING: reader.text(element.get_string().value_unsafe()); return true;
    case Kind::ARRAY: {
      if (depth == kDeepestJson) return false;
      const simdjson::dom::array items = element.get_array().value_unsafe();
      reader.begin_array();
      for (const auto& item : items) {
        if (!tell(item, reader, depth + 1)) return false;
      }
      reader.end_array();
      return true;
    }
    case Kind::OBJECT: {
      if (depth == kDeepestJson) return false;
      const simdjson::dom::object members = element.get_object().value_unsafe();
      reader.begin_object();
      for (const auto& member : members) {
        reader.key(member.key);
        if (!tell(member.value, reader, depth + 1)) return false;
      }
      reader.end_object();
      return true;
    }
  }
  return false;
}

class Sax final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit Sax(JsonReader& reader) : reader_(reader) {}
  bool null() override { return reader_.null(), true; }
  bool boolean(bool value) override { return reader_.boolean(value), true; }
  bool number_integer(std::int64_t value) override { return reader_.number(value), true; }
  // nlohmann's word for every number without a sign.
  bool number_unsigned(std::uint64_t value) override {
    return std::in_range<std::int64_t>(value) ? number_integer(static_cast<std::int64_t>(value))
                                              : (reader_.number(value), true);
  }
  bool number_float(double value, const std::string&) override { return reader_.number(value), true; }
  bool string(std::string& value) override { return reader_.text(value), true; }
  bool binary(nlohmann::json::binary_t&) override { return false; }
  bool key(std::string& name) override { return reader_.key(name), true; }
  bool start_object(std::size_t) override { return deeper() && (reader_.begin_object(), true); }
  bool start_array(std::size_t) override { return deeper() && (reader_.begin_array(), true); }
  bool end_object() override { return --depth_, reader_.end_object(), true; }
  bool end_array() override { return --depth_, reader_.end_array(), true; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override { return false; }

 private:
  bool deeper() { return depth_++ < kDeepestJson; }

  JsonReader& reader_;
  std::size_t depth_ = 0;
};

class Builder final : public JsonReader {
 public:
  Value whole;
  void null() override { put({}); }
  void boolean(bool value) override { put(value); }
  void number(std::int64_t value) override { put(value); }
  void number(std::uint64_t value) override { put(value); }
  void number(double value) override { put(value); }
  void text(std::string_view value) override { put(std::string(value)); }
  void key(std::string_view name) override { open_.back().key = name; }
  void begin_object() override { open_.push_back({true, {}, {}, {}}); }
  void begin_array() override { open_.push_back({false, {}, {}, {}}); }
  void end_object() override { close(); }
  void end_array() override { close(); }

 private:
  struct Open {
    bool map;
    Value::Map members;
    Value::List items;
    std::string key;
  };

  void close() {
    Open& inner = open_.back();
    Value done = inner.map ? Value(std::move(inner.members)) : Value(std::move(inner.items));
    open_.pop_back();
    put(std::move(done));
  }

  void put(Value value) {
    if (open_.empty()) {
      whole = std::move(value);
      return;
    }
    Open& to = open_.back();
    if (!to.map) {
      to.items.push_back(std::move(value));
    } else {
      // Journals are written in the map's own order: the hint spares the search.
      to.members.insert_or_assign(to.members.end(), std::move(to.key), std::move(value));
    }
  }

  std::vector<Open> open_;
};

}  // namespace

bool read_json(std::string_view text, JsonReader& reader) {
  thread_local simdjson::dom::parser parser(kLongest);
  simdjson::dom::element root;
  if (text.size() <= kLongest && parser.parse(text.data(), text.size()).get(root) == simdjson::SUCCESS)
    return tell(root, reader, 0);
  Sax sax(reader);
  return nlohmann::json::sax_parse(text, &sax);
}

std::optional<Value> parse_json(std::string_view text) {
  Builder builder;
  if (!read_json(text, builder)) return std::nullopt;
  return std::move(builder.whole);
}

}  // namespace failover::base
