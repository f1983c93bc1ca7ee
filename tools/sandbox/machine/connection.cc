#include "tools/sandbox/machine/connection.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

namespace failover::sandbox {

std::unique_ptr<Connection> Connection::open(const Inside& inside, Orders& orders, ssh_bind bind, base::Fd socket) {
  std::unique_ptr<Connection> connection(new Connection(inside, orders));
  if (!connection->greet(bind, std::move(socket))) return nullptr;
  return connection;
}

bool Connection::greet(ssh_bind bind, base::Fd socket) {
  session_ = ssh_new();
  event_ = ssh_event_new();
  if (session_ == nullptr || event_ == nullptr) return false;
  const int one = 1;  // SSH_OPTIONS_NODELAY does nothing for an accepted socket
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  const int fd = ::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0);
  if (fd < 0) return false;
  if (ssh_bind_accept_fd(bind, session_, fd) != SSH_OK) {  // it owns the descriptor from here, also in failure
    return false;
  }
  callbacks_.userdata = this;
  callbacks_.auth_pubkey_function = [](ssh_session, const char*, ssh_key key, char state, void* data) {
    return static_cast<Connection*>(data)->judge_key(key, state);
  };
  callbacks_.channel_open_request_session_function = [](ssh_session session, void* data) {
    auto& self = *static_cast<Connection*>(data);
    const ssh_channel opened = self.channels_.emplace_back(self.inside_, self.orders_, session).handle();
    if (opened == nullptr) self.channels_.pop_back();
    return opened;
  };
  ssh_callbacks_init(&callbacks_);
  ssh_set_server_callbacks(session_, &callbacks_);
  // Whatever has no callback (forwarding, agents) is denied rather than left without an answer.
  ssh_set_message_callback(
      session_, [](ssh_session, ssh_message, void*) { return 1; }, nullptr);
  ssh_set_auth_methods(session_, SSH_AUTH_METHOD_PUBLICKEY);
  ssh_set_blocking(session_, 0);
  if (ssh_handle_key_exchange(session_) == SSH_ERROR) return false;
  return ssh_event_add_session(event_, session_) == SSH_OK;
}

Connection::~Connection() {
  channels_.clear();
  if (event_ != nullptr) {
    if (session_ != nullptr) ssh_event_remove_session(event_, session_);
    ssh_event_free(event_);
  }
  if (session_ == nullptr) return;
  ssh_silent_disconnect(session_);
  ssh_free(session_);
}

int Connection::judge_key(ssh_key key, char state) {
  if (state != SSH_PUBLICKEY_STATE_NONE && state != SSH_PUBLICKEY_STATE_VALID) return SSH_AUTH_DENIED;
  char* text = nullptr;
  if (ssh_pki_export_pubkey_base64(key, &text) != SSH_OK) return SSH_AUTH_DENIED;
  const bool known = orders_.knows(text);
  ssh_string_free_char(text);
  if (!known) return SSH_AUTH_DENIED;
  if (!judged_) denied_ = orders_.take(&MachineFaults::deny_keys);
  judged_ = true;
  return denied_ ? SSH_AUTH_DENIED : SSH_AUTH_SUCCESS;
}

void Connection::want(std::vector<pollfd>& fds) const {
  const bool writes = (ssh_get_poll_flags(session_) & SSH_WRITE_PENDING) != 0;
  fds.push_back({ssh_get_fd(session_), static_cast<short>(writes ? POLLIN | POLLOUT : POLLIN), 0});
  for (const Channel& channel : channels_) channel.want(fds);
}

void Connection::run() {
  if (ssh_event_dopoll(event_, 0) == SSH_ERROR) over_ = true;
  if ((ssh_get_status(session_) & (SSH_CLOSED | SSH_CLOSED_ERROR)) != 0) over_ = true;
}

bool Connection::serve() {
  bool moved = false;
  for (Channel& channel : channels_) {
    moved |= channel.serve();
    over_ |= channel.breaks();
  }
  channels_.remove_if([](const Channel& channel) { return channel.over(); });
  return moved;
}

bool Connection::ready() const {
  return std::any_of(channels_.begin(), channels_.end(), [](const Channel& channel) { return channel.ready(); });
}

bool Connection::impatient() const {
  return std::any_of(channels_.begin(), channels_.end(), [](const Channel& channel) { return channel.impatient(); });
}

}  // namespace failover::sandbox
