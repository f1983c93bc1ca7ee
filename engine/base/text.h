// Small text helpers that several rooms need.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace failover::base {

// The candidate nearest to `word` (Damerau-Levenshtein, at most a third of the length off), or the same word in another
// style, if any.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);
// `a, b, c`.
std::string join(const std::vector<std::string>& parts, std::string_view separator = ", ");
std::vector<std::string> split(std::string_view text, char separator);
std::string_view trim(std::string_view text);
std::string lower(std::string_view text);
bool contains(std::string_view text, std::string_view part);
// `text` as one word of a POSIX shell, in single quotes.
std::string shell_quote(std::string_view text);
// Byte offset of the first invalid UTF-8 sequence, if any.
std::optional<std::size_t> invalid_utf8(std::string_view text);
// Code points in valid UTF-8.
std::size_t utf8_length(std::string_view text);
// Text of a stranger made safe for a terminal and a log: control characters (but tab) and escapes become `\x1b` and the
// like, newlines `\n`, what a CI runner would read as a command (`::error`, `##[error]`) loses its first character to
// an escape; at most `limit` bytes, `...` when cut.
std::string printable(std::string_view text, std::size_t limit = 400);
// A whole non-negative number in decimal, nothing else.
std::optional<std::int64_t> parse_integer(std::string_view text);

}  // namespace failover::base
