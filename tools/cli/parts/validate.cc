#include <atomic>
#include <memory>
#include <optional>
#include <thread>

#include "engine/source/diagnostic.h"
#include "tools/cli/parts/catalogue.h"
#include "tools/cli/parts/commands.h"
#include "tools/cli/parts/company.h"
#include "tools/cli/parts/heap.h"
#include "tools/cli/parts/output.h"

namespace failover::cli {
namespace {

std::string counted(std::size_t number, const char* what) {
  return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

constexpr std::size_t kHeapPerByte = 45;  // of a scenario's file, measured

struct Checked {
  Loaded loaded;
  std::optional<plan::Plan> plan;
};

// What is wrong with each file; unreadable ones are complained about. All cores take part: files do not know each
// other.
source::Diagnostics look(const std::vector<std::filesystem::path>& paths, const plugin::Registry& registry, int& code) {
  struct Seen {
    source::Diagnostics diagnostics;
    std::optional<base::Error> error;
  };
  std::vector<Seen> seen(paths.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    std::unique_ptr<Checked> last;
    for (std::size_t i = next++; i < paths.size(); i = next++) {
      std::error_code unknown;
      const auto bytes = std::filesystem::file_size(paths[i], unknown);
      expect_heap(unknown ? 0 : bytes * kHeapPerByte);
      last.reset();
      if (auto loaded = load(paths[i], seen[i].diagnostics)) {
        last = std::make_unique<Checked>();
        last->loaded = *std::move(loaded);
        last->plan = check(last->loaded, registry, seen[i].diagnostics);
      } else {
        seen[i].error = std::move(loaded).error();
      }
    }
    if (last) until_the_end(last.release());
  };
  {
    std::vector<std::jthread> helpers;
    const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
    for (std::size_t i = 1; i < std::min(cores, paths.size()); ++i) helpers.emplace_back(work);
    work();
  }
  source::Diagnostics all;
  for (const auto& one : seen) {
    all.append(one.diagnostics);
    if (one.error) code = complain(*one.error, usage);
  }
  return all;
}

}  // namespace

int validate(const ValidateOptions& options, const Environment& environment) {
  const Company company = rehearse();
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
  const source::Diagnostics diagnostics = look(paths, company.registry, code);
  if (options.format == "json") {
    say(source::to_json(diagnostics));
  } else if (options.format == "github") {
    say(source::to_github(diagnostics));
  } else if (options.format == "sarif") {
    say(source::to_sarif(diagnostics, FAILOVER_VERSION));
  } else {
    say(source::to_text(diagnostics));
    if (diagnostics.empty() && code == passed) {
      say_line(counted(paths.size(), "scenario") + ", no mistakes");
    } else if (!diagnostics.empty()) {
      note(counted(diagnostics.errors(), "error") + ", " + counted(diagnostics.warnings(), "warning") +
           "; `failover explain " + diagnostics.sorted().front().code + "` says more about the first");
    }
  }
  return diagnostics.errors() > 0 ? static_cast<int>(usage) : code;
}

}  // namespace failover::cli
