#include "engine/expr/lexer.h"

#include <array>
#include <charconv>
#include <cmath>

#include "engine/base/text.h"

namespace failover::expr {
namespace {

using Lexed = std::variant<Token, Problem>;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool begins_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

Problem problem(std::size_t begin, std::size_t end, std::string message, std::string hint = {}) {
  return {begin, end, "expression-syntax", std::move(message), std::move(hint)};
}

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  return (c >= 'a' ? c - 'a' : c - 'A') + 10;
}

void append_utf8(std::string& out, std::uint32_t point) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xC0 | (point >> 6));
    put(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    put(0xE0 | (point >> 12));
    put(0x80 | ((point >> 6) & 0x3F));
    put(0x80 | (point & 0x3F));
  } else {
    put(0xF0 | (point >> 18));
    put(0x80 | ((point >> 12) & 0x3F));
    put(0x80 | ((point >> 6) & 0x3F));
    put(0x80 | (point & 0x3F));
  }
}

// A quoted literal: prefix letters (r, b) read already, `at` on the quote.
class StringReader {
 public:
  StringReader(std::string_view text, std::size_t begin, std::size_t at, bool raw, bool bytes)
      : text_(text), begin_(begin), at_(at), raw_(raw), bytes_(bytes) {}

  Lexed read() {
    const char quote = text_[at_];
    const std::string triple(3, quote);
    const bool is_triple = text_.substr(at_, 3) == triple;
    const std::string_view end = is_triple ? std::string_view(triple) : text_.substr(at_, 1);
    at_ += end.size();
    while (at_ < text_.size()) {
      if (text_.substr(at_, end.size()) == end) {
        at_ += end.size();
        Token token{bytes_ ? Token::Kind::bytes : Token::Kind::string, begin_, at_};
        token.text = std::move(out_);
        return token;
      }
      const char c = text_[at_];
      if (!is_triple && (c == '\n' || c == '\r'))
        return problem(begin_, at_, "a string must end on its line", "end it with the quote it began with");
      if (c == '\\' && !raw_) {
        if (auto wrong = escape()) return *std::move(wrong);
      } else {
        out_ += c;
        ++at_;
      }
    }
    return problem(begin_, text_.size(), "the string is not closed", std::string("end it with ") + std::string(end));
  }

 private:
  std::optional<Problem> escape() {
    const std::size_t from = at_++;
    const char c = at_ < text_.size() ? text_[at_++] : '\0';
    constexpr std::string_view kNames = "abfnrtv\\?\"'`";
    constexpr std::string_view kBytes = "\a\b\f\n\r\t\v\\?\"'`";
    if (c != '\0' && kNames.find(c) != std::string_view::npos) {
      out_ += kBytes[kNames.find(c)];
      return std::nullopt;
    }
    switch (c) {
      case 'x':
      case 'X': return code(from, 2, 16);
      case 'u': return code(from, 4, 16);
      case 'U': return code(from, 8, 16);
      default: break;
    }
    if (c >= '0' && c <= '3') {
      --at_;
      return code(from, 3, 8);
    }
    return problem(from, std::min(at_, text_.size()),
                   "`\\" + base::printable(std::string_view(&c, 1)) + "` is no escape",
                   "escapes are \\n \\t \\\\ \\\" \\' \\xHH \\uHHHH \\UHHHHHHHH and octal \\OOO; r\"...\" takes "
                   "backslashes as they are");
  }

  std::optional<Problem> code(std::size_t from, int digits, std::uint32_t radix) {
    std::uint32_t point = 0;
    for (int i = 0; i < digits; ++i, ++at_) {
      const char c = at_ < text_.size() ? text_[at_] : '\0';
      const bool fits = radix == 16 ? is_hex(c) : (c >= '0' && c <= '7');
      if (!fits)
        return problem(from, std::min(at_ + 1, text_.size()), "an escape is too short",
                       "it takes " + std::to_string(digits) + " digits");
      point = point * radix + static_cast<std::uint32_t>(hex_value(c));
    }
    const bool by_value = radix == 8 || digits == 2;
    if (bytes_ && by_value) {
      out_ += static_cast<char>(static_cast<unsigned char>(point));
      return std::nullopt;
    }
    if (point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
      return problem(from, at_, "the escape is no character");
    append_utf8(out_, point);
    return std::nullopt;
  }

  std::string_view text_;
  std::size_t begin_;
  std::size_t at_;
  bool raw_;
  bool bytes_;
  std::string out_;
};

Lexed number(std::string_view text, std::size_t begin) {
  std::size_t at = begin;
  Token token;
  token.begin = begin;
  const auto finish = [&](Token::Kind kind) {
    token.kind = kind;
    token.end = at;
  };
  const auto glued = [&]() -> bool { return at < text.size() && (begins_name(text[at]) || is_digit(text[at])); };
  std::uint64_t whole = 0;
  if (text[at] == '0' && at + 1 < text.size() && (text[at + 1] == 'x' || text[at + 1] == 'X')) {
    at += 2;
    const auto* from = text.data() + at;
    const auto [end, error] = std::from_chars(from, text.data() + text.size(), whole, 16);
    if (error != std::errc() || end == from) return problem(begin, at, "the number cannot be read");
    at += static_cast<std::size_t>(end - from);
  } else {
    while (at < text.size() && is_digit(text[at])) ++at;
    bool real = false;
    if (at + 1 < text.size() && text[at] == '.' && is_digit(text[at + 1])) {
      real = true;
      ++at;
      while (at < text.size() && is_digit(text[at])) ++at;
    }
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
      std::size_t exponent = at + 1;
      if (exponent < text.size() && (text[exponent] == '+' || text[exponent] == '-')) ++exponent;
      if (exponent < text.size() && is_digit(text[exponent])) {
        real = true;
        at = exponent;
        while (at < text.size() && is_digit(text[at])) ++at;
      }
    }
    if (real) {
      double value = 0;
      const auto read = std::from_chars(text.data() + begin, text.data() + at, value);
      if (read.ec != std::errc() || glued()) return problem(begin, at, "the number cannot be read");
      token.value = value;
      finish(Token::Kind::number);
      return token;
    }
    const auto read = std::from_chars(text.data() + begin, text.data() + at, whole);
    if (read.ec != std::errc()) return problem(begin, at, "the number does not fit into 64 bits");
  }
  if (at < text.size() && (text[at] == 'u' || text[at] == 'U')) {
    ++at;
    token.value = whole;
    finish(Token::Kind::uinteger);
  } else {
    // 2^63 is allowed here for the sake of its negation; the parser judges.
    if (whole > std::uint64_t{1} << 63) return problem(begin, at, "the number does not fit into 64 bits");
    token.value = whole;
    finish(Token::Kind::integer);
  }
  if (glued()) {
    return problem(begin, at + 1, "a number is followed by a letter",
                   "units are written money('$0.50'), size('20 GB'), duration('5m')");
  }
  return token;
}

}  // namespace

Lexed next_token(std::string_view text, std::size_t at) {
  for (;;) {
    while (at < text.size() && is_blank(text[at])) ++at;
    if (text.substr(at, 2) != "//") break;
    while (at < text.size() && text[at] != '\n') ++at;
  }
  if (at >= text.size()) return Token{Token::Kind::end, text.size(), text.size()};
  const char c = text[at];
  if (is_digit(c) || (c == '.' && at + 1 < text.size() && is_digit(text[at + 1]))) return number(text, at);
  if (c == '"' || c == '\'') return StringReader(text, at, at, false, false).read();
  if (begins_name(c)) {
    std::size_t end = at;
    while (end < text.size() && (begins_name(text[end]) || is_digit(text[end]))) ++end;
    const std::string word = base::lower(text.substr(at, end - at));
    const bool quoted = end < text.size() && (text[end] == '"' || text[end] == '\'');
    if (quoted && (word == "r" || word == "b" || word == "rb" || word == "br")) {
      return StringReader(text, at, end, word.find('r') != std::string::npos, word.find('b') != std::string::npos)
          .read();
    }
    Token token{Token::Kind::name, at, end};
    token.text = std::string(text.substr(at, end - at));
    return token;
  }
  for (const std::string_view symbol : {"&&", "||", "==", "!=", "<=", ">="}) {
    if (text.substr(at, 2) == symbol) return Token{Token::Kind::symbol, at, at + 2, std::string(symbol)};
  }
  if (std::string_view("+-*/%<>!?:.,()[]{}").find(c) != std::string_view::npos) {
    return Token{Token::Kind::symbol, at, at + 1, std::string(1, c)};
  }
  std::size_t end = at + 1;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) ++end;
  std::string hint;
  if (c == '=') hint = "equality is written ==";
  if (c == '&') hint = "and is written &&";
  if (c == '|') hint = "or is written ||";
  if (c == '$') hint = "money is written money('$0.50')";
  return problem(at, end, "`" + base::printable(text.substr(at, end - at)) + "` has no meaning here", hint);
}

}  // namespace failover::expr
