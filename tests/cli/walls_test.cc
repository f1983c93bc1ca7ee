// The walls against a machine left behind, each alone with the others off (leak-safety.md, "Four walls"); the reaper's
// are in reaper_test.cc, the run's own in first_stop_test.cc.
#include <functional>

#include "engine/event/journal.h"
#include "engine/run/label.h"
#include "tests/cli/killed.h"
#include "tests/cli/proxy.h"
#include "tests/cli/strangers.h"
#include "tests/skipped.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)

namespace {

// The journal as it would be had `change` been done to its events.
std::string rewritten(const fs::path& journal, const std::function<void(event::Event&, base::Value::Map&)>& change) {
  const auto whole = event::read_journal(journal.parent_path());
  REQUIRE(whole.ok());
  std::string text;
  for (event::Event event : whole->events) {
    auto data = *event.data.map();
    change(event, data);
    event.data = base::Value(std::move(data));
    text += event::to_line(event) + "\n";
  }
  return text;
}

// Of how many things the line that begins so says `N of N given back`; 0: there is none.
int given_back(const std::string& text, const std::string& beginning) {
  for (const auto& line : base::split(text, '\n')) {
    if (line.rfind(beginning, 0) != 0) continue;
    const auto words = base::split(line.substr(beginning.size()), ' ');
    if (words.size() == 5 && words[1] == "of" && words[0] == words[2] && words[3] + words[4] == "givenback")
      return std::atoi(words[0].c_str());
  }
  return 0;
}

}  // namespace

TEST_CASE("the ledger: the next start of the program gives back what a killed run left, and says so") {
  Elsewhere elsewhere;
  kill_when(elsewhere, with(kRun, "--no-reaper"), "step snapshot (");
  CHECK(billed(elsewhere) > 0);
  const std::string id = folder_of(elsewhere).filename().string();
  // Any scenario at all, in the built-in sandbox.
  const auto next = elsewhere.failover({"run", "realtime-sync", "--quick"});
  INFO(next.out << next.err);
  CHECK(next.exit_code == 0);
  CHECK(given_back(next.err, "failover: run " + id + ": ") > 0);
  elsewhere.check_clean();
}

TEST_CASE("a damaged journal is named at every start, with its place, its cause and what to do") {
  Elsewhere elsewhere;
  kill_when(elsewhere, with(kRun, "--no-reaper"), "step offer (");
  const auto folder = folder_of(elsewhere);
  const auto journal = folder / "journal.jsonl";
  auto text = text_of(journal);
  const auto second = text.find('\n') + 1;
  text[second + 20] = text[second + 20] == '0' ? '1' : '0';
  REQUIRE(base::write_file(journal, text).ok());

  const auto next = elsewhere.failover({"run", "realtime-sync", "--quick"});
  INFO(next.out << next.err);
  CHECK(next.exit_code == 0);  // what is simulated in this process owes nothing to the account
  const auto id = folder.filename().string();
  const std::string label = "failover-" + id.substr(id.rfind('-') + 1) + "-*";
  for (const auto& words : {journal.string() + ":2: ", std::string("the checksum does not match"), label,
                            std::string("cleanup --expired"), "move " + folder.string() + " away"}) {
    CAPTURE(words);
    CHECK(base::contains(next.err, words));
  }
  // A live run that went well does not make up for it.
  auto live = kRun;
  live.emplace_back("--quick");
  const auto after = elsewhere.failover(live);
  INFO(after.out << after.err);
  CHECK(after.exit_code == 4);
  CHECK(base::contains(after.err, journal.string() + ":2: "));
  CHECK(text_of(journal) == text);
  CHECK(elsewhere.failover({"cleanup"}).exit_code == 4);
}

TEST_CASE("the ledger: a run that cannot be looked at keeps no other from being given back, and is not forgotten") {
  Elsewhere elsewhere;
  kill_when(elsewhere, with(kRun, "--no-reaper"), "step source_ready (");
  const auto lost = elsewhere.failover.home.path() / "runs" / "20200101T000000Z-aaaaaaaaaa";
  fs::create_symlink(lost, lost);
  const auto done = elsewhere.failover({"cleanup"});
  INFO(done.out << done.err);
  CHECK(done.exit_code == 4);
  CHECK(base::contains(done.err, lost.string()));
  CHECK(base::contains(done.out, "given back"));
  elsewhere.check_clean();
  // A live run that went well does not make up for it.
  const auto live = elsewhere.failover(with(kRun, "--quick"));
  INFO(live.out << live.err);
  CHECK(live.exit_code == 4);
  CHECK(base::contains(live.err, lost.string()));
}

TEST_CASE("the ledger: a journal of other accounts stays as it is, to the byte, and what it holds is named") {
  Elsewhere elsewhere;
  kill_when(elsewhere, with(kRun, "--no-reaper"), "step snapshot (");
  const auto journal = folder_of(elsewhere) / "journal.jsonl";
  const auto text = text_of(journal) + R"({"seq":)";  // torn
  REQUIRE(base::write_file(journal, text).ok());
  auto& environment = elsewhere.failover.environment;
  const auto right = environment;
  for (const std::string other : {"somebody-elses-key-0123456789", ""}) {
    CAPTURE(other);
    for (const char* name : {"VAST_API_KEY", "B2_APPLICATION_KEY"}) environment[name] = other;
    for (int i = 0; i < 2; ++i) {
      const auto told = elsewhere.failover({"cleanup"});
      INFO(told.out << told.err);
      CHECK(told.exit_code == 4);
      CHECK(base::contains(told.err, "used another account at "));
      CHECK(base::contains(told.err, "still held: vast.instance "));
      CHECK(base::contains(told.err, "by hand: curl -X DELETE "));
    }
    CHECK(base::contains(elsewhere.failover({"run", "realtime-sync", "--quick"}).err, "with the keys of its account"));
    CHECK(text_of(journal) == text);
  }
  CHECK(billed(elsewhere) > 0);
  // A key that the machine does not need does not keep it rented.
  environment = right;
  environment["B2_KEY_ID"] = "000rotated";
  const auto without = elsewhere.failover({"cleanup"});
  INFO(without.out << without.err);
  CHECK(billed(elsewhere) == 0);
  environment = right;
  CHECK(elsewhere.failover({"cleanup"}).exit_code == 0);
  elsewhere.check_clean();
}

TEST_CASE("the ledger: a journal from elsewhere gets no key sent to where it says") {
  Elsewhere elsewhere;
  kill_when(elsewhere, with(kRun, "--no-reaper"), "step snapshot (");
  const auto journal = folder_of(elsewhere) / "journal.jsonl";
  Proxy stranger(1, 1);
  const std::string text = rewritten(journal, [&](const event::Event& event, base::Value::Map& data) {
    if (event.type != event::type::run_started) return;
    data.insert_or_assign("endpoints", base::Value(base::Value::Map{{"vast", stranger.url()}, {"b2", stranger.url()}}));
  });
  const auto before = text_of(journal);
  REQUIRE(base::write_file(journal, text).ok());
  const auto told = elsewhere.failover({"cleanup"});
  INFO(told.out << told.err);
  CHECK(told.exit_code == 4);
  CHECK(base::contains(told.err, "used another account at "));
  CHECK(stranger.requests().empty());
  REQUIRE(base::write_file(journal, before).ok());
  CHECK(elsewhere.failover({"cleanup"}).exit_code == 0);
  elsewhere.check_clean();
}

TEST_CASE("the ledger: a rental that was refused and made all the same is nothing that a wrong key may forget") {
  Elsewhere elsewhere;
  kill_when(elsewhere, with(kRun, "--no-reaper"), "step source_ready (");
  const auto journal = folder_of(elsewhere) / "journal.jsonl";
  const std::string text = rewritten(journal, [](event::Event& event, base::Value::Map& data) {
    if (event.type != event::type::made || event.text("kind") != "vast.instance") return;
    event.type = event::type::refused;
    data.insert_or_assign("error", base::Value(base::Value::Map{{"fault", "no_offer"}, {"code", "gone"}}));
  });
  REQUIRE(base::write_file(journal, text).ok());
  auto& environment = elsewhere.failover.environment;
  const auto right = environment;
  environment["VAST_API_KEY"] = "somebody-elses-key-0123456789";
  for (int i = 0; i < 2; ++i) {
    const auto told = elsewhere.failover({"cleanup"});
    INFO(told.out << told.err);
    CHECK(told.exit_code == 4);
    CHECK(base::contains(told.err, "used another account at Vast.ai"));
    CHECK(text_of(journal) == text);
  }
  CHECK(billed(elsewhere) > 0);
  environment = right;
  CHECK(base::contains(elsewhere.failover({"cleanup", "--dry-run"}).out, "refused, and not looked for to the end"));
  const auto done = elsewhere.failover({"cleanup"});
  INFO(done.out << done.err);
  CHECK(done.exit_code == 0);
  CHECK(base::contains(done.out, "1 of 1 given back"));
  CHECK(billed(elsewhere) == 0);
  elsewhere.check_clean();
}

TEST_CASE("labels: from another machine, without any journal, what is past its deadline and nothing else") {
  Elsewhere elsewhere;
  auto& environment = elsewhere.failover.environment;
  const base::Secret key(environment.at("VAST_API_KEY"));
  const auto now = elsewhere.failover.clock.wall();
  const auto expired = rent(elsewhere, run::make_label("r-abcdefghij", 1, now - 5min, key));
  const auto in_time = rent(elsewhere, run::make_label("r-abcdefghij", 2, now + 1h, key));
  const auto alien = rent(elsewhere, run::make_label("r-abcdefghij", 3, now - 5min, base::Secret("another key")));
  const auto foreign = rent(elsewhere, "training, do not touch");
  REQUIRE(expired > 0);
  REQUIRE(in_time > 0);
  REQUIRE(alien > 0);
  REQUIRE(foreign > 0);
  CHECK(billed(elsewhere) == 4);

  const auto dry = elsewhere.failover({"cleanup", "--expired", "--dry-run"});
  INFO(dry.out << dry.err);
  CHECK(dry.exit_code == 0);
  CHECK(billed(elsewhere) == 4);
  const auto line = [&](std::int64_t id) {
    const auto at = dry.out.find("vast.instance " + std::to_string(id));
    return at == std::string::npos ? std::string() : dry.out.substr(at, dry.out.find('\n', at) - at);
  };
  CHECK(base::contains(line(expired), "expired"));
  CHECK(base::contains(line(in_time), "left alone, its run has until"));
  CHECK(base::contains(line(alien), "not signed by this key"));
  CHECK(line(foreign).empty());

  const auto done = elsewhere.failover({"cleanup", "--expired"});
  INFO(done.out << done.err);
  CHECK(done.exit_code == 0);
  CHECK(base::contains(done.out, "1 of 1 given back"));
  CHECK(billed(elsewhere) == 3);

  // With a key of the operator's own other labels count.
  environment["FAILOVER_LABEL_KEY"] = "another key";
  const auto other = elsewhere.failover({"cleanup", "--expired"});
  INFO(other.out << other.err);
  CHECK(other.exit_code == 0);
  CHECK(billed(elsewhere) == 2);
  // It needs no folder.
  const auto all = environment;
  for (const char* name : {"FAILOVER_HOME", "HOME", "XDG_STATE_HOME"}) environment.erase(name);
  const auto nowhere = elsewhere.failover({"cleanup", "--expired"});
  environment = all;
  INFO(nowhere.out << nowhere.err);
  CHECK(nowhere.exit_code == 0);
  CHECK(base::contains(nowhere.out, "nothing is past its deadline"));
  environment.erase("VAST_API_KEY");
  CHECK(elsewhere.failover({"cleanup", "--expired"}).exit_code == 2);
}

TEST_CASE("what a run has kept goes when its time has passed, and not before; its report stays what it was") {
  Elsewhere elsewhere;
  auto& failover = elsewhere.failover;
  const auto file = failover.home.path() / "keep.yaml";
  REQUIRE(base::write_file(file, R"(name: keep
description: Two notes, one of them kept for a moment.
inputs: { time: { type: duration } }
env: [B2_BUCKET]
steps:
  - uses: b2.put_object
    with: { bucket: "${{ env.B2_BUCKET }}", key: "note-${{ inputs.time }}", text: hello }
    keep: ${{ inputs.time }}
)")
              .ok());
  for (const std::string time : {"1s", "1h"}) {
    const auto run = failover({"run", file.string(), "--live", "--yes", "--no-reaper", "--input", "time=" + time});
    INFO(run.out << run.err);
    REQUIRE(run.exit_code == 0);
  }
  const auto cleanup = failover({"cleanup"});
  CHECK(cleanup.exit_code == 0);
  CHECK(base::contains(cleanup.out, "no unfinished runs"));
  // By a clock of one second.
  std::string seen;
  REQUIRE(eventually(failover.clock, 10s, [&] {
    seen = failover({"cleanup", "--expired", "--dry-run"}).out;
    return base::contains(seen, "kept by run");
  }));
  CHECK(base::contains(seen, "note-1s"));
  CHECK_FALSE(base::contains(seen, "note-1h"));
  const auto objects = [&] {
    std::string out;
    const auto meter = elsewhere.meter();
    for (const auto& one : meter["objects"]) out += one["key"].get<std::string>() + " ";
    return out;
  };
  CHECK(objects() == "note-1h0m0s note-1s ");

  // Not with the key of another account.
  const std::string mine = std::exchange(failover.environment["B2_KEY_ID"], "0051111111111110000000001");
  CHECK(failover({"cleanup", "--expired"}).exit_code == 4);
  failover.environment["B2_KEY_ID"] = mine;
  CHECK(objects() == "note-1h0m0s note-1s ");

  const auto done = failover({"cleanup", "--expired"});
  INFO(done.out << done.err);
  CHECK(done.exit_code == 0);
  CHECK(base::contains(done.out, "1 of 1 given back"));
  CHECK(objects() == "note-1h0m0s ");
  const auto again = failover({"cleanup", "--expired"});
  CHECK(again.exit_code == 0);
  CHECK_FALSE(base::contains(again.out, "kept by run"));
  int kept = 0;
  for (const auto& entry : fs::directory_iterator(failover.home.path() / "runs")) {
    const auto report = nlohmann::json::parse(text_of(entry.path() / "report.json"));
    CHECK(report["verdict"] == "passed");
    CHECK(report["exit_code"] == 0);
    CHECK(report["leftovers"].empty());
    for (const auto& one : report["invariants"]) CHECK(one["verdict"] == "held");
    CHECK(report["timing"]["total_s"].get<double>() < 30);
    CHECK(report["phases"].size() <= 3);
    for (const auto& one : report["resources"]) kept += one["state"] == "kept" ? 1 : 0;
  }
  CHECK(kept == 1);
}

TEST_CASE(
    "labels: a key that may not list the SSH keys still gives the expired machines back, and says what it missed") {
  Elsewhere elsewhere;
  auto& environment = elsewhere.failover.environment;
  const base::Secret key(environment.at("VAST_API_KEY"));
  const auto expired = rent(elsewhere, run::make_label("r-abcdefghij", 1, elsewhere.failover.clock.wall() - 5min, key));
  REQUIRE(expired > 0);
  const auto& url = environment.at("VAST_API_URL");
  Proxy vast(std::atoi(url.substr(url.rfind(':') + 1).c_str()), 1);
  environment["VAST_API_URL"] = vast.url();
  vast.refuse("GET /api/v0/ssh");
  // A listing does not show a young machine at once.
  REQUIRE(eventually(elsewhere.failover.clock, 60s, [&] {
    return base::contains(elsewhere.failover({"cleanup", "--expired", "--dry-run"}).out,
                          "vast.instance " + std::to_string(expired) + " (");
  }));
  for (const bool dry : {true, false, false}) {
    CAPTURE(dry);
    std::vector<std::string> words{"cleanup", "--expired"};
    if (dry) words.emplace_back("--dry-run");
    const bool there = billed(elsewhere) == 1;
    const auto done = elsewhere.failover(words);
    INFO(done.out << done.err);
    CHECK(done.exit_code == 4);
    CHECK(base::contains(done.err, "looking for everything of kind vast.ssh_key"));
    CHECK(
        base::contains(done.out, there ? "vast.instance " + std::to_string(expired) + " (" : "nothing that was seen"));
    CHECK(billed(elsewhere) == (dry ? 1 : 0));
  }
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kFaketime = false;  // of no use with a sanitizer, which wants to come first
#else
constexpr bool kFaketime = kOnLinux;
#endif

// Where Debian and Fedora put it; empty: not here.
std::string faketime() {
  if (!kFaketime) return "";
  std::error_code none;
  for (const char* place : {"/usr/lib", "/usr/lib64"}) {
    for (const auto& entry : fs::directory_iterator(place, none)) {
      const auto library = entry.path() / "faketime/libfaketimeMT.so.1";
      if (fs::exists(library, none)) return library.string();
    }
    const auto library = fs::path(place) / "faketime/libfaketimeMT.so.1";
    if (fs::exists(library, none)) return library.string();
  }
  return "";
}

// The program's wall clock lies from now on; the time that passes is the true one.
bool lie(Elsewhere& elsewhere, const std::string& by) {
  const std::string library = faketime();
  if (library.empty()) return false;
  elsewhere.failover.environment["LD_PRELOAD"] = library;
  elsewhere.failover.environment["FAKETIME"] = by;
  elsewhere.failover.environment["FAKETIME_DONT_FAKE_MONOTONIC"] = "1";
  return true;
}

TEST_CASE("labels: a clock here that lies ends nothing too early and forgets nothing") {
  for (const std::string by : {"+3h", "-3h"}) {
    CAPTURE(by);
    Elsewhere elsewhere;
    const base::Secret key(elsewhere.failover.environment.at("VAST_API_KEY"));
    const auto now = elsewhere.failover.clock.wall();
    const auto expired = rent(elsewhere, run::make_label("r-abcdefghij", 1, now - 5min, key));
    const auto in_time = rent(elsewhere, run::make_label("r-abcdefghij", 2, now + 1h, key));
    REQUIRE(expired > 0);
    REQUIRE(in_time > 0);
    if (!lie(elsewhere, by)) return skipped("there is no libfaketime here that works with this build", kFaketime);
    const auto done = elsewhere.failover({"cleanup", "--expired"});
    INFO(done.out << done.err);
    CHECK(done.exit_code == 0);
    CHECK(base::contains(done.out, "1 of 1 given back"));
    const auto meter = elsewhere.meter();
    for (const auto& one : meter["instances"]) {
      const bool gone = !one["destroyed"].is_null();
      CHECK(gone == (one["id"] == expired));
    }
  }
}

TEST_CASE("the ledger: a clock that was moved does not shorten the watch over an unanswered rental, nor lengthen it") {
  for (const std::string by : {"+3h", "-3h"}) {
    CAPTURE(by);
    Elsewhere elsewhere;
    auto& environment = elsewhere.failover.environment;
    const auto& url = environment.at("VAST_API_URL");
    Proxy vast(std::atoi(url.substr(url.rfind(':') + 1).c_str()), 1);
    environment["VAST_API_URL"] = vast.url();
    elsewhere.arm("create_late_effect");
    vast.hold("PUT /api/v0/asks/");
    {
      Background run(with(kRun, "--no-reaper"), environment, elsewhere.failover.home.path() / "run.log");
      REQUIRE(eventually(elsewhere.failover.clock, 60s, [&] { return !run.running() || vast.holding(); }));
      REQUIRE(run.running());
      // The machine comes to be 1.5 s after the request, when its runner is gone.
      run.signal(SIGKILL);
      CHECK(run.wait() == 1000 + SIGKILL);
    }
    vast.let_go();
    if (!lie(elsewhere, by)) return skipped("there is no libfaketime here that works with this build", kFaketime);
    const auto begin = elsewhere.failover.clock.now();
    const auto done = elsewhere.failover({"cleanup"}, 100s);
    INFO(done.out << done.err);
    CHECK(done.exit_code == 0);
    // The sandbox's window is 4 s; three hours it is not.
    CHECK(elsewhere.failover.clock.now() - begin < 90s);
    const auto seen = elsewhere.meter();
    INFO(seen.dump(1));
    CHECK(seen["instances"].size() == 1);
    elsewhere.check_clean();
  }
}
