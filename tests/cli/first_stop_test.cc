// The first Ctrl-C (leak-safety.md, rule 6): the end of everything known is asked for at once, whatever the run waits
// for.
#include <algorithm>

#include "tests/cli/killed.h"
#include "tests/cli/proxy.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)

namespace {

// A run that is stopped by Ctrl-C while it has one machine and another one's rental is not answered. Its first request
// from then on ends the machine; how long after the signal that request arrived.
base::Duration first_stop() {
  Elsewhere elsewhere;
  auto& environment = elsewhere.failover.environment;
  const auto& url = environment.at("VAST_API_URL");
  Proxy vast(std::atoi(url.substr(url.rfind(':') + 1).c_str()), 1);
  environment["VAST_API_URL"] = vast.url();
  const auto file = elsewhere.failover.home.path() / "two.yaml";
  REQUIRE(base::write_file(file, R"(name: two
description: One machine is there, another is being rented.
limits: { cost: $2.00, duration: 15m }
steps:
  - { id: offer, uses: vast.search_offers, with: { gpu_name: RTX 4090, max_price: $0.50 } }
  - id: first
    uses: vast.create_instance
    with: { offer: "${{ steps.offer.best.id }}", image: "ubuntu:22.04", disk: 10 GB }
  - { id: again, uses: vast.search_offers, with: { gpu_name: RTX 4090, max_price: $0.50 } }
  - id: second
    uses: vast.create_instance
    with: { offer: "${{ steps.again.best.id }}", image: "ubuntu:22.04", disk: 10 GB }
)")
              .ok());
  const auto log = elsewhere.failover.home.path() / "run.log";
  vast.hold("PUT /api/v0/asks/", 1);
  Background run({"run", file.string(), "--live", "--yes", "--output", "plain", "--no-reaper"}, environment, log);
  auto& clock = elsewhere.failover.clock;
  REQUIRE(eventually(clock, 60s, [&] { return !run.running() || vast.holding(); }));
  INFO(text_of(log));
  REQUIRE(run.running());
  const std::size_t before = vast.requests().size();
  const auto begin = clock.now();
  run.signal(SIGINT);
  // The program waits 5 s for the rental's answer, which does not come before the destroy has.
  REQUIRE(eventually(clock, 30s, [&] { return vast.requests().size() > before; }));
  const Proxy::Line first = vast.requests()[before];
  CHECK(base::contains(first.text, "DELETE /api/v0/instances/ "));
  CHECK(first.while_holding);
  vast.let_go();
  CHECK(run.wait() == 130);
  const auto lines = vast.requests();
  CHECK(std::count_if(lines.begin(), lines.end(), [](const Proxy::Line& line) {
          return base::contains(line.text, "DELETE /api/v0/instances/ ");
        }) <= 2);  // and that of the cleanup, when the second machine came to be
  elsewhere.check_clean();
  return first.at - begin;
}

}  // namespace

TEST_CASE("Ctrl-C asks for the end of everything at once, also while a step waits") {
  Elsewhere elsewhere;
  const auto log = elsewhere.failover.home.path() / "run.log";
  Background run(with(kRun, "--no-reaper"), elsewhere.failover.environment, log);
  REQUIRE(eventually(elsewhere.failover.clock, 60s,
                     [&] { return !run.running() || base::contains(text_of(log), "step snapshot ("); }));
  run.signal(SIGINT);
  CHECK(run.wait() == 130);
  // In the journal: the bulk request is sent before the steps are told apart, and before the cleanup begins.
  const auto journal = text_of(folder_of(elsewhere) / "journal.jsonl");
  const auto bulk = journal.find(R"("method":"DELETE")");
  const auto closing = journal.find(R"("type":"closing")");
  REQUIRE(bulk != std::string::npos);
  REQUIRE(closing != std::string::npos);
  CHECK(bulk < closing);
  CHECK(base::contains(journal.substr(bulk, 200), R"("target":"/api/v0/instances/")"));
  elsewhere.check_clean();
}

TEST_CASE("what signals twice for one wish has one, and a hangup is never the second") {
  for (const auto& signals : std::vector<std::vector<int>>{{SIGHUP, SIGHUP}, {SIGTERM, SIGTERM}, {SIGINT, SIGHUP}}) {
    CAPTURE(signals.front());
    Elsewhere elsewhere;
    const auto log = elsewhere.failover.home.path() / "run.log";
    Background run(with(kRun, "--no-reaper"), elsewhere.failover.environment, log);
    REQUIRE(eventually(elsewhere.failover.clock, 60s,
                       [&] { return !run.running() || base::contains(text_of(log), "step snapshot ("); }));
    for (const int signal : signals) run.signal(signal);
    CHECK(run.wait() == 130);
    elsewhere.check_clean();
  }
}

TEST_CASE("the first Ctrl-C sends one bulk destroy within 500 ms, while a rental is still unanswered") {
  // A machine that has much to do may need longer once, and does not each time.
  constexpr int kTries = 6;
  base::Duration best = base::Duration::max();
  for (int i = 0; i < kTries && best >= 500ms; ++i) best = std::min(best, first_stop());
  MESSAGE("the bulk destroy arrived " << base::seconds(best) << " s after the signal");
  CHECK(best < 500ms);
}
