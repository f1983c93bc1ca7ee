// The S3 client and the B2 steps before the sandbox's door, under a clock of the test's own.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "engine/base/digest.h"
#include "steps/b2/b2.h"
#include "tests/client/fake_host.h"
#include "tests/providers/door_http.h"
#include "tools/sandbox/b2/door.h"

namespace failover::testing {

using base::Value;
using namespace std::chrono_literals;

inline constexpr const char* kBucket = "failover-sandbox";

struct B2World {
  std::filesystem::path folder = std::filesystem::temp_directory_path() / ("failover-b2-" + base::random_id(10));
  base::FakeClock clock{*base::parse_utc("2026-01-02T03:04:05Z")};
  sandbox::World world{{}, clock};
  DoorHttp http{sandbox::handle_b2, world};
  FakeHost host{};
  std::stop_source stop{};
  client::Services services{};
  std::vector<plugin::StepType> steps{};
  std::vector<plugin::Kind> kinds{};

  B2World() {
    std::filesystem::create_directories(folder);
    services.settings.b2_region = world.store.region;
    services.b2 = client::make_s3(account(), http);
    steps = steps::b2_steps(services);
    kinds = steps::b2_kinds(services);
  }
  ~B2World() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  B2World(const B2World&) = delete;
  B2World& operator=(const B2World&) = delete;

  client::S3Account account() {
    return {"http://127.0.0.1:4711", world.store.region, world.store.key_id, base::Secret(world.store.application_key)};
  }
  [[nodiscard]] plugin::Context context(base::Duration limit = 10min) {
    return {host, base::Patience(clock, clock.now() + limit, stop.get_token())};
  }
  client::S3& s3() { return *services.b2; }
  void arm(const std::string& fault) {
    const auto lock = world.enter();
    const auto armed = world.faults.arm(fault);
    REQUIRE(armed.ok());
  }
  sandbox::Meter meter() {
    const auto lock = world.enter();
    return world.meter();
  }
  base::Result<Value> run(const std::string& step, Value::Map with) {
    const auto found = std::find_if(steps.begin(), steps.end(), [&](const auto& type) { return type.name == step; });
    REQUIRE(found != steps.end());
    return found->run(Value(std::move(with)), context(found->timeout));
  }
  base::Result<client::Object> put(const std::string& key, const std::string& body, const std::string& label = "") {
    client::Upload upload;
    upload.bucket = kBucket;
    upload.key = key;
    upload.body = body;
    upload.label = label;
    return s3().put(upload, context());
  }
  base::Result<std::string> get(const std::string& key) {
    auto got = s3().get(kBucket, key, "", 1 << 20, context());
    if (!got) return std::move(got).error();
    return std::move(got->body);
  }
  // Takes back what was held first, as the ledger asks where a write of it was never answered.
  bool undo_first() {
    const auto record = host.records().at(0);
    plugin::Held held{record.intent.kind, record.name, record.made.id, true, clock.wall(), record.intent.attributes};
    for (const auto& [key, value] : record.made.attributes) held.attributes.insert_or_assign(key, value);
    const auto kind = std::find_if(kinds.begin(), kinds.end(), [&](const auto& one) { return one.name == held.kind; });
    return kind->undo(held, context()).ok();
  }
  std::string file(const std::string& name, std::int64_t bytes) {
    const auto path = (folder / name).string();
    std::ofstream out(path, std::ios::binary);
    std::string block(1 << 20, 'x');
    for (std::int64_t done = 0; done < bytes; done += static_cast<std::int64_t>(block.size())) {
      block[0] = static_cast<char>('a' + done / (1 << 20) % 26);
      out.write(block.data(), std::min<std::streamsize>(static_cast<std::streamsize>(bytes - done), 1 << 20));
    }
    return path;
  }
  bool clean_up() {
    bool all = true;
    for (const auto& record : host.records()) {
      if (record.outcome == "refused") continue;
      plugin::Held held{record.intent.kind,          record.name,  record.made.id,
                        record.outcome == "unclear", clock.wall(), record.intent.attributes};
      for (const auto& [key, value] : record.made.attributes) held.attributes.insert_or_assign(key, value);
      for (const auto& kind : kinds) {
        if (kind.name == held.kind) all = kind.undo(held, context()).ok() && all;
      }
    }
    return all;
  }
};

}  // namespace failover::testing
