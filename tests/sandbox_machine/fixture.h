// A machine and OpenSSH's own clients against it, unchanged: a temporary key, no file of the user's is read.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/process.h"
#include "tools/sandbox/machine/machine.h"

namespace failover::sandbox {

class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Runs a program of this machine to its end; a failure to start it fails the test.
base::ProcessResult run(std::vector<std::string> command, std::string input = {});

class Fixture {
 public:
  Fixture();
  void start();  // once more on the same directory, after `machine.reset()`
  // `ssh root@machine <command>`, with more options before the host.
  base::ProcessResult ssh(const std::string& command, std::string input = {}, std::vector<std::string> options = {});
  [[nodiscard]] std::vector<std::string> ssh_command(const std::string& command,
                                                     std::vector<std::string> options = {}) const;
  // Options that ssh, scp and sftp share.
  [[nodiscard]] std::vector<std::string> options() const;
  [[nodiscard]] std::string workspace() const { return machine->workspace(); }
  [[nodiscard]] std::filesystem::path host_workspace() const { return options_.directory / "workspace"; }
  [[nodiscard]] bool jailed() const { return options_.view == View::jailed; }
  // A pid of the machine's commands (as they see it) is still alive there.
  bool alive_inside(const std::string& pid);

  TempDir dir;
  MachineOptions options_;
  std::unique_ptr<Machine> machine;
};

// A new key pair at `file` and `file`.pub; the public line.
std::string make_key(const std::filesystem::path& file);
// Waits for `probe`, at most half a minute.
bool eventually(const std::function<bool()>& probe);
std::string trimmed(std::string text);
// Bytes that do not repeat.
std::string noise(std::size_t size);
std::string sha256_of(const std::filesystem::path& file);

}  // namespace failover::sandbox
