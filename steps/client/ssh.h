// SSH to rented machines, over libssh: persistent sessions, one per machine and more for what runs side by side, its
// host key pinned for the machine's life, a key pair made for this run alone that never leaves memory.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "engine/base/error.h"
#include "engine/plugin/codec.h"
#include "engine/plugin/context.h"

namespace failover::client {

// Where a machine answers: the `ssh` output of vast.wait_until_ready and the `host` input of every step that works on
// one.
struct Endpoint {
  std::string host;
  std::int64_t port = 22;
  std::string user = "root";
  std::string machine;  // who stands behind it (`vast:8812345`): host keys are pinned per machine, since host:port
                        // pairs are reused
  static auto members() {
    return std::tuple{plugin::member("host", &Endpoint::host), plugin::defaulted("port", &Endpoint::port),
                      plugin::defaulted("user", &Endpoint::user), plugin::defaulted("machine", &Endpoint::machine)};
  }
};

struct Command {
  std::string script;       // for `sh -c`; build it from shell_quote()d words
  std::string input;        // its standard input, then end of file
  std::string input_file;   // when set, standard input is this file of the runner, streamed
  std::string output_file;  // when set, standard output is streamed into this file (created, truncated)
  // Bytes of stdout kept, in memory or in the file; more is Error{refused, too_much_output}, and the command is ended.
  // Of stderr it is 16 MiB, whatever is said here, and Error{refused, too_much_on_stderr}.
  std::int64_t output_limit = 16 << 20;
  std::function<void(std::int64_t done)> on_bytes;  // progress of a stream; may be empty
  // The script in a word and its operands, for machines without a shell: what `failover simulate` does on its own
  // (tools/simulate/machines.h lists them). Empty: only a shell can do it.
  std::vector<std::string> operation{};
};

struct Finished {
  int exit_code = -1;  // -1 when ended by a signal
  std::string signal;  // `TERM`, `KILL`, ...; empty when it exited
  std::string out;
  std::string err;
  std::int64_t bytes_in = 0;   // of standard input sent
  std::int64_t bytes_out = 0;  // of standard output received
};

class Ssh {
 public:
  virtual ~Ssh() = default;
  // The run's public key, `ssh-ed25519 AAAA...` without a comment.
  [[nodiscard]] virtual const std::string& public_key() const = 0;
  // Runs a command to its end. Errors: unavailable (no connection; nothing ran), auth (key denied; nothing ran),
  // host_key_changed, unknown (the connection dropped while it ran: it may have run to its end or not), timeout and
  // cancelled (the command and its whole process group on the machine were killed, and that was seen; else unknown). A
  // non-zero exit is not an error here.
  virtual base::Result<Finished> run(const Endpoint& at, const Command& command, const plugin::Context& context) = 0;
  // Forgets the session with this machine (it is gone or was replaced).
  virtual void forget(const Endpoint& at) = 0;
};

// Error{invalid, libssh_too_old} below the version floor (dependencies.md 11). `own`: the machines are the sandbox's,
// on loopback, and nobody hostile is there; then only a machine elsewhere is refused, when it is to be reached.
// Thread-safe: calls to one machine queue up, to several run side by side.
base::Result<std::unique_ptr<Ssh>> make_ssh(bool own = false);

}  // namespace failover::client
