#include "engine/source/brackets.h"

#include <algorithm>

namespace failover::source {
namespace {

bool blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// A quote opens a scalar only where a scalar can begin: `it's` holds none.
bool begins_scalar(std::string_view text, std::size_t at) {
  while (at > 0 && blank(text[at - 1])) {
    --at;
    if (text[at] == '\n') return true;
  }
  if (at == 0) return true;
  constexpr std::string_view kBefore = "[{,:?-";
  return kBefore.find(text[at - 1]) != std::string_view::npos;
}

// Past the closing quote; the end of the text without one.
std::size_t past_quoted(std::string_view text, std::size_t at) {
  const char quote = text[at];
  for (++at; at < text.size(); ++at) {
    if (quote == '"' && text[at] == '\\') {
      ++at;
    } else if (text[at] == quote) {
      return at + 1;
    }
  }
  return text.size();
}

}  // namespace

char counterpart(char bracket) { return bracket == '{' ? '}' : ']'; }

std::optional<std::size_t> never_closed(std::string_view text, const std::vector<std::size_t>& open) {
  if (open.empty()) return std::nullopt;
  std::vector<std::size_t> inside;
  for (std::size_t at = open.front(); at < text.size();) {
    const char c = text[at];
    if ((c == '"' || c == '\'') && begins_scalar(text, at)) {
      at = past_quoted(text, at);
      continue;
    }
    if (c == '#' && (at == 0 || blank(text[at - 1]))) {
      at = std::min(text.find('\n', at), text.size());
      continue;
    }
    if (c == '{' || c == '[') inside.push_back(at);
    if (c == '}' || c == ']') {
      if (counterpart(text[inside.back()]) == c) {
        inside.pop_back();
        if (inside.empty()) return std::nullopt;
      } else if (std::any_of(inside.begin(), inside.end(),
                             [&](std::size_t one) { return counterpart(text[one]) == c; })) {
        return inside.back();  // one further out is closed first
      }
    }
    ++at;
  }
  // The innermost of those that the parser knew: what is open further on may be a mistake of its own.
  const auto known = std::find_if(inside.rbegin(), inside.rend(), [&](std::size_t one) {
    return std::find(open.begin(), open.end(), one) != open.end();
  });
  return known == inside.rend() ? inside.front() : *known;
}

}  // namespace failover::source
