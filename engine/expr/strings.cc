// String and bytes literals with their escapes.
#include "engine/base/text.h"
#include "engine/expr/lexer.h"

namespace failover::expr {
namespace {

std::uint32_t digit_value(char c) {
  if (is_digit(c)) return static_cast<std::uint32_t>(c - '0');
  return static_cast<std::uint32_t>((c >= 'a' ? c - 'a' : c - 'A') + 10);
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

bool is_high(std::uint32_t point) { return point >= 0xD800 && point <= 0xDBFF; }
bool is_low(std::uint32_t point) { return point >= 0xDC00 && point <= 0xDFFF; }

class Reader {
 public:
  Reader(std::string_view text, const Quoted& quoted, std::string& out)
      : text_(text), quoted_(quoted), at_(quoted.at), out_(out) {}

  // Gives where the literal ends.
  std::size_t read() {
    const char quote = text_[at_];
    const bool triple = text_.substr(at_, 3) == std::string_view(quote == '"' ? "\"\"\"" : "'''");
    const std::string_view end = text_.substr(at_, triple ? 3 : 1);
    at_ += end.size();
    while (at_ < text_.size()) {
      if (text_.compare(at_, end.size(), end) == 0) return at_ + end.size();
      const char c = text_[at_];
      if (!triple && (c == '\n' || c == '\r')) {
        fail_syntax(quoted_.begin, at_, "a string must end on its line",
                    "end it with the quote it began with; YAML's double quotes turn `\\n` into a line break: write "
                    "`\\\\n` in them; ''' takes several lines");
      }
      if (c == '\\' && !quoted_.raw) {
        escape();
      } else {
        out_ += c;
        ++at_;
      }
    }
    fail_syntax(quoted_.begin, text_.size(), "the string is not closed", "end it with " + std::string(end));
  }

 private:
  void escape() {
    const std::size_t from = at_++;
    const char c = at_ < text_.size() ? text_[at_++] : '\0';
    constexpr std::string_view kNames = "abfnrtv\\?\"'`";
    constexpr std::string_view kBytes = "\a\b\f\n\r\t\v\\?\"'`";
    if (const auto known = kNames.find(c); known != std::string_view::npos && c != '\0') {
      out_ += kBytes[known];
      return;
    }
    switch (c) {
      case 'x':
      case 'X': return octet(from, number(from, 2, 16));
      case 'u': return point(from, number(from, 4, 16));
      case 'U': return point(from, number(from, 8, 16));
      case '0':
      case '1':
      case '2':
      case '3': --at_; return octet(from, number(from, 3, 8));
      default: break;
    }
    at_ = std::min(at_, text_.size());
    while (at_ < text_.size() && (static_cast<unsigned char>(text_[at_]) & 0xC0U) == 0x80U) ++at_;
    fail_syntax(from, at_, "`" + base::printable(text_.substr(from, at_ - from)) + "` is no escape",
                "escapes are \\n \\t \\\\ \\\" \\' \\xHH \\uHHHH \\UHHHHHHHH and octal \\OOO; r\"...\" takes "
                "backslashes as they are");
  }

  std::uint32_t number(std::size_t from, int digits, std::uint32_t radix) {
    std::uint32_t value = 0;
    for (int i = 0; i < digits; ++i, ++at_) {
      const char c = at_ < text_.size() ? text_[at_] : '\0';
      const bool fits = radix == 16 ? is_hex(c) : (c >= '0' && c <= '7');
      if (!fits) {
        fail_syntax(from, std::min(at_ + 1, text_.size()), "an escape is too short",
                    "it takes " + std::to_string(digits) + " digits");
      }
      value = value * radix + digit_value(c);
    }
    return value;
  }

  // A character in a string, a byte in bytes.
  void octet(std::size_t from, std::uint32_t value) {
    if (!quoted_.bytes) return point(from, value);
    out_ += static_cast<char>(static_cast<unsigned char>(value));
  }

  void point(std::size_t from, std::uint32_t value) {
    if (quoted_.bytes) {
      fail_syntax(from, at_, "bytes have no characters, so `\\u` and `\\U` mean nothing in them",
                  "write the character itself, or its bytes as \\xHH");
    }
    if (is_high(value) && text_.substr(at_, 2) == "\\u") {
      at_ += 2;
      const std::uint32_t low = number(from, 4, 16);
      if (is_low(low)) return append_utf8(out_, 0x10000 + ((value - 0xD800) << 10) + (low - 0xDC00));
    }
    if (value > 0x10FFFF || is_high(value) || is_low(value)) fail_syntax(from, at_, "the escape is no character");
    append_utf8(out_, value);
  }

  std::string_view text_;
  const Quoted& quoted_;
  std::size_t at_;
  std::string& out_;
};

}  // namespace

void read_quoted(std::string_view text, const Quoted& quoted, Token& token) {
  token.text.clear();
  token.end = Reader(text, quoted, token.text).read();
  token.kind = quoted.bytes ? Token::Kind::bytes : Token::Kind::string;
}

}  // namespace failover::expr
