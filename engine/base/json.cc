#include "engine/base/json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "engine/base/digest.h"

namespace failover::base {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

unsigned char byte_of(char c) { return static_cast<unsigned char>(c); }

// How long the character is that begins here, 0 when it is not whole and well-formed UTF-8 (Unicode 15, table 3-7).
std::size_t character(std::string_view text) {
  const unsigned char first = byte_of(text[0]);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  unsigned char low = 0x80, high = 0xBF;
  if (first == 0xE0) low = 0xA0;
  if (first == 0xED) high = 0x9F;
  if (first == 0xF0) low = 0x90;
  if (first == 0xF4) high = 0x8F;
  for (std::size_t i = 1; i < length; ++i, low = 0x80, high = 0xBF) {
    if (byte_of(text[i]) < low || byte_of(text[i]) > high) return 0;
  }
  return length;
}

// Needs neither an escape nor a look at its UTF-8.
bool needs_no_care(char c) { return byte_of(c) >= 0x20 && byte_of(c) < 0x80 && c != '"' && c != '\\'; }

std::size_t plain_length(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && needs_no_care(text[at])) ++at;
  return at;
}

void append_escaped(std::string& out, char c) {
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  out += "\\u00";
  out += kHex[byte_of(c) >> 4U];
  out += kHex[byte_of(c) & 15U];
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0U | (code >> 6U));
    put(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    put(0xE0U | (code >> 12U));
    put(0x80U | ((code >> 6U) & 0x3FU));
    put(0x80U | (code & 0x3FU));
  } else {
    put(0xF0U | (code >> 18U));
    put(0x80U | ((code >> 12U) & 0x3FU));
    put(0x80U | ((code >> 6U) & 0x3FU));
    put(0x80U | (code & 0x3FU));
  }
}

template <class Integer>
void append_integer(std::string& out, Integer number) {
  std::array<char, 24> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number);
  out.append(text.data(), end.ptr);
}

// Does plain() leave it as it is?
bool is_plain(const Value& value) {
  if (value.is_list()) return std::all_of(value.list()->begin(), value.list()->end(), is_plain);
  if (value.is_map()) {
    return std::all_of(value.map()->begin(), value.map()->end(),
                       [](const auto& member) { return is_plain(member.second); });
  }
  return value.is_null() || value.is<bool>() || value.is<std::int64_t>() || value.is<double>() ||
         value.is<std::string>();
}

// What JSON has no kind of its own for.
struct Plainer {
  Value operator()(std::uint64_t u) const {
    constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (u <= kMost) return static_cast<std::int64_t>(u);
    return u;
  }
  Value operator()(const Bytes& b) const { return base64(b.data); }
  Value operator()(Money m) const { return usd(m); }
  Value operator()(Size s) const { return s.bytes; }
  Value operator()(Rate r) const { return r.bits_per_second; }
  Value operator()(Duration d) const { return seconds(d); }
  Value operator()(WallTime t) const { return format_utc(t); }
  Value operator()(const std::shared_ptr<const Value::List>& list) const {
    Value::List out;
    for (const auto& item : *list) out.push_back(plain(item));
    return out;
  }
  Value operator()(const std::shared_ptr<const Value::Map>& map) const {
    Value::Map out;
    for (const auto& [key, item] : *map) out.emplace_hint(out.end(), key, plain(item));
    return out;
  }
  template <class Same>
  Value operator()(const Same&) const {
    return {};
  }
};

struct Writer {
  std::string& out;
  void operator()(Value::Null) const { out += "null"; }
  void operator()(bool b) const { out += b ? "true" : "false"; }
  void operator()(std::int64_t i) const { append_json_number(out, i); }
  void operator()(std::uint64_t u) const { append_json_number(out, u); }
  void operator()(double d) const { append_json_number(out, d); }
  void operator()(const std::string& s) const { append_json_text(out, s); }
  void operator()(const std::shared_ptr<const Value::List>& list) const {
    out += '[';
    for (const auto& item : *list) {
      if (out.back() != '[') out += ',';
      append_json(out, item);
    }
    out += ']';
  }
  void operator()(const std::shared_ptr<const Value::Map>& map) const {
    out += '{';
    bool first = true;
    for (const auto& [key, item] : *map) {
      if (!first) out += ',';
      first = false;
      append_json_text(out, key);
      out += ':';
      append_json(out, item);
    }
    out += '}';
  }
  template <class Other>
  void operator()(const Other& other) const {
    append_json(out, plain(other));
  }
};

class Parser {
 public:
  Parser(std::string_view text, JsonReader& reader) : text_(text), reader_(reader) {}

  bool run() {
    if (text_.substr(0, 3) == "\xEF\xBB\xBF") at_ = 3;
    // What is still open, innermost last: `}` or `]`.
    std::vector<char> open;
    bool wants_value = true;
    for (;;) {
      skip_space();
      if (wants_value) {
        const char begin = peek();
        if (begin == '{' || begin == '[') {
          ++at_;
          if (open.size() == kDeepestJson) return false;
          open.push_back(begin == '{' ? '}' : ']');
          begin == '{' ? reader_.begin_object() : reader_.begin_array();
          skip_space();
          if (peek() == open.back()) {
            wants_value = false;
          } else if (begin == '{' && !key()) {
            return false;
          }
          continue;
        }
        if (!scalar()) return false;
        wants_value = false;
        continue;
      }
      if (open.empty()) return at_ == text_.size();
      const char next = peek();
      ++at_;
      if (next == open.back()) {
        next == '}' ? reader_.end_object() : reader_.end_array();
        open.pop_back();
      } else if (next == ',') {
        skip_space();
        if (open.back() == '}' && !key()) return false;
        wants_value = true;
      } else {
        return false;
      }
    }
  }

 private:
  // The byte here; NUL, which nothing begins with, at the end.
  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) {
      ++at_;
    }
  }

  bool key() {
    std::string_view name;
    if (peek() != '"' || !string(name)) return false;
    skip_space();
    if (peek() != ':') return false;
    ++at_;
    reader_.key(name);
    return true;
  }

  bool word(std::string_view expected) {
    if (text_.substr(at_, expected.size()) != expected) return false;
    at_ += expected.size();
    return true;
  }

  bool scalar() {
    switch (peek()) {
      case '"': {
        std::string_view value;
        if (!string(value)) return false;
        reader_.text(value);
        return true;
      }
      case 'n':
        if (!word("null")) return false;
        reader_.null();
        return true;
      case 't':
        if (!word("true")) return false;
        reader_.boolean(true);
        return true;
      case 'f':
        if (!word("false")) return false;
        reader_.boolean(false);
        return true;
      default: return number();
    }
  }

  std::size_t digits() {
    const std::size_t from = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return at_ - from;
  }

  bool number() {
    const std::size_t from = at_;
    if (peek() == '-') ++at_;
    const bool zero = peek() == '0';
    const std::size_t whole = digits();
    if (whole == 0 || (zero && whole > 1)) return false;
    bool real = false;
    if (peek() == '.') {
      ++at_;
      real = true;
      if (digits() == 0) return false;
    }
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      real = true;
      if (peek() == '+' || peek() == '-') ++at_;
      if (digits() == 0) return false;
    }
    return told(text_.substr(from, at_ - from), real);
  }

  bool told(std::string_view digits, bool real) {
    const char* const end = digits.data() + digits.size();
    if (!real) {
      std::int64_t small = 0;
      if (std::from_chars(digits.data(), end, small).ec == std::errc()) {
        reader_.number(small);
        return true;
      }
      std::uint64_t large = 0;
      if (digits[0] != '-' && std::from_chars(digits.data(), end, large).ec == std::errc()) {
        reader_.number(large);
        return true;
      }
    }
    double value = 0;
    // Out of range is also what is too small to differ from zero: strtod tells the two apart.
    if (std::from_chars(digits.data(), end, value).ec != std::errc())
      value = std::strtod(std::string(digits).c_str(), nullptr);
    if (!std::isfinite(value)) return false;
    reader_.number(value);
    return true;
  }

  // At its opening quote. The view is into the text, or into scratch_ when something was escaped.
  bool string(std::string_view& out) {
    ++at_;
    const std::size_t from = at_;
    at_ += plain_length(text_.substr(at_));
    if (peek() == '"') {
      out = text_.substr(from, at_ - from);
      ++at_;
      return true;
    }
    scratch_.assign(text_, from, at_ - from);
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        out = scratch_;
        return true;
      }
      if (c == '\\') {
        if (!escape()) return false;
        continue;
      }
      if (byte_of(c) < 0x20) return false;
      const std::size_t length = character(text_.substr(at_));
      if (length == 0) return false;
      scratch_.append(text_, at_, length);
      at_ += length;
    }
    return false;
  }

  bool escape() {
    static constexpr std::string_view kNames = "\"\\/bfnrt";
    static constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
    ++at_;
    const char name = peek();
    ++at_;
    if (name != 'u') {
      const auto which = name == '\0' ? std::string_view::npos : kNames.find(name);
      if (which == std::string_view::npos) return false;
      scratch_ += kMeant[which];
      return true;
    }
    std::uint32_t code = 0;
    if (!four(code) || (code >= 0xDC00 && code < 0xE000)) return false;
    if (code >= 0xD800 && code < 0xDC00) {
      std::uint32_t second = 0;
      if (!word("\\u") || !four(second) || second < 0xDC00 || second >= 0xE000) return false;
      code = 0x10000U + ((code - 0xD800U) << 10U) + (second - 0xDC00U);
    }
    append_utf8(scratch_, code);
    return true;
  }

  bool four(std::uint32_t& code) {
    if (text_.size() - std::min(at_, text_.size()) < 4) return false;
    const char* const from = text_.data() + at_;
    const auto [end, failed] = std::from_chars(from, from + 4, code, 16);
    at_ += 4;
    return failed == std::errc() && end == from + 4;
  }

  std::string_view text_;
  JsonReader& reader_;
  std::size_t at_ = 0;
  std::string scratch_;
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

Value plain(const Value& value) { return is_plain(value) ? value : std::visit(Plainer{}, value.data()); }

void append_json_text(std::string& out, std::string_view text) {
  const std::size_t begun = out.size();
  out += '"';
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t whole = plain_length(text.substr(at));
    out.append(text, at, whole);
    at += whole;
    if (at == text.size()) break;
    if (byte_of(text[at]) < 0x80) {
      append_escaped(out, text[at++]);
      continue;
    }
    const std::size_t length = character(text.substr(at));
    if (length == 0) {
      // How many replacements a broken stretch becomes is the library's to say.
      out.resize(begun);
      out += dump(nlohmann::json(std::string(text)));
      return;
    }
    out.append(text, at, length);
    at += length;
  }
  out += '"';
}

void append_json_number(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  std::array<char, 64> text{};
  char* const end = nlohmann::detail::to_chars(text.data(), text.data() + text.size(), number);
  out.append(text.data(), end);
}

void append_json_number(std::string& out, std::int64_t number) { append_integer(out, number); }
void append_json_number(std::string& out, std::uint64_t number) { append_integer(out, number); }
void append_json(std::string& out, const Value& value) { std::visit(Writer{out}, value.data()); }

bool read_json(std::string_view text, JsonReader& reader) { return Parser(text, reader).run(); }

std::optional<Value> parse_json(std::string_view text) {
  Builder builder;
  if (!read_json(text, builder)) return std::nullopt;
  return std::move(builder.whole);
}

}  // namespace failover::base
