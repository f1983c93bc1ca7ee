// One SSH channel and the command that runs on it: bytes both ways, signals, and how it ended.
#pragma once

#include <libssh/callbacks.h>
#include <libssh/server.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "tools/sandbox/machine/inside.h"

namespace failover::sandbox {

// libssh calls back in the middle of nearly every one of its functions, so a callback only notes what happened (or
// starts the command); all else is done by serve(), from the machine's loop. Not movable: libssh holds its address.
class Channel {
 public:
  Channel(const Inside& inside, Orders& orders, ssh_session session);
  ~Channel();  // kills the command, if it still runs
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  [[nodiscard]] ssh_channel handle() const { return channel_; }
  // Moves what can be moved; true when something was.
  bool serve();
  // The descriptors that it waits for.
  void want(std::vector<pollfd>& fds) const;
  // It wants serve() again at once, though no descriptor says so.
  [[nodiscard]] bool ready() const;
  // It wants serve() before long: nothing wakes the loop for it.
  [[nodiscard]] bool impatient() const;
  [[nodiscard]] bool over() const { return over_; }
  // A fault: the connection is to break now.
  [[nodiscard]] bool breaks() const { return breaks_; }

 private:
  struct Stream {  // from the command to the client
    base::Fd from;
    std::string pending{};
    bool to_stderr = false;
  };

  void set_callbacks();
  bool start(const Order& order);
  bool start_on_pipes(const Order& order);
  bool start_on_terminal(const Order& order);
  bool feed();
  bool write_pending();
  bool drain(Stream& stream);
  bool send_pending(Stream& stream);
  bool look_for_end();
  void look_for_break();
  void finish();
  void resize();
  void kill_command(int number) const;

  const Inside& inside_;
  Orders& orders_;
  ssh_channel channel_;
  ssh_channel_callbacks_struct callbacks_{};
  std::map<std::string, std::string> environment_;
  winsize size_{};
  bool terminal_ = false;

  pid_t pid_ = -1;  // while it runs
  bool started_ = false;
  int status_ = 0;
  base::Fd watch_;
  base::Fd in_;
  std::string in_pending_;
  Stream out_;
  Stream err_;

  bool readable_ = false;  // the client sent bytes that are not read yet
  bool eof_ = false;
  bool closed_ = false;
  bool over_ = false;
  bool break_due_ = false;
  bool breaks_ = false;
  std::int64_t moved_ = 0;
  std::chrono::steady_clock::time_point started_at_;
};

}  // namespace failover::sandbox
