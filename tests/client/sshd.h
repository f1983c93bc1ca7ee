// Debian's own sshd on a loopback port, for tests of our SSH client: own configuration and keys in a temporary folder,
// ended with the object. FAILs the test when there is no sshd.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "steps/client/ssh.h"

namespace failover::testing {

// A folder that goes with the object.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

// Who logs in.
enum class Login {
  self,      // the user of this process: root in a container, an ordinary one at a desk
  ordinary,  // `nobody`, with a shell that only this sshd sees (root and a mount namespace are needed)
};

class Sshd {
 public:
  // `extra`: more lines of configuration.
  explicit Sshd(const std::string& public_key, Login login = Login::self, const std::string& extra = "");
  ~Sshd();
  Sshd(const Sshd&) = delete;
  Sshd& operator=(const Sshd&) = delete;

  // Can this process play that login?
  static bool can(Login login);
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] client::Endpoint endpoint(const std::string& machine = "test:1") const;
  void stop();
  // Again on the same port, with the old host key or a new one.
  void start(bool new_host_key = false);
  // Another one takes the port over, with a new host key; what is connected stays until it hangs up.
  void replace_listener();
  // Processes that serve connections: children of the listener and their children.
  [[nodiscard]] std::vector<pid_t> connections() const;
  // What it has logged so far, and how often a text stands in it.
  [[nodiscard]] std::string log() const;
  [[nodiscard]] int count_in_log(const std::string& text) const;

 private:
  void write_files(const std::string& public_key, const std::string& extra);
  void make_host_key();
  bool launch();
  void end_listener();

  TempDir dir_;
  Login login_;
  std::string user_;
  int port_ = 0;
  pid_t pid_ = -1;
  std::string extra_;
};

// Every process, as /proc tells: pid, parent, group, state.
struct Process {
  pid_t pid = 0;
  pid_t parent = 0;
  pid_t group = 0;
  char state = '?';
};
std::vector<Process> processes();
// Alive and no zombie.
bool is_running(pid_t pid);
// Waits for the predicate, at most 10 s; what it last said.
bool eventually(const std::function<bool()>& holds);
// Open descriptors and threads of this process.
std::size_t open_descriptors();
std::size_t threads();
// Runs a program to its end; its exit code.
int run_program(const std::vector<std::string>& arguments);

}  // namespace failover::testing
