#include "tools/sandbox/sandbox.h"

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "engine/base/digest.h"
#include "engine/base/file.h"
#include "engine/base/text.h"
#include "tools/sandbox/b2/door.h"
#include "tools/sandbox/server.h"
#include "tools/sandbox/supervisor.h"
#include "tools/sandbox/vast/door.h"

namespace failover::sandbox {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// Above the latest effect that a fault plays (world/instance.cc: 1.5 s at quick pace, 20 s at typical).
const char* settle_of(Pace pace) { return pace == Pace::quick ? "4s" : "30s"; }

base::Result<fs::path> own_directory(const fs::path& wanted) {
  std::error_code error;
  const fs::path base = wanted.empty() ? fs::temp_directory_path(error) : wanted;
  const fs::path own = wanted.empty() ? base / ("failover-sandbox-" + base::random_id(10)) : base;
  for (const char* part : {"machines", "bodies"}) {
    if (auto made = base::make_directories(own / part); !made) return std::move(made).error();
  }
  return own;
}

Answer json(int status, const Json& body) {
  Answer answer;
  answer.status = status;
  answer.headers["Content-Type"] = "application/json";
  answer.text = body.dump() + "\n";
  return answer;
}

// The oracle's door: what is true, and what shall go wrong. Not part of any provider.
Answer handle_oracle(const Request& request, World& world) {
  const auto lock = world.enter();
  if (request.path() == "/_sandbox/meter" && request.method == "GET") {
    Answer answer = json(200, {});
    answer.text = to_json_text(world.meter());
    return answer;
  }
  if (request.path() == "/_sandbox/faults" && request.method == "GET") {
    Json out = Json::array();
    for (const auto& fault : fault_catalogue()) {
      out.push_back({{"name", fault.name}, {"summary", fault.summary}, {"armed", world.faults.armed(fault.name)}});
    }
    return json(200, out);
  }
  if (request.path() == "/_sandbox/faults" && request.method == "POST") {
    const auto body = Json::parse(request.body.text(), nullptr, false);
    const bool fits = body.is_object() && body.contains("arm") && body["arm"].is_string();
    if (!fits) return json(400, {{"error", "expected {\"arm\": \"name:count\"}"}});
    const auto armed = world.faults.arm(body["arm"].get<std::string>());
    if (!armed) return json(400, {{"error", armed.error().message}, {"hint", armed.error().hint}});
    return json(200, {{"armed", body["arm"]}});
  }
  return json(404, {{"error", "there are /_sandbox/meter and /_sandbox/faults"}});
}

Answer handle_vast_or_oracle(const Request& request, World& world) {
  if (request.target.rfind("/_sandbox/", 0) == 0) return handle_oracle(request, world);
  return handle_vast(request, world);
}

class Providers final : public Sandbox {
 public:
  Providers(const SandboxOptions& options, fs::path directory, base::Clock& clock)
      : options_(options),
        directory_(std::move(directory)),
        view_(probe_view()),
        world_(world_options(), clock),
        clock_(clock) {}
  ~Providers() override { stop(); }

  base::Result<void> begin() {
    for (const auto& fault : options_.faults) {
      const auto lock = world_.enter();
      if (auto armed = world_.faults.arm(fault); !armed) return std::move(armed).error();
    }
    const int base = options_.port_base;
    auto vast = Server::start(
        base, [this](const Request& in) { return handle_vast_or_oracle(in, world_); }, directory_ / "bodies", clock_);
    if (!vast) return std::move(vast).error();
    vast_ = *std::move(vast);
    auto b2 = Server::start(
        base == 0 ? 0 : base + 1, [this](const Request& in) { return handle_b2(in, world_); }, directory_ / "bodies",
        clock_);
    if (!b2) return std::move(b2).error();
    b2_ = *std::move(b2);
    {
      const auto lock = world_.enter();
      world_.vast_url = url(*vast_);
    }
    supervisor_ = std::make_unique<Supervisor>(world_, directory_ / "machines", view_, clock_);
    return {};
  }

  [[nodiscard]] std::map<std::string, std::string> environment() const override { return environment_of(world_); }
  [[nodiscard]] View view() const override { return view_; }
  [[nodiscard]] const fs::path& directory() const override { return directory_; }
  [[nodiscard]] Meter meter() override {
    const auto lock = world_.enter();
    return world_.meter();
  }
  [[nodiscard]] World& world() override { return world_; }

  void stop() override {
    if (vast_ != nullptr) vast_->stop();
    if (b2_ != nullptr) b2_->stop();
    supervisor_.reset();
    std::error_code ignored;
    if (options_.directory.empty()) {
      fs::remove_all(directory_, ignored);
    } else {
      for (const char* part : {"machines", "bodies"}) fs::remove_all(directory_ / part, ignored);
    }
  }

 private:
  [[nodiscard]] WorldOptions world_options() const {
    WorldOptions out;
    out.pace = options_.pace;
    out.seed = options_.seed;
    out.directory = directory_ / "bodies";
    out.strict_pacing = options_.strict_pacing;
    return out;
  }
  static std::string url(const Server& server) { return "http://127.0.0.1:" + std::to_string(server.port()); }
  [[nodiscard]] std::map<std::string, std::string> environment_of(const World& world) const {
    return {{"VAST_API_KEY", world.account.api_key},
            {"VAST_API_URL", url(*vast_)},
            {"B2_ENDPOINT", url(*b2_)},
            {"B2_REGION", world.store.region},
            {"B2_KEY_ID", world.store.key_id},
            {"B2_APPLICATION_KEY", world.store.application_key},
            {"B2_BUCKET", world.store.buckets.begin()->first},
            {"FAILOVER_SETTLE", settle_of(options_.pace)}};
  }

  SandboxOptions options_;
  fs::path directory_;
  View view_;
  World world_;
  base::Clock& clock_;
  std::unique_ptr<Server> vast_;
  std::unique_ptr<Server> b2_;
  std::unique_ptr<Supervisor> supervisor_;
};

}  // namespace

base::Result<std::unique_ptr<Sandbox>> Sandbox::start(const SandboxOptions& options, base::Clock& clock) {
  auto directory = own_directory(options.directory);
  if (!directory) return std::move(directory).error();
  auto providers = std::make_unique<Providers>(options, *directory, clock);
  if (auto begun = providers->begin(); !begun) return std::move(begun).error();
  return std::unique_ptr<Sandbox>(std::move(providers));
}

base::Result<void> Sandbox::write_env_file(const fs::path& path) const {
  std::string text;
  for (const auto& [name, value] : environment()) text += "export " + name + "=" + base::shell_quote(value) + "\n";
  return base::write_file(path, text, 0600);
}

std::string to_json_text(const Meter& meter) {
  Json instances = Json::array();
  for (const auto& one : meter.instances) {
    instances.push_back({{"id", one.id},
                         {"label", one.label},
                         {"status", one.status},
                         {"created", base::format_utc(one.created)},
                         {"destroyed", one.destroyed ? Json(base::format_utc(*one.destroyed)) : Json(nullptr)},
                         {"billed_s", one.billed_s},
                         {"gpu_s", one.gpu_s},
                         {"ssh_keys", one.ssh_keys},
                         {"usd", one.usd}});
  }
  Json keys = Json::array();
  for (const auto& key : meter.ssh_keys) keys.push_back({{"id", key.id}, {"text", key.text}});
  Json objects = Json::array();
  for (const auto& [key, size] : meter.objects) objects.push_back({{"key", key}, {"size", size}});
  const Json out{{"billed_now", meter.billed_now},
                 {"credit_usd", meter.credit_usd},
                 {"instances", std::move(instances)},
                 {"ssh_keys", std::move(keys)},
                 {"objects", std::move(objects)},
                 {"hidden_versions", meter.hidden_versions},
                 {"uploads", meter.uploads},
                 {"requests",
                  {{"vast", meter.vast_requests},
                   {"b2", meter.b2_requests},
                   {"refused_too_frequent", meter.refused_too_frequent}}},
                 {"faults_played", meter.faults_played}};
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace failover::sandbox
