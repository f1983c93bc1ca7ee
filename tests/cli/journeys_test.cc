// Whole journeys with the shipped program: in the built-in sandbox, against a sandbox in another process, stopped,
// killed and recovered. The sandbox's own meter says what was left behind.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <random>

#include "engine/base/text.h"
#include "tests/cli/program.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)

namespace {

// The program in the background; ended with the object.
class Background {
 public:
  Background(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& environment,
             const fs::path& output) {
    std::vector<std::string> words{FAILOVER_BINARY};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<std::string> variables;
    for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
    const auto pointers = [](std::vector<std::string>& texts) {
      std::vector<char*> out;
      for (auto& text : texts) out.push_back(text.data());
      out.push_back(nullptr);
      return out;
    };
    auto argv = pointers(words);
    auto envp = pointers(variables);
    const std::string log = output.string();
    pid_ = ::fork();
    if (pid_ == 0) {
      const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
      if (::dup2(file, 1) < 0 || ::dup2(file, 2) < 0 || ::chdir(FAILOVER_SOURCE_DIR) != 0) ::_exit(126);
      ::execve(argv[0], argv.data(), envp.data());
      ::_exit(127);
    }
  }
  ~Background() {
    if (pid_ > 0 && !waited_) {
      ::kill(pid_, SIGKILL);
      wait();
    }
  }
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  void signal(int number) const { ::kill(pid_, number); }
  [[nodiscard]] pid_t pid() const { return pid_; }
  // The exit code, or 1000 + the signal that ended it.
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    waited_ = true;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  }
  [[nodiscard]] bool running() {
    if (waited_) return false;
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
  }

 private:
  pid_t pid_ = -1;
  bool waited_ = false;
};

template <class Test>
bool eventually(base::Clock& clock, base::Duration limit, const Test& test) {
  const auto end = clock.now() + limit;
  while (!test()) {
    if (clock.now() > end) return false;
    (void)clock.sleep_until(clock.now() + 20ms, {});
  }
  return true;
}

// `failover sandbox` in a process of its own, and a caller whose environment points there.
struct Elsewhere {
  Program failover{};
  fs::path file = failover.home.path() / "env";
  Background sandbox;

  explicit Elsewhere(std::vector<std::string> more = {})
      : sandbox(arguments(std::move(more), file), failover.environment, failover.home.path() / "sandbox.log") {
    REQUIRE(eventually(failover.clock, 30s, [&] { return fs::exists(file); }));
    const auto text = base::read_file(file, 1 << 16);
    REQUIRE(text.ok());
    for (const auto& line : base::split(*text, '\n')) {
      if (line.rfind("export ", 0) != 0) continue;
      const std::size_t equals = line.find('=');
      failover.environment[line.substr(7, equals - 7)] = line.substr(equals + 2, line.size() - equals - 3);
    }
  }
  static std::vector<std::string> arguments(std::vector<std::string> more, const fs::path& file) {
    std::vector<std::string> out{"sandbox", "--env-file", file.string()};
    out.insert(out.end(), more.begin(), more.end());
    return out;
  }
  base::ProcessResult curl(std::vector<std::string> arguments) {
    base::ProcessSpec spec;
    spec.command = {"curl", "-sS", "--max-time", "20"};
    spec.command.insert(spec.command.end(), arguments.begin(), arguments.end());
    spec.environment = failover.environment;
    return *base::run_process(spec, base::Patience(failover.clock, failover.clock.now() + 30s, {}));
  }
  nlohmann::json meter() {
    return nlohmann::json::parse(curl({failover.environment["VAST_API_URL"] + "/_sandbox/meter"}).out, nullptr, false);
  }
  void arm(const std::string& fault) {
    const auto done =
        curl({"-d", nlohmann::json{{"arm", fault}}.dump(), failover.environment["VAST_API_URL"] + "/_sandbox/faults"});
    REQUIRE_MESSAGE(base::contains(done.out, "armed"), (done.out + done.err));
  }
  // Nothing is billed, attached or half-stored.
  void check_clean() {
    const auto seen = meter();
    INFO(seen.dump(1));
    CHECK(seen.value("billed_now", -1) == 0);
    CHECK(seen["ssh_keys"].empty());
    CHECK(seen.value("uploads", -1) == 0);
  }
};

// Processes that have `word` in their command line.
int processes_with(const std::string& word) {
  int count = 0;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const auto text = base::read_file(entry.path() / "cmdline", 1 << 20);
    if (text && base::contains(*text, word)) ++count;
  }
  return count;
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

TEST_CASE("what goes wrong has its outcome, its exit code and nothing rented after it") {
  Elsewhere elsewhere;
  struct Case {
    const char* fault;
    int exit_code;
    const char* words;  // on stderr
  };
  const std::vector<Case> cases = {
      {"offer_gone", 0, ""},
      {"rate_limit_storm", 0, ""},
      {"create_502_after_effect", 0, ""},
      {"create_success_false", 0, ""},
      {"create_reset_after_effect", 0, ""},
      {"b2_unavailable", 0, ""},
      {"host_key_changed", 3, "host key"},
      {"disk_full", 3, "disk"},
      {"no_offers", 3, "offer"},
      {"bad_vast_key", 3, "VAST_API_KEY"},
      {"no_credit", 3, "credit"},
      {"b2_bucket_missing", 3, "bucket"},
      {"b2_no_rights", 3, "right"},
      {"object_missing", 0, ""},
      {"object_corrupted", 3, "error:"},
  };
  for (const auto& one : cases) {
    const std::string fault = one.fault;
    CAPTURE(fault);
    elsewhere.arm(one.fault);
    const auto done = elsewhere.failover({"run", "realtime-sync", "--live", "--yes", "--output", "plain"}, 200s);
    INFO(done.out << done.err);
    CHECK(done.exit_code == one.exit_code);
    CHECK(base::contains(done.err, one.words));
    elsewhere.arm(std::string(one.fault) + ":0");
    elsewhere.check_clean();
  }
}

TEST_CASE("Ctrl-C stops and cleans up; the world is as before") {
  for (const std::string moment : {"source_ready", "snapshot", "target"}) {
    CAPTURE(moment);
    // An account of its own: the service wants some seconds between two creates of one.
    Elsewhere elsewhere;
    const auto log = elsewhere.failover.home.path() / "run.log";
    Background run({"run", "realtime-sync", "--live", "--yes", "--output", "plain"}, elsewhere.failover.environment,
                   log);
    REQUIRE(eventually(elsewhere.failover.clock, 60s, [&] {
      const auto text = base::read_file(log, 1 << 22);
      return !run.running() || (text && base::contains(*text, "step " + moment + " ("));
    }));
    run.signal(SIGINT);
    const int code = run.wait();
    INFO(*base::read_file(log, 1 << 22));
    CHECK(code == 130);
    elsewhere.check_clean();
  }
}

TEST_CASE("a second Ctrl-C stops the cleanup, which names what it leaves and is finished later") {
  Elsewhere elsewhere;
  const auto log = elsewhere.failover.home.path() / "run.log";
  Background run({"run", "realtime-sync", "--live", "--yes", "--output", "plain"}, elsewhere.failover.environment, log);
  const auto said = [&](const std::string& words) {
    return eventually(elsewhere.failover.clock, 60s, [&] {
      const auto text = base::read_file(log, 1 << 22);
      return !run.running() || (text && base::contains(*text, words));
    });
  };
  REQUIRE(said("step source_ready ("));
  run.signal(SIGINT);
  REQUIRE(said("cleanup of "));
  run.signal(SIGTERM);
  CHECK(run.wait() == 4);
  CHECK(base::contains(*base::read_file(log, 1 << 22), "may still be held: vast.instance"));
  const auto cleaned = elsewhere.failover({"cleanup"}, 100s);
  INFO(cleaned.out << cleaned.err);
  CHECK(cleaned.exit_code == 0);
  elsewhere.check_clean();
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

TEST_CASE("killed at a random moment, then cleaned up from the journal") {
  Elsewhere elsewhere;
  const char* wanted = std::getenv("FAILOVER_KILLS");  // NOLINT(concurrency-mt-unsafe)
  const int rounds = wanted == nullptr ? 4 : std::atoi(wanted);
  std::random_device device;
  const unsigned seed = device();
  MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < rounds; ++round) {
    CAPTURE(round);
    Background run({"run", "realtime-sync", "--live", "--yes", "--output", "plain"}, elsewhere.failover.environment,
                   elsewhere.failover.home.path() / "run.log");
    const auto moment = std::chrono::milliseconds(300 + random() % 9'000);
    CAPTURE(moment.count());
    (void)eventually(elsewhere.failover.clock, moment, [&] { return !run.running(); });
    run.signal(SIGKILL);
    (void)run.wait();
    const auto cleaned = elsewhere.failover({"cleanup"}, 200s);
    INFO(cleaned.out << cleaned.err);
    CHECK(cleaned.exit_code == 0);
    elsewhere.check_clean();
    CHECK(base::contains(elsewhere.failover({"cleanup"}).out, "nothing to give back"));
  }
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
  CHECK(report["cost"].value("actual_usd", 1.0) == 0.0);
}
