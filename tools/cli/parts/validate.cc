#include "engine/source/diagnostic.h"
#include "tools/cli/parts/catalogue.h"
#include "tools/cli/parts/commands.h"
#include "tools/cli/parts/output.h"
#include "tools/cli/parts/stage.h"

namespace failover::cli {

int validate(const ValidateOptions& options, const Environment& environment) {
  auto company = rehearse();
  if (!company) return complain(company.error(), world_failed);
  std::vector<std::filesystem::path> paths;
  int code = passed;
  if (options.what.empty()) {
    paths = all_scenarios(environment);
    if (paths.empty()) {
      return complain("there is nothing to validate", "no scenarios under scenarios/ or $FAILOVER_SCENARIOS", usage);
    }
  }
  for (const auto& name : options.what) {
    auto path = find_scenario(name, environment);
    if (path) {
      paths.push_back(*std::move(path));
    } else {
      code = complain(path.error(), usage);
    }
  }
  source::Diagnostics diagnostics;
  for (const auto& path : paths) {
    if (auto loaded = load(path, diagnostics)) {
      (void)check(*loaded, company->registry, diagnostics);
    } else {
      code = complain(loaded.error(), usage);
    }
  }
  if (options.format == "json") {
    say(source::to_json(diagnostics));
  } else if (options.format == "github") {
    say(source::to_github(diagnostics));
  } else {
    say(source::to_text(diagnostics));
    if (diagnostics.empty() && code == passed) {
      say_line(std::to_string(paths.size()) + (paths.size() == 1 ? " scenario" : " scenarios") + ", no mistakes");
    } else if (!diagnostics.empty()) {
      note(std::to_string(diagnostics.errors()) + " errors, " + std::to_string(diagnostics.warnings()) + " warnings");
    }
  }
  return diagnostics.errors() > 0 ? static_cast<int>(usage) : code;
}

}  // namespace failover::cli
