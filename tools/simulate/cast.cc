#include "tools/simulate/cast.h"

#include <filesystem>

#include "steps/all/all.h"

namespace failover::simulate {

Cast::Cast(const Play& play, unsigned number) : play_(play) {
  const auto folder = play.inputs.find(play.folder);
  if (const auto* above = folder == play.inputs.end() ? nullptr : folder->second.text()) {
    folder_ = *above + "/failover-simulated-" + std::to_string(number);
    std::error_code ignored;
    std::filesystem::create_directories(folder_, ignored);
  }
  services_.settings.vast_url = kVastUrl;
  services_.settings.b2_endpoint = kB2Url;
  registry_ = steps::all(services_);
  if (play_.sabotage.steps) play_.sabotage.steps(registry_);
  source::Diagnostics diagnostics;
  plan_ = plan::bind(play_.scenario, registry_, diagnostics);
}

Cast::~Cast() {
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

}  // namespace failover::simulate
