// One authenticated connection to a machine, and the channels on it, all non-blocking: whoever calls drives it. Not for
// steps.
#pragma once

#include <libssh/callbacks.h>
#include <libssh/libssh.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "engine/base/clock.h"
#include "steps/client/ssh.h"

namespace failover::client::ssh {

class Session;

// A session channel with one command. Must not outlive its session.
class Channel {
 public:
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  enum class Asked { yes, pending, no };
  // Asks for the command; to be repeated while pending. From the first call on it may run.
  Asked ask(const std::string& command);
  // Appends what has come (at most about `most` bytes); false when the channel can give no more of this stream.
  bool read(bool from_stderr, std::size_t most, std::string& to);
  // How many of these bytes were taken; 0 when the window is full, -1 when the other side takes no more.
  int write(std::string_view bytes);
  void send_eof();
  // Best effort: sshd ignores it for root.
  void send_signal(const char* name);
  // The other side has told how the command ended and will send nothing more.
  [[nodiscard]] bool ended() const;
  // The other side has closed it, whatever it told.
  [[nodiscard]] bool closed() const;
  [[nodiscard]] bool told() const { return told_; }
  [[nodiscard]] int exit_code() const { return exit_code_; }
  [[nodiscard]] const std::string& signal() const { return signal_; }

 private:
  friend class Session;
  explicit Channel(ssh_channel channel);

  ssh_channel channel_;
  ssh_channel_callbacks_struct callbacks_{};
  bool told_ = false;
  int exit_code_ = -1;
  std::string signal_;
};

class Session {
 public:
  // `trusted` judges the SHA-256 of the host key before anything is sent to it. Error: unavailable, auth, what
  // `trusted` says, timeout, cancelled; nothing has run.
  static base::Result<std::unique_ptr<Session>> connect(
      const Endpoint& at, ssh_key key, const std::function<base::Result<void>(const std::string& hash)>& trusted,
      const base::Patience& patience);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Error{unavailable}: `channel`; timeout, cancelled. After an error the session is of no more use.
  base::Result<std::unique_ptr<Channel>> open(const base::Patience& patience);
  [[nodiscard]] bool alive() const;
  // Until something may have moved, at most one slice.
  void wait(const base::Patience& patience) const;
  [[nodiscard]] std::string last_error() const;

 private:
  Session() = default;
  base::Result<void> shake_hands(const Endpoint& at, const base::Patience& patience);
  base::Result<std::string> host_key_hash() const;
  base::Result<void> authenticate(const Endpoint& at, ssh_key key, const base::Patience& patience);

  ssh_session session_ = nullptr;
};

// `root@127.0.0.1:4022`, printable.
std::string name_of(const Endpoint& at);

}  // namespace failover::client::ssh
