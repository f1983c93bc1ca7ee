// `failover cleanup` beside a reaper that is at work: one of them gives back, the other waits and tells the truth.
#include <algorithm>

#include "tests/cli/killed.h"
#include "tests/cli/proxy.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)

namespace {

constexpr const char* kWaits = ": another process gives back what it holds; waiting for it\n";

std::size_t count(const std::string& text, const std::string& words) {
  std::size_t out = 0;
  for (auto at = text.find(words); at != std::string::npos; at = text.find(words, at + words.size())) ++out;
  return out;
}

// A run that was killed, and its reaper, whose first destroy is not answered until the way lets it go.
struct Reaped {
  Elsewhere elsewhere{};
  base::Clock& clock = elsewhere.failover.clock;
  std::unique_ptr<Proxy> way;
  fs::path folder{};

  Reaped() {
    auto& environment = elsewhere.failover.environment;
    const std::string url = environment.at("VAST_API_URL");
    way = std::make_unique<Proxy>(std::atoi(url.substr(url.rfind(':') + 1).c_str()), 1);
    environment["VAST_API_URL"] = way->url();
    way->hold("DELETE /api/v0/instances/");
    kill_when(elsewhere, kRun, "step source_ready (");
    REQUIRE(eventually(clock, 60s, [&] { return way->holding(); }));
    folder = folder_of(elsewhere);
    REQUIRE(base::contains(journal(), R"("by":"reaper")"));
    REQUIRE(elsewhere.reapers().size() == 1);
  }
  [[nodiscard]] std::string journal() const { return text_of(folder / "journal.jsonl"); }
  [[nodiscard]] std::size_t recoveries(const std::string& by) const {
    return count(journal(), R"("by":")" + by + "\"");
  }
  [[nodiscard]] std::size_t destroys() const {
    const auto lines = way->requests();
    return static_cast<std::size_t>(std::count_if(lines.begin(), lines.end(), [](const Proxy::Line& line) {
      return line.text.rfind("DELETE /api/v0/instances/", 0) == 0;
    }));
  }
  // What says in its log that it waits.
  [[nodiscard]] std::unique_ptr<Background> waiting_cleanup(const fs::path& log) {
    auto out = std::make_unique<Background>(std::vector<std::string>{"cleanup"}, elsewhere.failover.environment, log);
    REQUIRE(eventually(clock, 60s, [&] { return !out->running() || base::contains(text_of(log), kWaits); }));
    INFO(text_of(log));
    REQUIRE(out->running());
    return out;
  }
};

}  // namespace

TEST_CASE("cleanup waits for a reaper that is at work, sends nothing meanwhile, and ends when that has given back") {
  Reaped reaped;
  auto& elsewhere = reaped.elsewhere;
  const auto log = elsewhere.failover.home.path() / "cleanup.log";
  const std::string run = "run " + reaped.folder.filename().string();

  // Who only asks is told, and does not wait.
  const auto listed = elsewhere.failover({"cleanup", "--dry-run"});
  CHECK(listed.exit_code == 0);
  CHECK(base::contains(listed.out, run + ": 1 to give back\n  vast.instance "));
  {
    // Who does not want to wait any longer is told what may be left.
    const auto cleanup = reaped.waiting_cleanup(log);
    cleanup->signal(SIGINT);
    CHECK(cleanup->wait() == 4);
    CHECK(base::contains(text_of(log), "may still be held: vast.instance "));
  }
  const auto cleanup = reaped.waiting_cleanup(log);
  CHECK(reaped.destroys() >= 1);  // the reaper's
  CHECK(reaped.recoveries("cleanup") == 0);
  reaped.way->let_go();
  CHECK(cleanup->wait() == 0);
  INFO(text_of(log) << reaped.journal());
  CHECK(base::contains(text_of(log), run + ": given back\n"));
  elsewhere.check_clean();
  CHECK(reaped.recoveries("reaper") == 1);
  CHECK(reaped.recoveries("cleanup") == 0);
  // Each destroy that went out is one that the reaper has written down.
  CHECK(reaped.destroys() == count(reaped.journal(), R"("method":"DELETE")"));
  CHECK(base::contains(elsewhere.failover({"cleanup"}).out, "nothing to give back"));
}

TEST_CASE("cleanup takes over when the reaper that it waits for dies") {
  Reaped reaped;
  auto& elsewhere = reaped.elsewhere;
  const auto log = elsewhere.failover.home.path() / "cleanup.log";
  const auto cleanup = reaped.waiting_cleanup(log);
  const auto reapers = elsewhere.reapers();
  REQUIRE(reapers.size() == 1);
  REQUIRE(::kill(reapers.front(), SIGKILL) == 0);
  reaped.way->let_go();
  CHECK(cleanup->wait() == 0);
  INFO(text_of(log) << reaped.journal());
  CHECK(base::contains(text_of(log), ": 1 of 1 given back\n"));
  CHECK(reaped.recoveries("reaper") == 1);
  CHECK(reaped.recoveries("cleanup") == 1);
  CHECK(base::contains(reaped.journal(), R"("type":"run_finished")"));
  elsewhere.check_clean();
}

TEST_CASE("cleanup beside a run that lives leaves it alone, also when it is named") {
  Elsewhere elsewhere;
  const auto log = elsewhere.failover.home.path() / "run.log";
  Background run(kRun, elsewhere.failover.environment, log);
  REQUIRE(eventually(elsewhere.failover.clock, 60s,
                     [&] { return !run.running() || base::contains(text_of(log), "step source ("); }));
  const std::string id = folder_of(elsewhere).filename().string();
  const auto all = elsewhere.failover({"cleanup"});
  const auto named = elsewhere.failover({"cleanup", id});
  INFO(all.out << all.err << named.out << named.err << text_of(log));
  REQUIRE(run.running());
  CHECK(all.exit_code == 0);
  CHECK(base::contains(all.err, "run " + id + " is still going on; left alone\n"));
  CHECK(named.exit_code == 3);
  CHECK(base::contains(named.err, "run " + id + " is still going on\n"));
  CHECK(billed(elsewhere) > 0);
  CHECK(count(text_of(folder_of(elsewhere) / "journal.jsonl"), R"("type":"recovery")") == 0);
  run.signal(SIGINT);
  CHECK(run.wait() == 130);
  elsewhere.check_clean();
}
