// What belongs to somebody else on the account: whatever becomes of it is seen, and the program leaves it alone.
#include "tools/simulate/foreign.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "engine/base/text.h"
#include "engine/run/label.h"
#include "tools/simulate/turns.h"

using namespace failover;  // NOLINT(google-build-using-namespace)
using simulate::Foreign;
using simulate::Turns;

namespace {

constexpr const char* kRun = "20260101T000000Z-s1mu1at10n";

struct Scene {
  Turns clock{base::WallTime(std::chrono::seconds(1'767'225'600)), 1};
  sandbox::World world{{}, clock};
  Foreign foreign{world};

  explicit Scene(bool crowded = false) { foreign.plant(kRun, crowded); }
  sandbox::Bucket& bucket() { return world.store.buckets.begin()->second; }
  // The first thing that is not as it was; empty: all is.
  std::string touched() {
    const auto lock = world.enter();
    const auto all = foreign.touched();
    return all.empty() ? std::string() : all.front();
  }
  sandbox::Instance& machine(const std::string& label) {
    const auto at = std::find_if(world.instances.begin(), world.instances.end(),
                                 [&](const auto& one) { return one.second.label == label; });
    REQUIRE(at != world.instances.end());
    return at->second;
  }
};

}  // namespace

TEST_CASE("a foreign machine may not be destroyed, stopped, started anew or named anew, nor lose a key") {
  CHECK(Scene(true).world.instances.size() == 30);
  Scene scene;
  CHECK(scene.world.instances.size() == 4);
  CHECK(scene.touched() == "");
  scene.clock.advance(std::chrono::hours(2));
  CHECK(scene.touched() == "");
  auto& machine = scene.machine("old, delete");
  SUBCASE("destroyed") {
    scene.world.destroy(machine);
    CHECK(base::contains(scene.touched(), "was destroyed"));
  }
  SUBCASE("stopped") {
    scene.world.halt(machine);
    CHECK(base::contains(scene.touched(), "was stopped"));
  }
  SUBCASE("started anew") {
    scene.world.boot(machine, sandbox::Instance::Boot::reboot);
    CHECK(base::contains(scene.touched(), "was started anew"));
  }
  SUBCASE("named anew") {
    machine.label = "failover-mine";
    CHECK(base::contains(scene.touched(), "got another label: failover-mine"));
  }
  SUBCASE("a key of it") {
    const auto lent = scene.foreign.lend(1);
    REQUIRE(lent.size() == 1);
    CHECK(scene.touched() == "");
    auto& keys = scene.world.find(lent.front())->keys;
    REQUIRE_FALSE(keys.empty());
    CHECK(scene.foreign.is_key_on(lent.front(), keys.front().id));
    keys.erase(keys.begin());
    CHECK(base::contains(scene.touched(), "has lost a key"));
  }
}

TEST_CASE("where the account's credit has ended the service itself stops them all") {
  Scene scene;
  scene.world.account.credit_at_start = 0;
  scene.clock.advance(std::chrono::minutes(1));
  CHECK(scene.touched() == "");
  CHECK(scene.machine("old, delete").halted);
}

TEST_CASE("each foreign key stays, also one that looks like ours") {
  const std::size_t count = Scene().world.account.ssh_keys.size();
  CHECK(count == 3);
  for (std::size_t i = 0; i < count; ++i) {
    Scene scene;
    auto& keys = scene.world.account.ssh_keys;
    keys.erase(keys.begin() + static_cast<std::ptrdiff_t>(i));
    CHECK(base::contains(scene.touched(), "is gone"));
  }
}

TEST_CASE("a foreign object keeps each of its versions and is not hidden; a foreign upload goes on") {
  Scene scene;
  const std::string key = "snapshots/not-ours/manifest.json";
  auto& versions = scene.bucket().keys.at(key);
  REQUIRE(versions.size() == 2);
  SUBCASE("one of several versions") {
    versions.erase(versions.begin());
    CHECK(scene.touched() == "of the foreign object " + key + " there are 1 versions, of 2");
  }
  SUBCASE("all of it") {
    scene.bucket().keys.erase(key);
    CHECK(scene.touched() == "of the foreign object " + key + " there are 0 versions, of 2");
  }
  SUBCASE("hidden") {
    sandbox::Version marker;
    marker.id = "marker";
    marker.marker = true;
    versions.push_back(marker);
    CHECK(scene.touched() == "the foreign object " + key + " is hidden");
  }
  SUBCASE("an upload") {
    REQUIRE(scene.bucket().uploads.size() == 3);
    scene.bucket().uploads.erase(scene.bucket().uploads.begin());
    CHECK(base::contains(scene.touched(), "the foreign unfinished upload of "));
  }
}

// Else the engine would be right to take it.
TEST_CASE("nothing that is planted is signed by the account's key and past its deadline") {
  Scene scene(true);
  const base::Secret key(scene.world.account.api_key);
  const auto now = scene.clock.wall() + std::chrono::hours(24 * 7);
  int looks_ours = 0;
  int in_time = 0;
  const auto judge = [&](const std::string& name) {
    looks_ours += run::looks_ours(name) ? 1 : 0;
    const auto label = run::verify_label(name, key);
    in_time += label ? 1 : 0;
    CHECK((!label || label->deadline > now));
  };
  for (const auto& [id, instance] : scene.world.instances) judge(instance.label);
  for (const auto& one : scene.world.account.ssh_keys) judge(one.text.substr(one.text.rfind(' ') + 1));
  CHECK(looks_ours == 4);
  CHECK(in_time == 2);
}
