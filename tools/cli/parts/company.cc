#include "tools/cli/parts/company.h"

#include "steps/all/all.h"
#include "tools/cli/parts/output.h"

namespace failover::cli {

Company rehearse() {
  Company company;
  company.services = client::declared_services();
  company.registry = steps::all(*company.services);
  return company;
}

void hide_secrets(base::Redactor& redactor, const Environment& environment, const client::Settings& settings,
                  const std::vector<std::string>& secret_names) {
  const auto bucket = environment.find("B2_BUCKET");
  for (auto* one : {&redactor, &hidden()}) {
    one->leave("failover-");
    if (bucket != environment.end()) one->leave(bucket->second);
    for (const auto& secret :
         {settings.vast_key, settings.b2_key, base::Secret(settings.b2_key_id), label_key(environment, settings)}) {
      one->add(secret);
    }
    for (const auto& name : secret_names) {
      if (const auto at = environment.find(name); at != environment.end()) one->add(base::Secret(at->second));
    }
  }
}

}  // namespace failover::cli
