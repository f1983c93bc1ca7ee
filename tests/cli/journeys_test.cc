// Whole journeys with the shipped program: in the built-in sandbox and against one in another process, whose own meter
// says what was left behind.
#include "tests/cli/elsewhere.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)

namespace {

// Processes that have `word` in their command line.
int processes_with(const std::string& word) {
  int count = 0;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const auto text = base::read_file(entry.path() / "cmdline", 1 << 20);
    if (text && base::contains(*text, word)) ++count;
  }
  return count;
}

// What the run's own journal says of every promise.
void check_promises(const nlohmann::json& report) {
  CHECK(report["invariants"].size() == 7);
  for (const auto& one : report["invariants"]) {
    INFO(one.dump());
    CHECK(one.value("verdict", "") == "held");
  }
}

}  // namespace

TEST_CASE("realtime-sync passes in the built-in sandbox and leaves nothing") {
  Program failover;
  const std::string mark = failover.home.path().string();
  failover.environment["TMPDIR"] = mark;
  const auto done = failover({"run", "realtime-sync", "--output", "plain"});
  INFO(done.out << done.err);
  REQUIRE(done.exit_code == 0);
  CHECK(base::contains(done.out.substr(0, done.out.find('\n')), "SANDBOX"));
  CHECK(processes_with(mark) == 0);
  for (const auto& entry : fs::directory_iterator(mark)) CHECK(entry.path().filename() == "runs");

  const auto report = failover.report();
  CHECK(report.value("verdict", "") == "passed");
  CHECK(report.value("target", "") == "sandbox");
  CHECK(report["validation"].value("files_created", 0) == 3);
  CHECK(report["validation"].value("files_verified", 0) == 3);
  for (const char* name : {"create_files_s", "snapshot_s", "failover_s", "verify_s", "total_s"})
    CHECK(report["timing"].contains(name));
  int machines = 0;
  for (const auto& one : report["resources"]) {
    if (one["kind"] == "vast.instance") {
      ++machines;
      CHECK(one["state"] == "released");
    }
    if (one["kind"] == "snapshot") CHECK(one["state"] == "kept");
  }
  CHECK(machines == 2);
  CHECK(report["leftovers"].empty());
  check_promises(report);
  CHECK(report["cost"].value("actual_usd", 0.0) > 0);
  CHECK(report["cost"].value("actual_usd", 1.0) <= report["cost"]["estimate"].value("worst_usd", 0.0));
  for (const char* words : {"SSH", "offer", "instance", "cost per hour", "hours used", "ratio", "failover time",
                            "files OK", "3/3", "Cleanup", "PASSED"}) {
    CAPTURE(words);
    CHECK(base::contains(done.out, words));
  }
  // The same report from the journal alone.
  CHECK(nlohmann::json::parse(failover({"report", "last", "--format", "json"}).out, nullptr, false) == report);
}

TEST_CASE("--quick sends nothing that costs; --output json is the journal") {
  Program failover;
  const auto done = failover({"run", "realtime-sync", "--quick", "--output", "json"});
  CHECK(done.exit_code == 0);
  int lines = 0;
  for (const auto& line : base::split(done.out, '\n')) {
    if (line.empty()) continue;
    ++lines;
    const auto record = nlohmann::json::parse(line, nullptr, false);
    CHECK(record.is_object());
    CHECK(record.value("type", "") != "intent");
  }
  CHECK(lines > 5);
}

TEST_CASE("a machine that somebody destroys in the middle of the journey ends it, truly reported") {
  Elsewhere elsewhere;
  auto& failover = elsewhere.failover;
  const auto log = failover.home.path() / "run.log";
  Background run({"run", "realtime-sync", "--live", "--yes", "--output", "plain"}, failover.environment, log);
  REQUIRE(eventually(failover.clock, 60s, [&] {
    const auto text = base::read_file(log, 1 << 22);
    return !run.running() || (text && base::contains(*text, "step target ("));
  }));
  // The replacement goes as soon as it is there.
  const std::string key = "Authorization: Bearer " + failover.environment["VAST_API_KEY"];
  REQUIRE(eventually(failover.clock, 30s, [&] {
    const auto meter = elsewhere.meter();
    for (const auto& one : meter["instances"]) {
      if (!one["destroyed"].is_null() || one["status"] != "running") continue;
      elsewhere.curl({"-X", "DELETE", "-H", key,
                      failover.environment["VAST_API_URL"] + "/api/v0/instances/" +
                          std::to_string(one["id"].get<std::int64_t>()) + "/"});
      return true;
    }
    return false;
  }));
  const int code = run.wait();
  const bool outcome = code == 3 || code == 0;  // lost, or replaced once more while it was being waited for
  CHECK(outcome);
  elsewhere.check_clean();
  const auto report = failover.report();
  CHECK(report.value("exit_code", -1) == code);
  CHECK(report["leftovers"].empty());
  CHECK(report["validation"].value("files_verified", -1) == (code == 0 ? 3 : 0));
}

// A rental that is sent away with 429 is as unknown as one without an answer: runs beside each other must not provoke
// it.
TEST_CASE("runs at the same time, in processes of their own and in one, rent in turn and pass") {
  Elsewhere elsewhere;
  const auto log = [&](int i) { return elsewhere.failover.home.path() / ("run-" + std::to_string(i) + ".log"); };
  const std::vector<std::string> words{"run",      "realtime-sync", "--live",  "--yes",
                                       "--output", "plain",         "--input", "file_size=1KB"};
  std::vector<std::string> twice = words;
  twice.insert(twice.end(), {"--repeat", "2", "--jobs", "2"});
  Background one(words, elsewhere.failover.environment, log(1));
  Background two(twice, elsewhere.failover.environment, log(2));
  const int first = one.wait();
  const int second = two.wait();
  INFO(*base::read_file(log(1), 1 << 20) << *base::read_file(log(2), 1 << 20));
  CHECK(first == 0);
  CHECK(second == 0);
  elsewhere.check_clean();
}

TEST_CASE("journeys side by side in the built-in sandbox rent in turn, too") {
  Program failover;
  const auto done =
      failover({"run", "realtime-sync", "--repeat", "2", "--jobs", "2", "--input", "file_size=1KB"}, 200s);
  INFO(done.out << done.err);
  CHECK(done.exit_code == 0);
}

TEST_CASE("existing-instance rents and destroys nothing") {
  Elsewhere elsewhere;
  auto& failover = elsewhere.failover;
  std::vector<std::string> ids;
  // Two machines of somebody else.
  const std::string key = "Authorization: Bearer " + failover.environment["VAST_API_KEY"];
  const std::string url = failover.environment["VAST_API_URL"];
  const auto offers =
      nlohmann::json::parse(elsewhere
                                .curl({"-H", key, "-H", "Content-Type: application/json", "-d",
                                       R"({"limit": 20, "direct_port_count": {"gte": 1}, "rentable": {"eq": true}})",
                                       url + "/api/v0/bundles/"})
                                .out,
                            nullptr, false);
  REQUIRE(offers.contains("offers"));
  for (const auto& offer : offers["offers"]) {
    if (ids.size() == 2) break;
    (void)failover.clock.sleep_until(failover.clock.now() + 3s, {});  // the service wants some time between creates
    const auto made = nlohmann::json::parse(
        elsewhere
            .curl({"-X", "PUT", "-H", key, "-H", "Content-Type: application/json", "-d",
                   R"({"image": "vastai/base-image:@vastai-automatic-tag", "runtype": "ssh_direct", "disk": 10})",
                   url + "/api/v0/asks/" + std::to_string(offer["id"].get<std::int64_t>()) + "/"})
            .out,
        nullptr, false);
    if (made.is_object() && made.value("success", false))
      ids.push_back(std::to_string(made["new_contract"].get<std::int64_t>()));
  }
  REQUIRE(ids.size() == 2);
  const auto done = failover({"run", "existing-instance", "--live", "--yes", "--output", "plain", "--input",
                              "source=" + ids[0], "--input", "target=" + ids[1]},
                             200s);
  INFO(done.out << done.err);
  CHECK(done.exit_code == 0);
  const auto meter = elsewhere.meter();
  CHECK(meter.value("billed_now", 0) == 2);
  CHECK(meter["instances"].size() == 2);
  for (const auto& id : ids) {
    const auto keys = elsewhere.curl({"-H", key, url + "/api/v0/instances/" + id + "/ssh/"}).out;
    CHECK_FALSE(base::contains(keys, "ssh-ed25519"));
  }
  const auto report = failover.report();
  CHECK(report["validation"].value("files_verified", 0) == 3);
  check_promises(report);
  CHECK(report["cost"].value("actual_usd", 1.0) == 0.0);
}

TEST_CASE("doctor --live asks the providers, and says what each lacks") {
  Elsewhere elsewhere;
  auto done = elsewhere.failover({"doctor", "--live"});
  INFO(done.out);
  CHECK(done.exit_code == 0);
  for (const char* words : {"Vast account: credit $25.00", "region sandbox", "clock: ", " s off the service's"})
    CHECK(base::contains(done.out, words));
  elsewhere.failover.environment["VAST_API_KEY"] = "0123456789";
  done = elsewhere.failover({"doctor", "--live"});
  CHECK(done.exit_code == 3);
  CHECK(base::contains(done.out, "FAIL  Vast account"));
  // As a bare host it is taken for https, which nobody speaks there.
  auto& endpoint = elsewhere.failover.environment["B2_ENDPOINT"];
  endpoint.erase(0, endpoint.find("://") + 3);
  done = elsewhere.failover({"doctor", "--live"});
  INFO(done.out);
  CHECK(done.exit_code == 3);
  CHECK(base::contains(done.out, "FAIL  clock: "));
  CHECK_FALSE(base::contains(done.out, "not an http or https URL"));
}
