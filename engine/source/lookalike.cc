#include "engine/source/lookalike.h"

#include <algorithm>
#include <array>

namespace failover::source {
namespace {

constexpr std::array<Lookalike, 26> kAll = {{
    {"\u00A0", "a no-break space (U+00A0)", " "},
    {"\u2002", "an en space (U+2002)", " "},
    {"\u2003", "an em space (U+2003)", " "},
    {"\u2007", "a figure space (U+2007)", " "},
    {"\u2009", "a thin space (U+2009)", " "},
    {"\u202F", "a narrow no-break space (U+202F)", " "},
    {"\u3000", "an ideographic space (U+3000)", " "},
    {"\u200B", "a zero-width space (U+200B)", ""},
    {"\u2060", "a word joiner (U+2060)", ""},
    {"\uFEFF", "a zero-width no-break space (U+FEFF)", ""},
    {"\u2010", "a hyphen (U+2010)", "-"},
    {"\u2011", "a no-break hyphen (U+2011)", "-"},
    {"\u2013", "an en dash (U+2013)", "-"},
    {"\u2014", "an em dash (U+2014)", "-"},
    {"\u2212", "a minus sign (U+2212)", "-"},
    {"\u2018", "a curly quote (U+2018)", "'"},
    {"\u2019", "a curly quote (U+2019)", "'"},
    {"\u201C", "a curly quote (U+201C)", "\""},
    {"\u201D", "a curly quote (U+201D)", "\""},
    {"\u201E", "a low quote (U+201E)", "\""},
    {"\u00D7", "a multiplication sign (U+00D7)", "*"},
    {"\u2260", "a sign for `not equal` (U+2260)", "!="},
    {"\u2264", "a sign for `at most` (U+2264)", "<="},
    {"\u2265", "a sign for `at least` (U+2265)", ">="},
    {"\uFF0C", "a full-width comma (U+FF0C)", ","},
    {"\uFF1A", "a full-width colon (U+FF1A)", ":"},
}};

bool ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }
bool word(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return ascii(c) && c != ' ' && c != '\n'; });
}

const Lookalike* find(std::string_view text, bool at_end) {
  const auto* at = std::find_if(kAll.begin(), kAll.end(), [&](const Lookalike& one) {
    return at_end ? text.ends_with(one.bytes) : text.starts_with(one.bytes);
  });
  return at == kAll.end() ? nullptr : at;
}

}  // namespace

std::string Lookalike::as_letter() const { return "this is " + std::string(name) + ", which YAML takes for a letter"; }

std::string Lookalike::hint() const {
  if (instead.empty()) return "remove it";
  return instead == " " ? "write a space" : "write `" + std::string(instead) + "`";
}

const Lookalike* lookalike(std::string_view text) { return find(text, false); }

std::size_t misread(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" -");
  if (first == std::string_view::npos) return first;
  const Lookalike* one = lookalike(line.substr(first));
  if (one != nullptr && (one->space() || (one->instead == "-" && line.substr(first + one->bytes.size(), 1) == " ")))
    return first;
  // Behind the colon of a key, or that colon.
  const std::size_t end =
      line.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_{", first);
  if (end == std::string_view::npos || end == first) return std::string_view::npos;
  one = lookalike(line.substr(end));
  if (one != nullptr && one->instead == ":") return end;
  if (line[end] != ':') return std::string_view::npos;
  one = lookalike(line.substr(end + 1));
  return one != nullptr && one->space() ? end + 1 : std::string_view::npos;
}

std::size_t misread(std::string_view scalar, Stands as) {
  if (std::all_of(scalar.begin(), scalar.end(), ascii)) return std::string_view::npos;
  if (as != Stands::value) {
    const std::size_t at = misread(scalar);
    if (at != std::string_view::npos && (as == Stands::key || lookalike(scalar.substr(at))->space())) return at;
  }
  // One word, and a space at an end of it.
  const Lookalike* first = find(scalar, false);
  if (first != nullptr && first->space() && word(scalar.substr(first->bytes.size()))) return 0;
  const Lookalike* last = find(scalar, true);
  if (last == nullptr || !last->space()) return std::string_view::npos;
  const std::size_t end = scalar.size() - last->bytes.size();
  return word(scalar.substr(0, end)) ? end : std::string_view::npos;
}

}  // namespace failover::source
