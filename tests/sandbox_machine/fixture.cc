#include "tests/sandbox_machine/fixture.h"

#include <stdlib.h>

#include <chrono>
#include <random>
#include <thread>

#include "engine/base/file.h"

namespace failover::sandbox {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

TempDir::TempDir() {
  std::string name = (fs::temp_directory_path() / "failover-machine-XXXXXX").string();
  REQUIRE(::mkdtemp(name.data()) != nullptr);
  path_ = fs::canonical(name);
}

TempDir::~TempDir() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

base::ProcessResult run(std::vector<std::string> command, std::string input) {
  base::SystemClock clock;
  base::ProcessSpec spec;
  spec.command = std::move(command);
  spec.environment = {{"PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"}, {"HOME", "/nonexistent"}};
  spec.input = std::move(input);
  spec.output_limit = 256 * 1024 * 1024;
  auto done = base::run_process(spec, base::Patience(clock, clock.now() + 120s, std::stop_token()));
  if (!done) FAIL(spec.command.front() << ": " << done.error().line());
  return *std::move(done);
}

std::string make_key(const fs::path& file) {
  run({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", file.string()});
  const auto line = base::read_file(file.string() + ".pub", 4096);
  REQUIRE(line.ok());
  return trimmed(*line);
}

Fixture::Fixture() {
  options_.directory = dir.path() / "machine";
  options_.view = probe_view();
  options_.authorized_keys = {make_key(dir.path() / "key")};
  options_.environment = {{"CONTAINER_ID", "4711"}};
  start();
}

void Fixture::start() {
  auto started = Machine::start(options_);
  if (!started) FAIL(started.error().line());
  machine = *std::move(started);
}

std::vector<std::string> Fixture::options() const {
  return {"-F", "/dev/null",
          "-o", "IdentitiesOnly=yes",
          "-o", "BatchMode=yes",
          "-o", "StrictHostKeyChecking=accept-new",
          "-o", "IdentityFile=" + (dir.path() / "key").string(),
          "-o", "UserKnownHostsFile=" + (dir.path() / "known_hosts").string(),
          "-o", "GlobalKnownHostsFile=/dev/null",
          "-o", "LogLevel=ERROR"};
}

std::vector<std::string> Fixture::ssh_command(const std::string& command, std::vector<std::string> more) const {
  std::vector<std::string> words = {"ssh"};
  const auto shared = options();
  words.insert(words.end(), shared.begin(), shared.end());
  words.insert(words.end(), more.begin(), more.end());
  words.insert(words.end(), {"-p", std::to_string(machine->port()), "root@127.0.0.1"});
  if (!command.empty()) words.push_back(command);
  return words;
}

base::ProcessResult Fixture::ssh(const std::string& command, std::string input, std::vector<std::string> more) {
  return run(ssh_command(command, std::move(more)), std::move(input));
}

bool Fixture::alive_inside(const std::string& pid) {
  return trimmed(ssh("cut -d')' -f2 /proc/" + pid + "/stat 2>/dev/null | cut -c2").out).find_first_not_of("Z") !=
         std::string::npos;
}

bool eventually(const std::function<bool()>& probe) {
  const auto end = std::chrono::steady_clock::now() + 30s;
  while (std::chrono::steady_clock::now() < end) {
    if (probe()) return true;
    std::this_thread::sleep_for(5ms);
  }
  return false;
}

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

std::string noise(std::size_t size) {
  std::mt19937_64 random(20261124);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

std::string sha256_of(const fs::path& file) { return run({"sha256sum", file.string()}).out.substr(0, 64); }

}  // namespace failover::sandbox
