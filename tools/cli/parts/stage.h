// Where journeys play: the sandbox that this process starts, or the providers that the operator's environment names.
#pragma once

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/error.h"
#include "tools/cli/parts/company.h"
#include "tools/cli/parts/settings.h"
#include "tools/sandbox/sandbox.h"

namespace failover::cli {

struct StageOptions {
  bool live = false;
  bool typical_pace = false;        // sandbox only
  std::vector<std::string> faults;  // sandbox only: `name` or `name:count`
};

// One per process; journeys share it.
class Stage {
 public:
  // Error{invalid}: a fault that the sandbox does not know; else why the sandbox did not start.
  static base::Result<std::unique_ptr<Stage>> set(const Environment& caller, const StageOptions& options,
                                                  base::Clock& clock);

  [[nodiscard]] const std::string& target() const { return target_; }  // `sandbox`, `live`, `other`
  // What holds the sandbox's commands: `jailed`, `portable`; empty when nothing is simulated.
  [[nodiscard]] const std::string& view() const { return view_; }
  // The caller's variables; in the sandbox its own hide the caller's of the same name.
  [[nodiscard]] const Environment& environment() const { return environment_; }
  // Where journeys take turns at the stage's accounts: with all processes of this machine, in the sandbox with this
  // process's own. Empty: nowhere.
  [[nodiscard]] std::filesystem::path turns() const;
  // Of `names`, those that are not set.
  [[nodiscard]] std::vector<std::string> missing(const std::vector<std::string>& names) const;

 private:
  std::unique_ptr<sandbox::Sandbox> sandbox_;
  std::string target_;
  std::string view_;
  Environment environment_;
};

// The real clients. `declared`: the names that the scenario may see. `turns`: the folder of the turns that are
// taken with others who may rent on the same account at this moment; empty: there are none.
base::Result<Company> hire(const Environment& environment, const std::vector<std::string>& declared,
                           const std::filesystem::path& turns = {});

// Are all endpoints that are set on loopback?
bool all_loopback(const client::Settings& settings);
// FAILOVER_SETTLE, honoured only when every endpoint is on loopback.
std::optional<base::Duration> settle_of(const Environment& environment, const client::Settings& settings);

}  // namespace failover::cli
