#include "engine/expr/lexer.h"

#include "engine/base/spelling.h"
#include "engine/base/text.h"
#include "engine/source/lookalike.h"

namespace failover::expr {
namespace {

using Kind = Token::Kind;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

std::size_t skip_blank(std::string_view text, std::size_t at) {
  for (;;) {
    while (at < text.size() && is_blank(text[at])) ++at;
    if (text.substr(at, 2) != "//") return at;
    while (at < text.size() && text[at] != '\n' && text[at] != '\r') ++at;
  }
}

bool is_quote(std::string_view text, std::size_t at) {
  return at < text.size() && (text[at] == '"' || text[at] == '\'');
}

void read_word(std::string_view text, Token& token) {
  std::size_t end = token.begin;
  while (end < text.size() && (begins_name(text[end]) || is_digit(text[end]))) ++end;
  const std::string_view word = text.substr(token.begin, end - token.begin);
  if (word.size() <= 2 && is_quote(text, end)) {
    const bool bytes = word[0] == 'b' || word[0] == 'B';
    const bool raw = word.back() == 'r' || word.back() == 'R';
    if ((word.size() == 1 && (bytes || raw)) || (word.size() == 2 && bytes && raw)) {
      read_quoted(text, {token.begin, end, raw, bytes}, token);
      return;
    }
    if (word == "rb" || word == "RB" || word == "Rb" || word == "rB")
      fail_syntax(token.begin, end, "bytes that take backslashes as they are begin with `br`", "write br'...'");
  }
  token.kind = word == "in" ? Kind::op : Kind::name;
  token.op = word == "in" ? Op::in : Op::none;
  token.end = end;
}

// `a.`b-c``: a field whose name is no word.
void read_quoted_name(std::string_view text, Token& token) {
  std::size_t end = token.begin + 1;
  const auto legal = [](char c) {
    return begins_name(c) || is_digit(c) || c == '.' || c == '-' || c == '/' || c == ' ';
  };
  while (end < text.size() && legal(text[end])) ++end;
  if (end >= text.size() || text[end] != '`' || end == token.begin + 1) {
    fail_syntax(token.begin, std::min(end + 1, text.size()), "a name in backticks is not closed or has odd characters",
                "letters, digits and _ . - / and blanks may stand between them; anything else goes into [\"...\"]");
  }
  token.kind = Kind::quoted_name;
  token.end = end + 1;
}

Op operator_at(std::string_view text, std::size_t at) {
  const char c = text[at];
  const char next = at + 1 < text.size() ? text[at + 1] : '\0';
  switch (c) {
    case '&': return next == '&' ? Op::both : Op::none;
    case '|': return next == '|' ? Op::either : Op::none;
    case '=': return next == '=' ? Op::eq : Op::none;
    case '!': return next == '=' ? Op::ne : Op::no;
    case '<': return next == '=' ? Op::le : Op::lt;
    case '>': return next == '=' ? Op::ge : Op::gt;
    case '+': return Op::add;
    case '-': return Op::sub;
    case '*': return Op::mul;
    case '/': return Op::div;
    case '%': return Op::mod;
    default: return Op::none;
  }
}

[[noreturn]] void fail_odd(std::string_view text, std::size_t at) {
  if (const auto* one = source::lookalike(text.substr(at)))
    fail_syntax(at, at + one->bytes.size(), "this is " + std::string(one->name), one->hint());
  std::size_t end = at + 1;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) ++end;
  std::string hint;
  switch (text[at]) {
    case '=': {
      const char next = at + 1 < text.size() ? text[at + 1] : ' ';
      if (next == '~' || next == '>') end = at + 2;
      hint = next == '~'   ? "write x.matches('pattern')"
             : next == '>' ? "at least is written >="
                           : "equality is written ==";
      break;
    }
    case '&': hint = "and is written &&"; break;
    case '|': hint = "or is written ||"; break;
    case '$': {
      const bool whole = text.substr(at, 3) == "${{";
      if (whole || text.substr(at, 2) == "${") {
        end = at + (whole ? 3 : 2);
        hint = whole ? "an expression stands here already: leave this `${{` and its `}}` out"
                     : "an expression stands here already: leave `${` and `}` out";
        break;
      }
      end = std::min(text.find_first_not_of("0123456789.", at + 1), text.size());
      const std::string amount = base::money_spelled(text.substr(at, end - at));
      hint = at + 1 < text.size() && begins_name(text[at + 1])
                 ? "a name stands without it"
                 : "money is written money('" + (amount.empty() ? "$0.50" : amount) + "')";
      break;
    }
    default: break;
  }
  fail_syntax(at, end, "`" + base::printable(text.substr(at, end - at)) + "` has no meaning here", std::move(hint));
}

}  // namespace

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool begins_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

void fail_syntax(std::size_t begin, std::size_t end, std::string message, std::string hint) {
  throw Failed{{begin, end, "expression-syntax", std::move(message), std::move(hint)}};
}

void read_token(std::string_view text, std::size_t at, Token& token) {
  at = skip_blank(text, at);
  token.begin = at;
  token.op = Op::none;
  token.symbol = 0;
  if (at >= text.size()) {
    token.kind = Kind::end;
    token.end = at;
    return;
  }
  const char c = text[at];
  if (begins_name(c)) return read_word(text, token);
  if (is_digit(c) || (c == '.' && at + 1 < text.size() && is_digit(text[at + 1]))) return read_number(text, token);
  if (is_quote(text, at)) return read_quoted(text, {at, at, false, false}, token);
  if (c == '`') return read_quoted_name(text, token);
  token.op = operator_at(text, at);
  if (token.op != Op::none) {
    token.kind = Kind::op;
    token.end = at + text_of(token.op).size();
    return;
  }
  if (std::string_view("?:.,()[]{}").find(c) == std::string_view::npos) fail_odd(text, at);
  token.kind = Kind::symbol;
  token.symbol = c;
  token.end = at + 1;
}

}  // namespace failover::expr
