#include "tools/cli/parts/catalogue.h"

#include <algorithm>
#include <set>

#include "engine/base/file.h"
#include "engine/base/text.h"
#include "tools/cli/parts/itself.h"

namespace failover::cli {
namespace fs = std::filesystem;

namespace {

bool is_scenario_file(const fs::path& path) { return path.extension() == ".yaml" || path.extension() == ".yml"; }

}  // namespace

std::vector<fs::path> scenario_folders(const Environment& environment) {
  std::vector<fs::path> wanted{"scenarios"};
  if (const auto at = environment.find("FAILOVER_SCENARIOS"); at != environment.end()) {
    for (const auto& part : base::split(at->second, ':')) {
      if (!part.empty()) wanted.emplace_back(part);
    }
  }
  std::error_code error;
  // An installation may have been moved as a whole: beside the program first, then where it was built for.
  if (const auto program = own_file(); !program.empty()) {
    wanted.push_back((program.parent_path() / FAILOVER_SHARE_FROM_BIN / "scenarios").lexically_normal());
  }
  wanted.emplace_back(fs::path(FAILOVER_SHARE) / "scenarios");
  std::vector<fs::path> out;
  std::set<fs::path> seen;
  for (const auto& folder : wanted) {
    const auto real = fs::canonical(folder, error);
    if (!error && fs::is_directory(real, error) && seen.insert(real).second) out.push_back(folder);
  }
  return out;
}

std::vector<fs::path> all_scenarios(const Environment& environment) {
  std::vector<fs::path> out;
  std::set<std::string> names;
  for (const auto& folder : scenario_folders(environment)) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
      if (!entry.is_regular_file(error) || !is_scenario_file(entry.path())) continue;
      if (names.insert(entry.path().stem().string()).second) out.push_back(entry.path());
    }
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.stem() < b.stem(); });
  return out;
}

base::Result<fs::path> find_scenario(const std::string& name, const Environment& environment) {
  std::error_code error;
  if (name.find('/') != std::string::npos || is_scenario_file(name)) {
    if (fs::is_regular_file(name, error)) return fs::path(name);
    return base::Error{base::Fault::not_found, "no_such_scenario", "there is no file " + name, "check the path"};
  }
  std::vector<std::string> known;
  for (const auto& path : all_scenarios(environment)) {
    if (path.stem() == name) return path;
    known.push_back(path.stem().string());
  }
  const auto near = base::nearest(name, known);
  return base::Error{base::Fault::not_found, "no_such_scenario", "no scenario `" + base::printable(name, 80) + "`",
                     (near ? "did you mean `" + *near + "`? " : std::string()) +
                         (known.empty() ? "none were found under scenarios/ or $FAILOVER_SCENARIOS"
                                        : "there are: " + base::join(known))};
}

base::Result<Loaded> load(const fs::path& path, source::Diagnostics& diagnostics) {
  // One byte more than is allowed, so that too large is said with a place like every other mistake.
  auto text = base::read_file(path, source::kLargestFile + 1);
  if (!text && text.error().code == "too_large") text = std::string(source::kLargestFile + 1, ' ');
  if (!text) return std::move(text).error();
  Loaded loaded;
  loaded.path = path;
  const auto file = std::make_shared<const source::File>(path.lexically_normal().string(), *std::move(text));
  if (auto scenario = scenario::load(file, diagnostics)) {
    loaded.scenario = std::make_shared<const scenario::Scenario>(*std::move(scenario));
  }
  return loaded;
}

std::shared_ptr<const scenario::Scenario> read_fragment(const std::string& path, source::Diagnostics& diagnostics,
                                                        std::string& why) {
  // What is shown of a mistake is the file's own text: nothing else on this machine is a fragment.
  if (fs::path(path).extension() != ".yaml" && fs::path(path).extension() != ".yml") {
    why = "`" + base::printable(path, 200) + "` is no fragment: its name ends in neither .yaml nor .yml";
    return nullptr;
  }
  std::error_code problem;
  if (fs::exists(path, problem) && !fs::is_regular_file(path, problem)) {
    why = "`" + base::printable(path, 200) + "` is no regular file";
    return nullptr;
  }
  auto text = base::read_file(path, source::kLargestFile + 1);
  if (!text && text.error().code == "too_large") text = std::string(source::kLargestFile + 1, ' ');
  if (!text) {
    why = "there is no fragment `" + base::printable(path, 200) + "`";
    return nullptr;
  }
  why.clear();
  auto read = scenario::load_fragment(std::make_shared<const source::File>(path, *std::move(text)), diagnostics);
  if (!read) return nullptr;
  return std::make_shared<const scenario::Scenario>(*std::move(read));
}

std::optional<plan::Plan> check(const Loaded& loaded, const plugin::Registry& registry,
                                source::Diagnostics& diagnostics) {
  if (!loaded.scenario) return std::nullopt;
  plan::Plan plan = plan::bind(loaded.scenario, registry, diagnostics, read_fragment);
  const auto inputs = plan::default_inputs(*loaded.scenario);
  if (const auto limits = plan::limits_of(*loaded.scenario, inputs))
    plan::check_money(plan, inputs, *limits, diagnostics);
  return plan;
}

}  // namespace failover::cli
