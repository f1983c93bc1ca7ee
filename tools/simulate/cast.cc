#include "tools/simulate/cast.h"

#include "steps/all/all.h"

namespace failover::simulate {

Cast::Cast(const Play& play) : play_(play) {
  services_.settings.vast_url = kVastUrl;
  services_.settings.b2_endpoint = kB2Url;
  registry_ = steps::all(services_);
  if (play_.sabotage.steps) play_.sabotage.steps(registry_);
  source::Diagnostics diagnostics;
  plan_ = plan::bind(play_.scenario, registry_, diagnostics);
}

}  // namespace failover::simulate
