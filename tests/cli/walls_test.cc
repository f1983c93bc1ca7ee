// The walls against a machine left behind, each alone with the others off (leak-safety.md, "Four walls").
#include <poll.h>

#include <array>

#include "engine/base/fd.h"
#include "engine/event/journal.h"
#include "engine/run/label.h"
#include "tests/cli/elsewhere.h"
#include "tests/cli/proxy.h"

#ifdef __linux__
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cstddef>
#endif

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)

namespace {

const std::vector<std::string> kRun{"run", "realtime-sync", "--live", "--yes", "--output", "plain"};

std::vector<std::string> with(std::vector<std::string> words, const std::string& more) {
  words.push_back(more);
  return words;
}

std::string text_of(const fs::path& file) {
  const auto text = base::read_file(file, 1 << 22);
  return text ? *text : std::string();
}

// The only run's folder.
fs::path folder_of(const Elsewhere& elsewhere) {
  for (const auto& entry : fs::directory_iterator(elsewhere.failover.home.path() / "runs")) return entry.path();
  return {};
}

// That of the only run, as its journal says.
pid_t reaper_of(const Elsewhere& elsewhere) {
  const auto journal = text_of(folder_of(elsewhere) / "journal.jsonl");
  const std::string words = "armed, process ";
  const auto at = journal.find(words);
  return at == std::string::npos ? 0 : static_cast<pid_t>(std::atoi(journal.c_str() + at + words.size()));
}

// Does the process have the file open for writing?
[[maybe_unused]] bool may_write(pid_t process, const fs::path& file) {
  const fs::path place = "/proc/" + std::to_string(process);
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(place / "fd", none)) {
    if (fs::read_symlink(entry.path(), none) != fs::canonical(file, none)) continue;
    const auto info = text_of(place / "fdinfo" / entry.path().filename());
    const auto at = info.find("flags:");
    const auto flags = at == std::string::npos ? 0 : std::strtoul(info.c_str() + at + 6, nullptr, 8);
    if ((flags & O_ACCMODE) == O_RDWR) return true;
  }
  return false;
}

// A run that is killed when its log says `words`, with everything it has rented by then.
void kill_when(Elsewhere& elsewhere, const std::vector<std::string>& command, const std::string& words) {
  const auto log = elsewhere.failover.home.path() / "run.log";
  Background run(command, elsewhere.failover.environment, log);
  const bool said =
      eventually(elsewhere.failover.clock, 60s, [&] { return !run.running() || base::contains(text_of(log), words); });
  INFO(text_of(log));
  REQUIRE(said);
  REQUIRE(run.running());
  run.signal(SIGKILL);
  CHECK(run.wait() == 1000 + SIGKILL);
}

int billed(Elsewhere& elsewhere) { return elsewhere.meter().value("billed_now", -1); }

// Rents a machine by hand under `label`; its id.
std::int64_t rent(Elsewhere& elsewhere, const std::string& label) {
  const auto& environment = elsewhere.failover.environment;
  const std::string bearer = "Authorization: Bearer " + environment.at("VAST_API_KEY");
  const std::string url = environment.at("VAST_API_URL");
  const auto found = nlohmann::json::parse(
      elsewhere.curl({"-H", bearer, "-d", R"({"rentable":{"eq":true},"limit":3})", url + "/api/v0/bundles/"}).out);
  for (const auto& offer : found["offers"]) {
    const auto body = nlohmann::json{{"client_id", "me"}, {"image", "ubuntu:22.04"}, {"disk", 10.0}, {"label", label}};
    const std::string ask = url + "/api/v0/asks/" + std::to_string(offer["id"].get<std::int64_t>()) + "/";
    std::string out;
    for (int tries = 0; tries < 3; ++tries) {
      out = elsewhere.curl({"-X", "PUT", "-H", bearer, "-d", body.dump(), ask}).out;
      if (!base::contains(out, "threshold")) break;
      // A request that comes too early counts too: the whole interval again.
      (void)elsewhere.failover.clock.sleep_until(elsewhere.failover.clock.now() + 5s, {});
    }
    const auto made = nlohmann::json::parse(out, nullptr, false);
    const std::int64_t id = made.is_object() ? made.value("new_contract", std::int64_t{0}) : 0;
    if (id > 0) return id;
  }
  return 0;
}

}  // namespace

TEST_CASE("the reaper: a run killed with kill -9 is given back by a process of its own, and nobody calls it") {
  Elsewhere elsewhere;
  kill_when(elsewhere, kRun, "step snapshot (");
  CHECK(eventually(elsewhere.failover.clock, 120s, [&] { return billed(elsewhere) == 0; }));
  const auto folder = folder_of(elsewhere);
  CHECK(eventually(elsewhere.failover.clock, 120s,
                   [&] { return base::contains(text_of(folder / "journal.jsonl"), R"("type":"run_finished")"); }));
  INFO(text_of(folder / "reaper.log"));
  CHECK(base::contains(text_of(folder / "journal.jsonl"), R"("by":"reaper")"));
  elsewhere.check_clean();
  const auto told = elsewhere.failover({"cleanup"});
  CHECK(told.exit_code == 0);
  CHECK(base::contains(told.out + told.err, "give"));
  const auto report = nlohmann::json::parse(text_of(folder / "report.json"), nullptr, false);
  CHECK(report.value("verdict", "") == "interrupted");
  CHECK(report["leftovers"].empty());
}

TEST_CASE("the reaper: what asks it to end while it waits is passed over, and told of in its log") {
  Elsewhere elsewhere;
  auto& clock = elsewhere.failover.clock;
  const auto log = elsewhere.failover.home.path() / "run.log";
  Background run(kRun, elsewhere.failover.environment, log);
  REQUIRE(eventually(clock, 60s, [&] { return !run.running() || base::contains(text_of(log), "step snapshot ("); }));
  INFO(text_of(log));
  REQUIRE(run.running());
  const pid_t reaper = reaper_of(elsewhere);
  REQUIRE(reaper > 0);
  const auto folder = folder_of(elsewhere);
#ifdef __linux__
  CHECK(may_write(reaper, folder / "journal.jsonl"));  // NFS gives an exclusive lock to no other descriptor
#endif
  for (const auto& [signal, name] : {std::pair{SIGTERM, "SIGTERM"}, {SIGHUP, "SIGHUP"}, {SIGINT, "SIGINT"}}) {
    CHECK(::kill(reaper, signal) == 0);
    const std::string line = std::string(name) + " is passed over";
    CHECK(eventually(clock, 10s, [&] { return base::contains(text_of(folder / "reaper.log"), line); }));
  }
  run.signal(SIGKILL);
  CHECK(run.wait() == 1000 + SIGKILL);
  CHECK(eventually(clock, 120s,
                   [&] { return base::contains(text_of(folder / "journal.jsonl"), R"("type":"run_finished")"); }));
  INFO(text_of(folder / "reaper.log"));
  CHECK(base::contains(text_of(folder / "journal.jsonl"), R"("by":"reaper")"));
  elsewhere.check_clean();
}

TEST_CASE("the reaper: a run that leaves something behind sees that its reaper died, and arms another") {
  Elsewhere elsewhere;
  auto& clock = elsewhere.failover.clock;
  const auto log = elsewhere.failover.home.path() / "run.log";
  Background run(kRun, elsewhere.failover.environment, log);
  const auto said = [&](const std::string& words) {
    return eventually(clock, 60s, [&] { return !run.running() || base::contains(text_of(log), words); });
  };
  REQUIRE(said("step source_ready ("));
  REQUIRE(run.running());
  const pid_t reaper = reaper_of(elsewhere);
  REQUIRE(reaper > 0);
  REQUIRE(::kill(reaper, SIGKILL) == 0);
  run.signal(SIGINT);
  REQUIRE(said("cleanup of "));
  run.signal(SIGTERM);
  CHECK(run.wait() == 4);
  INFO(text_of(log));
  CHECK(base::contains(text_of(log), "WARNING: the reaper (process " + std::to_string(reaper) + ") died"));
  CHECK(base::contains(text_of(log), ") goes on with what may still be held"));
  // Nobody calls it.
  const auto journal = folder_of(elsewhere) / "journal.jsonl";
  CHECK(eventually(clock, 120s,
                   [&] { return base::contains(text_of(journal), R"("by":"reaper")") && elsewhere.clean(); }));
  elsewhere.check_clean();
}

TEST_CASE("the reaper goes with its run when all is well") {
  Elsewhere elsewhere;
  const auto done = elsewhere.failover(kRun);
  INFO(done.out << done.err);
  REQUIRE(done.exit_code == 0);
  const pid_t reaper = reaper_of(elsewhere);
  REQUIRE(reaper > 0);
  CHECK(eventually(elsewhere.failover.clock, 10s, [&] { return ::kill(reaper, 0) != 0; }));
  CHECK_FALSE(base::contains(text_of(folder_of(elsewhere) / "journal.jsonl"), "recovery"));
}

TEST_CASE("the ledger: the next start of the program gives back what a killed run left, and says so") {
  Elsewhere elsewhere;
  kill_when(elsewhere, with(kRun, "--no-reaper"), "step snapshot (");
  CHECK(billed(elsewhere) > 0);
  // Any scenario at all, in the built-in sandbox.
  const auto next = elsewhere.failover({"run", "realtime-sync", "--quick"});
  INFO(next.out << next.err);
  CHECK(next.exit_code == 0);
  CHECK(base::contains(next.err, "of"));
  CHECK(base::contains(next.err, "given back"));
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
  const auto whole = event::read_journal(journal.parent_path());
  REQUIRE(whole.ok());
  Proxy stranger(1, 1);
  std::string text;
  for (event::Event event : whole->events) {
    if (event.type == event::type::run_started) {
      auto data = *event.data.map();
      data.insert_or_assign("endpoints",
                            base::Value(base::Value::Map{{"vast", stranger.url()}, {"b2", stranger.url()}}));
      event.data = base::Value(std::move(data));
    }
    text += event::to_line(event) + "\n";
  }
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
  environment.erase("VAST_API_KEY");
  CHECK(elsewhere.failover({"cleanup", "--expired"}).exit_code == 2);
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

TEST_CASE("the first Ctrl-C sends one bulk destroy while a rental is still unanswered") {
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
  const auto begin = clock.now();
  run.signal(SIGINT);
  // The program waits 5 s for the rental's answer, which does not come before the destroy has.
  std::optional<Proxy::Line> destroy;
  CHECK(eventually(clock, 30s, [&] {
    for (const auto& line : vast.requests()) {
      if (!destroy && base::contains(line.text, "DELETE /api/v0/instances/ ")) destroy = line;
    }
    return destroy.has_value();
  }));
  REQUIRE(destroy.has_value());
  CHECK(destroy->while_holding);
  MESSAGE("the bulk destroy arrived " << base::seconds(destroy->at - begin) << " s after the signal");
  vast.let_go();
  CHECK(run.wait() == 130);
  elsewhere.check_clean();
}

// Where Debian and Fedora put it; empty: not here, or of no use with a sanitizer, which wants to come first.
std::string faketime() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return "";
#else
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
#endif
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
    if (!lie(elsewhere, by)) {
      MESSAGE("skipped: there is no libfaketime here");
      return;
    }
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
    if (!lie(elsewhere, by)) {
      MESSAGE("skipped: there is no libfaketime here");
      return;
    }
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

TEST_CASE("the doctor rehearses the reaper") {
  Program failover;
  const auto done = failover({"doctor"});
  INFO(done.out << done.err);
  CHECK(done.exit_code == 0);
  CHECK(base::contains(done.out, "ok    reaper: detached, and gave back what a killed process left"));
  CHECK_FALSE(fs::exists(failover.home.path() / "runs" / "doctor"));
}

// From now on no file can be locked here, nor in what this process becomes. False where the system does not allow that.
bool forbid_locks() {
#ifdef __linux__
  std::array<sock_filter, 4> code{{{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
                                   {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, __NR_flock},
                                   {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EBADF},
                                   {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}}};
  const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
#else
  return false;
#endif
}

TEST_CASE("a reaper that could not wait for the journal's lock does not say that it is armed") {
  Program failover;
  const auto folder = failover.home.path() / "run";
  fs::create_directories(folder);
  REQUIRE(base::write_file(folder / "journal.jsonl", "").ok());
  std::string word = FAILOVER_BINARY;
  std::string verb = "reap";
  std::string where = folder.string();
  std::string home = "FAILOVER_HOME=" + failover.home.path().string();
  std::array<char*, 4> argv{word.data(), verb.data(), where.data(), nullptr};
  std::array<char*, 2> envp{home.data(), nullptr};
  constexpr int kWord = 3;
  constexpr int kSkipped = 77;
  auto pipe = base::make_pipe();
  REQUIRE(pipe.ok());
  const pid_t child = ::fork();
  if (child == 0) {
    const bool placed =
        (pipe->write.get() == kWord ? ::fcntl(kWord, F_SETFD, 0) : ::dup2(pipe->write.get(), kWord)) >= 0;
    if (!placed || !forbid_locks()) ::_exit(kSkipped);
    ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }
  REQUIRE(child > 0);
  pipe->write.close();
  std::array<char, 1024> bytes{};
  pollfd ready{pipe->read.get(), POLLIN, 0};
  const int spoke = ::poll(&ready, 1, 60'000);
  const ssize_t count = spoke == 1 ? ::read(pipe->read.get(), bytes.data(), bytes.size()) : 0;
  ::kill(child, SIGKILL);  // it may have ended already
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == kSkipped) {
    MESSAGE("skipped: this system allows no filter of system calls");
    return;
  }
  const std::string heard(bytes.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
  CHECK(heard.rfind("cannot lock " + (folder / "journal.jsonl").string() + ": ", 0) == 0);
}

TEST_CASE("a reaper is nobody's to start by hand") {
  Program failover;
  const auto done = failover({"reap", "/nowhere"});
  CHECK(done.exit_code == 2);
  CHECK_FALSE(base::contains(failover({"--help"}).out, "reap"));
}
