// The last wall: a machine that ends itself, with every other wall absent.
#include "steps/client/vast_timer.h"
#include "tests/families/yard.h"
#include "tests/skipped.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)

namespace {

client::Order order(Yard& yard) {
  client::OfferQuery query;
  query.gpu_name = "RTX 4090";
  query.disk = {10'000'000'000};
  const auto offers = yard.services->vast->search(query, yard.context());
  REQUIRE(offers.ok());
  REQUIRE_FALSE(offers->empty());
  return {offers->front(), "ubuntu:22.04", {10'000'000'000}, ""};
}

// Links to what `names` are on this machine, and nothing else; false where one is not to be had.
bool gather(const fs::path& folder, const std::vector<std::string>& names) {
  fs::create_directories(folder);
  for (const auto& name : names) {
    fs::path found;
    // Of the system: a jail sees no other.
    for (const char* place : {"/usr/bin", "/bin"}) {
      if (found.empty() && fs::exists(fs::path(place) / name)) found = fs::path(place) / name;
    }
    if (found.empty()) return false;
    fs::create_symlink(found, folder / name);
  }
  return true;
}

}  // namespace

TEST_CASE("the timer's three ways, each in a jail with that tool alone") {
  for (const std::string tool : {"curl", "python3", "wget"}) {
    CAPTURE(tool);
    Yard yard;
    // No deadline: the machine that the sandbox itself starts has no timer.
    const auto rented = yard.services->vast->create(order(yard), yard.context());
    REQUIRE_MESSAGE(rented.ok(), (rented.ok() ? std::string() : rented.error().line()));
    sandbox::MachineOptions options;
    options.directory = fs::canonical(yard.folder) / "machine";
    options.view = sandbox::probe_view();
    if (!gather(options.directory / "workspace/bin", {"date", "cat", "sleep", tool})) {
      skipped("the timer by " + tool + ": this system does not have it, or no date, cat or sleep", kOnLinux);
      continue;
    }
    {
      const auto lock = yard.sandbox->world().enter();
      options.environment["CONTAINER_API_KEY"] = yard.sandbox->world().find(rented->id)->api_key;
    }
    options.environment["CONTAINER_ID"] = std::to_string(rented->id);
    options.environment["PATH"] =
        options.view == sandbox::View::jailed ? "/workspace/bin" : (options.directory / "workspace/bin").string();
    options.onstart = client::vast::end_script(yard.services->settings.vast_url, 1s);
    const auto machine = sandbox::Machine::start(options);
    REQUIRE_MESSAGE(machine.ok(), (machine.ok() ? std::string() : machine.error().line()));
    const auto gone = yard.context().poll(500ms, [&]() -> base::Result<std::optional<bool>> {
      return yard.sandbox->meter().billed_now == 0 ? std::optional<bool>(true) : std::nullopt;
    });
    CHECK_MESSAGE(gone.ok(), (gone.ok() ? std::string() : gone.error().line()));
  }
}

TEST_CASE("without curl, python3 and wget the wall does not stand, and the step says so") {
  for (const bool bare : {true, false}) {
    CAPTURE(bare);
    Yard yard;
    REQUIRE(gather(yard.folder / "bin", {"sh", "mkdir"}));
    if (!bare) REQUIRE(gather(yard.folder / "bin", {"curl"}));
    yard.shell->search_path = (yard.folder / "bin").string();
    yard.shell->workspace = (yard.folder / "workspace").string();
    const auto rented = yard.services->vast->create(order(yard), yard.context());
    REQUIRE_MESSAGE(rented.ok(), (rented.ok() ? std::string() : rented.error().line()));
    const auto ready = yard.run_bare("vast.wait_until_ready", {{"instance", rented->id}});
    REQUIRE_MESSAGE(ready.ok(), (ready.ok() ? std::string() : ready.error().line()));
    CHECK(count(*ready, "tools") == (bare ? 1 : 2));
    bool said = false;
    for (const auto& line : yard.host.progresses()) said = said || base::contains(line, "it cannot end itself");
    CHECK(said == bare);
  }
}

TEST_CASE("a machine whose runner never returns destroys itself at its deadline") {
  Yard yard;
  yard.host.set_deadline(yard.clock.wall() + 2s);
  const auto rented = yard.services->vast->create(order(yard), yard.context());
  REQUIRE_MESSAGE(rented.ok(), (rented.ok() ? std::string() : rented.error().line()));
  // Nobody of ours says anything from here on but to ask what is there.
  const auto billed = [&](std::size_t wanted) {
    return yard.context().poll(1s, [&]() -> base::Result<std::optional<bool>> {
      auto listed = yard.services->vast->list(yard.context());
      if (!listed) return std::move(listed).error();
      return listed->size() == wanted ? std::optional<bool>(true) : std::nullopt;
    });
  };
  const auto there = billed(1);
  REQUIRE_MESSAGE(there.ok(), (there.ok() ? std::string() : there.error().line()));
  const auto gone = billed(0);
  CHECK_MESSAGE(gone.ok(), (gone.ok() ? std::string() : gone.error().line()));
  CHECK(yard.clock.wall() > yard.host.run().deadline);
}

TEST_CASE("the timer holds no secret, fits into a start script, and quotes the address") {
  const auto script = client::vast::end_script("https://console.vast.ai/o'clock $(x)", 90min);
  CHECK(script.size() < 2048);
  CHECK(base::contains(script, "5400"));
  CHECK(base::contains(script, R"('https://console.vast.ai/o'\''clock $(x)')"));
  CHECK_FALSE(base::contains(script, "SECONDS_LEFT"));
  CHECK_FALSE(base::contains(script, "API_URL"));
  // A deadline that has passed already still leaves a second to start in.
  CHECK(base::contains(client::vast::end_script("u", -5min), "+ 1 ))"));
}
