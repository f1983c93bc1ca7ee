// A journal in memory that dies like a real one: kill -9 keeps what was written, a power cut what was synced.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "engine/event/journal.h"
#include "tools/simulate/fate.h"

namespace failover::simulate {

// The runner is dead: leaves everything by unwinding. What it still does on the way has no effect outside.
struct Dead {};

class Disk final : public event::Sink {
 public:
  explicit Disk(std::uint64_t seed = 0) : by_text_(seed % 16 == 0) {}
  // From now on: one life of a runner with this blow before it. From record `breaks` on nothing can be written (EIO);
  // 0: never.
  void begin(const Blow& blow, int breaks = 0);
  base::Result<void> append(const event::Event& event, bool durable) override;
  // What the next life reads; for good: a power cut has taken what was not synced.
  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  // What parse_records() makes of the bytes. Reading back what was just written is a quarter of a journey, so the
  // events that were written are given instead, in all but one of 16 seeds and what a script without a seed plays:
  // there the text is read, and holds the events that it was made of or is Error{corrupt}.
  [[nodiscard]] base::Result<event::Records> read() const;
  // Cuts a torn tail off, as a reopened journal does.
  void cut(std::size_t whole);
  [[nodiscard]] bool dead() const { return dead_; }
  [[nodiscard]] bool broken() const { return breaks_ > 0 && records_ >= breaks_; }
  [[nodiscard]] int records() const { return records_; }  // of this life
  // Is the intent of this name on the disk, whatever happens now?
  [[nodiscard]] bool intended(const std::string& name) const { return intents_.count(name) > 0; }
  // The SHA-256 of the request that its intent has announced; empty: of none.
  [[nodiscard]] std::string announced(const std::string& name) const;
  // Dies here: nothing that is appended from now on counts. Throws Dead, unless `quiet`.
  void die();
  std::function<void()> on_death{};
  std::function<void()> on_break{};
  // Where nothing may be thrown, in what a stop calls: who comes out of it asks dead().
  void quiet(bool on) { quiet_ = on; }

 private:
  struct Written {
    event::Event event;
    std::size_t end;  // in the bytes
  };

  void write(const event::Event& event, bool durable);
  void forget_lost();
  [[nodiscard]] bool in_order() const;
  [[nodiscard]] base::Result<event::Records> read_text() const;

  const bool by_text_;
  std::string bytes_;
  std::vector<Written> written_;  // whole
  std::size_t synced_ = 0;
  Blow blow_;
  int records_ = 0;
  int breaks_ = 0;
  bool dead_ = false;
  bool quiet_ = false;
  std::set<std::string, std::less<>> intents_;  // of synced records
  std::vector<std::string> unsynced_;           // intents that are not
};

}  // namespace failover::simulate
