// The step types of this program, with or without the providers behind them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/base/secret.h"
#include "engine/plugin/registry.h"
#include "steps/client/services.h"
#include "tools/cli/parts/settings.h"

namespace failover::cli {

// The clients of one run and the steps that use them.
struct Company {
  client::Settings settings;
  std::unique_ptr<client::Services> services;
  plugin::Registry registry;
};
// The same step declarations without any provider behind them: for validation and help. Never run them.
Company rehearse();

// Everything in the environment that no sink may show, stdout and stderr among them: the providers' keys, and the
// declared secrets.
void hide_secrets(base::Redactor& redactor, const Environment& environment, const client::Settings& settings,
                  const std::vector<std::string>& secret_names);

}  // namespace failover::cli
