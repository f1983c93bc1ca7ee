// How a command is ended: sshd ignores signal requests in sessions of root, so a second channel kills the group.
#include "engine/base/text.h"
#include "steps/client/ssh_exec.h"

namespace failover::client::ssh {
namespace {

using base::Error;
using base::Fault;

// A step returns within a second of its timeout.
constexpr base::Duration kCutMax = std::chrono::milliseconds(900);

base::Clock& real_clock() {
  static base::SystemClock clock;
  return clock;
}

}  // namespace

Error Execution::cut(Error why) {
  // Its own clock and no stop: the caller's patience is what has just ended.
  const base::Patience patience(real_clock(), real_clock().now() + kCutMax, {});
  discard_ = true;
  if (kill_group(patience)) return why;
  usable_ = false;
  if (!session_->alive()) return dropped();
  return {Fault::unknown, "not_seen_dead",
          why.message + ", and whether the command still runs on the machine could not be seen",
          "it may run on until the machine is destroyed"};
}

// The wrapper's first line tells it; a command that is killed that early has not come so far yet.
bool Execution::learn_group(const base::Patience& patience) {
  const std::string text = wrapped(command_->script, mark_);
  for (;;) {
    if (!accepted_) {
      const auto said = channel_->ask(text);
      if (said == Channel::Asked::no) return false;
      accepted_ = said == Channel::Asked::yes;
    }
    const bool moved = accepted_ && move();
    if (err_filter_.found()) {
      const auto group = base::parse_integer(err_filter_.word());
      return group && *group > 1;
    }
    if (!session_->alive() || channel_->closed() || !patience.check()) return false;
    if (!moved) session_->wait(patience);
  }
}

// True when the group was seen gone and the machine has told the command's end.
bool Execution::kill_group(const base::Patience& patience) {
  if (!learn_group(patience)) {
    channel_->send_signal("KILL");
    return false;
  }
  channel_->send_signal("TERM");
  auto opened = session_->open(patience);
  if (!opened) return false;
  const auto killer = *std::move(opened);
  const std::string text = group_end(err_filter_.word(), mark_);
  bool accepted = false;
  std::string said;
  for (;;) {
    if (!accepted) {
      const auto answer = killer->ask(text);
      if (answer == Channel::Asked::no) return false;
      accepted = answer == Channel::Asked::yes;
    }
    bool moved = move();
    if (accepted) {
      const std::size_t before = said.size();
      killer->read(false, 4096, said);
      std::string ignored;
      killer->read(true, 4096, ignored);
      moved = moved || said.size() > before;
    }
    if (base::contains(said, mark_ + " alive\n")) return false;
    const bool gone = base::contains(said, mark_ + " gone\n");
    if (gone && (channel_->told() || channel_->closed())) return session_->alive();
    if (!session_->alive() || said.size() > (64u << 10) || !patience.check()) return false;
    if (!moved) session_->wait(patience);
  }
}

}  // namespace failover::client::ssh
