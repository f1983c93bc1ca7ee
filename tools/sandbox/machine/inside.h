// What every command of one machine shares: where it lives, what it is told, and what is played on it.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/sandbox/machine/jail.h"
#include "tools/sandbox/machine/machine.h"

namespace failover::sandbox {

// What other threads may change while the machine runs. Thread-safe.
class Orders {
 public:
  explicit Orders(std::vector<std::string> keys) : keys_(std::move(keys)) {}
  void set_keys(std::vector<std::string> keys);
  void set_faults(MachineFaults faults);
  // Whether a key, as base64 without its type, is one of the authorized.
  [[nodiscard]] bool knows(std::string_view key) const;
  // Counts one down; false when none is left.
  bool take(int MachineFaults::*counter);
  bool take_new_host_key();

  std::atomic<std::int64_t> bytes_in{0};
  std::atomic<std::int64_t> bytes_out{0};

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> keys_;
  MachineFaults faults_;
};

// A command to run: a shell's text, a login shell, or a program with arguments.
struct Order {
  enum Kind { shell_text, login_shell, sftp } kind = shell_text;
  std::string text{};
};

class Inside {
 public:
  // Raises the jail, if the view asks for one. `mark` tells this machine's processes from all others.
  static base::Result<std::unique_ptr<Inside>> open(const MachineOptions& options, std::string mark);

  [[nodiscard]] std::string workspace() const;
  [[nodiscard]] const Jail* jail() const { return jail_.get(); }
  // Starts it with `fds` as its standard streams; the child is ours to wait for.
  base::Result<pid_t> start(const Order& order, const std::map<std::string, std::string>& more, std::vector<int> fds,
                            bool terminal) const;
  // A new terminal of the machine's own: the controlling end and the other.
  [[nodiscard]] base::Result<std::pair<base::Fd, base::Fd>> open_terminal() const;
  // Ends every process of the machine, also those that left their session.
  void kill_all() const;

 private:
  Inside(const MachineOptions& options, std::string mark);
  [[nodiscard]] std::string home() const;

  std::filesystem::path directory_;
  std::map<std::string, std::string> environment_;
  std::string mark_;
  std::string shell_;
  std::unique_ptr<Jail> jail_;
};

}  // namespace failover::sandbox
