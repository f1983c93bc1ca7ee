#include "engine/plan/schema.h"

#include <nlohmann/json.hpp>

#include "engine/report/schema.h"
#include "tools/cli/parts/commands.h"
#include "tools/cli/parts/company.h"
#include "tools/cli/parts/output.h"

namespace failover::cli {

int schema(const std::string& which) {
  if (which == "journal") {
    say_line(report::journal_schema().dump(2));
  } else if (which == "report") {
    say_line(report::report_schema().dump(2));
  } else {
    const Company company = rehearse();
    const auto& steps = company.registry;
    say_line((which == "fragment" ? plan::fragment_schema(steps) : plan::scenario_schema(steps)).dump(2));
  }
  return passed;
}

}  // namespace failover::cli
