#include "tools/cli/parts/stage.h"

#include <algorithm>

#include "steps/all/all.h"
#include "tools/cli/parts/output.h"

namespace failover::cli {

base::Result<std::unique_ptr<Stage>> Stage::set(const Environment& caller, const StageOptions& options,
                                                base::Clock& clock) {
  std::unique_ptr<Stage> stage(new Stage);
  stage->environment_ = caller;
  if (options.live) {
    stage->target_ = target_of(settings_from(caller));
    return stage;
  }
  sandbox::SandboxOptions wanted;
  wanted.pace = options.typical_pace ? sandbox::Pace::typical : sandbox::Pace::quick;
  wanted.faults = options.faults;
  auto started = sandbox::Sandbox::start(std::move(wanted), clock);
  if (!started) return std::move(started).error();
  stage->sandbox_ = *std::move(started);
  stage->target_ = "sandbox";
  stage->view_ = stage->sandbox_->view() == sandbox::View::jailed ? "jailed" : "portable";
  for (const auto& [name, value] : stage->sandbox_->environment()) stage->environment_.insert_or_assign(name, value);
  stage->environment_.erase("FAILOVER_LABEL_KEY");
  return stage;
}

std::vector<std::string> Stage::missing(const std::vector<std::string>& names) const {
  std::vector<std::string> out;
  for (const auto& name : names) {
    const auto at = environment_.find(name);
    const bool set = at != environment_.end() && !at->second.empty();
    if (!set && std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
  }
  return out;
}

base::Result<Company> hire(const Environment& environment, const std::vector<std::string>& declared) {
  Company company;
  company.settings = settings_from(environment);
  for (const auto& name : declared) {
    if (const auto at = environment.find(name); at != environment.end()) {
      company.settings.declared_environment.emplace(name, at->second);
    }
  }
  auto services = client::make_services(company.settings);
  if (!services) return std::move(services).error();
  company.services = *std::move(services);
  company.registry = steps::all(*company.services);
  return company;
}

Company rehearse() {
  Company company;
  company.services = client::declared_services();
  company.registry = steps::all(*company.services);
  return company;
}

void hide_secrets(base::Redactor& redactor, const Environment& environment, const client::Settings& settings,
                  const std::vector<std::string>& secret_names) {
  for (auto* one : {&redactor, &hidden()}) {
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
