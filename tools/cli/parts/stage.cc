#include "tools/cli/parts/stage.h"

#include <algorithm>

#include "engine/base/units.h"
#include "steps/all/all.h"

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

std::filesystem::path Stage::turns() const {
  if (sandbox_ != nullptr) return sandbox_->directory() / "turns";
  const auto place = home(environment_);
  return place ? *place / "turns" : std::filesystem::path();
}

base::Result<Company> hire(const Environment& environment, const std::vector<std::string>& declared,
                           const std::filesystem::path& turns) {
  Company company;
  company.settings = settings_from(environment);
  if (!turns.empty()) company.settings.vast_turns = turns / ("vast-" + accounts_of(company.settings)["vast"]);
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

bool all_loopback(const client::Settings& settings) {
  for (const auto& url : {settings.vast_url, settings.b2_endpoint}) {
    if (url.empty()) continue;
    const auto origin = client::parse_origin(url);
    if (!origin || !client::is_loopback(*origin)) return false;
  }
  return true;
}

std::optional<base::Duration> settle_of(const Environment& environment, const client::Settings& settings) {
  const auto at = environment.find("FAILOVER_SETTLE");
  if (at == environment.end() || at->second.empty() || !all_loopback(settings)) return std::nullopt;
  return base::parse_duration(at->second);
}

}  // namespace failover::cli
