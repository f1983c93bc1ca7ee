// A journal in memory that dies like a real one: kill -9 keeps what was written, a power cut what was synced.
#pragma once

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
  // From now on: one life of a runner with this blow before it.
  void begin(const Blow& blow);
  base::Result<void> append(const event::Event& event, bool durable) override;
  // What the next life reads; for good: a power cut has taken what was not synced.
  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  // Cuts a torn tail off, as a reopened journal does.
  void cut(std::size_t whole);
  [[nodiscard]] bool dead() const { return dead_; }
  [[nodiscard]] int records() const { return records_; }  // of this life
  // Is the intent of this name on the disk, whatever happens now?
  [[nodiscard]] bool intended(const std::string& name) const { return intents_.count(name) > 0; }
  // Dies here. Throws Dead.
  [[noreturn]] void die();

 private:
  std::string bytes_;
  std::size_t synced_ = 0;
  Blow blow_;
  int records_ = 0;
  bool dead_ = false;
  std::set<std::string, std::less<>> intents_;  // of synced records
  std::vector<std::string> unsynced_;           // intents that are not
};

}  // namespace failover::simulate
