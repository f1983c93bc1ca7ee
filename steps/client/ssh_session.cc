#include "steps/client/ssh_session.h"

#include <poll.h>

#include <algorithm>

#include "engine/base/text.h"
#include "steps/client/ssh_socket.h"

namespace failover::client::ssh {
namespace {

using base::Error;
using base::Fault;
using base::Patience;
using base::Result;
using namespace std::chrono_literals;

// A machine that is up answers within these; whoever waits for one asks again.
constexpr base::Duration kConnectMax = 15s;
constexpr base::Duration kHandshakeMax = 20s;
constexpr base::Duration kChannelMax = 10s;

// Lets libssh look at what has come: after an end of file its read functions no longer do, and the exit status comes
// behind that.
void look(ssh_channel channel) {
#if LIBSSH_VERSION_INT >= SSH_VERSION_INT(0, 11, 0)
  std::uint32_t code = 0;
  ssh_channel_get_exit_state(channel, &code, nullptr, nullptr);
#else
  ssh_channel_get_exit_status(channel);
#endif
}

// The error of a phase that ended: the caller's own patience, or the phase's limit.
Error late(const Patience& patience, const std::string& what) {
  if (auto alive = patience.check(); !alive) return std::move(alive).error();
  return {Fault::unavailable, "silent", what + " does not answer"};
}

}  // namespace

std::string name_of(const Endpoint& at) {
  return base::printable(at.user, 64) + "@" + base::printable(at.host, 120) + ":" + std::to_string(at.port);
}

// --- channel ---

Channel::Channel(ssh_channel channel) : channel_(channel) {
  ssh_callbacks_init(&callbacks_);
  callbacks_.userdata = this;
  callbacks_.channel_exit_status_function = [](ssh_session, ssh_channel, int code, void* self) {
    auto& me = *static_cast<Channel*>(self);
    me.told_ = true;
    me.exit_code_ = code;
  };
  callbacks_.channel_exit_signal_function = [](ssh_session, ssh_channel, const char* name, int, const char*,
                                               const char*, void* self) {
    auto& me = *static_cast<Channel*>(self);
    me.told_ = true;
    me.exit_code_ = -1;
    me.signal_ = base::printable(name == nullptr ? "unknown" : name, 32);
  };
  ssh_set_channel_callbacks(channel_, &callbacks_);
}

Channel::~Channel() {
  ssh_remove_channel_callbacks(channel_, &callbacks_);
  ssh_channel_free(channel_);
}

Channel::Asked Channel::ask(const std::string& command) {
  switch (ssh_channel_request_exec(channel_, command.c_str())) {
    case SSH_OK: return Asked::yes;
    case SSH_AGAIN: return Asked::pending;
    default: return Asked::no;
  }
}

bool Channel::read(bool from_stderr, std::size_t most, std::string& to) {
  char block[32768];
  const std::size_t before = to.size();
  while (to.size() - before < most) {
    const int got = ssh_channel_read_nonblocking(channel_, block, sizeof block, from_stderr ? 1 : 0);
    if (got < 0) {  // SSH_EOF, SSH_ERROR
      look(channel_);
      return false;
    }
    if (got == 0) return true;
    to.append(block, static_cast<std::size_t>(got));
  }
  return true;
}

int Channel::write(std::string_view bytes) {
  // A write into a full window would wait for it.
  const std::size_t window = ssh_channel_window_size(channel_);
  const std::size_t count = std::min({window, bytes.size(), std::size_t{32768}});
  if (count == 0) return ssh_channel_is_open(channel_) != 0 ? 0 : -1;
  const int wrote = ssh_channel_write(channel_, bytes.data(), static_cast<std::uint32_t>(count));
  return wrote == SSH_ERROR ? -1 : wrote == SSH_AGAIN ? 0 : wrote;
}

void Channel::send_eof() { ssh_channel_send_eof(channel_); }
void Channel::send_signal(const char* name) { ssh_channel_request_send_signal(channel_, name); }
bool Channel::ended() const { return told_ && (ssh_channel_is_eof(channel_) != 0 || closed()); }
bool Channel::closed() const { return ssh_channel_is_closed(channel_) != 0; }

// --- session ---

Session::~Session() {
  if (session_ == nullptr) return;
  // libssh leaves a socket that it was given open, but not always; so it gets the socket for good.
  const socket_t none = SSH_INVALID_SOCKET;
  ssh_options_set(session_, SSH_OPTIONS_FD, &none);
  ssh_disconnect(session_);
  ssh_free(session_);
}

bool Session::alive() const { return ssh_is_connected(session_) != 0; }
std::string Session::last_error() const { return base::printable(ssh_get_error(session_), 200); }

void Session::wait(const Patience& patience) const {
  const int flags = ssh_get_poll_flags(session_);
  const auto events = static_cast<short>(POLLIN | ((flags & SSH_WRITE_PENDING) != 0 ? POLLOUT : 0));
  wait_slice(ssh_get_fd(session_), events, patience);
}

Result<void> Session::shake_hands(const Endpoint& at, const Patience& patience) {
  const auto limited = patience.within(kConnectMax);
  auto fd = connect_to(at.host, at.port, limited);
  if (!fd) {
    const Fault fault = fd.error().fault;
    if (fault == Fault::timeout || fault == Fault::cancelled) return late(patience, name_of(at));
    return std::move(fd).error();
  }
  socket_t socket = *fd;
  session_ = ssh_new();
  const bool no = false;
  const long port = static_cast<long>(at.port);
  const int nodelay = 1;
  ssh_options_set(session_, SSH_OPTIONS_PROCESS_CONFIG, &no);
  ssh_options_set(session_, SSH_OPTIONS_HOST, at.host.c_str());
  ssh_options_set(session_, SSH_OPTIONS_PORT, &port);
  ssh_options_set(session_, SSH_OPTIONS_USER, at.user.c_str());
  ssh_options_set(session_, SSH_OPTIONS_NODELAY, &nodelay);
  // Host keys are pinned in memory; files that others wrote say nothing here.
  ssh_options_set(session_, SSH_OPTIONS_KNOWNHOSTS, "/dev/null");
  ssh_options_set(session_, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null");
  constexpr const char* kCiphers =
      "aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes256-ctr,aes128-ctr";
  ssh_options_set(session_, SSH_OPTIONS_CIPHERS_C_S, kCiphers);
  ssh_options_set(session_, SSH_OPTIONS_CIPHERS_S_C, kCiphers);
  ssh_options_set(session_, SSH_OPTIONS_FD, &socket);
  ssh_set_blocking(session_, 0);

  const auto shaking = patience.within(kHandshakeMax);
  for (;;) {
    const int said = ssh_connect(session_);
    if (said == SSH_OK) return {};
    if (said != SSH_AGAIN) {
      return Error{Fault::unavailable, "handshake", "no SSH connection to " + name_of(at) + ": " + last_error()};
    }
    if (!shaking.check()) return late(patience, name_of(at));
    wait(shaking);
  }
}

Result<std::string> Session::host_key_hash() const {
  ssh_key key = nullptr;
  if (ssh_get_server_publickey(session_, &key) != SSH_OK) {
    return Error{Fault::unavailable, "host_key", "the machine showed no host key"};
  }
  unsigned char* hash = nullptr;
  std::size_t size = 0;
  const int said = ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &size);
  ssh_key_free(key);
  if (said != SSH_OK) return Error{Fault::unavailable, "host_key", "the machine's host key cannot be read"};
  std::string out(reinterpret_cast<const char*>(hash), size);
  ssh_clean_pubkey_hash(&hash);
  return out;
}

Result<void> Session::authenticate(const Endpoint& at, ssh_key key, const Patience& patience) {
  const auto limited = patience.within(kHandshakeMax);
  for (;;) {
    switch (ssh_userauth_publickey(session_, nullptr, key)) {
      case SSH_AUTH_SUCCESS: return {};
      case SSH_AUTH_AGAIN: break;
      case SSH_AUTH_DENIED:
      case SSH_AUTH_PARTIAL:
        return Error{Fault::auth, "key_denied", name_of(at) + " does not accept this run's key",
                     "a key that was attached moments ago may need some seconds to arrive"};
      default:
        return Error{Fault::unavailable, "handshake", name_of(at) + " hung up during authentication: " + last_error()};
    }
    if (!limited.check()) return late(patience, name_of(at));
    wait(limited);
  }
}

Result<std::unique_ptr<Session>> Session::connect(const Endpoint& at, ssh_key key,
                                                  const std::function<Result<void>(const std::string& hash)>& trusted,
                                                  const Patience& patience) {
  std::unique_ptr<Session> session(new Session());
  if (auto shaken = session->shake_hands(at, patience); !shaken) return std::move(shaken).error();
  auto hash = session->host_key_hash();
  if (!hash) return std::move(hash).error();
  if (auto trust = trusted(*hash); !trust) return std::move(trust).error();
  if (auto in = session->authenticate(at, key, patience); !in) return std::move(in).error();
  return session;
}

Result<std::unique_ptr<Channel>> Session::open(const Patience& patience) {
  ssh_channel raw = ssh_channel_new(session_);
  if (raw == nullptr) return Error{Fault::unavailable, "channel", "no channel: " + last_error()};
  std::unique_ptr<Channel> channel(new Channel(raw));
  const auto limited = patience.within(kChannelMax);
  for (;;) {
    const int said = ssh_channel_open_session(raw);
    if (said == SSH_OK) return channel;
    if (said != SSH_AGAIN || !alive()) {
      return Error{Fault::unavailable, "channel", "the machine opens no channel: " + last_error()};
    }
    if (!limited.check()) return late(patience, "the machine");
    wait(limited);
  }
}

}  // namespace failover::client::ssh
