// Waiting for one instance: until it runs, and then until a command over SSH succeeds (vastai-api.md 7, 8.3).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "steps/vast/parts.h"

namespace failover::steps::vast {

struct Ready {
  client::Endpoint ssh;
  std::string workspace;
  std::string status;
  std::vector<std::string> tools;  // of sh, curl, wget, python3, those that it has
};

// It will not become ready: worth another machine.
struct Hopeless {
  std::string why;
  std::optional<client::Endpoint> ssh;  // where we talked to it
};

class Watch {
 public:
  // `ours`: the run made it, so it may be given up; another's is only waited for. `whole` is what the step may take.
  Watch(client::Services& services, std::int64_t id, bool ours, base::Duration whole, const plugin::Context& context);
  // Ready, or why not: `hopeless()` says whether another machine would help. Error: timeout with what it waited for,
  // not_found, auth, host_key_changed, no_space, cancelled.
  base::Result<std::optional<Ready>> run();
  [[nodiscard]] const Hopeless& hopeless() const { return hopeless_; }

 private:
  base::Result<std::optional<Ready>> look();
  base::Result<std::optional<Ready>> give_up(std::string why);
  base::Result<std::optional<Ready>> probe(const client::Instance& instance);
  base::Result<std::optional<Ready>> judge(const client::Instance& instance, const base::Error& error);
  base::Result<void> ensure_key();
  std::optional<client::Endpoint> endpoint(const client::Instance& instance);
  [[nodiscard]] base::Duration since(const std::optional<base::Instant>& at) const;
  base::Error late(base::Error error) const;

  client::Services& services_;
  std::int64_t id_;
  bool ours_;
  const plugin::Context& context_;
  base::Duration loading_limit_;
  base::Duration ssh_limit_;
  base::Instant start_;
  std::optional<base::Instant> running_;
  std::optional<base::Instant> denied_;
  bool seen_ = false;
  bool has_key_ = false;
  bool key_again_ = false;
  bool account_key_ = false;
  bool answered_ = false;
  int probes_ = 0;
  bool over_ = false;
  std::string last_ = "nothing was heard of it yet";
  Hopeless hopeless_;
};

}  // namespace failover::steps::vast
