// A simulated Vast.ai and the real client and steps on it, on a clock that moves only by waiting.
#pragma once

#include <algorithm>
#include <memory>

#include "steps/client/services.h"
#include "steps/vast/vast.h"
#include "tests/client/fake_host.h"
#include "tests/providers/door_http.h"
#include "tools/sandbox/vast/door.h"

namespace failover::testing {

// Logs in where the world says that a machine listens and knows the key.
class WorldSsh final : public client::Ssh {
 public:
  explicit WorldSsh(sandbox::World& world) : world_(world) {}
  [[nodiscard]] const std::string& public_key() const override { return key_; }
  base::Result<client::Finished> run(const client::Endpoint& at, const client::Command&,
                                     const plugin::Context& context) override {
    ++runs;
    if (auto alive = context.check(); !alive) return std::move(alive).error();
    const auto lock = world_.enter();
    for (const auto& plan : world_.machine_plans()) {
      const std::string machine = "vast:" + std::to_string(plan.id);
      if (at.machine != machine && at.machine != machine + ":proxy") continue;
      if (!plan.listening) break;
      const bool known = std::any_of(plan.keys.begin(), plan.keys.end(),
                                     [&](const std::string& key) { return key.rfind(key_, 0) == 0; });
      if (!known) return base::Error{base::Fault::auth, "denied", "the key is denied", ""};
      client::Finished done;
      done.exit_code = 0;
      done.out = "sh\ncurl\n";
      return done;
    }
    return base::Error{base::Fault::unavailable, "refused", "connection refused", ""};
  }
  void forget(const client::Endpoint&) override { ++forgotten; }
  int runs = 0;
  int forgotten = 0;

 private:
  sandbox::World& world_;
  std::string key_ = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAItest";
};

struct VastWorld {
  base::FakeClock clock{*base::parse_utc("2026-01-02T03:04:05Z")};
  sandbox::World world;
  DoorHttp http;
  FakeHost host{};
  std::stop_source stop{};
  client::Services services{};
  std::vector<plugin::StepType> steps{};
  std::vector<plugin::Kind> kinds{};

  explicit VastWorld(std::uint64_t seed = 7, bool lean = false)
      : world(options(seed, lean), clock), http(sandbox::handle_vast, world) {
    services.settings.vast_url = "http://127.0.0.1:1";
    services.settings.vast_key = base::Secret(world.account.api_key);
    services.ssh = std::make_unique<WorldSsh>(world);
    services.vast = client::make_vast({services.settings.vast_url, services.settings.vast_key}, http, http);
    steps = steps::vast_steps(services);
    kinds = steps::vast_kinds(services);
  }
  static sandbox::WorldOptions options(std::uint64_t seed, bool lean) {
    sandbox::WorldOptions out;
    out.seed = seed;
    out.lean_rows = lean;
    return out;
  }

  [[nodiscard]] plugin::Context context(base::Duration limit = std::chrono::minutes(10)) {
    return {host, base::Patience(clock, clock.now() + limit, stop.get_token())};
  }
  client::Vast& vast() { return *services.vast; }
  void arm(const std::string& fault) {
    const auto lock = world.enter();
    const auto armed = world.faults.arm(fault);
    if (!armed) throw std::runtime_error(armed.error().message);
  }
  sandbox::Meter meter() {
    const auto lock = world.enter();
    return world.meter();
  }
  base::Result<base::Value> run(const std::string& step, base::Value::Map with) {
    const auto found = std::find_if(steps.begin(), steps.end(), [&](const auto& type) { return type.name == step; });
    if (found == steps.end()) throw std::runtime_error("no step " + step);
    return found->run(base::Value(std::move(with)), context(found->timeout));
  }
  // Gives back everything that the host holds, as the cleanup would: false when an undo failed.
  bool clean_up() {
    bool all = true;
    for (const auto& record : host.records()) {
      if (record.outcome == "refused") continue;
      plugin::Held held;
      held.kind = record.intent.kind;
      held.name = record.name;
      held.id = record.made.id;
      held.unclear = record.outcome == "unclear";
      held.attributes = record.intent.attributes;
      for (const auto& kind : kinds) {
        if (kind.name == held.kind) all = kind.undo(held, context()).ok() && all;
      }
    }
    return all;
  }
  // A cheap offer as the search finds it.
  client::Offer offer(const std::string& gpu = "RTX 4090") {
    client::OfferQuery query;
    query.gpu_name = gpu;
    query.max_price = base::Money{1'000'000};
    query.disk = {20'000'000'000};
    auto offers = vast().search(query, context());
    if (!offers || offers->empty()) throw std::runtime_error(offers ? "no offer" : offers.error().line());
    return offers->front();
  }
  client::Order order() { return {offer(), "ubuntu:22.04", {20'000'000'000}, ""}; }
};

inline std::int64_t integer(const base::Value& value, const char* name) {
  const auto* found = value.find(name);
  const auto* number = found == nullptr ? nullptr : found->get<std::int64_t>();
  return number == nullptr ? -1 : *number;
}
inline std::string text(const base::Value& value, const char* name) {
  const auto* found = value.find(name);
  return found == nullptr || found->text() == nullptr ? "" : *found->text();
}

}  // namespace failover::testing
