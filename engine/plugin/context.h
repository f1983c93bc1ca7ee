// What a step sees of the run: time, the stop, and the ledger of what it makes. Steps and clients get a Context
// and nothing else; the runner stands behind Host.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "engine/base/clock.h"
#include "engine/base/error.h"
#include "engine/base/secret.h"
#include "engine/base/units.h"
#include "engine/base/value.h"

namespace failover::plugin {

// One call to the outside, for the journal. No secret and no query string may stand in `target`.
struct Exchange {
  std::string peer;    // `vast`, `b2`, `ssh`, `http`
  std::string method;  // `GET`, `exec`
  std::string target;  // `/api/v0/asks/123/`, `root@127.0.0.1:4022`
  int status = 0;      // HTTP status or exit status; 0 when there was no answer
  base::Duration took{0};
  std::string outcome;  // empty when answered, else the error's code
};

// A thing that the run is about to make.
struct Intent {
  std::string kind;               // a registered Kind: `vast.instance`
  std::string what;               // for people: `RTX 4090, offer 8812345`
  base::Money per_hour{0};        // 0 for things that are not billed by the hour
  base::Value::Map attributes{};  // what undo and the report need to know even if no answer ever comes
  base::Money per_gb_up{};        // of the traffic that leaves it, and that reaches it; 0: not billed
  base::Money per_gb_down{};
  bool shared = false;  // other steps may come to rely on it: a race that its branch loses leaves it to the run's end
  // The request that makes it under this name, where one request does: the intent holds its SHA-256. Pure: what is sent
  // afterwards is that, byte for byte.
  std::function<std::string(const std::string& name)> request{};
};

// A thing in the ledger, as undo gets it: perhaps from another process, with nothing but the journal.
struct Held {
  std::string kind;
  std::string name;  // ours; the remote's label
  std::string id;    // the provider's, when an answer told it; else empty
  bool unclear =
      false;  // a write was never answered: it, or more of it, may come to exist until the settle window ends
  base::WallTime sent_at{};  // when that write was sent: the settle window counts from it
  base::Value::Map attributes{};
  base::WallTime begun_at{};  // nothing of it is older: when its intent was written
  bool over = false;          // its end was accepted, or it is proven to be gone
};

struct RunInfo {
  std::string id;
  std::string scenario;
  std::string target;                  // `sandbox`, `live`, `other`
  base::WallTime deadline{};           // nothing that the run makes is needed after it
  std::optional<base::Instant> end{};  // the same by the clock that nobody sets; unless nothing is made any more
};

// What happened to an intent; see leak-safety.md, "three outcomes".
struct Made {
  std::string id;
  base::Value::Map attributes{};
};

// The runner's side.
class Host {
 public:
  virtual ~Host() = default;
  virtual void exchange(const Exchange& exchange) = 0;
  virtual void progress(const std::string& text) = 0;
  // Before the wait for the turn to make it: is there money for it? What was asked to end needs some until its absence
  // is proven, which this has done where that decides, within the step's patience. Error{refused, limit_cost}.
  virtual base::Result<void> make_room(const Intent& /*intent*/, const base::Patience& /*patience*/) { return {}; }
  // Journals the intent durably and answers with the name to give the thing. Error{refused} when money or time forbids
  // it or the run is closing; nothing may be sent then.
  virtual base::Result<std::string> intend(const Intent& intent) = 0;
  virtual void made(const std::string& name, const Made& made) = 0;
  virtual void refused(const std::string& name, const base::Error& why) = 0;
  // Certainly not made: no request went out for it.
  virtual void unsent(const std::string& name, const base::Error& why) = 0;
  virtual void unclear(const std::string& name, const base::Error& why) = 0;
  // A write that makes the thing goes out now: journaled durably. Error: it is not written down; nothing may be sent.
  virtual base::Result<void> sending(const std::string& name) = 0;
  // The write that went out last was never answered: it may still take effect, whatever else is told of the thing.
  virtual void unanswered(const std::string& name) = 0;
  // The remote accepted the end of the thing `id`: billing stops here. Absence is proven later, by the cleanup.
  virtual void ended(const std::string& kind, const std::string& id) = 0;
  // Bytes that left and reached the machine (`vast:8812345`, as an Endpoint names it); counted when this run rents it.
  virtual void traffic(const std::string& /*machine*/, std::int64_t /*up*/, std::int64_t /*down*/) {}
  // What the remote says that the thing `id` costs by the hour, storage included. More than was reserved for it is
  // journaled, counts from its beginning on, and ends the journey where the money does not suffice any more.
  virtual void priced(const std::string& /*kind*/, const std::string& /*id*/, base::Money /*per_hour*/) {}
  // What this run made under the provider's id, whatever has become of it. Of several (an object that was stored more
  // than once) the newest that is not over; else the newest.
  virtual std::optional<Held> held(const std::string& kind, const std::string& id) = 0;
  // A secret that an answer brought: no sink of the run may show it.
  virtual void hide(const base::Secret& secret) { (void)secret; }
  [[nodiscard]] virtual const RunInfo& run() const = 0;
};

class Context;

// An intent that waits for its outcome. Say made(), refused(), unsent() or unclear(); a Hold that is dropped in silence
// is unclear.
class Hold {
 public:
  Hold(Host& host, std::string name) : host_(&host), name_(std::move(name)) {}
  Hold(Hold&& other) noexcept : host_(std::exchange(other.host_, nullptr)), name_(std::move(other.name_)) {}
  Hold& operator=(Hold&&) = delete;
  ~Hold();
  // The label that the remote must get.
  [[nodiscard]] const std::string& name() const { return name_; }
  void made(const Made& made);
  void refused(const base::Error& why);
  void unsent(const base::Error& why);
  void unclear(const base::Error& why);

 private:
  Host* host_;
  std::string name_;
};

// A value; copies share the host.
class Context {
 public:
  Context(Host& host, base::Patience patience) : host_(&host), patience_(std::move(patience)) {}

  [[nodiscard]] const base::Patience& patience() const { return patience_; }
  [[nodiscard]] base::Clock& clock() const { return patience_.clock(); }
  [[nodiscard]] Context within(base::Duration limit) const { return with(patience_.within(limit)); }
  // The same host with another patience: for the one request that a stop must not cut (leak-safety.md 4).
  [[nodiscard]] Context with(base::Patience patience) const {
    Context out(*host_, std::move(patience));
    out.thing_ = thing_;
    return out;
  }
  // The same for the requests that make the thing of this hold, which must outlive it: for things that more than one
  // request makes, or one that may be sent again. Clients announce each write with sending() and say when it was never
  // answered; otherwise the intent stands for the one write that there is, and the hold's outcome for its answer.
  [[nodiscard]] Context of(const Hold& hold) const {
    Context out(*host_, patience_);
    out.thing_ = &hold.name();
    return out;
  }
  // Are its writes those of a thing that is being made?
  [[nodiscard]] bool makes() const { return thing_ != nullptr; }
  [[nodiscard]] base::Result<void> sending() const {
    return thing_ == nullptr ? base::Result<void>() : host_->sending(*thing_);
  }
  void unanswered() const {
    if (thing_ != nullptr) host_->unanswered(*thing_);
  }
  [[nodiscard]] base::Result<void> check() const { return patience_.check(); }
  [[nodiscard]] base::Result<void> sleep(base::Duration time) const { return patience_.sleep(time); }
  template <class Probe>
  auto poll(base::Duration interval, Probe probe) const {
    return patience_.poll(interval, std::move(probe));
  }

  void exchange(const Exchange& exchange) const { host_->exchange(exchange); }
  // What the step waits for right now, for people: `loading: pulling image`.
  void progress(const std::string& text) const { host_->progress(text); }
  // Before anything is held that other calls of the provider wait for: a proof of absence is such calls.
  [[nodiscard]] base::Result<void> make_room(const Intent& intent) const { return host_->make_room(intent, patience_); }
  // Name it before you make it.
  [[nodiscard]] base::Result<Hold> hold(const Intent& intent) const;
  void ended(const std::string& kind, const std::string& id) const { host_->ended(kind, id); }
  void traffic(const std::string& machine, std::int64_t up, std::int64_t down) const {
    host_->traffic(machine, up, down);
  }
  void priced(const std::string& kind, const std::string& id, base::Money per_hour) const {
    host_->priced(kind, id, per_hour);
  }
  // The thing `id` if this run made it.
  [[nodiscard]] std::optional<Held> held(const std::string& kind, const std::string& id) const {
    return host_->held(kind, id);
  }
  void hide(const base::Secret& secret) const { host_->hide(secret); }
  [[nodiscard]] const RunInfo& run() const { return host_->run(); }

 private:
  Host* host_;
  base::Patience patience_;
  const std::string* thing_ = nullptr;  // the name of what is being made
};

}  // namespace failover::plugin
