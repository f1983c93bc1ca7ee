// The inside of a rented machine: an SSH server on loopback whose commands are real processes in a jail.
// Knows nothing of offers or bills; the sandbox starts one when an instance comes to run and drops it when it is gone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/error.h"

namespace failover::sandbox {

// What stands between a machine's commands and the runner's own files.
enum class View {
  jailed,    // bubblewrap with a fresh root: /workspace, /root and /tmp are the machine's own
  portable,  // no jail possible here: HOME and the working directory only; the workspace is a path of the runner
};

// Tries once whether bubblewrap works here; the answer is kept for the process.
View probe_view();

struct MachineOptions {
  std::filesystem::path directory;  // this machine's own, created if absent; holds its files and nothing else
  View view = View::jailed;
  int port = 0;                                    // 0: any free one, on 127.0.0.1
  std::vector<std::string> authorized_keys;        // OpenSSH public key lines
  std::map<std::string, std::string> environment;  // of every command (CONTAINER_ID, ...)
  std::string onstart;                             // shell text run when the machine starts, and at every restart
};

// Faults that a machine can play; each counts down to zero and then is over, -1 lasts.
struct MachineFaults {
  int drop_commands = 0;         // the connection drops in the middle of the next n commands
  int refuse_connections = 0;    // the next n connections are closed before the banner
  int deny_keys = 0;             // the next n authentications are denied though the key is right
  bool change_host_key = false;  // a new host key from the next connection on
  bool disk_full = false;        // writes below the workspace fail with ENOSPC
};

class Machine {
 public:
  // Listens when it returns; onstart runs by then.
  static base::Result<std::unique_ptr<Machine>> start(MachineOptions options);
  virtual ~Machine() = default;  // ends every process and connection of the machine, keeps its directory

  [[nodiscard]] virtual int port() const = 0;
  // The workspace as the machine's own commands see it: `/workspace`, or a path of the runner in the portable view.
  [[nodiscard]] virtual std::string workspace() const = 0;
  virtual void set_authorized_keys(std::vector<std::string> keys) = 0;
  virtual void set_faults(MachineFaults faults) = 0;
  // Bytes that crossed the machine's network since it started (SSH payload, both directions).
  [[nodiscard]] virtual std::int64_t bytes_in() const = 0;
  [[nodiscard]] virtual std::int64_t bytes_out() const = 0;
};

}  // namespace failover::sandbox
