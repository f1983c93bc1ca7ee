#include "steps/client/ssh.h"

#include <libssh/libssh.h>

#include <array>
#include <atomic>
#include <fstream>
#include <map>
#include <mutex>

#include "engine/base/text.h"
#include "steps/client/http.h"
#include "steps/client/patient_lock.h"
#include "steps/client/ssh_exec.h"
#include "steps/client/ssh_session.h"
#include "steps/client/ssh_version.h"

namespace failover::client {
namespace {

using base::Error;
using base::Fault;
using base::Result;

struct KeyCloser {
  void operator()(ssh_key key) const { ssh_key_free(key); }
};
using Key = std::unique_ptr<ssh_key_struct, KeyCloser>;

// A connection to a machine: one command at a time.
struct Line {
  PatientLock lock;
  // With the lock taken:
  std::unique_ptr<ssh::Session> session;
  std::string reached_at;
  int forgotten = 0;  // the machine's count when the session was made
};

// What is known of one machine. The pin outlives every session. Commands one after the other use one connection; what
// runs side by side gets more of them, up to what every sshd takes.
struct Machine {
  static constexpr std::size_t kMostLines = 4;
  std::array<Line, kMostLines> lines;
  std::atomic<unsigned> waiting{0};
  std::atomic<int> forgotten{0};
  std::mutex pin_mutex;
  std::string pinned;
  bool changed = false;

  // A line of one's own: the first free one, else a turn at one.
  Result<Line*> take(const base::Patience& patience) {
    for (auto& line : lines) {
      if (line.lock.try_take()) return &line;
    }
    Line& line = lines.at(waiting++ % kMostLines);
    if (auto turn = line.lock.take(patience); !turn) return std::move(turn).error();
    return &line;
  }
};

class LibSsh final : public Ssh {
 public:
  LibSsh(Key key, std::string public_key, Result<void> good)
      : key_(std::move(key)), public_key_(std::move(public_key)), good_(std::move(good)) {}

  [[nodiscard]] const std::string& public_key() const override { return public_key_; }
  Result<Finished> run(const Endpoint& at, const Command& command, const plugin::Context& context) override;
  void forget(const Endpoint& at) override;

 private:
  std::shared_ptr<Machine> machine_of(const Endpoint& at);
  Result<Finished> run_on(Machine& machine, Line& line, const Endpoint& at, const Command& command,
                          const plugin::Context& context);
  Result<void> connect(Machine& machine, Line& line, const Endpoint& at, const plugin::Context& context);

  Key key_;
  std::string public_key_;
  const Result<void> good_;  // may this libssh meet strangers?
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Machine>> machines_;
};

std::shared_ptr<Machine> LibSsh::machine_of(const Endpoint& at) {
  const std::string name = at.machine.empty() ? at.host + ":" + std::to_string(at.port) : at.machine;
  const std::lock_guard lock(mutex_);
  auto& machine = machines_[name];
  if (!machine) machine = std::make_shared<Machine>();
  return machine;
}

// Trust on first contact, for the machine's life.
Result<void> judge(Machine& machine, const Endpoint& at, const std::string& hash) {
  const std::lock_guard lock(machine.pin_mutex);
  if (machine.pinned.empty()) machine.pinned = hash;
  if (machine.pinned != hash) machine.changed = true;
  if (!machine.changed) return {};
  return Error{Fault::host_key_changed, "host_key_changed",
               "the host key of " + ssh::name_of(at) + " is not the one it had: another machine answers there",
               "destroy this machine: nothing will be sent to it any more"};
}

// Nothing is sent to a machine that has shown another key, on whichever of its lines.
Result<void> still_itself(Machine& machine, const Endpoint& at) {
  std::string pinned;
  {
    const std::lock_guard lock(machine.pin_mutex);
    pinned = machine.pinned;
  }
  return pinned.empty() ? Result<void>() : judge(machine, at, pinned);
}

Result<void> LibSsh::connect(Machine& machine, Line& line, const Endpoint& at, const plugin::Context& context) {
  if (!good_ && !is_loopback({"ssh", at.host, static_cast<int>(at.port)})) return good_;
  Key key;
  {
    const std::lock_guard lock(mutex_);  // copies for one thread each
    key.reset(ssh_key_dup(key_.get()));
  }
  if (!key) return Error{Fault::internal, "ssh_key", "the run's SSH key cannot be copied"};
  const int forgotten = machine.forgotten;
  auto session = ssh::Session::connect(
      at, key.get(), [&](const std::string& hash) { return judge(machine, at, hash); }, context.patience());
  if (!session) return std::move(session).error();
  line.session = *std::move(session);
  line.reached_at = ssh::name_of(at);
  line.forgotten = forgotten;
  return {};
}

Result<Finished> LibSsh::run_on(Machine& machine, Line& line, const Endpoint& at, const Command& command,
                                const plugin::Context& context) {
  if (line.forgotten != machine.forgotten || line.reached_at != ssh::name_of(at)) line.session.reset();
  bool kept = line.session != nullptr;
  for (;;) {
    if (auto same = still_itself(machine, at); !same) {
      line.session.reset();
      return std::move(same).error();
    }
    if (line.session == nullptr) {
      if (auto connected = connect(machine, line, at, context); !connected) return std::move(connected).error();
    }
    Result<Finished> finished = Error{};
    bool asked = false;
    bool usable = false;
    {
      ssh::Execution execution(*line.session, at.machine, command, context);
      finished = execution.run();
      asked = execution.asked();
      usable = execution.session_usable();
    }
    if (!usable || !line.session->alive()) line.session.reset();
    // A session that had died while nobody looked: nothing was asked of it, so a new one may be.
    const bool again = !finished && kept && !asked && !usable && context.check();
    if (!again) return finished;
    kept = false;
  }
}

Result<Finished> LibSsh::run(const Endpoint& at, const Command& command, const plugin::Context& context) {
  const base::Instant start = context.clock().now();
  const NoSigpipe quiet;
  const auto machine = machine_of(at);
  Result<Finished> finished = Error{};
  if (auto line = machine->take(context.patience()); !line) {
    finished = std::move(line).error();
  } else {
    const Turn mine((*line)->lock);
    finished = run_on(*machine, **line, at, command, context);
  }
  plugin::Exchange exchange;
  exchange.peer = "ssh";
  exchange.method = "exec";
  exchange.target = ssh::name_of(at);
  exchange.took = context.clock().now() - start;
  if (finished) {
    exchange.status = finished->exit_code;
  } else {
    exchange.outcome = finished.error().code;
  }
  context.exchange(exchange);
  return finished;
}

void LibSsh::forget(const Endpoint& at) {
  const auto machine = machine_of(at);
  ++machine->forgotten;
  const NoSigpipe quiet;
  for (auto& line : machine->lines) {
    if (!line.lock.try_take()) continue;  // a command runs there: the next one connects anew
    const Turn mine(line.lock);
    line.session.reset();
  }
}

// Of the installed libssh. Empty where there is no dpkg.
std::string package_version() {
  std::ifstream status("/var/lib/dpkg/status");
  bool here = false;
  bool installed = false;
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("Package: ", 0) == 0) here = line == "Package: libssh-4";
    if (line.rfind("Status: ", 0) == 0) installed = line.ends_with(" ok installed");  // install, or hold
    if (here && installed && line.rfind("Version: ", 0) == 0) return line.substr(9);
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Ssh>> make_ssh(bool own) {
  auto good = ssh::check_libssh(ssh_version(0), package_version());
  if (!good && !own) return std::move(good).error();
  ssh_key raw = nullptr;
  if (ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &raw) != SSH_OK) {
    return Error{Fault::internal, "ssh_key", "no SSH key could be made"};
  }
  Key key(raw);
  char* text = nullptr;
  if (ssh_pki_export_pubkey_base64(raw, &text) != SSH_OK) {
    return Error{Fault::internal, "ssh_key", "the SSH key cannot be written down"};
  }
  const std::string public_key = std::string("ssh-ed25519 ") + text;
  ssh_string_free_char(text);
  return std::unique_ptr<Ssh>(std::make_unique<LibSsh>(std::move(key), public_key, std::move(good)));
}

}  // namespace failover::client
