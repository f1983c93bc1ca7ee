// What a campaign has to reach does not depend on what the program still does.
#include "tools/simulate/cells.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "engine/base/digest.h"
#include "engine/base/file.h"
#include "engine/base/text.h"
#include "engine/plan/plan.h"
#include "tools/simulate/cast.h"

using namespace failover;  // NOLINT(google-build-using-namespace)
using simulate::Play;
using simulate::Script;

namespace {

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
  return play;
}

// All that tools/campaign plays, and the least.
std::vector<Play> plays(const std::string& scratch) {
  std::vector<Play> out{
      play_of("scenarios/realtime-sync.yaml", {{"file_size", "1KB"}}),
      play_of("scenarios/existing-instance.yaml", {{"file_size", "1KB"}, {"source", "1"}, {"target", "2"}}),
      play_of("tests/simulate/side-by-side.yaml", {}),
      play_of("tests/simulate/race.yaml", {}),
      play_of("tests/simulate/bare.yaml", {}),
      play_of("tests/simulate/everything.yaml",
              {{"file", FAILOVER_SOURCE_DIR "/tests/simulate/bare.yaml"}, {"scratch", scratch}})};
  out[1].machines = {"source", "target"};
  out.back().folder = "scratch";
  return out;
}

bool meets(const Play& play, const char* fault) {
  Script script;
  script.world = {{fault, 60}};
  return simulate::journey(play, script).cells.count({fault, "world"}) > 0;
}

struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("failover-cells-" + base::random_id(10));
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
};

}  // namespace

TEST_CASE("what a plan has to meet it can meet, and each fault is one that some plan has to") {
  const Folder folder;
  std::set<std::string> had_to;
  for (const Play& play : plays(folder.path.string())) {
    const simulate::Cast cast(play);
    for (const char* fault : simulate::world_faults()) {
      CAPTURE(play.scenario->name.value);
      CAPTURE(fault);
      const auto why_not = simulate::out_of_reach(cast.plan(), fault);
      CHECK((!why_not || !why_not->empty()));
      if (why_not) continue;
      had_to.insert(fault);
      CHECK(meets(play, fault));
    }
  }
  for (const char* fault : simulate::world_faults()) {
    CAPTURE(fault);
    CHECK(had_to.count(fault) == (fault == std::string("complete_lost_answer") ? 0 : 1));
  }
}

TEST_CASE("a fault that the program does not meet any more is still asked for") {
  Play play = play_of("tests/simulate/bare.yaml", {});
  // Nothing is listed any more: each listing is thought to be empty.
  play.sabotage.vast = [](std::unique_ptr<client::Http> inner) -> std::unique_ptr<client::Http> {
    class Blind final : public client::Http {
     public:
      explicit Blind(std::unique_ptr<client::Http> inner) : inner_(std::move(inner)) {}
      base::Result<client::HttpResponse> send(const client::HttpRequest& request,
                                              const plugin::Context& context) override {
        if (request.method != "GET" || !base::contains(request.url, "/v1/instances"))
          return inner_->send(request, context);
        return client::HttpResponse{
            .status = 200,
            .headers = {},
            .body = R"({"success":true,"instances":[],"instances_found":0,"total_instances":0,"next_token":null})"};
      }

     private:
      std::unique_ptr<client::Http> inner_;
    };
    return std::make_unique<Blind>(std::move(inner));
  };
  CHECK_FALSE(meets(play, "list_unavailable"));
  const auto cells = simulate::reachable_cells(play);
  for (const char* fault : {"list_unavailable", "list_page_lost"})
    CHECK(std::count(cells.begin(), cells.end(), std::pair<std::string, std::string>(fault, "world")) == 1);
  CHECK(std::count(cells.begin(), cells.end(), std::pair<std::string, std::string>("credit_ends", "world")) == 1);
  CHECK(std::count(cells.begin(), cells.end(), std::pair<std::string, std::string>("start_unavailable", "world")) == 0);
}
