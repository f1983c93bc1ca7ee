// What every code of a diagnostic means: the declarations behind `failover explain`, schemas/diagnostics.md and the
// rules of SARIF. A test validates every example: the bad one gives a finding with its code, the good one gives none at
// all.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/source/diagnostic.h"

namespace failover::source {

// A scenario, `example.yaml`, with `fragment.yaml` beside it where it uses one.
struct Example {
  std::string_view scenario;
  std::string_view fragment{};
};

struct Rule {
  Code code;
  std::string_view title;  // one sentence, capital and full stop
  std::string_view why;    // one to three sentences: why it matters, what to do
  Example bad;             // of a file too large to print, its beginning
  Example good;            // the same, mended
  Severity severity = Severity::error;
};

// One for each of kCodes, in their order.
const std::vector<Rule>& rules();
// nullptr: there is no such code.
const Rule* find_rule(std::string_view code);
// `UnknownOutput`, as SARIF names rules.
std::string rule_name(Code code);

// The files of one of the rule's examples by name, whole: what is too large to print is made here.
std::map<std::string, std::string> files_of(const Rule& rule, const Example& example);

// --- what a reader sees ---

// What the bad example of a rule gives, as to_text() prints it.
using Said = std::string;

// The page of one code, for a terminal: at most 100 characters wide but for the examples.
std::string rule_to_text(const Rule& rule, const Said& said);
// All codes, one line each.
std::string rules_to_text(std::span<const Rule> all);
// A section that begins with a heading of the given level.
std::string rule_to_markdown(const Rule& rule, const Said& said, int level);
// The page of all codes: a table, then a section each. `said` is as long as `all`.
std::string rules_to_markdown(std::span<const Rule> all, const std::vector<Said>& said);
// `{code, severity, title, why, bad: {file: text}, said, good: {file: text}}`, or an array of them; a newline at the
// end.
std::string rule_to_json(const Rule& rule, const Said& said);
std::string rules_to_json(std::span<const Rule> all, const std::vector<Said>& said);
// The advice and the two examples, without a heading: the help of SARIF.
std::string advice_to_text(const Rule& rule);
std::string advice_to_markdown(const Rule& rule);

}  // namespace failover::source
