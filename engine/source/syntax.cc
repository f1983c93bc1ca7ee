#include "engine/source/syntax.h"

#include <algorithm>
#include <optional>

#include "engine/source/brackets.h"
#include "engine/source/lookalike.h"

namespace failover::source {
namespace {

bool blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// The first word of a line, behind its dashes.
std::string_view first_word(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" -");
  if (first == std::string_view::npos) return {};
  const std::size_t end =
      line.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", first);
  return line.substr(first, end == std::string_view::npos ? end : end - first);
}

// `name:foo`, which shows one line too late: the key, if that is what happened.
std::optional<Span> missing_space(const File& file, std::size_t line) {
  for (std::size_t number = line; number > 0 && number + 1 >= line; --number) {
    const std::string_view text = file.line(number);
    const std::string_view word = first_word(text);
    const std::size_t first = text.find_first_not_of(" -");
    if (word.empty()) continue;
    const std::size_t colon = first + word.size();
    if (colon + 1 < text.size() && text[colon] == ':' && text[colon + 1] != ' ' && text[colon + 1] != '/') {
      return Span{file.line_start(number) + first, file.line_start(number) + colon + 1};
    }
  }
  return std::nullopt;
}

// What begins with the `!`, `&` or `*` at `at`, or with a tag before it on the same line.
Span property(std::string_view text, std::size_t at) {
  const auto word_end = [&](std::size_t from) {
    while (from < text.size() && !blank(text[from]) && text[from] != ',' && text[from] != ']' && text[from] != '}') {
      ++from;
    }
    return from;
  };
  std::size_t before = at;
  while (before > 0 && (text[before - 1] == ' ' || text[before - 1] == '\t')) --before;
  std::size_t word = before;
  while (word > 0 && !blank(text[word - 1])) --word;
  if (word < before && text[word] == '!') return {word, before};
  return {at, std::max(word_end(at), std::min(at + 1, text.size()))};
}

struct Advice {
  const char* theirs;
  const char* ours;
  const char* hint;
  bool at_context = false;  // the thing that was being read is to blame, not the place where that shows
};

// libyaml's words, made plain. First match wins.
constexpr Advice kAdvice[] = {
    {"mapping values are not allowed", "a `: ` is not allowed here",
     "quote a value that holds `: `, and check the indentation of this line and the one above"},
    {"block sequence entries are not allowed", "a list cannot start here",
     "start it on the next line, or write [a, b]"},
    {"mapping keys are not allowed", "a key is not allowed here", "check the indentation"},
    {"could not find expected ':'", "this is neither a key nor part of the value before it",
     "write a `: ` behind a key; check the indentation, quotes and brackets above", true},
    {"did not find expected ',' or ']'", "this list is not closed properly", "a `]`, a comma or a quote is missing"},
    {"did not find expected ',' or '}'", "this mapping is not closed properly", "a `}`, a comma or a quote is missing"},
    {"did not find expected '-' indicator", "this does not belong to the list", "check the indentation"},
    {"did not find expected key", "this does not belong to the mapping", "check the indentation"},
    {"did not find expected <document start>", "this does not belong to what stands before it",
     "check the indentation and the brackets and quotes above"},
    {"did not find expected node content", "a value is missing here", "write it, or quote it"},
    {"found unknown escape character", "no such escape in double quotes",
     "write `\\\\` for a backslash, or use single quotes"},
    {"did not find expected hexdecimal number", "this escape lacks hexadecimal digits",
     "write two of them behind `\\x`, four behind `\\u`, eight behind `\\U`"},
    {"found invalid Unicode character escape code", "this escape names no character",
     "see Unicode's list of characters; surrogates are none"},
    {"found unexpected ':'", "a `:` is not allowed here", "quote a value that holds `:`"},
    {"found a tab character", "a tab cannot indent", "use spaces"},
    {"found character that cannot start any token", "a value cannot start with this character", "quote it"},
    {"did not find expected comment or line break", "text cannot follow this on the same line",
     "start it on the next line"},
    {"found an indentation indicator equal to 0", "a block's indentation cannot be 0", "write 1 to 9, or nothing"},
    {"control characters are not allowed", "a character is not allowed here",
     "remove it, or write it as an escape in double quotes"},
};

// A problem with what stands where it shows.
struct Case {
  const Problem& problem;
  const FilePtr& file;
  const std::string& text;
  std::size_t at;    // within the text
  char there;        // what stands at `at`; at the end of the text as if a line ended
  std::size_t line;  // of `at`

  [[nodiscard]] bool is(const char* what) const { return problem.what.starts_with(what); }
  [[nodiscard]] Span here() const { return {at, std::min(at + 1, text.size())}; }
  [[nodiscard]] std::optional<Diagnostic> found(Span span, Code code, std::string message, std::string hint) const {
    return Diagnostic{file, span, Severity::error, code, std::move(message), std::move(hint)};
  }
};

std::optional<Diagnostic> tab(const Case& seen) {
  const std::string_view line = seen.file->line(seen.line);
  const std::size_t at = line.substr(0, line.find_first_not_of(" \t")).find('\t');
  if (at == std::string_view::npos) return std::nullopt;
  const std::size_t from = seen.file->line_start(seen.line) + at;
  return seen.found({from, from + 1}, "yaml-tab", "a tab cannot indent", "use spaces");
}

// A character that only looks like a space or a dash, in the line or the one before it.
std::optional<Diagnostic> letter(const Case& seen) {
  for (std::size_t number = seen.line; number > 0 && number + 1 >= seen.line; --number) {
    const std::string_view line = seen.file->line(number);
    std::size_t at = misread(line);
    for (std::size_t i = 0; at == std::string_view::npos && i + 1 < line.size(); ++i) {
      const Lookalike* one = line[i] == ':' || line[i] == ',' ? lookalike(line.substr(i + 1)) : nullptr;
      if (one != nullptr && one->space()) at = i + 1;
    }
    if (at == std::string_view::npos) continue;
    const Lookalike& found = *lookalike(line.substr(at));
    const std::size_t from = seen.file->line_start(number) + at;
    return seen.found({from, from + found.bytes.size()}, "yaml-syntax", found.as_letter(), found.hint());
  }
  return std::nullopt;
}

std::optional<Diagnostic> braces(const Case& seen) {
  const std::string& text = seen.text;
  const std::size_t brace = seen.at > 0 && seen.there == '{' ? seen.at - 1 : seen.at;
  if (text.compare(brace, 3, "${{") != 0) return std::nullopt;
  const std::size_t close = text.find("}}", brace);
  const std::size_t end = close == std::string::npos || close > text.find('\n', brace) ? brace + 3 : close + 2;
  return seen.found({brace, end}, "unquoted-expression", "YAML reads these braces as a mapping",
                    "quote it: \"" + text.substr(brace, std::min<std::size_t>(end - brace, 60)) + "\"");
}

std::optional<Diagnostic> space(const Case& seen) {
  const bool word = seen.is("could not find expected ':'");
  if (!word && !seen.is("mapping values are not allowed") && !seen.is("did not find expected key")) return std::nullopt;
  const auto key = missing_space(*seen.file, word ? seen.file->place(seen.problem.context_at).line : seen.line);
  if (!key) return std::nullopt;
  return seen.found(*key, "yaml-syntax", "a space is missing after this `:`",
                    "write `" + std::string(seen.file->slice(*key)) + " value`");
}

// Tags, anchors and aliases that are none even by YAML's rules.
std::optional<Diagnostic> indicator(const Case& seen) {
  const std::string& context = seen.problem.context;
  const bool tag = context == "while scanning a tag" || seen.is("found undefined tag handle");
  if (!tag && context != "while scanning an anchor" && context != "while scanning an alias") return std::nullopt;
  const Span word = property(seen.text, seen.problem.context_at);
  const char first = word.begin < seen.text.size() ? seen.text[word.begin] : ' ';
  if (tag || first == '!') {
    return seen.found(word, "yaml-tag",
                      "`" + std::string(seen.file->slice(word)) + "` is a YAML tag here, not part of the value",
                      "put quotes around the whole value");
  }
  return seen.found({word.begin, word.begin + 1}, "yaml-syntax",
                    first == '*' ? "`*` starts an alias in YAML" : "`&` starts an anchor in YAML", "quote the value");
}

// What the character that stands there tells.
std::optional<Diagnostic> character(const Case& seen) {
  const char there = seen.there;
  if (seen.problem.quoted.end > 0 && seen.is("did not find expected") && !blank(there)) {
    return seen.found(seen.here(), "yaml-syntax", "this stands behind a closing quote",
                      "quote the whole value or nothing of it; inside of brackets a comma may be missing");
  }
  const std::size_t before = seen.at == 0 ? std::string::npos : seen.text.find_last_not_of(' ', seen.at - 1);
  const bool bracket = before != std::string::npos && (seen.text[before] == ']' || seen.text[before] == '}');
  if (bracket && there != ':' && !blank(there) && seen.is("did not find expected key")) {
    return seen.found(seen.here(), "yaml-syntax", "this stands behind a closing bracket: the value has ended",
                      "quote the whole value, when it is an expression or a text");
  }
  if (there == ':' && seen.is("did not find expected key")) {
    return seen.found(seen.here(), "bad-key", "a key is missing here", "write it before the `:`");
  }
  if (there == '[' && seen.is("did not find expected ',' or")) {
    return seen.found(seen.here(), "yaml-syntax", "a `[` cannot stand inside of a value here",
                      "quote the whole value, when it is an expression: \"outputs.exit_code in [0, 1]\"");
  }
  if ((there == ']' || there == '}') && (seen.is("did not find expected") || seen.is("found character"))) {
    return seen.found(seen.here(), "yaml-syntax", "this bracket closes nothing", "remove it, or open it first");
  }
  if (there == ',' && seen.is("did not find expected node content")) {
    return seen.found(seen.here(), "yaml-syntax", "a value is missing before this comma", "write it, or \"\"");
  }
  return std::nullopt;
}

std::optional<Diagnostic> advised(const Case& seen) {
  for (const auto& advice : kAdvice) {
    if (!seen.is(advice.theirs)) continue;
    if (!advice.at_context) return seen.found(seen.here(), "yaml-syntax", advice.ours, advice.hint);
    const std::size_t from = std::min(seen.problem.context_at, seen.text.size());
    std::size_t end = std::min(seen.text.find('\n', from), seen.text.size());
    while (end > from && blank(seen.text[end - 1])) --end;
    return seen.found({from, std::max(end, from)}, "yaml-syntax", advice.ours, advice.hint);
  }
  return seen.found(seen.here(), "yaml-syntax", "not YAML: " + seen.problem.what,
                    "check the indentation, brackets and quotes near here");
}

// The most telling explanation first; the last one always has one.
constexpr std::optional<Diagnostic> (*kExplanations[])(const Case&) = {tab,       letter,    braces, space,
                                                                       indicator, character, advised};

void report(const Problem& problem, const FilePtr& file, Diagnostics& diagnostics) {
  const std::string& text = file->text();
  const std::size_t at = std::min(problem.at, text.size());
  const Case seen{problem, file, text, at, at < text.size() ? text[at] : '\n', file->place(at).line};
  for (const auto explanation : kExplanations) {
    if (auto found = explanation(seen)) return diagnostics.add(*std::move(found));
  }
}

// A bracket that is never closed makes nonsense of whatever follows it: it is to blame, not the place where that shows.
// What lies behind the bracket is nonsense as well.
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
  const std::size_t comment = file->text().find(" #", *at);
  if (comment < file->text().find('\n', *at)) hint += "; what stands behind the ` #` of this line is a comment";
  if (line != file->place(*at).line) hint += "; line " + std::to_string(line) + " does not fit into it";
  diagnostics.error(file, {*at, *at + 1}, "unclosed-bracket", std::string("this `") + bracket + "` is never closed",
                    std::move(hint));
  return true;
}

// A quote that is closed lines later, by the quote that should have opened another text.
bool late_quote(const Problem& problem, const FilePtr& file, const Diagnostics& found, Diagnostics& diagnostics) {
  const Span text = problem.quoted;
  const std::size_t closed = file->place(text.end).line;
  if (text.end == 0 || found.errors() > 0 || closed == file->place(text.begin).line) return false;
  diagnostics.error(file, {text.begin, text.begin + 1}, "unterminated-quote",
                    "this quote is closed in line " + std::to_string(closed) + " only",
                    std::string("close it with `") + file->text()[text.begin] + "` where its text ends");
  return true;
}

}  // namespace

void explain_syntax(const Problem& problem, const FilePtr& file, const std::vector<std::size_t>& open,
                    const Diagnostics& found, Diagnostics& diagnostics) {
  const bool quote = problem.context == "while scanning a quoted scalar" &&
                     (problem.what.starts_with("found unexpected end of stream") ||
                      problem.what.starts_with("found unexpected document indicator"));
  if (!quote && late_quote(problem, file, found, diagnostics)) return;
  if (!quote && unclosed(file, problem.at, open, found, diagnostics)) return;
  diagnostics.append(found);
  if (found.errors() > 0) return;
  if (!quote) return report(problem, file, diagnostics);
  const std::size_t at = problem.context_at;
  diagnostics.error(file, {at, at + 1}, "unterminated-quote", "this quote is never closed",
                    std::string("close it with `") + file->text()[at] + "`");
}

}  // namespace failover::source
