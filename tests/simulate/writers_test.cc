// One writer per run: who takes a run over is the only one that writes and acts from then on.
#include <doctest/doctest.h>

#include <algorithm>

#include "engine/base/file.h"
#include "engine/base/text.h"
#include "engine/plan/plan.h"
#include "tools/simulate/campaign.h"
#include "tools/simulate/oracle.h"
#include "tools/simulate/turns.h"

using namespace failover;  // NOLINT(google-build-using-namespace)
namespace type = event::type;
using simulate::Play;
using simulate::Script;

namespace {

// What the oracle says of records of these types, in this order.
std::vector<std::string> said_of(const std::vector<std::string>& types) {
  simulate::Turns clock{base::WallTime(std::chrono::seconds(1'767'225'600)), 1};
  sandbox::World world{{}, clock};
  simulate::Oracle oracle(world);
  for (const auto& one : types) {
    event::Event event;
    event.type = one;
    oracle.written(event);
  }
  return oracle.violations();
}

Play race() {
  const auto text = base::read_file(FAILOVER_SOURCE_DIR "/tests/simulate/race.yaml", 1 << 20);
  REQUIRE(text.ok());
  source::Diagnostics diagnostics;
  auto loaded = scenario::load(std::make_shared<const source::File>("race.yaml", *text), diagnostics);
  REQUIRE(loaded.has_value());
  return {std::make_shared<const scenario::Scenario>(*std::move(loaded)), {}};
}

// Dies at a record of its own, well before its end.
Script dies() {
  Script out;
  out.blows = {simulate::Blow{simulate::Death::durable, 30, false, false}};
  return out;
}

// Sends through what another one has.
class Borrowed final : public client::Http {
 public:
  explicit Borrowed(std::shared_ptr<client::Http> owner) : owner_(std::move(owner)) {}
  base::Result<client::HttpResponse> send(const client::HttpRequest& request, const plugin::Context& context) override {
    return owner_->send(request, context);
  }

 private:
  std::shared_ptr<client::Http> owner_;
};

}  // namespace

TEST_CASE("a writer's last word is its last, and the next one says that it takes over") {
  CHECK(said_of({type::run_started, type::intent, type::run_finished, type::charges}).empty());
  CHECK(said_of({type::run_started, type::intent, type::recovery, type::released, type::run_finished}).empty());
  CHECK(said_of({type::run_started, type::run_finished, type::recovery, type::recovery, type::ended, type::run_finished,
                 type::recovery, type::run_finished})
            .empty());
  CHECK(said_of({type::run_started, type::run_finished, type::exchange}) ==
        std::vector<std::string>{"I12: exchange was written after its writer's last word"});
  CHECK(said_of({type::run_started, type::recovery, type::run_finished, type::run_finished}).size() == 1);
}

TEST_CASE("who takes over only gives back: the run's own records behind it are those of a second writer") {
  for (const char* own : {type::step_started, type::step_finished, type::intent}) {
    CAPTURE(own);
    CHECK(said_of({type::run_started, own, type::recovery}).empty());
    CHECK(said_of({type::run_started, type::recovery, own}) ==
          std::vector<std::string>{std::string("I12: ") + own +
                                   " was written after another process had taken the run over"});
  }
}

TEST_CASE("each recovery of a journey says in the journal that it takes over, before anything else") {
  Script twice = dies();
  twice.blows.push_back(simulate::Blow{simulate::Death::durable, 1, true, false});
  const auto result = simulate::journey(race(), twice);
  CHECK(result.violations.empty());
  CHECK(result.recoveries == 2);
  const auto lines = base::split(result.journal, '\n');
  REQUIRE(lines.size() > 32);
  CHECK(base::contains(lines[30], R"("type":"recovery")"));
  CHECK(base::contains(lines[31], R"("type":"recovery")"));
}

TEST_CASE("museum: a process that was taken for dead still acts for its run") {
  CHECK(simulate::journey(race(), dies()).violations.empty());
  Play play = race();
  play.sabotage.vast = [first = std::shared_ptr<client::Http>()](
                           std::unique_ptr<client::Http> inner) mutable -> std::unique_ptr<client::Http> {
    const std::shared_ptr<client::Http> own = std::move(inner);
    if (!first) first = own;
    return std::make_unique<Borrowed>(first);
  };
  const auto result = simulate::journey(play, dies());
  REQUIRE_FALSE(result.violations.empty());
  CHECK(std::all_of(result.violations.begin(), result.violations.end(),
                    [](const std::string& one) { return one.rfind("I12: ", 0) == 0; }));
}
