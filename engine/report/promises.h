// What a run's journal says of the invariants that every run is held to (I1 to I13), as far as records alone decide
// them. What only the world knows is left out: an unjournaled thing, a foreign one that was touched, a leaked secret.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/event/event.h"

namespace failover::report {

struct Report;

struct Promise {
  enum class Verdict { held, broken, unknown };
  std::string_view id;       // I1, I2, ...
  std::string_view promise;  // in words
  Verdict verdict = Verdict::held;
  std::string what;  // one sentence that names the thing and the place; empty when held
};
std::string_view to_string(Promise::Verdict verdict);

// A fold over a run's events, the same living and read back.
class Promises {
 public:
  void on(const event::Event& event);
  // `report` is the fold over the same events.
  [[nodiscard]] std::vector<Promise> judged(const Report& report) const;

 private:
  enum class Writer { run, recovery, nobody };
  struct Thing {
    std::string kind;
    std::string name;
    std::string id;
    bool open = true;         // neither proven gone, kept, nor refused
    bool gone = false;        // proven
    bool unanswered = false;  // a no to one write says nothing about another that was never answered
    bool ended = false;       // by the run itself: who recovers one may come long after the true end
  };
  // The first is told, the others are counted.
  struct Complaints {
    std::string first;
    int more = 0;
    void add(std::string what);
    [[nodiscard]] std::string text() const;
  };

  void order(const event::Event& event);
  void thing(const event::Event& event);
  void step(const event::Event& event);
  void files(const event::Event& event);
  void objective(const event::Event& event);
  void end(const event::Event& event);
  void exit_code(const event::Event& event);
  void outcome(const event::Event& event);
  [[nodiscard]] Thing* find(const std::string& name);
  [[nodiscard]] Promise judged(std::string_view id, std::string_view promise, const Complaints& complaints) const;
  [[nodiscard]] Promise left_behind() const;
  [[nodiscard]] Promise within_limit(const Report& report) const;

  std::vector<Thing> things_;                    // in the order of their intents
  std::optional<std::set<std::string>> left_{};  // names that the last cleanup left; nullopt: it never ended
  std::multiset<std::string> running_;           // steps
  Writer writer_ = Writer::run;
  bool begun_ = false;
  bool recovered_ = false;
  bool lapsed_ = false;      // what was kept is past its time: the code stays
  std::optional<int> code_;  // the last one with nothing left
  bool closing_ = false;
  bool finished_ = false;    // somebody said how it ended, and nobody has gone on since
  bool incomplete_ = false;  // the run said that it could not write down all that happened
  bool limited_ = false;     // it names a limit
  Complaints unnamed_;
  Complaints untrue_;
  Complaints exit_;
  Complaints late_;
  Complaints writers_;
};

}  // namespace failover::report
