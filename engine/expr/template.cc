#include "engine/expr/template.h"

#include <algorithm>

#include "engine/base/text.h"

namespace failover::expr {
namespace {

constexpr std::string_view kOpen = "${{";

// Behind the string whose quote is at `at`.
std::size_t behind_string(std::string_view text, std::size_t at) {
  const char c = text[at];
  const bool raw = at > 0 && (text[at - 1] == 'r' || text[at - 1] == 'R');
  const bool triple = text.substr(at, 3) == std::string_view(c == '"' ? "\"\"\"" : "'''");
  const std::string_view quote = text.substr(at, triple ? 3 : 1);
  at += quote.size();
  while (at < text.size() && text.substr(at, quote.size()) != quote) at += text[at] == '\\' && !raw ? 2 : 1;
  return at + quote.size();
}

// Where the expression that begins at `at` ends: the `}}` outside of its strings and maps; npos without one.
std::size_t closing(std::string_view text, std::size_t at) {
  int braces = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '\'' || c == '"') {
      at = behind_string(text, at);
      continue;
    }
    if (text.substr(at, 2) == "//") {  // a comment ends with its line or with the expression
      while (at < text.size() && text[at] != '\n' && text[at] != '\r' && text.substr(at, 2) != "}}") ++at;
      continue;
    }
    if (c == '{') ++braces;
    if (c == '}') {
      if (braces == 0 && text.substr(at, 2) == "}}") return at;
      braces = std::max(0, braces - 1);
    }
    ++at;
  }
  return std::string_view::npos;
}

void shift(std::vector<Problem>& problems, std::size_t by) {
  for (auto& one : problems) {
    one.begin += by;
    one.end += by;
  }
}

}  // namespace

bool Template::constant() const {
  return std::all_of(pieces.begin(), pieces.end(), [](const Piece& piece) { return piece.expression.empty(); });
}

bool has_expression(std::string_view text) { return text.find(kOpen) != std::string_view::npos; }

ParsedTemplate parse_template(std::string_view text) {
  ParsedTemplate out;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t open = text.find(kOpen, at);
    if (open != at) {
      const std::size_t end = std::min(open, text.size());
      out.value.pieces.push_back({std::string(text.substr(at, end - at)), {}, at, end});
      at = end;
      continue;
    }
    std::size_t end = closing(text, open + kOpen.size());
    if (end == std::string_view::npos) {
      // A string that is not closed hides the braces; its own problem says more.
      const std::size_t plain = text.find("}}", open);
      if (plain == std::string_view::npos) {
        out.problems.push_back(
            {open, text.size(), "expression-syntax", "`${{` is not closed", "end the expression with `}}`"});
        return out;
      }
      end = plain;
    }
    std::size_t begin = open + kOpen.size();
    std::size_t last = end;
    const auto blank = [&](std::size_t i) {
      return text[i] == ' ' || text[i] == '\t' || text[i] == '\n' || text[i] == '\r';
    };
    while (begin < last && blank(begin)) ++begin;
    while (last > begin && blank(last - 1)) --last;
    if (begin == last) {
      out.problems.push_back({open, end + 2, "expression-syntax", "there is no expression between `${{` and `}}`"});
    } else {
      Parsed parsed = parse(text.substr(begin, last - begin));
      shift(parsed.problems, begin);
      out.problems.insert(out.problems.end(), parsed.problems.begin(), parsed.problems.end());
      out.value.pieces.push_back({"", std::move(parsed.expression), begin, last});
    }
    at = end + 2;
  }
  return out;
}

Checked check(const Template& text, const Scope& scope) {
  Checked out;
  out.type = base::Type::Kind::string;
  for (const auto& piece : text.pieces) {
    if (piece.expression.empty()) continue;
    Checked one = check(piece.expression, scope);
    shift(one.problems, piece.begin);
    out.problems.insert(out.problems.end(), one.problems.begin(), one.problems.end());
    if (text.single()) out.type = one.type;
    out.dynamic = out.dynamic || one.dynamic;
  }
  return out;
}

base::Result<base::Value> evaluate(const Template& text, const Values& values, std::int64_t* spent) {
  if (text.single()) return evaluate(text.pieces.front().expression, values, spent);
  std::string out;
  for (const auto& piece : text.pieces) {
    if (piece.expression.empty()) {
      out += piece.literal;
      continue;
    }
    auto value = evaluate(piece.expression, values, spent);
    if (!value) return value;
    out += value->display();
  }
  return base::Value(std::move(out));
}

}  // namespace failover::expr
