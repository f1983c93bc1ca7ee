// Real processes: the shipped program against the sandbox, killed and stopped in many ways; the sandbox's own meter is
// the oracle. A sample by default; the whole campaign: FAILOVER_CAMPAIGN=1000 FAILOVER_CAMPAIGN_JOBS=8 test_campaign.
#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <random>
#include <thread>

#include "tests/cli/elsewhere.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)

namespace {

int setting(const char* name, int otherwise) {
  const char* text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return text == nullptr ? otherwise : std::max(1, std::atoi(text));
}

std::string text_of(const fs::path& file) {
  const auto text = base::read_file(file, 8 << 20);
  return text ? *text : std::string();
}

// How one round ends its run.
struct Round {
  enum class End { kill_at_time, kill_at_record, stop, stop_twice, terminate, two_runners };
  End end = End::kill_at_time;
  std::chrono::milliseconds moment{0};
  std::string record{};
  bool reaper = true;
  std::string fault{};

  static Round of(unsigned seed) {
    std::mt19937 random(seed);
    static constexpr std::array<End, 10> kEnds{
        End::kill_at_time,   End::kill_at_time, End::kill_at_time, End::kill_at_record, End::kill_at_record,
        End::kill_at_record, End::stop,         End::stop_twice,   End::terminate,      End::two_runners};
    static const std::array<const char*, 9> kRecords{"intent",  "made",     "step_finished",   "exchange", "ended",
                                                     "closing", "released", "cleanup_started", "unclear"};
    static const std::array<const char*, 11> kFaults{
        "create_late_effect",   "create_502_after_effect", "create_reset_after_effect",
        "create_success_false", "rate_limit_storm",        "vast_unavailable",
        "malformed_json",       "list_unavailable",        "destroy_500",
        "put_lost_answer",      "instance_vanishes"};
    Round out;
    out.end = kEnds[random() % kEnds.size()];
    out.moment = std::chrono::milliseconds(200 + random() % 9'500);
    out.record = kRecords[random() % kRecords.size()];
    out.reaper = random() % 2 == 0;
    if (random() % 3 == 0) out.fault = kFaults[random() % kFaults.size()];
    return out;
  }
  [[nodiscard]] std::string text() const {
    static const std::array<const char*, 6> kNames{"kill at a time", "kill at a record", "stop",
                                                   "stop twice",     "terminate",        "two runners"};
    return std::string(kNames[static_cast<std::size_t>(end)]) + ", " + std::to_string(moment.count()) + " ms, " +
           record + (reaper ? ", reaper" : "") + (fault.empty() ? "" : ", " + fault);
  }
};

fs::path newest(const fs::path& runs) {
  fs::path out;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(runs, none)) out = std::max(out, entry.path());
  return out;
}

// Plays one round in its own account; what was wrong in the end, or nothing. Counts the kills that hit a living run.
std::string play(Elsewhere& elsewhere, const Round& round, std::atomic<int>& kills) {
  using End = Round::End;
  auto& clock = elsewhere.failover.clock;
  const auto runs = elsewhere.failover.home.path() / "runs";
  const auto before = newest(runs);
  if (!round.fault.empty()) {
    elsewhere.curl({"-d", nlohmann::json{{"arm", round.fault}}.dump(),
                    elsewhere.failover.environment["VAST_API_URL"] + "/_sandbox/faults"});
  }
  std::vector<std::string> words{"run", "realtime-sync", "--live", "--yes", "--output", "plain"};
  if (!round.reaper) words.emplace_back("--no-reaper");
  const auto log = elsewhere.failover.home.path() / "run.log";
  std::unique_ptr<Background> other;
  {
    Background run(words, elsewhere.failover.environment, log);
    if (round.end == End::two_runners) {
      other = std::make_unique<Background>(words, elsewhere.failover.environment,
                                           elsewhere.failover.home.path() / "other.log");
    }
    if (round.end == End::kill_at_record) {
      const std::string wanted = R"("type":")" + round.record + "\"";
      (void)eventually(clock, 20s, [&] {
        const auto folder = newest(runs);
        return !run.running() || (folder != before && base::contains(text_of(folder / "journal.jsonl"), wanted));
      });
    } else {
      (void)eventually(clock, round.moment, [&] { return !run.running(); });
    }
    const bool alive = run.running();
    switch (round.end) {
      case End::stop: run.signal(SIGINT); break;
      case End::terminate: run.signal(SIGTERM); break;
      case End::stop_twice:
        run.signal(SIGINT);
        (void)clock.sleep_until(clock.now() + 300ms, {});
        run.signal(SIGHUP);
        break;
      default: run.signal(SIGKILL); kills += alive ? 1 : 0;
    }
    (void)run.wait();
    if (other) {
      other->signal(SIGKILL);
      kills += 1;
      (void)other->wait();
    }
  }
  // With a reaper nobody does anything; without one somebody comes later.
  const auto clean = [&] {
    const auto seen = elsewhere.meter();
    return seen.is_object() && seen.value("billed_now", -1) == 0 && seen["ssh_keys"].empty() &&
           seen.value("uploads", -1) == 0;
  };
  if (round.reaper && !eventually(clock, 90s, [&] {
        (void)clock.sleep_until(clock.now() + 500ms, {});
        return clean();
      })) {
    return "the reaper left: " + elsewhere.meter().dump();
  }
  const auto cleaned = elsewhere.failover({"cleanup"}, 200s);
  if (cleaned.exit_code != 0) return "cleanup ended " + std::to_string(cleaned.exit_code) + ": " + cleaned.err;
  if (!clean()) return "left behind: " + elsewhere.meter().dump();
  const auto again = elsewhere.failover({"cleanup"});
  if (again.exit_code != 0 || !base::contains(again.out, "nothing to give back")) {
    return "a second cleanup had something to do: " + again.out + again.err;
  }
  return "";
}

}  // namespace

TEST_CASE("killed, stopped and doubled at any moment, nothing stays rented") {
  const int rounds = setting("FAILOVER_CAMPAIGN", 12);
  const int jobs = std::min(setting("FAILOVER_CAMPAIGN_JOBS", 4), rounds);
  const auto first = static_cast<unsigned>(setting("FAILOVER_CAMPAIGN_SEED", 1));
  std::vector<std::unique_ptr<Elsewhere>> accounts;
  accounts.reserve(static_cast<std::size_t>(jobs));
  for (int i = 0; i < jobs; ++i) accounts.push_back(std::make_unique<Elsewhere>());
  std::atomic<int> next{0};
  std::atomic<int> kills{0};
  std::mutex mutex;
  std::vector<std::string> wrong;
  {
    std::vector<std::jthread> workers;
    for (auto& account : accounts) {
      workers.emplace_back([&, one = account.get()] {
        for (int i = next++; i < rounds; i = next++) {
          const Round round = Round::of(first + static_cast<unsigned>(i));
          const std::string problem = play(*one, round, kills);
          if (problem.empty()) continue;
          const std::lock_guard lock(mutex);
          wrong.push_back("seed " + std::to_string(first + static_cast<unsigned>(i)) + " (" + round.text() +
                          "): " + problem);
        }
      });
    }
  }
  MESSAGE(rounds << " rounds, " << kills.load() << " kills of a living run");
  for (const auto& line : wrong) MESSAGE(line);
  CHECK(wrong.empty());
  CHECK(kills > 0);
}
