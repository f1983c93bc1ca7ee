// Finding scenarios: a name, or a file.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/plan/plan.h"
#include "engine/plugin/registry.h"
#include "engine/source/diagnostic.h"
#include "tools/cli/parts/settings.h"

namespace failover::cli {

// ./scenarios, then each of $FAILOVER_SCENARIOS (`:` between), then the installed ones; those that exist, once each.
std::vector<std::filesystem::path> scenario_folders(const Environment& environment);
// All scenario files there, by name; a name found in an earlier folder hides later ones. Fragments are left out.
std::vector<std::filesystem::path> all_scenarios(const Environment& environment);
// `realtime-sync`, or a path (with a `/` or ending in .yaml or .yml). Error{not_found} with the nearest name.
base::Result<std::filesystem::path> find_scenario(const std::string& name, const Environment& environment);

struct Loaded {
  std::filesystem::path path;
  std::shared_ptr<const scenario::Scenario> scenario;  // null: not understood at all
};
// Reads and understands one file; what is wrong with it goes to `diagnostics`. Error only when it cannot be read.
base::Result<Loaded> load(const std::filesystem::path& path, source::Diagnostics& diagnostics);
// The plan room's way to fragments: files.
std::shared_ptr<const scenario::Scenario> read_fragment(const std::string& path, source::Diagnostics& diagnostics,
                                                        std::string& why);
// Everything that can be checked offline: steps, types, references, money.
std::optional<plan::Plan> check(const Loaded& loaded, const plugin::Registry& registry,
                                source::Diagnostics& diagnostics);

}  // namespace failover::cli
