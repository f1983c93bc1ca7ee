#include "engine/base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>

namespace failover::base {
namespace {

constexpr std::size_t kLongestWord = 64;

// Optimal string alignment distance: a swap of neighbours counts one. `limit` when it is that or more. No longer words
// than kLongestWord.
std::size_t distance(std::string_view a, std::string_view b, std::size_t limit) {
  const std::size_t apart = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
  if (apart >= limit) return limit;
  std::array<std::array<std::size_t, kLongestWord + 1>, 3> rows;  // the last three, in turn
  for (std::size_t j = 0; j <= b.size(); ++j) rows[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto& row = rows[i % 3];
    const auto& above = rows[(i + 2) % 3];
    const auto& two_above = rows[(i + 1) % 3];
    row[0] = i;
    std::size_t least = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t same = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + same});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], two_above[j - 2] + 1);
      }
      least = std::min(least, row[j]);
    }
    if (least >= limit + 1) return limit;  // a swap in the next row may still save one
  }
  return std::min(rows[a.size() % 3][b.size()], limit);
}

// In lower case, without what only sets words apart.
std::string only_letters(std::string_view word) {
  std::string out = lower(word);
  out.erase(std::remove_if(out.begin(), out.end(), [](char c) { return c == '_' || c == '-' || c == '.'; }), out.end());
  return out;
}

}  // namespace

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates) {
  if (word.empty() || word.size() > kLongestWord) return std::nullopt;
  // The same letters in another style: `maxPrice`, `MAX-PRICE`.
  const std::string letters = only_letters(word);
  const auto same = [&](const auto& candidate) {
    return candidate.size() <= kLongestWord && only_letters(candidate) == letters;
  };
  const auto at = letters.empty() ? candidates.end() : std::find_if(candidates.begin(), candidates.end(), same);
  if (at != candidates.end()) return *at;
  const std::string* best = nullptr;
  std::size_t least = std::max<std::size_t>(1, (word.size() + 2) / 3) + 1;
  for (const auto& candidate : candidates) {
    if (candidate.size() > kLongestWord) continue;
    const std::size_t off = distance(word, candidate, least);
    if (off < least) {
      least = off;
      best = &candidate;
    }
  }
  return best == nullptr ? std::nullopt : std::optional(*best);
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) out += separator;
    out += parts[i];
  }
  return out;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t at = text.find(separator);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::string shell_quote(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::optional<std::size_t> invalid_utf8(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  for (std::size_t i = 0; i < text.size();) {
    const unsigned char first = byte(i);
    std::size_t length = 0;
    std::uint32_t point = 0;
    if (first < 0x80) {
      ++i;
      continue;
    }
    if (first >= 0xC2 && first <= 0xDF) {
      length = 2;
      point = first & 0x1FU;
    } else if ((first & 0xF0U) == 0xE0) {
      length = 3;
      point = first & 0x0FU;
    } else if (first >= 0xF0 && first <= 0xF4) {
      length = 4;
      point = first & 0x07U;
    } else {
      return i;
    }
    if (i + length > text.size()) return i;
    for (std::size_t k = 1; k < length; ++k) {
      if ((byte(i + k) & 0xC0U) != 0x80) return i;
      point = (point << 6U) | (byte(i + k) & 0x3FU);
    }
    const bool overlong = (length == 3 && point < 0x800) || (length == 4 && point < 0x10000);
    if (overlong || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return i;
    i += length;
  }
  return std::nullopt;
}

std::size_t utf8_length(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }));
}

namespace {

// What turns the direction of a line or moves the cursor, though it is no ASCII control: C1 controls, line separators,
// bidirectional marks and overrides. 0: something else.
unsigned disturbing(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned>(static_cast<unsigned char>(text[at])); };
  if (text.size() > 1 && byte(0) == 0xC2 && byte(1) >= 0x80 && byte(1) < 0xA0) return byte(1);
  if (text.size() < 3 || byte(0) != 0xE2 || (byte(1) != 0x80 && byte(1) != 0x81)) return 0;
  const unsigned point = 0x2000U + ((byte(1) - 0x80U) << 6U) + (byte(2) - 0x80U);
  const bool turns = point == 0x200E || point == 0x200F || (point >= 0x2028 && point <= 0x202E) ||
                     (point >= 0x2066 && point <= 0x2069);
  return turns ? point : 0;
}

// What a CI runner takes from a log as a command to itself: `::name` behind nothing but blanks, `##[name]` anywhere.
bool is_command(std::string_view text, bool first) {
  return text.substr(0, 3) == "##[" || (first && text.substr(0, 2) == "::");
}

}  // namespace

std::string printable(std::string_view text, std::size_t limit) {
  std::string out;
  bool blank = true;  // what stands before
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (out.size() >= limit) {
      // The cut is inside of a character when the next byte continues it: then the character goes whole.
      const auto continues = [](char part) { return (static_cast<unsigned char>(part) & 0xC0U) == 0x80U; };
      if (continues(text[i])) {
        while (!out.empty() && continues(out.back())) out.pop_back();
        if (!out.empty()) out.pop_back();
      }
      return out + "...";
    }
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    blank = blank && (i == 0 || text[i - 1] == ' ' || text[i - 1] == '\t');
    if (is_command(text.substr(i), blank)) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\x%02x", byte);
      out += escape;
    } else if (const unsigned point = byte < 0x80 ? 0 : disturbing(text.substr(i)); point != 0) {
      char escape[16];
      std::snprintf(escape, sizeof escape, "\\u%04x", point);
      out += escape;
      i += point < 0x100 ? 1 : 2;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t' || (byte >= 0x20 && byte != 0x7F)) {
      out += c;
    } else {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\x%02x", byte);
      out += escape;
    }
  }
  return out;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

}  // namespace failover::base
