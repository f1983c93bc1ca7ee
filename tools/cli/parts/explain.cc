#include "engine/base/text.h"
#include "engine/plan/example.h"
#include "tools/cli/parts/commands.h"
#include "tools/cli/parts/company.h"
#include "tools/cli/parts/output.h"

namespace failover::cli {

int explain(const std::string& code, const std::string& format) {
  const Company company = rehearse();
  const auto said = [&](const source::Rule& rule) {
    return source::to_text(plan::findings(rule, rule.bad, company.registry));
  };
  if (!code.empty()) {
    const source::Rule* rule = source::find_rule(code);
    if (rule == nullptr) {
      std::vector<std::string> known;
      for (const auto name : source::kCodes) known.emplace_back(name);
      const auto near = base::nearest(code, known);
      return complain("no finding has the code `" + base::printable(code, 80) + "`",
                      near ? "did you mean `" + *near + "`?" : "`failover explain` lists them", usage);
    }
    say(format == "json"       ? source::rule_to_json(*rule, said(*rule))
        : format == "markdown" ? source::rule_to_markdown(*rule, said(*rule), 1)
                               : source::rule_to_text(*rule, said(*rule)));
    return passed;
  }
  if (format == "text") {
    say(source::rules_to_text(source::rules()));
    return passed;
  }
  std::vector<source::Said> all;
  for (const auto& rule : source::rules()) all.push_back(said(rule));
  say(format == "json" ? source::rules_to_json(source::rules(), all) : source::rules_to_markdown(source::rules(), all));
  return passed;
}

}  // namespace failover::cli
