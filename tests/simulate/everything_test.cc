// Step types that the shipped journeys do without, and faults of the service's word: simulated.
#include <doctest/doctest.h>

#include <filesystem>

#include "engine/base/digest.h"
#include "engine/base/file.h"
#include "engine/base/text.h"
#include "engine/plan/plan.h"
#include "tools/simulate/campaign.h"

using namespace failover;  // NOLINT(google-build-using-namespace)
using simulate::Play;
using simulate::Script;
using simulate::Wire;

namespace {

struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("failover-everything-" + base::random_id(10));
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
};

Play play_of(const std::string& name, const std::vector<std::pair<std::string, std::string>>& given) {
  const auto text = base::read_file(FAILOVER_SOURCE_DIR "/" + name, 1 << 20);
  REQUIRE(text.ok());
  source::Diagnostics diagnostics;
  auto loaded = scenario::load(std::make_shared<const source::File>(name, *text), diagnostics);
  REQUIRE(loaded.has_value());
  Play play{std::make_shared<const scenario::Scenario>(*std::move(loaded)), {}};
  auto inputs = plan::resolve_inputs(*play.scenario, given);
  REQUIRE(inputs.ok());
  play.inputs = *std::move(inputs);
  play.passes = true;
  return play;
}

Play everything(const Folder& folder) {
  Play play = play_of("tests/simulate/everything.yaml",
                      {{"file", FAILOVER_SOURCE_DIR "/tests/simulate/bare.yaml"}, {"scratch", folder.path.string()}});
  play.folder = "scratch";
  return play;
}

void check_clean(const simulate::Tally& tally) {
  CHECK(tally.violated == 0);
  for (const auto& finding : tally.findings) {
    MESSAGE(finding.script.text());
    for (const auto& violation : finding.violations) MESSAGE(violation);
  }
}

}  // namespace

TEST_CASE("a journey of nearly every step type passes, keeps its promises, and leaves no file behind") {
  const Folder folder;
  const Play play = everything(folder);
  CHECK(simulate::fails_when_calm(play).value_or("") == "");
  const auto once = simulate::journey(play, Script::swarm(9));
  CHECK(once.journal == simulate::journey(play, Script::swarm(9)).journal);
  check_clean(simulate::swarm(play, 1, FAILOVER_SEEDS / 2, 2));
  const auto all = simulate::every_point(play);
  std::vector<Script> some;
  for (std::size_t i = 0; i < all.size(); i += FAILOVER_STRIDE * 4) some.push_back(all[i]);
  check_clean(simulate::run_all(play, some, 2));
  CHECK(std::filesystem::is_empty(folder.path));
}

TEST_CASE("an answer that creeps and one that is too large: at each call, once and from then on") {
  const Folder folder;
  const Play play = everything(folder);
  const int calls = simulate::journey(play, Script{}).calls;
  std::vector<Script> scripts;
  for (int call = 1; call <= calls; call += FAILOVER_STRIDE) {
    for (const Wire wire : {Wire::creeps, Wire::huge}) {
      Script script;
      script.call = call;
      script.wire = wire;
      script.lasting = call % 2 == 0;
      scripts.push_back(script);
    }
  }
  const auto tally = simulate::run_all(play, scripts, 2);
  check_clean(tally);
  CHECK(tally.passed > 0);
}

TEST_CASE("an upload that arrived twice, or was answered by a gateway after its effect, is given back whole") {
  const Folder folder;
  const Play play = everything(folder);
  const int calls = simulate::journey(play, Script{}).calls;
  std::vector<Script> scripts;
  for (int call = 1; call <= calls; ++call) {
    for (const Wire wire : {Wire::duplicate, Wire::server_error_after}) {
      Script script;
      script.call = call;
      script.wire = wire;
      scripts.push_back(script);
    }
  }
  check_clean(simulate::run_all(play, scripts, 2));
}

TEST_CASE("where only the machine's word was asked for, a liar passes; where there was a challenge, none does") {
  const Play bare = play_of("tests/simulate/bare.yaml", {});
  const Play shipped = play_of("scenarios/realtime-sync.yaml", {{"file_size", "1KB"}});
  Script script;
  script.rots = script.lies = true;
  const auto believed = simulate::journey(bare, script);
  CHECK(believed.violations.empty());
  CHECK(believed.verdict == "passed");
  const auto shown = simulate::journey(shipped, script);
  CHECK(shown.violations.empty());
  CHECK(shown.exit_code != 0);
}

TEST_CASE("the credit ends at any second of the journey: the machines that the service has stopped are given back") {
  const Play play = play_of("scenarios/realtime-sync.yaml", {{"file_size", "1KB"}, {"file_count", "2"}});
  Play lent = play_of("scenarios/existing-instance.yaml", {{"file_size", "1KB"}, {"source", "1"}, {"target", "2"}});
  lent.machines = {"source", "target"};
  for (const Play& one : {play, lent}) {
    const auto whole = std::chrono::ceil<std::chrono::seconds>(simulate::journey(one, Script{}).took);
    std::vector<Script> scripts;
    for (base::Duration at{0}; at < whole; at += std::chrono::milliseconds(500)) {
      Script script;
      script.credit_ends = at;
      scripts.push_back(script);
      script.blows = {simulate::Blow{simulate::Death::durable, 40, false, false}};
      scripts.push_back(script);
    }
    const auto tally = simulate::run_all(one, scripts, 2);
    check_clean(tally);
    CHECK(tally.cells.count({"credit_ends", "world"}) == 1);
    CHECK(tally.passed < tally.journeys);
  }
}

// Whoever takes a machine that no longer runs for one that is gone.
TEST_CASE("museum: a stopped machine is believed to be gone") {
  Play play = play_of("tests/simulate/bare.yaml", {});
  play.sabotage.vast = [](std::unique_ptr<client::Http> inner) -> std::unique_ptr<client::Http> {
    class Blind final : public client::Http {
     public:
      explicit Blind(std::unique_ptr<client::Http> inner) : inner_(std::move(inner)) {}
      base::Result<client::HttpResponse> send(const client::HttpRequest& request,
                                              const plugin::Context& context) override {
        if (request.method == "DELETE") {
          client::HttpRequest look = request;
          look.method = "GET";
          auto answer = inner_->send(look, context);
          const bool stopped = answer && base::contains(answer->body, "\"actual_status\":\"exited\"");
          if (stopped) return client::HttpResponse{.status = 200, .headers = {}, .body = "{\"success\":true}"};
        }
        return inner_->send(request, context);
      }

     private:
      std::unique_ptr<client::Http> inner_;
    };
    return std::make_unique<Blind>(std::move(inner));
  };
  std::string found;
  for (int second = 0; second < 60 && found.empty(); ++second) {
    Script script;
    script.credit_ends = std::chrono::seconds(second);
    for (const auto& one : simulate::journey(play, script).violations) {
      if (one.rfind("I1: there is still instance ", 0) == 0) found = one;
    }
  }
  CHECK_FALSE(found.empty());
}

TEST_CASE("no restore takes another object's bytes") {
  const Play play = play_of("scenarios/realtime-sync.yaml", {{"file_size", "1KB"}, {"file_count", "2"}});
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    Script script;
    script.seed = seed;
    script.world = {{"object_swapped", 1}};
    const auto result = simulate::journey(play, script);
    CHECK(result.violations.empty());
    CHECK(result.exit_code == 3);
    CHECK(result.cells.count({"object_swapped", "world"}) == 1);
  }
}

TEST_CASE("an old version is noticed by who asks for the new one, and a price that is none rents nothing") {
  const Folder folder;
  const Play play = everything(folder);
  Script script;
  script.world = {{"object_stale", 2}};  // a look at it, and itself
  const auto stale = simulate::journey(play, script);
  CHECK(stale.violations.empty());
  CHECK(stale.verdict == "failed");
  CHECK(stale.cells.count({"object_stale", "world"}) == 1);
  script.world = {{"price_unreadable", 1}};
  const auto unpriced = simulate::journey(play, script);
  CHECK(unpriced.violations.empty());
  CHECK(unpriced.verdict == "passed");
  CHECK(unpriced.cells.count({"price_unreadable", "world"}) == 1);
  script.world = {{"start_unavailable", 1}};
  const auto queued = simulate::journey(play, script);
  CHECK(queued.violations.empty());
  CHECK(queued.verdict == "passed");
}
