#include "engine/report/report.h"

#include <nlohmann/json.hpp>

#include "engine/base/file.h"
#include "engine/report/text.h"
#include "tools/cli/parts/commands.h"
#include "tools/cli/parts/output.h"
#include "tools/cli/parts/record.h"
#include "tools/cli/parts/runs.h"

namespace failover::cli {
namespace {

std::string to_json_text(const report::Folder& folded) {
  return report::to_json(folded.report()).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

base::Result<void> write_report(const std::filesystem::path& folder, const report::Folder& folded) {
  return base::write_file(folder / "report.json", to_json_text(folded), 0600);
}

base::Result<std::filesystem::path> chosen_run(const ReportOptions& options, const Environment& environment) {
  auto place = options.runs_dir.empty() ? home(environment) : base::Result<std::filesystem::path>(options.runs_dir);
  if (!place) return std::move(place).error();
  const auto runs = options.runs_dir.empty() ? *place / "runs" : *place;
  auto id = find_run(runs, options.run);
  if (!id) return std::move(id).error();
  return runs / *id;
}

int report(const ReportOptions& options, const Environment& environment) {
  const auto folder = chosen_run(options, environment);
  if (!folder) return complain(folder.error(), usage);
  const auto reading = event::read_journal(*folder);
  if (!reading) return complain(reading.error(), world_failed);
  report::Folder folded;
  for (const auto& event : reading->events) folded.on(event);
  const Terminal seen = options.output.empty() ? terminal() : Terminal{};
  const std::string text = options.format == "json"
                               ? to_json_text(folded)
                               : report::text(folded.report(), {.color = seen.color, .unicode = seen.unicode});
  if (options.output.empty()) {
    say(text);
    return passed;
  }
  if (auto written = base::write_file(options.output, text); !written) return complain(written.error(), usage);
  return passed;
}

}  // namespace failover::cli
