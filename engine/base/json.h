// JSON text written without a tree in between: journals are written by the thousand, and a tree of nodes costs more
// than everything that is done with it. Byte for byte what dump(to_json(value)) gives.
#pragma once

#include <cstdint>
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

}  // namespace failover::base
