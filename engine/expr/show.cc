#include "engine/expr/show.h"

#include "engine/base/text.h"

namespace failover::expr {
namespace {

using base::Value;

// The longest beginning of at most `limit` bytes that ends between characters.
std::string_view beginning(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0U) == 0x80U) --limit;
  return text.substr(0, limit);
}

void append(std::string& out, const Value& value, std::size_t limit) {
  if (out.size() > limit) return;
  if (const auto* text = value.text()) {
    // One byte more than fits, so that the cut is seen.
    out += Value(std::string(beginning(*text, limit + 1))).literal();
  } else if (const auto* bytes = value.get<base::Bytes>()) {
    out += Value(base::Bytes{bytes->data.substr(0, limit + 1)}).literal();
  } else if (value.is_list()) {
    out += "[";
    bool first = true;
    for (const auto& item : *value.list()) {
      if (out.size() > limit) return;
      if (!first) out += ", ";
      first = false;
      append(out, item, limit);
    }
    out += "]";
  } else if (value.is_map()) {
    out += "{";
    bool first = true;
    for (const auto& [key, item] : *value.map()) {
      if (out.size() > limit) return;
      if (!first) out += ", ";
      first = false;
      out += std::string(beginning(key, limit + 1)) + ": ";
      append(out, item, limit);
    }
    out += "}";
  } else {
    out += value.literal();
  }
}

}  // namespace

std::string shown(const Value& value, std::size_t limit) {
  std::string out;
  append(out, value, limit);
  return base::printable(out, limit);
}

std::string shown_text(std::string_view text, std::size_t limit) {
  const std::string_view some = beginning(text, limit);
  std::string out = Value(std::string(some)).literal();
  if (some.size() < text.size()) out.insert(out.size() - 1, "...");
  return base::printable(out, out.size());
}

}  // namespace failover::expr
