// JSON text without a tree in between: journals and answers are written and read by the thousand, and a tree of nodes
// costs more than everything that is done with it. What is written is byte for byte what dump(to_json(value)) gives.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/value.h"

namespace failover::base {

// What from_json(to_json(value)) gives; shares what needs no change.
Value plain(const Value& value);

// Append to `out`. Invalid UTF-8 is replaced by U+FFFD; a double that is no number becomes null.
void append_json_text(std::string& out, std::string_view text);
void append_json_number(std::string& out, double number);
void append_json_number(std::string& out, std::int64_t number);
void append_json_number(std::string& out, std::uint64_t number);
void append_json(std::string& out, const Value& value);

// Is told what stands in a JSON text, in its order; a view lasts as long as the call. A member's key comes before it.
class JsonReader {
 public:
  virtual ~JsonReader() = default;
  virtual void null() = 0;
  virtual void boolean(bool value) = 0;
  virtual void number(std::int64_t value) = 0;
  virtual void number(std::uint64_t value) = 0;  // above the largest signed one
  virtual void number(double value) = 0;
  virtual void text(std::string_view value) = 0;
  virtual void key(std::string_view name) = 0;
  virtual void begin_object() = 0;
  virtual void end_object() = 0;
  virtual void begin_array() = 0;
  virtual void end_array() = 0;
};
// false: not one whole JSON text (RFC 8259 in UTF-8, a byte order mark allowed, no number beyond a double, at most
// kDeepestJson levels); the reader may have been told its beginning.
constexpr std::size_t kDeepestJson = 1000;
bool read_json(std::string_view text, JsonReader& reader);

// The text's value as from_json() gives it, the last of members with one name; nullopt as read_json().
std::optional<Value> parse_json(std::string_view text);

}  // namespace failover::base
