#include "steps/client/ssh_exec.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "engine/base/digest.h"
#include "engine/base/file.h"

namespace failover::client::ssh {
namespace {

using base::Error;
using base::Fault;
using base::Result;

constexpr std::size_t kAtOnce = 256 << 10;
// Linux takes 128 KiB as one argument, and the login shell gets it all as one.
constexpr std::size_t kScriptMax = 120 << 10;
constexpr std::int64_t kErrorsMax = 16 << 20;    // bytes of stderr, which memory holds whatever stdout goes into
constexpr std::int64_t kTellTraffic = 16 << 20;  // bytes after which a stream's traffic is told while it moves

Error too_much(std::int64_t limit, const char* code, const char* where) {
  return {Fault::refused, code, "the command printed more than " + std::to_string(limit) + " bytes" + where};
}

}  // namespace

Execution::Execution(Session& session, const std::string& machine, const Command& command,
                     const plugin::Context& context)
    : session_(&session),
      machine_(&machine),
      command_(&command),
      context_(&context),
      mark_("failover-" + base::random_id(16)),
      out_filter_(mark_),
      err_filter_(mark_) {}

Execution::~Execution() {
  tell_traffic();
  channel_.reset();
  if (input_fd_ >= 0) ::close(input_fd_);
  if (output_fd_ >= 0) ::close(output_fd_);
}

Result<void> Execution::open_files() {
  if (!command_->input_file.empty()) {
    input_fd_ = ::open(command_->input_file.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat about {};
    if (input_fd_ < 0 || ::fstat(input_fd_, &about) != 0) {
      return base::system_error(errno, "read", command_->input_file);
    }
    if (!S_ISREG(about.st_mode)) {
      return Error{Fault::invalid, "not_a_file", command_->input_file + " is not a regular file"};
    }
  }
  if (!command_->output_file.empty()) {
    output_fd_ = ::open(command_->output_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (output_fd_ < 0) return base::system_error(errno, "write", command_->output_file);
  }
  return {};
}

Result<Finished> Execution::run() {
  usable_ = true;
  if (auto opened = open_files(); !opened) return std::move(opened).error();
  auto channel = session_->open(context_->patience());
  if (!channel) {
    usable_ = false;
    return std::move(channel).error();
  }
  channel_ = *std::move(channel);
  if (auto ran = ask(); !ran) return std::move(ran).error();
  if (auto ran = pump(); !ran) return std::move(ran).error();
  return finish();
}

Result<void> Execution::ask() {
  const std::string text = wrapped(command_->script, mark_);
  if (text.size() > kScriptMax) {
    return Error{Fault::invalid, "script_too_long", "the command is longer than a machine's shell takes",
                 "send the long part on standard input"};
  }
  if (auto alive = context_->check(); !alive) return alive;
  asked_ = true;
  for (;;) {
    switch (channel_->ask(text)) {
      case Channel::Asked::yes: accepted_ = true; return {};
      case Channel::Asked::no:
        if (!session_->alive()) return dropped();
        return Error{Fault::refused, "exec_refused", "the machine runs no commands: " + session_->last_error()};
      case Channel::Asked::pending: break;
    }
    if (auto alive = context_->check(); !alive) return cut(std::move(alive).error());
    session_->wait(context_->patience());
  }
}

Result<void> Execution::pump() {
  for (;;) {
    const bool moved = move();
    if (failed_) return cut(*std::move(failed_));
    if (channel_->ended()) return {};
    if (!session_->alive()) return dropped();
    if (channel_->closed()) {
      return Error{Fault::unknown, "no_exit_status", "the machine ended the command without saying how"};
    }
    if (auto alive = context_->check(); !alive) return cut(std::move(alive).error());
    if (!moved) session_->wait(context_->patience());
  }
}

bool Execution::move() {
  const bool out = take_output();
  const bool err = take_errors();
  const bool in = give_input();
  return out || err || in;
}

bool Execution::take_output() {
  std::string bytes;
  channel_->read(false, kAtOnce, bytes);
  if (bytes.empty()) return false;
  count(static_cast<std::int64_t>(bytes.size()), 0);
  keep(out_filter_.take(bytes));
  return true;
}

void Execution::keep(const std::string& bytes) {
  if (discard_ || failed_ || bytes.empty()) return;
  finished_.bytes_out += static_cast<std::int64_t>(bytes.size());
  if (finished_.bytes_out > command_->output_limit) {
    failed_ = too_much(command_->output_limit, "too_much_output", "");
    return;
  }
  if (output_fd_ < 0) {
    finished_.out += bytes;
    return;
  }
  for (std::string_view rest = bytes; !rest.empty();) {
    const ssize_t wrote = ::write(output_fd_, rest.data(), rest.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) {
      failed_ = base::system_error(errno, "write", command_->output_file);
      return;
    }
    rest.remove_prefix(static_cast<std::size_t>(wrote));
  }
  report();
}

bool Execution::take_errors() {
  std::string bytes;
  channel_->read(true, kAtOnce, bytes);
  if (bytes.empty()) return false;
  count(static_cast<std::int64_t>(bytes.size()), 0);
  const std::string own = err_filter_.take(bytes);
  if (discard_ || failed_) return true;
  finished_.err += own;
  if (static_cast<std::int64_t>(finished_.err.size()) > kErrorsMax) {
    failed_ = too_much(kErrorsMax, "too_much_on_stderr", " on standard error");
  }
  return true;
}

// Makes bytes of the input file ready; false at its end and when it cannot be read.
bool Execution::refill() {
  block_.resize(kAtOnce);
  ssize_t got = 0;
  do {
    got = ::read(input_fd_, block_.data(), block_.size());
  } while (got < 0 && errno == EINTR);
  if (got < 0) failed_ = base::system_error(errno, "read", command_->input_file);
  block_.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  given_ = 0;
  return got > 0;
}

bool Execution::give_input() {
  if (input_ended_ || discard_ || failed_) return false;
  bool moved = false;
  for (std::size_t budget = kAtOnce; budget > 0;) {
    const std::string& source = input_fd_ >= 0 ? block_ : command_->input;
    if (given_ == source.size() && (input_fd_ < 0 || !refill())) {
      if (failed_) return true;
      channel_->send_eof();
      input_ended_ = true;
      break;
    }
    const int wrote = channel_->write(std::string_view(source).substr(given_));
    if (wrote < 0) input_ended_ = true;  // the command reads no more: its business
    if (wrote <= 0) break;
    given_ += static_cast<std::size_t>(wrote);
    finished_.bytes_in += wrote;
    count(0, wrote);
    budget -= std::min(budget, static_cast<std::size_t>(wrote));
    moved = true;
  }
  if (moved) report();
  return moved;
}

void Execution::report() const {
  if (command_->on_bytes) command_->on_bytes(output_fd_ >= 0 ? finished_.bytes_out : finished_.bytes_in);
}

void Execution::count(std::int64_t up, std::int64_t down) {
  up_ += up;
  down_ += down;
  if (up_ + down_ >= kTellTraffic) tell_traffic();
}

void Execution::tell_traffic() {
  if (up_ + down_ > 0) context_->traffic(*machine_, std::exchange(up_, 0), std::exchange(down_, 0));
}

Result<Finished> Execution::finish() {
  while (take_output() || take_errors()) {
  }
  keep(out_filter_.finish());
  finished_.err += err_filter_.finish();
  if (failed_) return *std::move(failed_);  // it has ended by itself
  if (output_fd_ >= 0 && ::close(std::exchange(output_fd_, -1)) != 0) {
    return base::system_error(errno, "write", command_->output_file);
  }
  finished_.exit_code = channel_->exit_code();
  finished_.signal = channel_->signal();
  return std::move(finished_);
}

Error Execution::dropped() const {
  return {Fault::unknown, "connection_dropped",
          "the connection dropped while the command ran: " + session_->last_error(),
          "it may have run to its end or not: look before doing it again"};
}

}  // namespace failover::client::ssh
