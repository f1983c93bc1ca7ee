#include "engine/source/rules.h"

#include <algorithm>

#include "engine/source/rules_tables.h"
#include "engine/source/tree.h"

namespace failover::source {
namespace {

void replace(std::string& text, std::string_view from, const std::string& to) {
  if (const std::size_t at = text.find(from); at != std::string::npos) text.replace(at, from.size(), to);
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  out.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

}  // namespace

const std::vector<Rule>& rules() {
  static const std::vector<Rule> kAll = [] {
    std::vector<Rule> out;
    for (const auto table :
         {text_rules(), key_rules(), value_rules(), expression_rules(), reference_rules(), journey_rules()}) {
      out.insert(out.end(), table.begin(), table.end());
    }
    std::sort(out.begin(), out.end(), [](const Rule& a, const Rule& b) { return a.code < b.code; });
    return out;
  }();
  return kAll;
}

const Rule* find_rule(std::string_view code) {
  const auto at = std::lower_bound(rules().begin(), rules().end(), code,
                                   [](const Rule& rule, std::string_view wanted) { return rule.code.name() < wanted; });
  return at != rules().end() && at->code == code ? &*at : nullptr;
}

std::string rule_name(Code code) {
  std::string out;
  bool start = true;
  for (const char c : code.name()) {
    if (c == '-') {
      start = true;
    } else {
      out += start && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
      start = false;
    }
  }
  return out;
}

std::map<std::string, std::string> files_of(const Rule& rule, const Example& example) {
  std::map<std::string, std::string> out{{"example.yaml", std::string(example.scenario)}};
  if (!example.fragment.empty()) out.emplace("fragment.yaml", example.fragment);
  if (&example != &rule.bad) return out;
  std::string& text = out["example.yaml"];
  if (rule.code == "too-large") {
    const std::string line(text, 0, text.find('\n') + 1);
    text.insert(0, repeated(line, kLargestFile / line.size() + 1));
  } else if (rule.code == "too-many-nodes") {
    replace(text, "a, a, a", repeated("a,", kMostNodes) + "a");
  } else if (rule.code == "fragments-too-deep") {
    for (int i = 2; i < 9; ++i) {
      const auto name = [](int number) { return "fragment-" + std::to_string(number) + ".yaml"; };
      out.emplace(name(i), "steps:\n  - uses: ./" + name(i + 1) + "\n");
    }
    out.emplace("fragment-9.yaml", "steps:\n  - uses: local.exec\n    with: {command: [date]}\n");
  }
  return out;
}

}  // namespace failover::source
