// Text of an expression as tokens. Inside the room only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/expr/node.h"

namespace failover::expr {

struct Token {
  enum class Kind : std::uint8_t { end, name, quoted_name, integer, uinteger, number, string, bytes, op, symbol };
  Kind kind = Kind::end;
  Op op = Op::none;  // of an op; `-` is Op::sub and `!` Op::no wherever they stand
  char symbol = 0;   // one of ?:.,()[]{}
  std::size_t begin = 0;
  std::size_t end = 0;
  std::uint64_t whole = 0;  // of integer and uinteger, without a sign
  double real = 0;          // of number
  std::string text{};       // of string and bytes: the value
};

// Thrown inside the parser's files alone: the first problem ends the parse.
struct Failed {
  Problem problem;
};

// Reads the token at or behind `at` into `token`. Throws Failed.
void read_token(std::string_view text, std::size_t at, Token& token);

// --- parts of it ---

// A string or bytes literal: prefix letters read already, `at` on the quote.
struct Quoted {
  std::size_t begin = 0;  // with the prefix
  std::size_t at = 0;
  bool raw = false;
  bool bytes = false;
};
void read_quoted(std::string_view text, const Quoted& quoted, Token& token);
// A number; token.begin is on its first character.
void read_number(std::string_view text, Token& token);

bool is_digit(char c);
bool is_hex(char c);
bool begins_name(char c);
[[noreturn]] void fail_syntax(std::size_t begin, std::size_t end, std::string message, std::string hint = {});

// All of `text` as a double, the nearest one; nothing for what is none and for what is beyond the largest.
std::optional<double> read_double(std::string_view text);

}  // namespace failover::expr
