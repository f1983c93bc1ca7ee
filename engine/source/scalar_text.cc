#include "engine/source/scalar_text.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

namespace failover::source {
namespace {

bool blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

void append_utf8(std::string& out, std::uint32_t point) {
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0U | (point >> 6U));
    out += static_cast<char>(0x80U | (point & 0x3FU));
  } else if (point < 0x10000) {
    out += static_cast<char>(0xE0U | (point >> 12U));
    out += static_cast<char>(0x80U | ((point >> 6U) & 0x3FU));
    out += static_cast<char>(0x80U | (point & 0x3FU));
  } else {
    out += static_cast<char>(0xF0U | (point >> 18U));
    out += static_cast<char>(0x80U | ((point >> 12U) & 0x3FU));
    out += static_cast<char>(0x80U | ((point >> 6U) & 0x3FU));
    out += static_cast<char>(0x80U | (point & 0x3FU));
  }
}

struct Escape {
  std::string decoded;
  std::size_t length = 2;  // of the source, backslash included
};

std::uint32_t hex_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<std::uint32_t>(c - '0');
  return static_cast<std::uint32_t>((c | 0x20) - 'a' + 10) & 0xFU;
}

// The escape at `at` of a double-quoted scalar; the reader has checked that it is one.
Escape escape_at(std::string_view text, std::size_t at) {
  Escape out;
  if (at + 1 >= text.size()) return {"", 1};
  const char c = text[at + 1];
  const std::size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
  if (digits > 0) {
    std::uint32_t point = 0;
    for (std::size_t k = 0; k < digits && at + 2 + k < text.size(); ++k) {
      point = (point << 4U) | hex_value(text[at + 2 + k]);
    }
    append_utf8(out.decoded, point);
    out.length = 2 + digits;
    return out;
  }
  if (c == '\r' || c == '\n') {
    out.length = c == '\r' && at + 2 < text.size() && text[at + 2] == '\n' ? 3 : 2;
    while (at + out.length < text.size() && (text[at + out.length] == ' ' || text[at + out.length] == '\t'))
      ++out.length;
    return out;
  }
  static constexpr std::pair<char, std::string_view> kPlain[] = {
      {'a', "\x07"}, {'b', "\x08"}, {'t', "\t"},       {'n', "\n"},       {'v', "\x0B"},         {'f', "\x0C"},
      {'r', "\r"},   {'e', "\x1B"}, {'N', "\xC2\x85"}, {'_', "\xC2\xA0"}, {'L', "\xE2\x80\xA8"}, {'P', "\xE2\x80\xA9"}};
  for (const auto& [name, decoded] : kPlain) {
    if (name == c) {
      out.decoded = decoded;
      return out;
    }
  }
  out.decoded = c == '0' ? std::string(1, '\0') : std::string(1, c);
  return out;
}

std::size_t end_of_line(std::string_view text, std::size_t at) {
  const std::size_t end = text.find('\n', at);
  return end == std::string_view::npos ? text.size() : end;
}

// Walks the source beside the decoded text. Bytes that are not blank appear in both in the same order, whatever the
// style folds, joins or indents; a blank that folding made up stands where the source's line ends.
class Walk {
 public:
  Walk(std::string_view text, Span span, Node::Style style) : text_(text), style_(style), end_(span.end) {
    at_ = span.begin;
    if (style == Node::Style::literal || style == Node::Style::folded) at_ = std::min(end_of_line(text, at_) + 1, end_);
    if (quoted()) ++at_;
    if (quoted() && end_ > at_) --end_;
  }

  bool match(std::string_view decoded, std::vector<std::size_t>* places) {
    std::size_t j = 0;
    while (j < decoded.size()) {
      const std::size_t matched = blank(decoded[j]) ? match_blank(decoded.substr(j)) : match_solid(decoded.substr(j));
      if (matched == 0) return false;
      if (places != nullptr) places->insert(places->end(), matched, from_);
      if (!blank(decoded[j])) past_ = at_;
      j += matched;
    }
    if (places != nullptr) places->push_back(at_);
    return true;
  }
  // Just past the last byte that is not blank.
  [[nodiscard]] std::size_t past() const { return past_; }

 private:
  [[nodiscard]] bool quoted() const {
    return style_ == Node::Style::double_quoted || style_ == Node::Style::single_quoted;
  }
  [[nodiscard]] bool escaping() const {
    return style_ == Node::Style::double_quoted && at_ < end_ && text_[at_] == '\\';
  }

  // An escape whose bytes start `decoded`; 0 when they do not.
  std::size_t match_escape(std::string_view decoded) {
    const Escape escape = escape_at(text_, at_);
    if (escape.decoded.empty() || !decoded.starts_with(escape.decoded)) return 0;
    from_ = at_;
    at_ += escape.length;
    return escape.decoded.size();
  }

  std::size_t match_blank(std::string_view decoded) {
    while (escaping() && escape_at(text_, at_).decoded.empty()) at_ += escape_at(text_, at_).length;
    if (escaping()) {
      if (const std::size_t matched = match_escape(decoded); matched > 0) return matched;
    }
    from_ = at_;
    if (at_ < end_ && text_[at_] == decoded.front()) ++at_;
    return 1;
  }

  std::size_t match_solid(std::string_view decoded) {
    for (;;) {
      if (at_ >= end_) return 0;
      if (escaping()) {
        if (const std::size_t matched = match_escape(decoded); matched > 0) return matched;
        const Escape escape = escape_at(text_, at_);
        if (escape.decoded.find_first_not_of(" \t\r\n") != std::string::npos) return 0;
        at_ += escape.length;
        continue;
      }
      if (text_[at_] == decoded.front()) {
        from_ = at_++;
        if (style_ == Node::Style::single_quoted && decoded.front() == '\'' && at_ < end_ && text_[at_] == '\'') ++at_;
        return 1;
      }
      if (!blank(text_[at_])) return 0;
      ++at_;
    }
  }

  std::string_view text_;
  Node::Style style_;
  std::size_t end_;
  std::size_t at_ = 0;
  std::size_t from_ = 0;
  std::size_t past_ = 0;
};

}  // namespace

std::size_t skip_properties(std::string_view text, std::size_t at) {
  while (at < text.size() && (text[at] == '!' || text[at] == '&')) {
    while (at < text.size() && !blank(text[at]) && text[at] != ',' && text[at] != ']' && text[at] != '}') ++at;
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
  }
  return at;
}

std::size_t block_end(std::string_view text, std::size_t at, Node::Style style, std::string_view decoded) {
  Walk walk(text, {at, text.size()}, style);
  if (walk.match(decoded, nullptr) && walk.past() > 0) return walk.past();
  const std::size_t header = end_of_line(text, at);
  return header > at && text[header - 1] == '\r' ? header - 1 : header;
}

std::optional<std::vector<std::size_t>> align(std::string_view text, Span span, Node::Style style,
                                              std::string_view decoded) {
  std::vector<std::size_t> places;
  places.reserve(decoded.size() + 1);
  Walk walk(text, span, style);
  if (!walk.match(decoded, &places)) return std::nullopt;
  return places;
}

}  // namespace failover::source
