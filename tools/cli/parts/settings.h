// The operator's side: environment variables, places and what they mean. The only part that reads the environment.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/error.h"
#include "engine/base/secret.h"
#include "steps/client/services.h"

namespace failover::cli {

using Environment = std::map<std::string, std::string>;
// The process's own; values that are not set are absent.
Environment process_environment();

// $FAILOVER_HOME, else $XDG_STATE_HOME/failover, else $HOME/.local/state/failover.
base::Result<std::filesystem::path> home(const Environment& environment);

// Settings of the clients from VAST_API_KEY, VAST_API_URL, B2_ENDPOINT, B2_REGION, B2_KEY_ID, B2_APPLICATION_KEY.
client::Settings settings_from(const Environment& environment);
// `live`: Vast at console.vast.ai and B2 at *.backblazeb2.com; `other`: anything else (command-line.md, report.json).
std::string target_of(const client::Settings& settings);
// Which accounts a journal belongs to, by provider (`vast`, `b2`), without saying their keys: 24 hex each, which nobody
// can make without the key, for one endpoint alone. A provider without a key is not in it.
std::map<std::string, std::string> accounts_of(const client::Settings& settings);
// Whose account holds a kind of resource.
std::string provider_of(std::string_view kind);
base::Secret label_key(const Environment& environment, const client::Settings& settings);

// The variables that steps of these types need, by provider.
std::vector<std::string> needed_variables(const std::vector<std::string>& step_types);
// A hint where such a variable comes from.
std::string origin_of(const std::string& variable);

}  // namespace failover::cli
