// Where journeys play: the sandbox that this process starts, or the providers that the operator's environment names.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/error.h"
#include "engine/base/secret.h"
#include "engine/plugin/step.h"
#include "steps/client/services.h"
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
  // Of `names`, those that are not set.
  [[nodiscard]] std::vector<std::string> missing(const std::vector<std::string>& names) const;

 private:
  std::unique_ptr<sandbox::Sandbox> sandbox_;
  std::string target_;
  std::string view_;
  Environment environment_;
};

// The clients of one run and the steps that use them.
struct Company {
  client::Settings settings;
  std::unique_ptr<client::Services> services;
  plugin::Registry registry;
};
// `declared`: the names that the scenario may see.
base::Result<Company> hire(const Environment& environment, const std::vector<std::string>& declared);
// The same step declarations without any provider behind them: for validation and help. Never run them.
Company rehearse();

// Everything in the environment that no sink may show, stdout and stderr among them: the providers' keys, and the
// declared secrets.
void hide_secrets(base::Redactor& redactor, const Environment& environment, const client::Settings& settings,
                  const std::vector<std::string>& secret_names);

}  // namespace failover::cli
