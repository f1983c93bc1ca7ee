#include <doctest/doctest.h>

#include <limits>
#include <memory>
#include <string>

#include "engine/base/text.h"
#include "engine/source/scalar.h"
#include "engine/source/tree.h"

namespace base = failover::base;
using namespace failover::source;  // NOLINT

namespace {

struct Read {
  FilePtr file;
  DocumentPtr document;
  Diagnostics diagnostics;
};

Read read(const std::string& text) {
  Read out;
  out.file = std::make_shared<const File>("x.yaml", text);
  out.document = parse(out.file, out.diagnostics);
  return out;
}

// `line:column code` of the only finding.
std::string finding(const std::string& text) {
  const Read out = read(text);
  std::string all;
  for (const auto& one : out.diagnostics.sorted()) {
    const Place place = one.file->place(one.span.begin);
    all += (all.empty() ? "" : ", ") + std::to_string(place.line) + ":" + std::to_string(place.column) + " " + one.code;
  }
  return all;
}

// Where `part` of the decoded value of key `a` stands, as the file's own text and place.
std::string located(const std::string& text, const std::string& part) {
  const Read out = read(text);
  REQUIRE(out.document);
  const Entry* entry = out.document->root.find("a");
  REQUIRE(entry != nullptr);
  const std::size_t at = entry->value.text.find(part);
  REQUIRE(at != std::string::npos);
  const Span span = locate(*out.file, entry->value, at, at + part.size());
  const Place place = out.file->place(span.begin);
  return std::to_string(place.line) + ":" + std::to_string(place.column) + " " + std::string(out.file->slice(span));
}

// The whole value of key `a` as the file spells it.
std::string spelled(const std::string& text) {
  const Read out = read(text);
  REQUIRE(out.document);
  const Entry* entry = out.document->root.find("a");
  REQUIRE(entry != nullptr);
  return std::string(out.file->slice(entry->value.span));
}

}  // namespace

TEST_CASE("the span of a value is what the author wrote") {
  CHECK(spelled("a: x\n") == "x");
  CHECK(spelled("a: \"x\\\"y\" # c\n") == "\"x\\\"y\"");
  CHECK(spelled("a: 'it''s'\nb: 1\n") == "'it''s'");
  CHECK(spelled("a: [1, {b: 2}, ] # c\nc: 1") == "[1, {b: 2}, ]");
  CHECK(spelled("a: {b: }\n") == "{b: }");
  CHECK(spelled("a: {b: {c: null}}\n") == "{b: {c: null}}");
  CHECK(spelled("a: |\n  x\n  y\n\nb: 1") == "|\n  x\n  y");
  CHECK(spelled("a: >-\r\n  x\r\n  y\r\nb: 1") == ">-\r\n  x\r\n  y");
  CHECK(spelled("a: one\n  two\nb: 1") == "one\n  two");
  CHECK(spelled("a:\n  b: 1\n  c: 2\nd: 3") == "b: 1\n  c: 2");
  CHECK(spelled("a:\nb: 1") == "a");
  CHECK(spelled("a: null\nb: 1") == "null");
  CHECK(spelled("a: ~") == "~");
  CHECK(spelled("a:\nnull: 1") == "a");
  CHECK(spelled("a: \"\"") == "\"\"");
  CHECK(spelled("\xEF\xBB\xBF"
                "a: x\r\nb: y") == "x");
}

TEST_CASE("bytes of a decoded scalar are found in the source, in every style") {
  CHECK(located("a: x needle y", "needle") == "1:6 needle");
  CHECK(located("a: \"é needle\"", "needle") == "1:7 needle");
  CHECK(located("a: \"\\u00e9\\t\\\"needle\\\" z\"", "needle") == "1:15 needle");
  CHECK(located("a: 'it''s needle'", "needle") == "1:11 needle");
  CHECK(located("a: \"x\n   needle\"", "needle") == "2:4 needle");
  CHECK(located("a: \"x \\\n   needle\"", "needle") == "2:4 needle");
  CHECK(located("a: |\n  one\n    needle\n", "needle") == "3:5 needle");
  CHECK(located("a: |2-\r\n  one\r\n\r\n  two needle\r\n", "needle") == "4:7 needle");
  CHECK(located("a: >\n  one\n  needle\n\n  two\n", "needle") == "3:3 needle");
  CHECK(located("a: >\n  one\n  needle\n\n  two\n", "two") == "5:3 two");
  CHECK(located("b: [{c: \"日本\"}]\r\na: \"日本 needle\"\r\n", "needle") == "2:8 needle");
  CHECK(located("a: one\n  needle two", "needle") == "2:3 needle");
  CHECK(located("a: \"caf\\xe9 needle\"", "é") == "1:8 \\xe9");
}

TEST_CASE("what YAML readers accept in silence is a finding with a place") {
  CHECK(finding("a: 1\nb: 2\na: 3\n") == "3:1 duplicate-key");
  CHECK(finding("a: &x 1\nb: *x\n") == "1:4 yaml-anchor, 2:4 yaml-alias");
  CHECK(finding("a: *.txt\n") == "1:4 yaml-syntax");
  CHECK(finding("a: {<<: {b: 1}}\n") == "1:5 yaml-merge-key");
  CHECK(finding("a: !done x\n") == "1:4 yaml-tag");
  CHECK(finding("a:\n  - !foo && b\n") == "2:5 yaml-tag");
  CHECK(finding("a: 1\n---\nb: 2\n") == "2:1 several-documents");
  CHECK(finding("a: 1\n...\n").empty());
  CHECK(finding("---\na: 1\n").empty());
  CHECK(finding("a: \"xyz\nb: 1\n") == "1:4 unterminated-quote");
  CHECK(finding("a: 'xyz") == "1:4 unterminated-quote");
  CHECK(finding("") == "1:1 empty-file");
  CHECK(finding("# nothing\n") == "1:1 empty-file");
  CHECK(finding("~\n") == "1:1 empty-file");
  CHECK(finding(std::string("a: \0b\n", 6)) == "1:4 control-character");
  CHECK(finding("a: \xC3\x28\n") == "1:4 not-utf8");
  CHECK(finding("a:\n\tb: 1\n") == "2:1 yaml-tab");
  CHECK(finding("a: 1\n\tb: c\n") == "2:1 yaml-tab");
  CHECK(finding("a: {{ x }}\nb: 1\n") == "1:4 unquoted-expression");
  CHECK(finding("a: {{ x }} y\n") == "1:4 unquoted-expression");
  CHECK(finding("a: {b: ${{ x }}, c: 1}\n") == "1:8 unquoted-expression");
  CHECK(finding("a: ${{ x }}\n").empty());
  CHECK(finding("name:foo\nb: 1\n") == "1:1 yaml-syntax");
  CHECK(finding("[a] b\n") == "1:5 yaml-syntax");
  CHECK(finding("? [a]\n: b\n") == "1:3 bad-key");
  CHECK(finding("a: \"\\q\"\n") == "1:5 yaml-syntax");
  CHECK(finding("a: \"\\u12\"\n") == "1:7 yaml-syntax");
  CHECK(finding("a: \"\\ud800\"\n") == "1:7 yaml-syntax");
  CHECK(finding("a: - b\n") == "1:4 yaml-syntax");
  CHECK(finding("a: ! x\n") == "1:4 yaml-tag");  // the `!` would be lost without a word
  CHECK(finding("a: [x, !y]\n") == "1:8 yaml-tag");
  CHECK(finding("a: !e!foo x\n") == "1:4 yaml-tag");
  CHECK(finding("a: !{{ x }}\n") == "1:4 yaml-tag");
  CHECK(finding("a: &&x\n") == "1:4 yaml-syntax");
  CHECK(finding("a: [x, , y]\n") == "1:8 yaml-syntax");
  CHECK(finding(": x\n") == "1:1 bad-key");
  CHECK(finding("a:\n- b\nc\n") == "3:1 yaml-syntax");
  CHECK(finding("a: @x\n") == "1:4 yaml-syntax");
  CHECK(finding("a: \"x\n---\nb\"\n") == "1:4 unterminated-quote");
  CHECK(finding("a: x\u0085y\n") == "1:5 control-character");
  CHECK(finding("a: x\u2028y\n") == "1:5 control-character");
  CHECK(finding("a: x\uFEFFy\n") == "1:5 control-character");
  CHECK(finding("a: x\u009By\n") == "1:5 control-character");
  CHECK(finding("a: \u00A0\u00E9\u20AC\n").empty());
}

TEST_CASE("sizes are bounded") {
  CHECK(finding(std::string(kLargestFile + 1, ' ')) == "1:1 too-large");
  std::string deep = "a: ";
  for (std::size_t i = 0; i < kDeepest; ++i) deep += '[';
  for (std::size_t i = 0; i < kDeepest; ++i) deep += ']';
  CHECK(finding(deep) == "1:35 too-deep");
  CHECK(finding(std::string(1'000'000, '[')).ends_with("too-deep"));
  std::string ok = "a: " + std::string(kDeepest - 1, '[') + std::string(kDeepest - 1, ']') + "\n";
  CHECK(finding(ok).empty());
  // One line of a mebibyte takes no longer than many lines of it.
  CHECK(finding("[" + std::string(1'000'000, '{')) == "1:2 unquoted-expression");
  std::string line = "{";
  for (int i = 0; i < 60'000; ++i) line += "\u00e9" + std::to_string(i) + ": [\u00fc], ";
  CHECK(finding(line + "\u00e97: 1}") == "1:" + std::to_string(base::utf8_length(line) + 1) + " duplicate-key");
  std::string many = "[";
  for (std::size_t i = 0; i < kMostNodes + 5; ++i) many += "a,";
  CHECK(finding(many + "]") == "1:" + std::to_string(2 * kMostNodes) + " too-many-nodes");
  std::string keys;
  for (int i = 0; i < 50'000; ++i) keys += "k" + std::to_string(i) + ": 1\n";
  CHECK(finding(keys + "k7: 2\n") == "50001:1 duplicate-key");
}

TEST_CASE("plain scalars mean what YAML 1.2 says and nothing else") {
  CHECK(std::get<bool>(meaning("true")));
  CHECK(std::get<std::int64_t>(meaning("-12")) == -12);
  CHECK(std::get<std::int64_t>(meaning("0x1F")) == 31);
  CHECK(std::get<std::int64_t>(meaning("0o17")) == 15);
  CHECK(std::get<std::int64_t>(meaning("-9223372036854775808")) == std::numeric_limits<std::int64_t>::min());
  CHECK(std::get<double>(meaning("1e3")) == 1000.0);
  CHECK(std::get<double>(meaning(".5")) == 0.5);
  for (const char* text :
       {"no", "yes", "on", "1_000", "1:30", "x", "0x", "1e", "-", "+", ".", "$0.50", "1.2.3", "0xZZ"}) {
    CAPTURE(text);
    CHECK(std::holds_alternative<Text>(meaning(text)));
  }
  for (const char* text : {"0755", ".nan", "-.inf", "9223372036854775808", "1e999", "0xFFFFFFFFFFFFFFFFF"}) {
    CAPTURE(text);
    CHECK(std::holds_alternative<Unfit>(meaning(text)));
  }
  for (const char* text : {"~", "null", ""}) CHECK(std::holds_alternative<NullWord>(meaning(text)));
  for (const char* text : {"no", "Yes", "OFF", "0755", "1_000", "1:30"}) CHECK_FALSE(trap(text).empty());
  for (const char* text : {"", "none", "7", "10.0.0.1", "x_1", "2026-01-01"}) CHECK(trap(text).empty());
}

TEST_CASE("findings are drawn with carets under the exact characters") {
  const auto file = std::make_shared<const File>("s.yaml", "a: 1\nb: \"日本 x\"\n");
  Diagnostics diagnostics;
  const std::size_t at = file->text().find('x');
  diagnostics.error(file, {at, at + 1}, "wrong-type", "wrong", "do this");
  diagnostics.warning(file, {0, 1}, "unused-input", "odd");
  CHECK(to_text(diagnostics) ==
        "s.yaml:1:1: warning: odd [unused-input]\n"
        "    1 | a: 1\n"
        "      | ^\n"
        "s.yaml:2:8: error: wrong [wrong-type]\n"
        "    2 | b: \"日本 x\"\n"
        "      |          ^ do this\n");
  CHECK(to_github(diagnostics)
            .find("::error file=s.yaml,line=2,col=8,endLine=2,endColumn=9,title=wrong-type::wrong: do this\n") !=
        std::string::npos);
  CHECK(to_json(diagnostics).find("\"end_column\": 9") != std::string::npos);
  CHECK(diagnostics.errors() == 1);
}

TEST_CASE("findings in a long line are drawn with what stands near them, however long the line is") {
  const std::string before(50'000, 'a');
  std::string wide;
  for (int i = 0; i < 3'000; ++i) wide += "\u65e5";
  for (const std::string& filler : {before, wide}) {
    const auto file = std::make_shared<const File>("s.yaml", filler + " x " + filler + "\n");
    const std::size_t at = file->text().find('x');
    const std::size_t column = file->place(at).column;
    CHECK(column == (filler == wide ? 3'002 : 50'002));
    Diagnostics diagnostics;
    diagnostics.error(file, {at, at + 1}, "wrong-type", "wrong", "do this");
    const std::string text = to_text(diagnostics);
    const std::size_t line = text.find("| ...") + 2;
    const std::size_t caret = text.find('^') - (text.rfind('\n', text.find('^')) + 1);
    // 59 characters and a space stand before it, of one cell or two each.
    CHECK(text.substr(line + 3).find(" x ") == (filler == wide ? 59 * 3 : 59));
    CHECK(caret == 8 + 3 + (filler == wide ? 59 * 2 : 59) + 1);
    CHECK(text.find("...\n") != std::string::npos);
  }
}

TEST_CASE("findings beyond ten thousand are counted only") {
  const auto file = std::make_shared<const File>("s.yaml", "a: 1\n");
  Diagnostics all;
  for (std::size_t i = 0; i < Diagnostics::kMost + 5; ++i)
    all.error(file, {0, 1}, "wrong-type", "number " + std::to_string(i));
  all.warning(file, {0, 1}, "unused-input", "one more");
  CHECK(all.errors() == Diagnostics::kMost + 5);
  CHECK(all.warnings() == 1);
  CHECK(all.sorted().size() == Diagnostics::kMost);
  Diagnostics sum;
  sum.append(all);
  sum.append(all);
  CHECK(sum.errors() == 2 * (Diagnostics::kMost + 5));
  CHECK(to_text(sum).ends_with("and 10012 findings more\n"));
}

TEST_CASE("the carets stand under the characters, however wide a terminal draws them") {
  // The caret line of a finding about `x`, from the margin on.
  const auto carets = [](const std::string& line, const std::string& part) {
    const auto file = std::make_shared<const File>("s.yaml", line + "\n");
    Diagnostics diagnostics;
    const std::size_t at = line.find(part);
    diagnostics.error(file, {at, at + part.size()}, "wrong-type", "wrong");
    const std::string text = to_text(diagnostics);
    const std::size_t second = text.rfind("| ", text.size() - 1);
    return text.substr(second + 2, text.size() - second - 3);
  };
  CHECK(carets("a: x", "x") == "   ^");
  CHECK(carets("a: \u65e5\u672c x", "x") == "        ^");  // two ideographs
  CHECK(carets("a: \u65e5\u672c x", "\u65e5\u672c") == "   ^^^^");
  CHECK(carets("a: \U0001F600 x", "x") == "      ^");           // an emoji
  CHECK(carets("a: \u2705 x", "x") == "      ^");               // an old one
  CHECK(carets("a: e\u0301 x", "x") == "     ^");               // a letter and an accent
  CHECK(carets("a: \u0E01\u0E33\u0E38 x", "x") == "      ^");   // Thai: two letters, one vowel below
  CHECK(carets("a: \u1112\u1161\u11ab x", "x") == "      ^");   // Hangul in letters: one syllable
  CHECK(carets("a: \uFF21 x", "x") == "      ^");               // a fullwidth letter
  CHECK(carets("a: \uFF71 x", "x") == "     ^");                // a halfwidth one
  CHECK(carets("a: \u00FC\u03B1\u0436 x", "x") == "       ^");  // European letters
  CHECK(carets("a: \u200B\u2060x", "x") == "   ^");             // invisible
  CHECK(carets("a: \U00020000 x", "x") == "      ^");           // a rare ideograph
  // The place counts characters all the same.
  const auto file = std::make_shared<const File>("s.yaml", "a: \U0001F600 x\n");
  CHECK(file->place(file->text().find('x')).column == 6);
}

TEST_CASE("what would disturb a terminal is not sent to it") {
  const auto file = std::make_shared<const File>("s.yaml", "a: \u009B31m\u202Etxt\u2028 x\n");
  Diagnostics diagnostics;
  const std::size_t at = file->text().find('x', file->text().size() - 3);
  diagnostics.error(file, {at, at + 1}, "wrong-type", "wrong");
  CHECK(to_text(diagnostics).ends_with("    1 | a: ?31m?txt? x\n      |              ^\n"));
}

TEST_CASE("a bracket that is never closed is blamed itself, not what follows it") {
  const auto said = [](const std::string& text) { return to_text(read(text).diagnostics); };
  CHECK(said("a:\n  - uses: x\n    with: {offer: 1\n  - uses: y\n    with: {offer: 2}\n") ==
        "x.yaml:3:11: error: this `{` is never closed [unclosed-bracket]\n"
        "    3 |     with: {offer: 1\n"
        "      |           ^ close it with `}`; line 4 does not fit into it\n");
  CHECK(said("a: {b: [1, 2}\nc: 3\n") ==
        "x.yaml:1:8: error: this `[` is never closed [unclosed-bracket]\n"
        "    1 | a: {b: [1, 2}\n"
        "      |        ^ close it with `]`\n");
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"a: {b: 1", "1:4 unclosed-bracket"},
      {"a: {b: 1\n", "1:4 unclosed-bracket"},
      {"a: [1, 2\n", "1:4 unclosed-bracket"},
      {"a: {b: 1\nc: 2\n", "1:4 unclosed-bracket"},
      {"a: [1, 2\nc: 2\n", "1:4 unclosed-bracket"},
      {"a: {b: [1, 2\n", "1:8 unclosed-bracket"},
      {"a: {b: [1, 2\nc: {d: [3}\n", "2:8 unclosed-bracket"},
      {"a: {b: 1]\nc: 2\n", "1:4 unclosed-bracket"},
      {"a: {b: \"}\"\nc: '}'\nd: it's # }\n", "1:4 unclosed-bracket"},
      {"a: {b: it's\nc: 2\n", "1:4 unclosed-bracket"},
      {"\xEF\xBB\xBF"
       "a: {b: \xE6\x97\xA5\nc: 2\n",
       "1:4 unclosed-bracket"},
      {"a:\r\n  - {b: 1\r\n  - {c: 1}\r\n", "2:5 unclosed-bracket"},
      {"a: [\n  1,\n  {b: 2,\n   c: 3\n]\n", "3:3 unclosed-bracket"},
      // Closed: something else is wrong.
      {"a: {b: 1 c: 2}\n", "1:11 yaml-syntax"},
      {"a: [b] c\n", "1:8 yaml-syntax"},
      {"a: ]\n", "1:4 yaml-syntax"},
      {"a: {b: \"x\n", "1:8 unterminated-quote"},
      {"a: [\"b\nc: d\ne: [\"f\"]\n", "1:5 unterminated-quote"},  // closed by the quote that should open the next text
      {"a: ['b' c]\n", "1:9 yaml-syntax"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.first);
    CHECK(finding(row.first) == row.second);
  }
}
