// The simulator judged: journeys repeat exactly, the program holds its promises in all of them, and a program with a
// mistake is found out.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "engine/base/file.h"
#include "engine/base/text.h"
#include "engine/plan/plan.h"
#include "tools/simulate/campaign.h"

namespace {

using namespace failover;  // NOLINT(google-build-using-namespace)
using simulate::Play;
using simulate::Script;
using simulate::Wire;

// A shipped scenario with small files: their size proves nothing here.
Play shipped(const std::string& name, std::vector<std::pair<std::string, std::string>> more = {}) {
  const auto text = base::read_file(FAILOVER_SOURCE_DIR "/scenarios/" + name, 1 << 20);
  REQUIRE(text.ok());
  source::Diagnostics diagnostics;
  auto loaded = scenario::load(std::make_shared<const source::File>(name, *text), diagnostics);
  REQUIRE(loaded.has_value());
  Play play{std::make_shared<const scenario::Scenario>(*std::move(loaded)), {}};
  more.insert(more.end(), {{"file_size", "1KB"}, {"file_count", "2"}});
  auto inputs = plan::resolve_inputs(*play.scenario, more);
  REQUIRE(inputs.ok());
  play.inputs = *std::move(inputs);
  play.passes = true;
  return play;
}

Play realtime_sync() { return shipped("realtime-sync.yaml"); }

// On two machines that the account has already.
Play existing_instance() {
  Play play = shipped("existing-instance.yaml", {{"source", "1"}, {"target", "2"}});
  play.machines = {"source", "target"};
  return play;
}

// The first promise that the sabotaged program breaks, over every call with this fault; empty: it was not found out.
std::string found(const Play& play, Wire wire, bool lasting = false, int stop = 0) {
  const int calls = simulate::journey(play, Script{}).calls;
  for (int call = 1; call <= std::max(calls, 1); ++call) {
    Script script;
    script.call = call;
    script.wire = wire;
    script.lasting = lasting;
    script.interrupt.at = stop;
    const auto result = simulate::journey(play, script);
    if (!result.violations.empty()) return result.violations.front().substr(0, 3);
  }
  return "";
}

// Changes what an Http does.
class Tampered final : public client::Http {
 public:
  using Send = std::function<base::Result<client::HttpResponse>(client::Http&, const client::HttpRequest&,
                                                                const plugin::Context&)>;
  Tampered(std::unique_ptr<client::Http> inner, Send send) : inner_(std::move(inner)), send_(std::move(send)) {}
  base::Result<client::HttpResponse> send(const client::HttpRequest& request, const plugin::Context& context) override {
    return send_(*inner_, request, context);
  }

 private:
  std::unique_ptr<client::Http> inner_;
  Send send_;
};

simulate::Sabotage tampered(const Tampered::Send& send) {
  return {.steps = {}, .vast = [send](std::unique_ptr<client::Http> inner) -> std::unique_ptr<client::Http> {
            return std::make_unique<Tampered>(std::move(inner), send);
          }};
}

plugin::Kind& instances(plugin::Registry& registry) {
  const auto at = std::find_if(registry.kinds.begin(), registry.kinds.end(),
                               [](const auto& kind) { return kind.name == "vast.instance"; });
  return *at;
}

bool is_listing(const client::HttpRequest& request) {
  return request.method == "GET" && base::contains(request.url, "/instances");
}

}  // namespace

TEST_CASE("without faults the shipped scenario passes, and the same script gives the same journal") {
  const Play play = realtime_sync();
  const auto once = simulate::journey(play, Script{});
  CHECK(once.violations.empty());
  CHECK(once.verdict == "passed");
  CHECK(once.exit_code == 0);
  CHECK(once.recoveries == 0);
  for (const std::uint64_t seed : {0U, 7U, 19U, 219U}) {
    CAPTURE(seed);
    const auto first = simulate::journey(play, Script::swarm(seed));
    const auto second = simulate::journey(play, Script::swarm(seed));
    CHECK(first.journal == second.journal);
    CHECK(first.calls == second.calls);
    CHECK(first.cells == second.cells);
  }
}

TEST_CASE("a sample of hostile journeys breaks no promise") {
  const auto tally = simulate::swarm(realtime_sync(), 1, FAILOVER_SEEDS, 2);
  CHECK(tally.journeys == FAILOVER_SEEDS);
  CHECK(tally.violated == 0);
  for (const auto& finding : tally.findings) {
    MESSAGE(finding.script.text());
    for (const auto& violation : finding.violations) MESSAGE(violation);
  }
  CHECK(tally.passed > 0);
  CHECK(tally.deaths > 0);
  CHECK(tally.recoveries > tally.deaths);
}

// Issue 4: the first upload of a snapshot's manifest had no answer, the second was answered, and the snapshot was
// proven gone before the first one landed.
TEST_CASE("a write that was never answered is waited for although a later one was answered") {
  const Play play = realtime_sync();
  int manifest = 0;
  Script plain;
  (void)simulate::journey(play, plain, [&](const std::string& line) {
    const bool puts = manifest == 0 && base::contains(line, " PUT /failover-sandbox/snapshots/");
    if (puts) manifest = std::stoi(line);
  });
  REQUIRE(manifest > 0);
  int unanswered = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    Script script;
    script.seed = seed;
    // The upload, a look whether it is there, the upload again; then the run has to give everything back.
    script.at = {{manifest, Wire::effect_late}, {manifest + 2, Wire::captive}};
    const auto result = simulate::journey(play, script);
    CHECK(result.violations.empty());
    unanswered += base::contains(result.journal, "\"type\":\"unanswered\"") ? 1 : 0;
  }
  CHECK(unanswered == 12);
}

TEST_CASE("killed at a journal record, in every way, nothing is left") {
  const Play play = realtime_sync();
  const int records = simulate::journey(play, Script{}).records;
  CHECK(records > 60);
  std::vector<Script> scripts;
  for (int record = 1; record <= records; record += FAILOVER_STRIDE) {
    for (const auto death : {simulate::Death::before, simulate::Death::torn, simulate::Death::lost}) {
      Script script;
      script.blows = {simulate::Blow{death, record, record % 2 == 0, false}};
      scripts.push_back(script);
    }
  }
  const auto tally = simulate::run_all(play, scripts, 2);
  CHECK(tally.deaths == scripts.size());
  CHECK(tally.violated == 0);
  for (const auto& finding : tally.findings) {
    MESSAGE(finding.script.text());
    for (const auto& violation : finding.violations) MESSAGE(violation);
  }
}

TEST_CASE("machines that were there before stay as they were: at each point, in each weather, by seed") {
  const Play play = existing_instance();
  CHECK(simulate::journey(play, Script{}).verdict == "passed");
  const auto all = simulate::every_point(play);
  std::vector<Script> scripts;
  for (std::size_t i = 0; i < all.size(); i += FAILOVER_STRIDE * 4) scripts.push_back(all[i]);
  for (const auto& tally :
       {simulate::run_all(play, scripts, 2), simulate::swarm(play, 1, FAILOVER_SEEDS / 2, 2, false)}) {
    CHECK(tally.violated == 0);
    CHECK(tally.passed > 0);
    for (const auto& finding : tally.findings) {
      MESSAGE(finding.script.text());
      for (const auto& violation : finding.violations) MESSAGE(violation);
    }
  }
}

TEST_CASE("an instance that was there keeps no key of ours, whatever a broken answer says of its keys") {
  Play play = existing_instance();
  // Every list that has a key of ours comes as a bare `[]`: nothing proves that it is off.
  play.sabotage = tampered([](client::Http& http, const client::HttpRequest& request, const plugin::Context& context) {
    auto answer = http.send(request, context);
    const bool keys =
        request.method == "GET" && base::contains(request.url, "/ssh/") && base::contains(request.url, "/instances/");
    if (answer && keys && base::contains(answer->body, "Simulated failover-")) answer->body = "[]";
    return answer;
  });
  const auto result = simulate::journey(play, Script{});
  CHECK(result.exit_code == 4);
}

TEST_CASE("killed at a record, and the recovery killed at each of its own: a sample of the pairs") {
  const Play play = realtime_sync();
  std::vector<Script> scripts;
  const auto all = simulate::every_pair(play, std::min(FAILOVER_STRIDE * 11, 40));
  const std::size_t wanted = 60;
  REQUIRE(all.size() >= wanted);
  for (std::size_t i = 0; i < wanted; ++i)
    scripts.push_back(all[i * 7919 % all.size()]);  // no step that the deaths come in
  // Of records and of calls, before and after their effect.
  for (const bool call : {false, true}) {
    for (const auto death : {simulate::Death::before, simulate::Death::durable}) {
      CHECK(std::any_of(all.begin(), all.end(), [&](const Script& one) {
        return one.blows.back().call == call && one.blows.back().death == death;
      }));
    }
  }
  const auto tally = simulate::run_all(play, scripts, 2);
  CHECK(tally.deaths == scripts.size());
  CHECK(tally.recoveries >= 2 * scripts.size());
  CHECK(tally.violated == 0);
  for (const auto& finding : tally.findings) {
    MESSAGE(finding.script.text());
    for (const auto& violation : finding.violations) MESSAGE(violation);
  }
}

TEST_CASE("museum: a service that is asked again at once") {
  Play play = realtime_sync();
  play.sabotage = tampered([](client::Http& http, const client::HttpRequest& request, const plugin::Context& context) {
    if (is_listing(request)) (void)http.send(request, context);
    return http.send(request, context);
  });
  const auto result = simulate::journey(play, Script{});
  CHECK(std::any_of(result.violations.begin(), result.violations.end(),
                    [](const std::string& one) { return one.rfind("I9: ", 0) == 0; }));
}

TEST_CASE("museum: a label that is not the journal's") {
  Play play = realtime_sync();
  play.sabotage = tampered([](client::Http& http, const client::HttpRequest& request, const plugin::Context& context) {
    client::HttpRequest other = request;
    const auto at = other.body.find("\"label\":\"failover-");
    if (at != std::string::npos) other.body.replace(at, 18, "\"label\":\"failovre-");
    return http.send(other, context);
  });
  CHECK(found(play, Wire::unreachable) == "I2:");
}

TEST_CASE("museum: an end that is believed without proof") {
  Play play = realtime_sync();
  play.sabotage.steps = [](plugin::Registry& registry) {
    instances(registry).hurry = nullptr;
    instances(registry).undo = [](const auto&, const auto&) { return base::Result<void>(); };
  };
  CHECK(found(play, Wire::server_error, true) == "I5:");
}

TEST_CASE("museum: a refused key read as an empty listing") {
  Play play = realtime_sync();
  play.sabotage = tampered([](client::Http& http, const client::HttpRequest& request, const plugin::Context& context) {
    auto answer = http.send(request, context);
    if (!answer || answer->status < 400) return answer;
    if (is_listing(request)) {
      answer->status = 200;
      answer->body = R"({"success":true,"instances":[],"instances_found":0,"total_instances":0,"next_token":null})";
    } else if (request.method == "DELETE") {
      answer->status = 200;
      answer->body = R"({"success":true})";
    }
    return answer;
  });
  CHECK(found(play, Wire::denied, true) == "I5:");
}

TEST_CASE("museum: a window of settling that is not waited for") {
  Play play = realtime_sync();
  play.sabotage.steps = [](plugin::Registry& registry) { instances(registry).settle = base::Duration(0); };
  std::string broken;
  for (std::uint64_t seed = 1; seed < 40 && broken.empty(); ++seed) {
    const int calls = simulate::journey(play, Script{}).calls;
    for (int call = 1; call <= calls && broken.empty(); ++call) {
      Script script;
      script.seed = seed;
      script.call = call;
      script.wire = Wire::effect_late;
      const auto result = simulate::journey(play, script);
      if (!result.violations.empty()) broken = result.violations.front().substr(0, 3);
    }
  }
  CHECK(broken == "I1:");
}

TEST_CASE("museum: a verification that never fails") {
  Play play = realtime_sync();
  play.sabotage.steps = [](plugin::Registry& registry) {
    for (auto& step : registry.steps) {
      if (step.name != "checksum.verify") continue;
      step.run = [run = step.run](const base::Value& with, const plugin::Context& context) {
        auto out = run(with, context);
        if (out) return out;
        base::Value::Map all;
        for (const char* figure : {"expected", "matched"}) all.emplace(figure, 2);
        for (const char* figure : {"mode_changed", "mtime_changed"}) all.emplace(figure, 0);
        for (const char* list : {"mismatched", "missing", "extra", "files"}) all.emplace(list, base::Value::List{});
        return base::Result<base::Value>(base::Value(std::move(all)));
      };
    }
  };
  CHECK(found(play, Wire::unreachable) == "I4:");
}

TEST_CASE("the campaign that CI plays goes through each point of every shipped scenario") {
  const auto campaign = base::read_file(FAILOVER_SOURCE_DIR "/tools/campaign", 1 << 16);
  REQUIRE(campaign.ok());
  for (const auto& file : std::filesystem::directory_iterator(FAILOVER_SOURCE_DIR "/scenarios")) {
    const std::string name = file.path().stem().string();
    CAPTURE(name);
    const auto lines = base::split(*campaign, '\n');
    CHECK(std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
      return line.rfind("play ", 0) == 0 && base::contains(line, "\" " + name + " ") &&
             base::contains(line, " --every-point");
    }));
  }
}
