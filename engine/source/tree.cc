#include "engine/source/tree.h"

#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cstdio>
#include <sstream>

#include "engine/base/text.h"
#include "engine/source/brackets.h"
#include "engine/source/builder.h"
#include "engine/source/scalar_text.h"

namespace failover::source {
namespace {

// What no YAML parser should see: sizes, encodings, control characters.
bool readable(const FilePtr& file, Diagnostics& diagnostics) {
  const std::string& text = file->text();
  if (text.size() > kLargestFile) {
    diagnostics.error(
        file, {0, 0}, "too-large",
        "the file has " + std::to_string(text.size()) + " bytes, more than " + std::to_string(kLargestFile),
        "split it");
    return false;
  }
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    diagnostics.error(file, {0, 2}, "not-utf8", "the file is UTF-16, not UTF-8", "save it as UTF-8");
    return false;
  }
  if (const auto bad = base::invalid_utf8(text)) {
    diagnostics.error(file, {*bad, *bad + 1}, "not-utf8", "the file is not valid UTF-8 here", "save it as UTF-8");
    return false;
  }
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if ((byte >= 0x20 && byte != 0x7F) || byte == '\t' || byte == '\n') continue;
    if (byte == '\r' && at + 1 < text.size() && text[at + 1] == '\n') continue;
    char name[8];
    std::snprintf(name, sizeof name, "0x%02x", byte);
    diagnostics.error(file, {at, at + 1}, "control-character",
                      std::string("a control character (") + name + ") stands here",
                      "remove it, or write it as an escape in double quotes");
    return false;
  }
  return true;
}

std::string lower_word(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" -");
  if (first == std::string_view::npos) return {};
  const std::size_t end =
      line.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", first);
  return std::string(line.substr(first, end == std::string_view::npos ? end : end - first));
}

// `name:foo`, which yaml-cpp reports one line too late: where the value starts, if that is what happened.
std::optional<Span> missing_space(const File& file, std::size_t line) {
  for (std::size_t number = line; number > 0 && number + 1 >= line; --number) {
    const std::string_view text = file.line(number);
    const std::string word = lower_word(text);
    const std::size_t first = text.find_first_not_of(" -");
    if (word.empty()) continue;
    const std::size_t colon = first + word.size();
    if (colon + 1 < text.size() && text[colon] == ':' && text[colon + 1] != ' ' && text[colon + 1] != '/') {
      return Span{file.line_start(number) + first, file.line_start(number) + colon + 1};
    }
  }
  return std::nullopt;
}

struct Advice {
  const char* theirs;
  const char* ours;
  const char* hint;
};

// The parser's words, made plain. First match wins.
constexpr Advice kAdvice[] = {
    {"illegal map value", "a `: ` is not allowed here",
     "quote a value that holds `: `, and check the indentation of this line and the one above"},
    {"illegal block entry", "a list cannot start here", "start it on the next line, or write [a, b]"},
    {"illegal map key", "a key is not allowed here", "check the indentation"},
    {"end of sequence flow not found", "this list is not closed properly", "a `]`, a comma or a quote is missing"},
    {"end of map flow not found", "this mapping is not closed properly", "a `}`, a comma or a quote is missing"},
    {"end of sequence not found", "this does not belong to the list", "check the indentation"},
    {"end of map not found", "this does not belong to the mapping",
     "check the indentation, and for text after a closing quote"},
    {"illegal flow end", "this bracket closes nothing", "remove it, or open it first"},
    {"illegal EOF in scalar", "a quote is never closed", "close it"},
    {"unknown escape character", "no such escape in double quotes",
     "write `\\\\` for a backslash, or use single quotes"},
    {"unknown token", "a value cannot start with this character", "quote it"},
    {"illegal tab", "a tab cannot indent", "use spaces"},
    {"the referenced anchor is not defined", "`*` starts an alias in YAML", "quote the value"},
    {"unexpected character in block scalar", "text cannot follow `|` or `>` on the same line",
     "start it on the next line"},
    {"bad character found while scanning", "a character is not allowed here", "quote the value"},
};

void report(const FilePtr& file, std::size_t at, const std::string& theirs, Diagnostics& diagnostics) {
  const std::string& text = file->text();
  at = std::min(at, text.size());
  const Span here{at, std::min(at + 1, text.size())};
  const std::size_t line = file->place(at).line;
  const std::size_t start = file->line_start(line);
  const std::string_view indent = file->line(line).substr(0, file->line(line).find_first_not_of(" \t"));
  if (const std::size_t tab = indent.find('\t'); tab != std::string_view::npos) {
    return diagnostics.error(file, {start + tab, start + tab + 1}, "yaml-tab", "a tab cannot indent", "use spaces");
  }
  const std::size_t brace = at > 0 && at < text.size() && text[at] == '{' ? at - 1 : at;
  if (text.compare(brace, 3, "${{") == 0) {
    const std::size_t close = text.find("}}", brace);
    const std::size_t end = close == std::string::npos || close > text.find('\n', brace) ? brace + 3 : close + 2;
    return diagnostics.error(file, {brace, end}, "unquoted-expression", "YAML reads these braces as a mapping",
                             "quote it: \"" + text.substr(brace, std::min<std::size_t>(end - brace, 60)) + "\"");
  }
  if (theirs == "illegal map value" || theirs == "end of map not found") {
    if (const auto key = missing_space(*file, line)) {
      return diagnostics.error(file, *key, "yaml-syntax", "a space is missing after this `:`",
                               "write `" + std::string(file->slice(*key)) + " value`");
    }
  }
  for (const auto& advice : kAdvice) {
    if (theirs.starts_with(advice.theirs)) {
      return diagnostics.error(file, here, "yaml-syntax", advice.ours, advice.hint);
    }
  }
  diagnostics.error(file, here, "yaml-syntax", "not YAML: " + theirs,
                    "check the indentation, brackets and quotes near here");
}

// A bracket that is never closed makes nonsense of whatever follows it: it is to blame, not the place where that shows.
// `found` is what the tree has said before; what lies behind the bracket is nonsense as well.
bool unclosed(const FilePtr& file, std::size_t failed, const std::vector<std::size_t>& open, const Diagnostics& found,
              Diagnostics& diagnostics) {
  const auto at = never_closed(file->text(), open);
  if (!at) return false;
  for (auto& one : found.sorted()) {
    if (one.span.begin < *at) diagnostics.add(std::move(one));
  }
  const char bracket = file->text()[*at];
  std::string hint = std::string("close it with `") + counterpart(bracket) + "`";
  const std::size_t line = file->place(failed).line;
  if (line != file->place(*at).line) hint += "; line " + std::to_string(line) + " does not fit into it";
  diagnostics.error(file, {*at, *at + 1}, "unclosed-bracket", std::string("this `") + bracket + "` is never closed",
                    std::move(hint));
  return true;
}

// The quote that opened the scalar which runs to the end of the file, for a better place than the end.
std::optional<std::size_t> open_quote(const std::string& text, std::size_t from) {
  const std::size_t at = text.find_first_of("\"'", from);
  if (at == std::string::npos) return std::nullopt;
  return at;
}

}  // namespace

const Entry* Node::find(std::string_view key) const {
  for (const auto& entry : entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

namespace {

// Why the parser gave up, in our words and at the best place.
void explain(const YAML::Exception& why, const FilePtr& file, const Builder& builder, const Diagnostics& found,
             Diagnostics& diagnostics) {
  const std::size_t at = why.mark.pos < 0 ? 0 : static_cast<std::size_t>(why.mark.pos) + file->line_start(1);
  if (why.msg == "illegal EOF in scalar") {
    if (const auto quote = open_quote(file->text(), builder.cursor()); quote && found.errors() == 0) {
      return diagnostics.error(file, {*quote, *quote + 1}, "unterminated-quote", "this quote is never closed",
                               std::string("close it with `") + file->text()[*quote] + "`");
    }
  } else if (unclosed(file, at, builder.open_brackets(), found, diagnostics)) {
    return;
  }
  // A mistake that the tree has already explained (braces, a tag) often ends in a syntax error: one finding is enough.
  diagnostics.append(found);
  if (found.errors() == 0) report(file, at, why.msg, diagnostics);
}

}  // namespace

DocumentPtr parse(const FilePtr& file, Diagnostics& diagnostics) {
  if (!readable(file, diagnostics)) return nullptr;
  const std::size_t origin = file->line_start(1);
  std::istringstream in(file->text());
  Diagnostics found;
  Builder builder(file, origin, found);
  try {
    YAML::Parser parser(in);
    if (!parser.HandleNextDocument(builder)) {
      diagnostics.error(file, {origin, origin}, "empty-file", "the file holds nothing", "start with `name:`");
      return nullptr;
    }
    parser.HandleNextDocument(builder);
  } catch (const Stop&) {
    diagnostics.append(found);
    return nullptr;
  } catch (const YAML::Exception& why) {
    explain(why, file, builder, found, diagnostics);
    return nullptr;
  }
  diagnostics.append(found);
  auto document = std::make_shared<Document>();
  document->file = file;
  document->root = builder.take();
  if (document->root.is_null() && !document->root.broken) {
    diagnostics.error(file, document->root.span, "empty-file", "the file holds nothing", "start with `name:`");
    return nullptr;
  }
  return document;
}

Span locate(const File& file, const Node& node, std::size_t begin, std::size_t end) {
  if (!node.is_scalar() || begin > node.text.size()) return node.span;
  end = std::clamp(end, begin, node.text.size());
  if (node.style == Node::Style::plain && node.span.end - node.span.begin == node.text.size()) {
    return {node.span.begin + begin, node.span.begin + end};
  }
  const auto places = align(file.text(), node.span, node.style, node.text);
  if (!places) return node.span;
  const std::size_t from = (*places)[begin];
  if (end == begin) return {from, from};
  // Up to the last byte's own end: the next byte's place may lie behind folding.
  std::size_t past = (*places)[end];
  const std::string_view text = file.text();
  if (end < node.text.size()) {
    const std::size_t last = (*places)[end - 1];
    const std::size_t line = text.find('\n', last);
    if (line != std::string_view::npos && line < past)
      past = std::max(last + 1, text[line - 1] == '\r' ? line - 1 : line);
  }
  return {from, std::max(past, from)};
}

}  // namespace failover::source
