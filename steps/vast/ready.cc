#include "steps/vast/ready.h"

#include <algorithm>

#include "engine/base/text.h"

namespace failover::steps::vast {
namespace {

using base::Duration;
using base::Error;
using base::Fault;
using base::Result;
using plugin::Context;
using namespace std::chrono_literals;

constexpr Duration kBetweenLooks = 1s;  // the client's own spacing comes on top
constexpr Duration kFirstReads = 20s;   // a new instance may read as absent (3.4)
constexpr Duration kDirectAlone = 45s;  // before the proxy is tried as well
constexpr Duration kMapping = 15s;      // before a running instance without a direct port counts as one that has none
constexpr Duration kDenied = 2min;      // a denied key is normal at first (8.3)
constexpr int kNoWorkspace = 91;

std::string check_script(const std::string& workspace) {
  return "mkdir -p -- " + base::shell_quote(workspace) + " && cd -- " + base::shell_quote(workspace) + " || exit " +
         std::to_string(kNoWorkspace) +
         "\nfor tool in sh curl wget python3; do command -v \"$tool\" >/dev/null 2>&1 && echo \"$tool\"; done\ntrue";
}

std::vector<std::string> tools_of(const std::string& out) {
  std::vector<std::string> tools;
  for (const std::string& line : base::split(out, '\n')) {
    for (const char* known : {"sh", "curl", "wget", "python3"}) {
      if (base::trim(line) == known) tools.emplace_back(known);
    }
  }
  return tools;
}

// Nothing that waiting or asking again would change.
bool final(const Error& error) {
  return error.fault == Fault::auth || error.fault == Fault::not_found || error.fault == Fault::cancelled ||
         error.fault == Fault::refused || error.fault == Fault::invalid || error.fault == Fault::internal;
}

}  // namespace

Watch::Watch(client::Services& services, std::int64_t id, bool ours, Duration whole, const Context& context)
    : services_(services),
      id_(id),
      ours_(ours),
      context_(context),
      loading_limit_(std::max<Duration>(2min, whole / 5 * 2)),
      ssh_limit_(std::max<Duration>(100s, whole / 10 * 3)),
      start_(context.clock().now()) {}

Duration Watch::since(const std::optional<base::Instant>& at) const {
  return at ? context_.clock().now() - *at : Duration::zero();
}

Error Watch::late(Error error) const {
  if (error.fault != Fault::timeout) return error;
  error.code = "not_ready";
  error.message = "instance " + std::to_string(id_) + " was not ready in time: " + last_;
  error.hint = "give the step a longer timeout, or take a smaller image or another machine";
  return error;
}

Result<std::optional<Ready>> Watch::give_up(std::string why) {
  hopeless_.why = std::move(why);
  over_ = true;
  return std::optional<Ready>();
}

Result<std::optional<Ready>> Watch::run() {
  for (;;) {
    auto seen = look();
    if (!seen) {
      if (final(seen.error()) || !context_.check()) return late(std::move(seen).error());
      if (seen.error().fault == Fault::host_key_changed || seen.error().fault == Fault::no_space) return seen;
      // The service is out of order: the machine may be well, and what was last read of it says more in the end.
      if (!seen_) last_ = seen.error().message;
      context_.progress(seen.error().message);
    } else if (over_ || *seen) {
      return seen;
    }
    if (auto slept = context_.sleep(kBetweenLooks); !slept) return late(std::move(slept).error());
  }
}

Result<std::optional<Ready>> Watch::look() {
  const Duration asked = context_.clock().now() - start_;
  auto found = services_.vast->find(id_, context_);
  if (!found) return std::move(found).error();
  const Duration age = context_.clock().now() - start_;
  if (!*found) {
    // By when it was asked: an answer may be late, and a young machine not there yet.
    if (!ours_ && asked < kFirstReads && !seen_) {
      return Error{Fault::not_found, "no_such_instance", "Vast.ai knows no instance " + std::to_string(id_),
                   "it was destroyed, or the id is wrong"};
    }
    if (seen_ || asked >= kFirstReads) return give_up("it is gone");
    return std::optional<Ready>();
  }
  seen_ = true;
  const client::Instance& instance = **found;
  last_ = status_line(instance);
  if (ours_) context_.priced(kInstance, std::to_string(id_), instance.price_per_hour);
  if (auto why = past_hope(instance, age)) {
    if (ours_) return give_up(*std::move(why));
    last_ = *why;
  }
  if (!has_key_) {
    if (auto given = ensure_key(); !given) return std::move(given).error();
  }
  if (instance.actual_status != "running") {
    running_.reset();
    context_.progress(last_);
    if (ours_ && age > loading_limit_)
      return give_up("it was still " + last_ + " after " + base::format(std::chrono::floor<std::chrono::seconds>(age)));
    return std::optional<Ready>();
  }
  if (!running_) running_ = context_.clock().now();
  return probe(instance);
}

Result<void> Watch::ensure_key() {
  auto given = give_key(services_, id_, context_);
  // Just made, it may not be known everywhere yet.
  if (!given && given.error().fault == Fault::not_found && ours_) return {};
  if (given) has_key_ = true;
  return given;
}

// Direct is preferred; the proxy's host and port are a pair of their own, and so is its identity (8.2, 8.5).
std::optional<client::Endpoint> Watch::endpoint(const client::Instance& instance) {
  const std::string machine = "vast:" + std::to_string(id_);
  const bool direct = instance.direct_port != 0;
  const bool same = instance.proxy_host == instance.direct_host && instance.proxy_port == instance.direct_port;
  const bool proxy = instance.proxy_port != 0 && !same && since(running_) > (direct ? kDirectAlone : kMapping);
  if (direct && !(proxy && probes_ % 2 == 1))
    return client::Endpoint{instance.direct_host, instance.direct_port, "root", machine};
  if (proxy) return client::Endpoint{instance.proxy_host, instance.proxy_port, "root", machine + ":proxy"};
  return std::nullopt;
}

Result<std::optional<Ready>> Watch::probe(const client::Instance& instance) {
  const auto at = endpoint(instance);
  ++probes_;
  if (!at) {
    last_ = "running, but no SSH port is mapped yet";
    context_.progress(last_);
    if (ours_ && since(running_) > ssh_limit_) return give_up(last_);
    return std::optional<Ready>();
  }
  if (base::contains(at->machine, ":proxy") && !account_key_) {
    account_key_ = true;  // tried once: team accounts have none, and the proxy may do without
    if (auto given = give_account_key(services_, context_); !given) context_.progress(given.error().message);
  }
  hopeless_.ssh = at;
  const std::string workspace = instance.workspace.empty() ? "/workspace" : instance.workspace;
  client::Command command;
  // The sandbox says where the workspace is once the machine answers: a word read before that is not about it, and a
  // directory of that name may be the runner's own. The real service never says.
  const bool early = instance.workspace.empty() && !answered_ && context_.run().target != "live";
  command.script = early ? "true" : check_script(workspace);
  command.operation = early ? std::vector<std::string>{"true"} : std::vector<std::string>{"tools", workspace};
  command.output_limit = 64 << 10;
  auto done = services_.ssh->run(*at, command, context_.within(30s));
  if (!done) return judge(instance, done.error());
  if (done->exit_code == 0 && early) {
    answered_ = true;
    return std::optional<Ready>();
  }
  if (done->exit_code == 0)
    return std::optional<Ready>(Ready{*at, workspace, instance.actual_status, tools_of(done->out)});
  const std::string said = base::printable(std::string(base::trim(done->err)), 160);
  if (base::contains(said, "No space left")) {
    return Error{Fault::no_space, "disk_full", "the disk of instance " + std::to_string(id_) + " is full: " + said,
                 "rent it with a bigger disk"};
  }
  if (done->exit_code != kNoWorkspace) {
    last_ = "running, but a first command failed: " + said;
    context_.progress(last_);
    if (ours_ && since(running_) > ssh_limit_) return give_up(last_);
    return std::optional<Ready>();
  }
  return Error{Fault::refused, "no_workspace",
               "instance " + std::to_string(id_) + " cannot make " + workspace + ": " + said,
               "use an image whose root can write there"};
}

// What a failed login means. Refused connections and a denied key are normal for a while (8.3).
Result<std::optional<Ready>> Watch::judge(const client::Instance& instance, const Error& error) {
  const bool passing = error.fault == Fault::unavailable || error.fault == Fault::auth ||
                       error.fault == Fault::unknown || error.fault == Fault::timeout;
  if (!passing || !context_.check()) return error;
  last_ = status_word(instance) + ", SSH not yet: " + base::printable(error.message, 160);
  context_.progress(last_);
  if (error.fault != Fault::auth) {
    denied_.reset();
  } else if (!denied_) {
    denied_ = context_.clock().now();
  }
  if (since(denied_) > kDenied / 2 && !key_again_) {
    key_again_ = true;
    has_key_ = false;  // the next look attaches it again
  }
  if (ours_ && since(denied_) > kDenied) return give_up("it denies the run's SSH key");
  if (ours_ && since(running_) > ssh_limit_)
    return give_up("it runs, but SSH does not answer: " + base::printable(error.message, 160));
  return std::optional<Ready>();
}

}  // namespace failover::steps::vast
