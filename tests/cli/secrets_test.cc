// No secret stands anywhere but where it belongs: canaries in every slot, then every byte of every sink and of every
// simulated machine (leak-safety.md, "Secrets and hostile hosts").
#include "tests/cli/canaries.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)

namespace {

// Everything in them that some encoding changes.
const std::string kLabelKey = R"(canary-label "key" \ with/every+thing=in it & a ')";
const std::string kToken = R"(canary-token 'of' a/scenario's+own = "{%}" \ end)";

struct Secretive {
  Elsewhere elsewhere;
  Canaries canaries;
  std::string text;  // everything said on stdout and stderr

  Secretive() {
    auto& environment = elsewhere.failover.environment;
    environment["FAILOVER_LABEL_KEY"] = kLabelKey;
    environment["TOKEN"] = kToken;
    for (const char* name : {"VAST_API_KEY", "B2_KEY_ID", "B2_APPLICATION_KEY", "FAILOVER_LABEL_KEY", "TOKEN"}) {
      canaries.add(name, environment.at(name));
    }
  }
  [[nodiscard]] fs::path home() const { return elsewhere.failover.home.path(); }
  // Where the one sandbox below this home has its machines.
  [[nodiscard]] fs::path machines() const {
    for (const auto& entry : fs::directory_iterator(home() / "tmp")) {
      if (fs::exists(entry.path() / "machines")) return entry.path() / "machines";
    }
    return {};
  }
  base::ProcessResult operator()(std::vector<std::string> words) {
    std::vector<std::string> all{"--log-level", "trace", "--log-file", (home() / "trace.log").string()};
    all.insert(all.end(), words.begin(), words.end());
    auto done = elsewhere.failover(all, 200s);
    text += done.out + "\n" + done.err + "\n";
    return done;
  }
  // Journals, reports and logs, and everything that was said.
  [[nodiscard]] std::set<std::string> leaks() const {
    int files = 0;
    auto out = canaries.below(home() / "runs", files);
    CHECK(files >= 3);
    const auto log = base::read_file(home() / "trace.log", 64 << 20);
    REQUIRE(log.ok());
    CHECK(log->size() > 1'000);
    for (const auto& found : canaries.in(*log)) out.insert("the log: " + found);
    for (const auto& found : canaries.in(text)) out.insert("what was said: " + found);
    return out;
  }
};

std::string shown(const std::set<std::string>& lines) {
  std::string out;
  for (const auto& line : lines) out += "\n  " + line;
  return out;
}

}  // namespace

TEST_CASE("the look finds what it looks for, in every form") {
  Canaries canaries;
  canaries.add("key", kToken);
  CHECK(canaries.in("x" + kToken + "y").size() == 1);
  CHECK(canaries.in(nlohmann::json{{"a", kToken}}.dump()).size() == 1);
  CHECK(canaries.in("a=" + base::percent_encode(kToken)).size() == 1);
  for (const char* before : {"", "a", "ab", "abc"}) {
    for (const char* after : {"", "a", "ab"}) CHECK(canaries.in(base::base64(before + kToken + after)).size() == 1);
  }
  CHECK(canaries.in("  " + base::hex(kToken)).size() == 1);
  CHECK(canaries.in("https://h/k?a=b&X-Amz-Signature=0123456789abcdef0123").size() == 1);
  CHECK(canaries.in("no more than words, and X-Amz-Signature=***").empty());
}

TEST_CASE("a whole journey: no secret in any sink, in any process's arguments, and nothing of ours on the machines") {
  Secretive play;
  REQUIRE_FALSE(play.machines().empty());
  Watcher watcher(play.canaries, play.machines(), play.elsewhere.door);
  const auto done =
      play({"run", "realtime-sync", "--live", "--yes", "--output", "pretty", "--input", "file_size=20KB"});
  const auto seen = watcher.end();
  INFO(done.err);
  CHECK(done.exit_code == 0);

  // It looked, and there was something to see.
  CHECK(seen.machines.size() == 2);
  CHECK(seen.files >= 6);
  CHECK(seen.processes > 0);
  CHECK(seen.keys.size() == 2);
  // One public key with the run's name, the same on both machines.
  std::set<std::string> given;
  const auto meter = play.elsewhere.meter();
  for (const auto& one : meter["instances"]) {
    REQUIRE(one["ssh_keys"].size() == 1);
    given.insert(one["ssh_keys"][0].get<std::string>());
  }
  REQUIRE(given.size() == 1);
  CHECK(given.begin()->rfind("ssh-", 0) == 0);
  CHECK(base::split(*given.begin(), ' ').size() == 3);
  CHECK(seen.public_keys.empty());  // none was there when they were made
  CHECK_MESSAGE(seen.leaks.empty(), shown(seen.leaks));
  // What the machines were given themselves is nobody else's to see either.
  for (const auto& key : seen.keys) play.canaries.add("instance_api_key", key);

  CHECK(play({"plan", "realtime-sync"}).exit_code == 0);
  CHECK(play({"plan", "realtime-sync", "--json"}).exit_code == 0);
  CHECK(play({"doctor", "--live"}).exit_code == 0);
  CHECK(play({"report", "last"}).exit_code == 0);
  CHECK(play({"report", "last", "--format", "json"}).exit_code == 0);
  CHECK(play({"cleanup", "--expired"}).exit_code == 0);
  const auto leaks = play.leaks();
  CHECK_MESSAGE(leaks.empty(), shown(leaks));
}

TEST_CASE("a scenario that prints its secret and the machine's key, coded in every way: reports show neither") {
  Secretive play;
  const auto file = play.home() / "chatty.yaml";
  // ssh.exec's `stdin` and local.exec's `env` are where a secret may go; what comes back is masked.
  REQUIRE(base::write_file(file, R"(name: chatty
description: Prints what it should not.
env: {TOKEN: {secret: true}}
limits: { cost: $0.50, duration: 15m }
steps:
  - id: offer
    uses: vast.search_offers
    with: { gpu_name: RTX 4090, max_price: $0.50 }
  - id: machine
    uses: vast.create_instance
    with: { offer: "${{ steps.offer.best.id }}", image: "ubuntu:22.04", disk: 10 GB }
  - id: ready
    uses: vast.wait_until_ready
    with: { instance: "${{ steps.machine.id }}" }
  - id: machine_key
    uses: ssh.exec
    with:
      host: "${{ steps.ready.ssh }}"
      script: |
        env
        echo "$CONTAINER_API_KEY" | base64
        printf %s "$CONTAINER_API_KEY" >&2
  - id: token
    uses: ssh.exec
    with:
      host: "${{ steps.ready.ssh }}"
      stdin: "${{ env.TOKEN }}"
      script: |
        token=$(cat; echo .)
        token=${token%.}
        printf '%s\n' "$token"
        printf 'a%s' "$token" | base64 -w 0; echo
        printf 'ab%s' "$token" | base64 -w 0 | tr +/ -_; echo
        printf %s "$token" | base64 -w 0 >&2
  - id: local
    uses: local.exec
    with:
      command: [sh, -c, 'printf %s "$SAID" | base64 -w 0; echo; printf %s "$SAID" | od -An -v -tx1 | tr -d " \n"; printf "\n%s" "$SAID" >&2']
      env: { SAID: "${{ env.TOKEN }}" }
  - id: cut
    uses: ssh.exec
    with:
      host: "${{ steps.ready.ssh }}"
      script: 'echo "$CONTAINER_API_KEY" >&2; exit 7'
)")
              .ok());
  const auto valid = play({"validate", file.string()});
  INFO(valid.out << valid.err);
  REQUIRE(valid.exit_code == 0);
  Watcher watcher(Canaries{}, play.machines(), play.elsewhere.door);
  const auto done = play({"run", file.string(), "--live", "--yes", "--output", "json"});
  const auto seen = watcher.end();
  INFO(done.out << done.err);
  CHECK(done.exit_code != 2);
  REQUIRE(seen.keys.size() == 1);
  play.canaries.add("instance_api_key", *seen.keys.begin());
  // It came to all of its steps.
  CHECK(base::contains(done.out, R"("id":"cut")"));
  const auto leaks = play.leaks();
  CHECK_MESSAGE(leaks.empty(), shown(leaks));
  play.elsewhere.check_clean();
}

TEST_CASE("what goes wrong is told without a secret: refused keys, failed transfers, a killed run and its reaper") {
  Secretive play;
  const std::vector<std::string> run{"run",      "realtime-sync", "--live",  "--yes",
                                     "--output", "plain",         "--input", "file_size=20KB"};
  for (const std::string fault : {"bad_b2_key", "bad_vast_key"}) {
    CAPTURE(fault);
    play.elsewhere.arm(fault);
    const auto done = play(run);
    INFO(done.out << done.err);
    CHECK(done.exit_code != 0);
    play.elsewhere.arm(fault + ":0");
    (void)play({"cleanup"});
  }
  {
    // The cleanup would try for minutes; who waits no longer is told what is held.
    play.elsewhere.arm("b2_key_revoked");
    const auto log = play.home() / "revoked.log";
    Background revoked(run, play.elsewhere.failover.environment, log);
    REQUIRE(eventually(play.elsewhere.failover.clock, 120s, [&] {
      const auto text = base::read_file(log, 1 << 22);
      return !revoked.running() || (text && base::contains(*text, "still held: snapshot"));
    }));
    revoked.signal(SIGTERM);
    (void)eventually(play.elsewhere.failover.clock, 10s, [&] { return !revoked.running(); });
    revoked.signal(SIGTERM);
    CHECK(revoked.wait() == 4);
    play.text += *base::read_file(log, 1 << 22);
    play.elsewhere.arm("b2_key_revoked:0");
    (void)play({"cleanup"});
  }
  {
    const auto log = play.home() / "killed.log";
    Background killed(run, play.elsewhere.failover.environment, log);
    REQUIRE(eventually(play.elsewhere.failover.clock, 60s, [&] {
      const auto text = base::read_file(log, 1 << 22);
      return !killed.running() || (text && base::contains(*text, "step snapshot ("));
    }));
    killed.signal(SIGKILL);
    (void)killed.wait();
    play.text += *base::read_file(log, 1 << 22);
  }
  CHECK(eventually(play.elsewhere.failover.clock, 120s,
                   [&] { return play.elsewhere.meter().value("billed_now", -1) == 0; }));
  (void)play({"cleanup"});
  const auto leaks = play.leaks();
  CHECK_MESSAGE(leaks.empty(), shown(leaks));
  play.elsewhere.check_clean();
}
