// Rented machines in memory: a small file tree each and the operations that the steps use, in the words of
// client::Command::operation:
//   true | tools WORKSPACE | write DIR PREFIX | digest ALGORITHM PATH... | verify ALGORITHM DIR | prove DIR N KEY
//   pack PATH... | put FILE | spool DIR | get FILE | unpack SPOOL | move DIR SPOOL | remove PATH
// and what commands.h knows of a scenario's own.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "steps/client/ssh.h"
#include "tools/sandbox/world/world.h"
#include "tools/simulate/commands.h"

namespace failover::simulate {

class Machines {
 public:
  // An HTTP request that a machine sends with a URL that it was given.
  enum class Fared { well, refused, unanswered };
  struct Fetched {
    Fared fared = Fared::well;
    std::string body{};
  };
  using Fetch = std::function<Fetched(const std::string& method, const std::string& url, const std::string& body)>;
  struct Moved {  // bytes out of and into the machine, by SSH
    std::int64_t up = 0, down = 0;
  };
  using Tell = std::function<void(const Moved&)>;
  explicit Machines(sandbox::World& world) : world_(world) {}

  // Script::rots, Script::lies and Script::proxied.
  void plague(bool rots, bool lies, bool proxied) {
    rots_ = rots;
    lies_ = lies;
    proxied_ = proxied;
  }
  // Told of each harm that a host does: `file rots`, `host lies`.
  std::function<void(const char*)> on_harm{};
  // Makes the machines what the world says: ports open, keys known, what is destroyed gone. A port that a destroyed
  // machine had is the next one's, as behind a host's address translation.
  void settle();
  // Another program asks from now on: it has seen no host key yet.
  void forget() { seen_.clear(); }
  // Does a command at the port, whoever stands behind it by now, and tells what moved for it, whatever becomes of it.
  // As the real client it knows by its host key whom it talked to under `at.machine`. Error{unavailable, auth,
  // host_key_changed} when nothing ran.
  base::Result<client::Finished> run(const client::Endpoint& at, const client::Command& command,
                                     const std::string& public_key, const Fetch& fetch, const Tell& tell);
  // What the journey wrote first, by name: the truth that a passed verification must have found again.
  [[nodiscard]] const std::map<std::string, File>& written() const { return written_; }
  // Did the last `verify` look at a directory that holds exactly what was written?
  [[nodiscard]] bool verified_true() const { return verified_true_; }
  // Everything that was ever sent to a machine: scripts and input.
  [[nodiscard]] const std::string& heard() const { return heard_; }

 private:
  struct Machine {
    Tree files{};
    int wipes = 0;
    int spools = 0;
    bool dropped = false;
    int port = 0;  // the proxy's is the one after it; 0: none yet
  };
  [[nodiscard]] int free_port() const;
  client::Finished verify(const Machine& machine, const client::Command& command);
  client::Finished act(Machine& machine, const client::Command& command, const Fetch& fetch, bool disk_full);
  sandbox::World& world_;
  std::map<std::int64_t, Machine> machines_;
  std::map<std::string, std::int64_t> seen_;  // whose host key was seen under a name
  std::map<std::string, File> written_;
  bool verified_true_ = false;
  bool rots_ = false;
  bool lies_ = false;
  bool proxied_ = false;
  std::string heard_;
};

}  // namespace failover::simulate
