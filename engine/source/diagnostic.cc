#include "engine/source/diagnostic.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "engine/base/text.h"
#include "engine/base/value.h"
#include "engine/source/width.h"

namespace failover::source {
namespace {

constexpr std::size_t kWidest = 200;    // characters of a source line that are shown
constexpr std::size_t kContext = 60;    // of them before the finding, in a longer line
constexpr std::size_t kNear = 1024;     // bytes on each side of the finding that are looked at: 256 characters at least
constexpr std::size_t kMessage = 1000;  // bytes of a message or hint

const char* word(Severity severity) { return severity == Severity::error ? "error" : "warning"; }

struct Character {
  std::string text;       // as printed
  std::size_t width = 1;  // in cells
};

// The line's characters, controls made visible. Invalid bytes (the reason of some findings) print as `?`.
std::vector<Character> characters(std::string_view line) {
  std::vector<Character> out;
  const auto bad = base::invalid_utf8(line);
  const std::size_t valid = bad.value_or(line.size());
  for (std::size_t at = 0; at < line.size();) {
    const auto first = static_cast<unsigned char>(line[at]);
    if (at >= valid && first >= 0x80) {
      out.push_back({"?", 1});
      ++at;
      continue;
    }
    const std::size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (length == 1) {
      const bool control = first < 0x20 || first == 0x7F;
      out.push_back({control ? (first == '\t' ? " " : "?") : std::string(1, line[at]), 1});
    } else {
      std::uint32_t point = first & (0xFFU >> (length + 1));
      for (std::size_t k = 1; k < length; ++k)
        point = (point << 6U) | (static_cast<unsigned char>(line[at + k]) & 0x3FU);
      if (disturbs(point)) {
        out.push_back({"?", 1});
      } else {
        out.push_back({std::string(line.substr(at, length)), cells(point)});
      }
    }
    at += length;
  }
  return out;
}

// What of a very long line lies near its byte `at`, so that many findings in one cost no more than in many.
std::string_view nearby(std::string_view line, std::size_t at) {
  const auto continues = [&](std::size_t byte) { return (static_cast<unsigned char>(line[byte]) & 0xC0U) == 0x80U; };
  at = std::min(at, line.size());
  std::size_t begin = at > kNear ? at - kNear : 0;
  while (begin < at && continues(begin)) ++begin;
  std::size_t end = std::min(line.size(), at + kNear);
  while (end > at && end < line.size() && continues(end)) --end;
  return line.substr(begin, end - begin);
}

// The source line and the carets under [first, last) (characters from 0), cut to a readable window.
std::string excerpt(std::size_t number, std::string_view line, std::size_t first, std::size_t last,
                    const std::string& hint) {
  const auto all = characters(line);
  std::size_t from = 0;
  std::size_t to = all.size();
  if (all.size() > kWidest) {
    from = first > kContext ? std::min(first, all.size()) - kContext : 0;
    to = std::min(all.size(), from + kWidest);
  }
  std::string shown = from > 0 ? "..." : "";
  std::string pad(shown.size(), ' ');
  std::string carets;
  for (std::size_t i = from; i < to; ++i) {
    shown += all[i].text;
    if (i < first) pad.append(all[i].width, ' ');
    if (i >= first && i < last) carets.append(all[i].width, '^');
  }
  if (to < all.size()) shown += "...";
  if (carets.empty()) carets = "^";
  std::string margin = std::to_string(number);
  if (margin.size() < 5) margin.insert(0, 5 - margin.size(), ' ');
  std::string out = margin + " | " + shown;
  while (out.back() == ' ' && out.size() > margin.size() + 2) out.pop_back();
  out += "\n" + std::string(margin.size(), ' ') + " | " + pad + carets;
  if (!hint.empty()) out += " " + hint;
  return out + "\n";
}

std::string escape(std::string_view text, bool property) {
  std::string out;
  for (const char c : text) {
    if (c == '%') {
      out += "%25";
    } else if (c == '\n') {
      out += "%0A";
    } else if (c == '\r') {
      out += "%0D";
    } else if (property && c == ',') {
      out += "%2C";
    } else if (property && c == ':') {
      out += "%3A";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

void Diagnostics::error(const FilePtr& file, Span span, Code code, std::string message, std::string hint) {
  add({file, span, Severity::error, code, std::move(message), std::move(hint)});
}

void Diagnostics::warning(const FilePtr& file, Span span, Code code, std::string message, std::string hint) {
  add({file, span, Severity::warning, code, std::move(message), std::move(hint)});
}

// Words may quote the file, and a place may be behind its last byte.
void Diagnostics::add(Diagnostic one) {
  if (found_.size() >= kMost) {
    ++(one.severity == Severity::error ? more_errors_ : more_warnings_);
    return;
  }
  constexpr std::size_t kLongest = 10'000;
  one.message = base::printable(one.message, kLongest);
  one.hint = base::printable(one.hint, kLongest);
  one.span.end = std::min(one.span.end, one.file->text().size());
  one.span.begin = std::min(one.span.begin, one.span.end);
  found_.push_back(std::move(one));
}

void Diagnostics::append(const Diagnostics& other) {
  for (const auto& one : other.found_) add(one);
  more_errors_ += other.more_errors_;
  more_warnings_ += other.more_warnings_;
}

std::vector<Diagnostic> Diagnostics::sorted() const {
  std::vector<Diagnostic> out = found_;
  const auto key = [](const Diagnostic& d) {
    return std::tie(d.file->name(), d.span.begin, d.span.end, d.severity, d.code, d.message);
  };
  std::stable_sort(out.begin(), out.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
  out.erase(std::unique(out.begin(), out.end(), [&](const auto& a, const auto& b) { return key(a) == key(b); }),
            out.end());
  return out;
}

std::size_t Diagnostics::errors() const {
  const auto errors =
      std::count_if(found_.begin(), found_.end(), [](const auto& d) { return d.severity == Severity::error; });
  return static_cast<std::size_t>(errors) + more_errors_;
}

std::size_t Diagnostics::warnings() const { return found_.size() + more() - errors(); }

std::string to_text(const Diagnostic& diagnostic) {
  const Place from = diagnostic.file->place(diagnostic.span.begin);
  const Place to = diagnostic.file->place(diagnostic.span.end);
  const std::string_view line = diagnostic.file->line(from.line);
  const std::size_t at = std::min(diagnostic.span.begin - diagnostic.file->line_start(from.line), line.size());
  const std::string_view near = nearby(line, at);
  const std::size_t begin = static_cast<std::size_t>(near.data() - line.data());
  const std::size_t first = base::utf8_length(near.substr(0, at - begin));
  const std::size_t last = to.line == from.line ? first + to.column - from.column : near.size() + 1;
  return base::printable(diagnostic.file->name()) + ":" + std::to_string(from.line) + ":" +
         std::to_string(from.column) + ": " + word(diagnostic.severity) + ": " +
         base::printable(diagnostic.message, kMessage) + " [" + diagnostic.code + "]\n" +
         excerpt(from.line, near, first, last, base::printable(diagnostic.hint, kMessage));
}

std::string to_text(const Diagnostics& diagnostics) {
  std::string out;
  for (const auto& one : diagnostics.sorted()) out += to_text(one);
  if (diagnostics.more() > 0) out += "and " + std::to_string(diagnostics.more()) + " findings more\n";
  return out;
}

std::string to_json(const Diagnostics& diagnostics) {
  auto list = nlohmann::json::array();
  for (const auto& one : diagnostics.sorted()) {
    const Place from = one.file->place(one.span.begin);
    const Place to = one.file->place(one.span.end);
    list.push_back({{"file", one.file->name()},
                    {"line", from.line},
                    {"column", from.column},
                    {"end_line", to.line},
                    {"end_column", to.column},
                    {"severity", word(one.severity)},
                    {"code", one.code.name()},
                    {"message", one.message},
                    {"hint", one.hint}});
  }
  return base::dump({{"diagnostics", std::move(list)}}, 2) + "\n";
}

std::string to_github(const Diagnostics& diagnostics) {
  std::string out;
  for (const auto& one : diagnostics.sorted()) {
    const Place from = one.file->place(one.span.begin);
    const Place to = one.file->place(one.span.end);
    out += std::string("::") + word(one.severity) + " file=" + escape(one.file->name(), true) +
           ",line=" + std::to_string(from.line) + ",col=" + std::to_string(from.column) +
           ",endLine=" + std::to_string(to.line) + ",endColumn=" + std::to_string(to.column) +
           ",title=" + escape(one.code.name(), true) +
           "::" + escape(base::printable(one.message + (one.hint.empty() ? "" : ": " + one.hint), kMessage), false) +
           "\n";
  }
  return out;
}

}  // namespace failover::source
