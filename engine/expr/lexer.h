// Text of an expression as tokens. Inside the room only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/expr/expression.h"

namespace failover::expr {

struct Token {
  enum class Kind { end, name, integer, uinteger, number, string, bytes, symbol };
  Kind kind = Kind::end;
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string text{};   // a name, a symbol, or a string's value
  base::Value value{};  // a number's
};

// The token at or behind `at`, or the first problem there.
std::variant<Token, Problem> next_token(std::string_view text, std::size_t at);

}  // namespace failover::expr
