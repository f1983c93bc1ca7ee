// One command on one session: its streams, its end, and its being ended. Not for steps.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "engine/plugin/context.h"
#include "steps/client/ssh_script.h"
#include "steps/client/ssh_session.h"

namespace failover::client::ssh {

class Execution {
 public:
  // All must outlive it. What moves is told as `machine`'s traffic while it moves, whatever becomes of the command.
  Execution(Session& session, const std::string& machine, const Command& command, const plugin::Context& context);
  ~Execution();
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;

  // Errors as Ssh::run() says.
  base::Result<Finished> run();
  // Was the machine asked to run it? Before that an error has had no effect.
  [[nodiscard]] bool asked() const { return asked_; }
  // Not after an error that leaves the session in the middle of something.
  [[nodiscard]] bool session_usable() const { return usable_; }

 private:
  base::Result<void> open_files();
  base::Result<void> ask();
  base::Result<void> pump();
  // One look at every stream; true when something moved.
  bool move();
  bool take_output();
  bool take_errors();
  bool give_input();
  bool refill();
  void keep(const std::string& bytes);
  void report() const;
  void count(std::int64_t up, std::int64_t down);
  void tell_traffic();
  base::Result<Finished> finish();
  base::Error dropped() const;
  // Ends the command and its group within about a second: `why`, or Error{unknown} when that was not seen.
  base::Error cut(base::Error why);
  bool kill_group(const base::Patience& patience);
  bool learn_group(const base::Patience& patience);

  Session* session_;
  const std::string* machine_;
  const Command* command_;
  const plugin::Context* context_;
  std::string mark_;
  MarkFilter out_filter_;
  MarkFilter err_filter_;
  std::unique_ptr<Channel> channel_;
  Finished finished_{};
  std::optional<base::Error> failed_{};  // on our own side, or too much output
  std::string block_;                    // of the input file
  std::size_t given_ = 0;                // of the input, or of the block
  std::int64_t up_ = 0;                  // traffic that has not been told yet
  std::int64_t down_ = 0;
  int input_fd_ = -1;
  int output_fd_ = -1;
  bool input_ended_ = false;
  bool discard_ = false;
  bool asked_ = false;
  bool accepted_ = false;
  bool usable_ = false;
};

}  // namespace failover::client::ssh
