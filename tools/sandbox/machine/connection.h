// One SSH connection to a machine: who may come in, and its channels.
#pragma once

#include <list>
#include <memory>

#include "tools/sandbox/machine/channel.h"

namespace failover::sandbox {

// Owned and driven by the machine's loop alone.
class Connection {
 public:
  // Takes an accepted socket; null when libssh cannot.
  static std::unique_ptr<Connection> open(const Inside& inside, Orders& orders, ssh_bind bind, base::Fd socket);
  ~Connection();  // kills the commands that still run on it
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Its own socket first, then what its channels wait for.
  void want(std::vector<pollfd>& fds) const;
  // Lets libssh read and write.
  void run();
  // Lets the channels move what they can; true when one did.
  bool serve();
  // As Channel's.
  [[nodiscard]] bool ready() const;
  [[nodiscard]] bool impatient() const;
  [[nodiscard]] bool over() const { return over_; }

 private:
  Connection(const Inside& inside, Orders& orders) : inside_(inside), orders_(orders) {}
  bool greet(ssh_bind bind, base::Fd socket);
  int judge_key(ssh_key key, char state);

  const Inside& inside_;
  Orders& orders_;
  ssh_session session_ = nullptr;
  ssh_event event_ = nullptr;
  ssh_server_callbacks_struct callbacks_{};
  std::list<Channel> channels_;  // a list: libssh may open one while another is being served
  bool judged_ = false;          // the fault that denies a right key counts once a connection
  bool denied_ = false;
  bool over_ = false;
};

}  // namespace failover::sandbox
