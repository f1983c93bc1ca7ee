#include "tools/sandbox/machine/channel.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <utility>

#include "engine/base/process.h"
#include "tools/sandbox/machine/spawn.h"

namespace failover::sandbox {
namespace {

constexpr std::size_t chunk = 65536;
constexpr int turns = 8;  // chunks at once: other channels want their share
// The middle of a command, for the fault that breaks it there: more bytes than a pipe holds, so the command is at work.
constexpr std::int64_t break_bytes = 256 * 1024;
constexpr std::chrono::milliseconds break_after{250};

int signal_number(std::string_view name) {
  for (int number = 1; number < 32; ++number) {
    if (base::signal_name(number) == name) return number;
  }
  return 0;
}

Channel& self(void* data) { return *static_cast<Channel*>(data); }

}  // namespace

Channel::Channel(const Inside& inside, Orders& orders, ssh_session session)
    : inside_(inside), orders_(orders), channel_(ssh_channel_new(session)) {
  err_.to_stderr = true;
  set_callbacks();
}

Channel::~Channel() {
  if (pid_ > 0) {
    kill_command(SIGKILL);
    wait_for(pid_);
  }
  if (channel_ == nullptr) return;
  ssh_remove_channel_callbacks(channel_, &callbacks_);
  ssh_channel_free(channel_);
}

void Channel::set_callbacks() {
  if (channel_ == nullptr) return;
  callbacks_.userdata = this;
  // Taking nothing here leaves the bytes with libssh, whose window then holds the client back.
  callbacks_.channel_data_function = [](ssh_session, ssh_channel, void*, uint32_t size, int is_stderr, void* data) {
    if (is_stderr != 0) return static_cast<int>(size);
    self(data).readable_ = true;
    return 0;
  };
  callbacks_.channel_eof_function = [](ssh_session, ssh_channel, void* data) { self(data).eof_ = true; };
  callbacks_.channel_close_function = [](ssh_session, ssh_channel, void* data) { self(data).closed_ = true; };
  callbacks_.channel_signal_function = [](ssh_session, ssh_channel, const char* name, void* data) {
    const int number = signal_number(name);
    if (number != 0) self(data).kill_command(number);
  };
  callbacks_.channel_pty_request_function = [](ssh_session, ssh_channel, const char* term, int width, int height, int,
                                               int, void* data) {
    self(data).terminal_ = true;
    self(data).environment_["TERM"] = term;
    self(data).size_.ws_col = static_cast<unsigned short>(width);
    self(data).size_.ws_row = static_cast<unsigned short>(height);
    return 0;
  };
  callbacks_.channel_pty_window_change_function = [](ssh_session, ssh_channel, int width, int height, int, int,
                                                     void* data) {
    self(data).size_.ws_col = static_cast<unsigned short>(width);
    self(data).size_.ws_row = static_cast<unsigned short>(height);
    self(data).resize();
    return 0;
  };
  callbacks_.channel_env_request_function = [](ssh_session, ssh_channel, const char* name, const char* value,
                                               void* data) {
    const std::string_view word(name);  // what Debian's sshd_config accepts
    if (word != "LANG" && word.substr(0, 3) != "LC_") return 1;
    self(data).environment_[name] = value;
    return 0;
  };
  callbacks_.channel_shell_request_function = [](ssh_session, ssh_channel, void* data) {
    return self(data).start({Order::login_shell}) ? 0 : 1;
  };
  callbacks_.channel_exec_request_function = [](ssh_session, ssh_channel, const char* command, void* data) {
    return self(data).start({Order::shell_text, command}) ? 0 : 1;
  };
  callbacks_.channel_subsystem_request_function = [](ssh_session, ssh_channel, const char* name, void* data) {
    return std::string_view(name) == "sftp" && self(data).start({Order::sftp}) ? 0 : 1;
  };
  ssh_callbacks_init(&callbacks_);
  ssh_set_channel_callbacks(channel_, &callbacks_);
}

bool Channel::start(const Order& order) {
  if (started_) return false;
  if (!(terminal_ ? start_on_terminal(order) : start_on_pipes(order))) return false;
  started_ = true;
  started_at_ = std::chrono::steady_clock::now();
  watch_ = watch_process(pid_);
  break_due_ = orders_.take(&MachineFaults::drop_commands);
  return true;
}

bool Channel::start_on_pipes(const Order& order) {
  auto in = base::make_pipe();
  auto out = base::make_pipe();
  auto err = base::make_pipe();
  if (!in || !out || !err) return false;
  auto pid = inside_.start(order, environment_, {in->read.get(), out->write.get(), err->write.get()}, false);
  if (!pid) return false;
  pid_ = *pid;
  in_ = std::move(in->write);
  out_.from = std::move(out->read);
  err_.from = std::move(err->read);
  for (const base::Fd* fd : {&in_, &out_.from, &err_.from}) base::set_nonblocking(*fd);
  return true;
}

bool Channel::start_on_terminal(const Order& order) {
  auto pair = inside_.open_terminal();
  if (!pair) return false;
  auto& [control, other] = *pair;
  const int fd = other.get();
  auto pid = inside_.start(order, environment_, {fd, fd, fd}, true);
  if (!pid) return false;
  pid_ = *pid;
  in_ = base::Fd(::fcntl(control.get(), F_DUPFD_CLOEXEC, 0));
  out_.from = std::move(control);
  base::set_nonblocking(out_.from);  // of the open file, which both share
  resize();
  return true;
}

void Channel::resize() {
  if (terminal_ && in_.open()) ::ioctl(in_.get(), TIOCSWINSZ, &size_);
}

void Channel::kill_command(int number) const {
  if (pid_ > 0) ::kill(-pid_, number);
}

bool Channel::write_pending() {
  bool moved = false;
  while (!in_pending_.empty() && in_.open()) {
    const ssize_t count = ::write(in_.get(), in_pending_.data(), in_pending_.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return moved;
    if (count < 0) {
      in_.close();  // it does not want more: the rest is dropped, as sshd does
      break;
    }
    in_pending_.erase(0, static_cast<std::size_t>(count));
    moved = true;
  }
  if (!in_.open()) in_pending_.clear();
  return moved;
}

bool Channel::feed() {
  bool moved = write_pending();
  for (int turn = 0; turn < turns && started_ && readable_ && in_pending_.empty(); ++turn) {
    readable_ = false;  // before the call, which may bring more
    in_pending_.resize(chunk);
    const int count = ssh_channel_read_nonblocking(channel_, in_pending_.data(), chunk, 0);
    in_pending_.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    if (count <= 0) break;
    readable_ = true;
    orders_.bytes_in += count;
    moved_ += count;
    moved = true;
    write_pending();
  }
  if (eof_ && started_ && !readable_ && in_pending_.empty() && in_.open()) {
    moved = true;
    if (terminal_) {
      const char end = 4;                                                  // what a person types for it
      [[maybe_unused]] const ssize_t count = ::write(in_.get(), &end, 1);  // a full terminal has no reader anyway
    }
    in_.close();
  }
  return moved;
}

bool Channel::send_pending(Stream& stream) {
  bool moved = false;
  while (!stream.pending.empty() && !closed_) {
    const auto window = ssh_channel_window_size(channel_);  // more than this would block
    const auto size = std::min<std::size_t>(window, stream.pending.size());
    if (size == 0) return moved;
    const int count = stream.to_stderr
                          ? ssh_channel_write_stderr(channel_, stream.pending.data(), static_cast<uint32_t>(size))
                          : ssh_channel_write(channel_, stream.pending.data(), static_cast<uint32_t>(size));
    if (count <= 0) return moved;
    stream.pending.erase(0, static_cast<std::size_t>(count));
    orders_.bytes_out += count;
    moved_ += count;
    moved = true;
  }
  return moved;
}

bool Channel::drain(Stream& stream) {
  bool moved = send_pending(stream);
  for (int turn = 0; turn < turns && stream.from.open() && stream.pending.empty() && !closed_; ++turn) {
    const auto room = std::min<std::size_t>(chunk, ssh_channel_window_size(channel_));
    if (room == 0) break;
    stream.pending.resize(room);
    const ssize_t count = ::read(stream.from.get(), stream.pending.data(), room);
    const int number = errno;
    stream.pending.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    if (count < 0 && (number == EAGAIN || number == EINTR)) break;
    moved = true;
    if (count <= 0) {  // a terminal says EIO when nobody holds its other end
      stream.from.close();
      break;
    }
    send_pending(stream);
  }
  return moved;
}

bool Channel::look_for_end() {
  if (pid_ <= 0) return false;
  if (!reap(pid_, status_)) return false;
  pid_ = -1;
  watch_.close();
  return true;
}

void Channel::look_for_break() {
  if (!break_due_) return;
  breaks_ = moved_ >= break_bytes || pid_ <= 0 || std::chrono::steady_clock::now() - started_at_ >= break_after;
}

void Channel::finish() {
  over_ = true;
  if (closed_ || ssh_channel_is_open(channel_) == 0) return;
  if (WIFSIGNALED(status_)) {
    ssh_channel_request_send_exit_signal(channel_, base::signal_name(WTERMSIG(status_)).c_str(), 0, "", "");
  } else {
    ssh_channel_request_send_exit_status(channel_, WEXITSTATUS(status_));
  }
  ssh_channel_send_eof(channel_);
  ssh_channel_close(channel_);
}

bool Channel::serve() {
  if (over_ || breaks_) return false;
  if (closed_) {  // the client has gone away from it
    over_ = true;
    return true;
  }
  bool moved = feed();
  moved |= look_for_end();  // before the streams are drained: what it wrote last is then in them
  look_for_break();
  if (breaks_) return true;
  moved |= drain(out_);
  moved |= drain(err_);
  // As sshd does, the channel stays until nobody holds the streams any more, a background process included.
  const bool drained = !out_.from.open() && !err_.from.open() && out_.pending.empty() && err_.pending.empty();
  if (started_ && pid_ <= 0 && drained) {
    finish();
    moved = true;
  }
  return moved;
}

bool Channel::ready() const {
  if (over_ || breaks_) return false;
  return closed_ || (started_ && in_pending_.empty() && (readable_ || (eof_ && in_.open())));
}

bool Channel::impatient() const { return break_due_ || (pid_ > 0 && !watch_.open()); }

void Channel::want(std::vector<pollfd>& fds) const {
  if (in_.open() && !in_pending_.empty()) fds.push_back({in_.get(), POLLOUT, 0});
  if (watch_.open()) fds.push_back({watch_.get(), POLLIN, 0});
  if (ssh_channel_window_size(channel_) == 0) return;
  for (const Stream* stream : {&out_, &err_}) {
    if (stream->from.open() && stream->pending.empty()) fds.push_back({stream->from.get(), POLLIN, 0});
  }
}

}  // namespace failover::sandbox
