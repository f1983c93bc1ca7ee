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
  // The run has ended by itself. `truly_equal`: what was verified last is what was written.
  void at_exit(const run::Outcome& outcome, bool truly_equal);
  // What the report of a run that has just ended by itself says: as the run ended, of what is there and what is not,
  // and not of less money than the world has taken. `begun`: when the run did; `written`: how many files it has to have
  // found again when it passed.
  void told(const report::Report& report, const run::Outcome& outcome, base::Instant begun,
            std::optional<std::size_t> written);
  // Everything has come to rest: nothing of ours is left, nothing foreign was touched, money was kept to but for what
  // is excused. `by_labels`: nobody had the journal, so what bears no label may stay (objects, and keys on machines
  // that were there before).
  void at_rest(const run::Ledger& ledger, const plan::Limits& limits, double excused_usd, bool by_labels);
  // I12, of the journal's records in their order: each writer ends with `run_finished`, the next one begins with
  // `recovery`, and whoever takes over only gives back.
  void written(const event::Event& event);
  // I7. Presigned URLs are the one thing that a machine may hear.
  void no_secret(const std::string& where, const std::string& text, bool may_hear_signatures);
  void violated(std::string what) { violations_.push_back(std::move(what)); }
  [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }

 private:
  // What is not somebody else's is ours, whatever its name is.
  [[nodiscard]] std::vector<std::string> ours(bool by_labels = false) const;
  // The same of objects and unfinished uploads, but for what is kept.
  [[nodiscard]] std::vector<std::string> stored(const run::Ledger& ledger, bool by_labels) const;
  sandbox::World& world_;
  Foreign foreign_;
  enum class Writer { run, recovery, none } writer_ = Writer::run;
  std::vector<std::string> violations_;
};

}  // namespace failover::simulate
