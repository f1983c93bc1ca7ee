// JSON text read without a tree in between: journals and answers are read by the thousand. simdjson reads; what it has
// no kind for (an integer beyond 64 bits) or finds too long, nlohmann/json does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/base/value.h"

namespace failover::base {

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
