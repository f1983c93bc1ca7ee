#include "engine/base/json.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "engine/base/digest.h"

namespace failover::base {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

unsigned char byte_of(char c) { return static_cast<unsigned char>(c); }

bool needs_no_escape(char c) { return byte_of(c) >= 0x20 && c != '"' && c != '\\'; }

// ASCII that stands in a JSON string as it is. Without a way out, so that compilers take many characters at a time.
bool is_plain_ascii(std::string_view text) {
  unsigned odd = 0;
  for (const char c : text) {
    odd |= static_cast<unsigned>(byte_of(c) < 0x20) | static_cast<unsigned>(byte_of(c) >= 0x80) |
           static_cast<unsigned>(c == '"') | static_cast<unsigned>(c == '\\');
  }
  return odd == 0;
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

}  // namespace

Value plain(const Value& value) { return is_plain(value) ? value : std::visit(Plainer{}, value.data()); }

void append_json_text(std::string& out, std::string_view text) {
  if (is_plain_ascii(text)) {
    out += '"';
    out += text;
    out += '"';
    return;
  }
  if (!simdjson::validate_utf8(text.data(), text.size())) {
    // How many replacements a broken stretch becomes is the library's to say.
    out += dump(nlohmann::json(std::string(text)));
    return;
  }
  out += '"';
  for (auto at = text.begin(); at != text.end();) {
    const auto escape = std::find_if_not(at, text.end(), needs_no_escape);
    out.append(at, escape);
    if (escape == text.end()) break;
    append_escaped(out, *escape);
    at = escape + 1;
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

}  // namespace failover::base
