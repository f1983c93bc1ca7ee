// Our SSH client against OpenSSH's own server.
#include "steps/client/ssh.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <thread>

#include "engine/base/digest.h"
#include "engine/base/text.h"
#include "tests/client/fake_host.h"
#include "tests/client/sshd.h"

using namespace failover;
using namespace failover::testing;
using namespace std::chrono_literals;
using base::Fault;
using client::Command;
using client::Finished;

namespace {

std::unique_ptr<client::Ssh> new_ssh() {
  auto made = client::make_ssh();
  REQUIRE_MESSAGE(made.ok(), (made ? "" : made.error().line()));
  return *std::move(made);
}

Command sh(std::string script, std::string input = {}) {
  Command command;
  command.script = std::move(script);
  command.input = std::move(input);
  return command;
}

Finished good(base::Result<Finished> got) {
  REQUIRE_MESSAGE(got.ok(), (got ? "" : got.error().line()));
  return *std::move(got);
}

base::Error bad(base::Result<Finished> got) {
  REQUIRE_FALSE(got.ok());
  return std::move(got).error();
}

// Bytes without a pattern that a lost block could hide in.
std::string noise(std::size_t size) {
  std::string out(size, '\0');
  std::uint64_t state = 88172645463325252u;
  for (char& c : out) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    c = static_cast<char>(state >> 32);
  }
  return out;
}

std::string contents(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

void run_commands(Login login) {
  const auto ssh = new_ssh();
  const Sshd sshd(ssh->public_key(), login);
  Bench<> bench;
  const auto at = sshd.endpoint();
  const auto run = [&](const Command& command) { return good(ssh->run(at, command, bench.context())); };

  const auto both = run(sh("echo out; echo err >&2; exit 3"));
  CHECK(both.out == "out\n");
  CHECK(both.err == "err\n");
  CHECK(both.exit_code == 3);
  CHECK(both.signal.empty());
  CHECK(run(sh("printf %s \"it's \\$HOME\"")).out == "it's $HOME");
  const auto echoed = run(sh("cat; echo done", "some input\n"));
  CHECK(echoed.out == "some input\ndone\n");
  CHECK(echoed.bytes_in == 11);
  CHECK(echoed.bytes_out == 16);
  CHECK(run(sh("cat | wc -c")).exit_code == 0);  // no input is an end of file at once
  const auto killed = run(sh("kill -TERM $$; sleep 30"));
  CHECK(killed.exit_code == -1);
  CHECK(killed.signal == "TERM");
  CHECK(run(sh("kill -KILL $$; sleep 30")).signal == "KILL");
  CHECK(run(sh("no-such-program-here")).exit_code == 127);
  // A command that reads nothing of a long input ends all the same.
  CHECK(run(sh("exec 0<&-; echo no", std::string(8 << 20, 'x'))).out == "no\n");

  const auto exchanges = bench.host.exchanges();
  REQUIRE(exchanges.size() == 8);
  CHECK(exchanges[0].peer == "ssh");
  CHECK(exchanges[0].method == "exec");
  CHECK(exchanges[0].target == at.user + "@127.0.0.1:" + std::to_string(at.port));
  CHECK(exchanges[0].status == 3);
  CHECK(exchanges[0].outcome.empty());
}

}  // namespace

TEST_CASE("ssh: commands, streams, codes and signals") { run_commands(Login::self); }

TEST_CASE("ssh: the same as an ordinary user") {
  if (!Sshd::can(Login::ordinary)) {
    MESSAGE("needs root and mount namespaces: not here");
    return;
  }
  run_commands(Login::ordinary);
}

TEST_CASE("ssh: many commands share one connection, and nothing is left of them") {
  const auto ssh = new_ssh();
  const Sshd sshd(ssh->public_key());
  Bench<> bench;
  const auto at = sshd.endpoint();
  CHECK(ssh->public_key().rfind("ssh-ed25519 AAAA", 0) == 0);
  CHECK(ssh->public_key().find(' ', 12) == std::string::npos);
  good(ssh->run(at, sh("true"), bench.context()));
  const auto descriptors = open_descriptors();
  for (int i = 0; i < 30; ++i) {
    CHECK(good(ssh->run(at, sh("echo " + std::to_string(i)), bench.context())).out == std::to_string(i) + "\n");
  }
  CHECK(open_descriptors() == descriptors);
  CHECK(sshd.count_in_log("Accepted publickey") == 1);
  ssh->forget(at);
  CHECK(open_descriptors() == descriptors - 1);
  good(ssh->run(at, sh("true"), bench.context()));
  CHECK(sshd.count_in_log("Accepted publickey") == 2);
}

TEST_CASE("ssh: calls from several threads share a few connections to each machine") {
  const auto ssh = new_ssh();
  const Sshd sshd(ssh->public_key());
  Bench<> bench;
  std::vector<std::thread> callers;
  std::atomic<int> right{0};
  const auto before = threads();
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&, i] {
      const auto at = sshd.endpoint("test:" + std::to_string(i % 2));
      for (int k = 0; k < 5; ++k) {
        const std::string word = std::to_string(i) + "-" + std::to_string(k);
        const auto got = ssh->run(at, sh("echo " + word), bench.context());
        if (got && got->out == word + "\n") ++right;
      }
    });
  }
  for (auto& one : callers) one.join();
  CHECK(right == 40);
  CHECK(sshd.count_in_log("Accepted publickey") >= 2);
  CHECK(sshd.count_in_log("Accepted publickey") <= 8);
  CHECK(threads() == before);
}

TEST_CASE("ssh: commands run side by side on one machine") {
  const auto ssh = new_ssh();
  const Sshd sshd(ssh->public_key());
  Bench<> bench;
  const auto at = sshd.endpoint();
  const std::string file = "/tmp/failover-test-" + base::random_id(10);
  base::Result<Finished> waited = base::Error{};
  std::thread waiter([&] {
    waited = ssh->run(at, sh("touch " + file + "; while [ -e " + file + " ]; do sleep 0.05; done; echo seen"),
                      bench.context());
  });
  for (int i = 0; i < 1000 && ::access(file.c_str(), F_OK) != 0; ++i) std::this_thread::sleep_for(10ms);
  // The first command runs and ends only by the second.
  const auto removed = ssh->run(at, sh("rm " + file), bench.context());
  if (!removed) (void)::unlink(file.c_str());
  waiter.join();
  CHECK(removed.ok());
  CHECK(good(std::move(waited)).out == "seen\n");
}

TEST_CASE("ssh: 50 MB each way, exact, also while keys are exchanged anew") {
  const auto ssh = new_ssh();
  const Sshd sshd(ssh->public_key(), Login::self, "RekeyLimit 8M");
  Bench<> bench;
  const TempDir dir;
  const std::string bytes = noise(50 << 20);
  std::ofstream(dir.file("in"), std::ios::binary) << bytes;
  Command both = sh("cat");
  both.input_file = dir.file("in");
  both.output_file = dir.file("out");
  both.output_limit = 50 << 20;
  std::int64_t last = 0;
  bool grows = true;
  both.on_bytes = [&](std::int64_t done) {
    grows = grows && done >= last;
    last = done;
  };
  const auto finished = good(ssh->run(sshd.endpoint(), both, bench.context(90s)));
  CHECK(finished.exit_code == 0);
  CHECK(finished.out.empty());
  CHECK(finished.bytes_in == static_cast<std::int64_t>(bytes.size()));
  CHECK(finished.bytes_out == static_cast<std::int64_t>(bytes.size()));
  CHECK((contents(dir.file("out")) == bytes));
  CHECK(grows);
  CHECK(last == finished.bytes_out);
  // Told while it moves: where traffic is billed, the money may run out in the middle.
  std::int64_t up_bytes = 0;
  std::int64_t down_bytes = 0;
  for (const auto& told : bench.host.traffics()) {
    CHECK(told.up + told.down < 18 << 20);
    up_bytes += told.up;
    down_bytes += told.down;
  }
  CHECK(down_bytes == finished.bytes_in);
  CHECK(up_bytes >= finished.bytes_out);
  CHECK(up_bytes < finished.bytes_out + 1'000);  // what our wrapper prints

  Command up = sh("sha256sum");
  up.input_file = dir.file("in");
  const auto summed = good(ssh->run(sshd.endpoint(), up, bench.context(90s)));
  CHECK(summed.out.substr(0, 64) == base::digest_hex(base::Algorithm::sha256, bytes));
}

TEST_CASE("ssh: too much output ends the command") {
  const auto ssh = new_ssh();
  const Sshd sshd(ssh->public_key());
  Bench<> bench;
  for (const auto& [script, code] :
       {std::pair("echo $$; exec yes", "too_much_output"), std::pair("echo $$ >&2; yes >&2", "too_much_on_stderr")}) {
    Command command = sh(script);
    command.output_limit = 100'000;
    const auto error = bad(ssh->run(sshd.endpoint(), command, bench.context()));
    CHECK(error.fault == Fault::refused);
    CHECK(error.code == code);
  }
  const TempDir dir;
  Command filed = sh("exec yes");
  filed.output_file = dir.file("out");
  filed.output_limit = 100'000;
  CHECK(bad(ssh->run(sshd.endpoint(), filed, bench.context())).code == "too_much_output");
  CHECK(std::filesystem::file_size(dir.file("out")) <= 100'000);
  // A large file is no leave to fill the memory.
  filed.script = "yes >&2";
  filed.output_limit = std::int64_t{1} << 40;
  const auto errors = bad(ssh->run(sshd.endpoint(), filed, bench.context()));
  CHECK_MESSAGE(base::contains(errors.line(), "16777216 bytes on standard error"), errors.line());
  std::int64_t up = 0;
  for (const auto& told : bench.host.traffics()) up += told.up;
  CHECK(up > 200'000);  // it was moved, and is billed, all the same
  Command fits = sh("head -c 100000 /dev/zero");
  fits.output_limit = 100'000;
  CHECK(good(ssh->run(sshd.endpoint(), fits, bench.context())).out.size() == 100'000);
  // What it says beside its output is not counted as output.
  fits.script = "head -c 5 /dev/zero; head -c 1000 /dev/zero >&2";
  fits.output_limit = 5;
  const auto beside = good(ssh->run(sshd.endpoint(), fits, bench.context()));
  CHECK(beside.out.size() == 5);
  CHECK(beside.err.size() == 1000);
  CHECK(sshd.count_in_log("Accepted publickey") == 1);
}

TEST_CASE("ssh: local files that cannot be read or written stop it before anything runs") {
  const auto ssh = new_ssh();
  const Sshd sshd(ssh->public_key());
  Bench<> bench;
  const TempDir dir;
  Command command = sh("touch " + dir.file("ran"));
  command.input_file = dir.file("absent");
  CHECK(bad(ssh->run(sshd.endpoint(), command, bench.context())).fault == Fault::not_found);
  command.input_file.clear();
  command.output_file = dir.file("no/such/folder");
  CHECK(bad(ssh->run(sshd.endpoint(), command, bench.context())).fault == Fault::not_found);
  CHECK(bad(ssh->run(sshd.endpoint(), sh(std::string(200'000, ' ')), bench.context())).code == "script_too_long");
  CHECK_FALSE(std::filesystem::exists(dir.file("ran")));
}

TEST_CASE("ssh: a full disk of the runner is no_space, and the command is ended") {
  const auto ssh = new_ssh();
  const Sshd sshd(ssh->public_key());
  Bench<> bench;
  Command command = sh("yes");
  command.output_file = "/dev/full";
  CHECK(bad(ssh->run(sshd.endpoint(), command, bench.context())).fault == Fault::no_space);
}

TEST_CASE("ssh: a key that the machine does not know is denied") {
  const auto ssh = new_ssh();
  const auto other = new_ssh();
  const Sshd sshd(ssh->public_key());
  Bench<> bench;
  const auto error = bad(other->run(sshd.endpoint(), sh("true"), bench.context()));
  CHECK(error.fault == Fault::auth);
  CHECK(bench.host.exchanges().back().outcome == error.code);
}

TEST_CASE("ssh: nobody there is unavailable") {
  const auto ssh = new_ssh();
  Sshd sshd(ssh->public_key());
  Bench<> bench;
  sshd.stop();
  const auto error = bad(ssh->run(sshd.endpoint(), sh("true"), bench.context()));
  CHECK(error.fault == Fault::unavailable);
  CHECK(error.code == "refused");
}

TEST_CASE("ssh: a changed host key stops everything for that machine, for good") {
  const auto ssh = new_ssh();
  Sshd sshd(ssh->public_key());
  Bench<> bench;
  const TempDir dir;
  const auto at = sshd.endpoint();
  good(ssh->run(at, sh("true"), bench.context()));
  sshd.stop();
  sshd.start();
  good(ssh->run(at, sh("true"), bench.context()));  // the same key: the same machine
  sshd.stop();
  sshd.start(true);
  const int accepted = sshd.count_in_log("Accepted publickey");
  const auto command = sh("touch " + dir.file("ran"));
  CHECK(bad(ssh->run(at, command, bench.context())).fault == Fault::host_key_changed);
  ssh->forget(at);
  CHECK(bad(ssh->run(at, command, bench.context())).fault == Fault::host_key_changed);
  CHECK(sshd.count_in_log("Accepted publickey") == accepted);
  CHECK_FALSE(std::filesystem::exists(dir.file("ran")));
  good(ssh->run(sshd.endpoint("test:2"), sh("true"), bench.context()));  // another machine at the same address
  CHECK(bad(ssh->run(at, command, bench.context())).fault == Fault::host_key_changed);
}

TEST_CASE("ssh: a changed host key ends the open sessions too") {
  const auto ssh = new_ssh();
  Sshd sshd(ssh->public_key());
  Bench<> bench;
  const TempDir dir;
  const auto at = sshd.endpoint();
  base::Result<Finished> waited = base::Error{};
  const std::string gate = dir.file("gate");
  std::thread waiter([&] {
    waited = ssh->run(at, sh("touch " + gate + "; while [ -e " + gate + " ]; do sleep 0.05; done"), bench.context());
  });
  const bool runs = eventually([&] { return ::access(gate.c_str(), F_OK) == 0; });
  sshd.replace_listener();
  const auto second = ssh->run(at, sh("touch " + dir.file("second")), bench.context());
  std::filesystem::remove(gate);
  waiter.join();
  REQUIRE(runs);
  CHECK(bad(second).fault == Fault::host_key_changed);
  good(std::move(waited));  // its session lives on
  CHECK(bad(ssh->run(at, sh("touch " + dir.file("third")), bench.context())).fault == Fault::host_key_changed);
  CHECK_FALSE(std::filesystem::exists(dir.file("second")));
  CHECK_FALSE(std::filesystem::exists(dir.file("third")));
}

TEST_CASE("ssh: greetings of the login shell are not the command's output") {
  const auto ssh = new_ssh();
  // A forced command stands in for a shell whose start-up files print.
  const Sshd sshd("command=\"echo hello; echo hello >&2; eval \\\"$SSH_ORIGINAL_COMMAND\\\"\" " + ssh->public_key());
  Bench<> bench;
  const auto got = good(ssh->run(sshd.endpoint(), sh("echo mine; echo own >&2; exit 4"), bench.context()));
  CHECK(got.out == "mine\n");
  CHECK(got.err == "own\n");
  CHECK(got.exit_code == 4);
}
