// Holds what a runner did and said against the world's truth.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/plan/plan.h"
#include "engine/report/report.h"
#include "engine/run/ledger.h"
#include "engine/run/runner.h"
#include "tools/sandbox/world/world.h"
#include "tools/simulate/foreign.h"

namespace failover::simulate {

class Oracle {
 public:
  explicit Oracle(sandbox::World& world) : world_(world), foreign_(world) {}

  // What belongs to somebody else: it is there before the run begins.
  [[nodiscard]] Foreign& foreign() { return foreign_; }
  // The run has ended by itself. `truly_equal`: what was verified last is what was written. `ledger`: what it holds.
  void at_exit(const run::Outcome& outcome, bool truly_equal, const run::Ledger& ledger);
  // Who has recovered it has ended by itself, with this exit code.
  void at_exit(int code, const run::CleanupResult& cleanup, const run::Ledger& ledger);
  // Who gives back by the labels alone has said that nothing expired is left.
  void by_labels_done();
  // What is known beside a report.
  struct Frame {
    std::optional<base::Instant> begun{};  // when the run did; nullopt: its own times may be wrong
    std::optional<std::size_t> written{};  // how many files it has to have found again when it passed
    double excused_usd = 0;                // cost that no reservation holds: traffic, prices that rose
    bool calm = false;                     // nothing went wrong
  };
  // What the report of a run says that has just ended by itself, or was recovered to its end: as it ended, of what is
  // there and what is not, of what was given back, kept and left, not of less money than the world has taken, and of no
  // more than can be explained; and by its own word no promise was broken.
  void told(const report::Report& report, const run::Outcome& outcome, const Frame& frame);
  // Everything has come to rest: nothing of ours is left, nothing foreign was touched, money was kept to but for what
  // is excused. `by_labels`: nobody had the journal, so what bears no label may stay (objects, and keys on machines
  // that were there before).
  void at_rest(const run::Ledger& ledger, const plan::Limits& limits, double excused_usd, bool by_labels);
  // All that is there, in words: the same for the same world.
  [[nodiscard]] std::string picture() const;
  // I12, of the journal's records in their order: each writer ends with `run_finished`, the next one begins with
  // `recovery`, and whoever takes over only gives back.
  void written(const event::Event& event);
  // I7. Presigned URLs are the one thing that a machine may hear.
  void no_secret(const std::string& where, const std::string& text, bool may_hear_signatures);
  void violated(std::string what) { violations_.push_back(std::move(what)); }
  [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }

 private:
  struct Thing {
    std::string words;
    std::string name{};  // its label
    std::string id{};
  };
  // What is not somebody else's is ours, whatever its name is: machines and keys, and what is stored.
  [[nodiscard]] std::vector<Thing> ours(bool by_labels = false) const;
  [[nodiscard]] std::vector<Thing> objects() const;
  [[nodiscard]] std::vector<Thing> uploads() const;  // unfinished
  // Of those that may not stay: all but what is kept.
  [[nodiscard]] std::vector<Thing> held(const run::Ledger& ledger, bool by_labels = false) const;
  void given_back(int code, const run::CleanupResult& cleanup, const run::Ledger& ledger);
  void told_of_cleanup(const report::Report& report, const run::Outcome& outcome);
  void told_of_things(const report::Report& report);
  void told_of_kept(const report::Report& report);
  void told_of_machine(const report::Report& report, const run::Outcome& outcome, const Frame& frame,
                       const sandbox::Instance& instance);
  sandbox::World& world_;
  Foreign foreign_;
  enum class Writer { run, recovery, none } writer_ = Writer::run;
  std::vector<std::string> violations_;
};

}  // namespace failover::simulate
