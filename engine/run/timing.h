// The instants that a journey marks, what it says of its files, and the objectives measured from both.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/value.h"
#include "engine/plugin/step_type.h"
#include "engine/scenario/model.h"

namespace failover::run {

// Thread-safe.
class Marks {
 public:
  // false: it is set already; a mark is one instant.
  bool set(scenario::Mark mark, base::Duration since_start);
  [[nodiscard]] std::optional<base::Duration> at(scenario::Mark mark) const;
  // nullopt: one of them was never set, or they came the other way round.
  [[nodiscard]] std::optional<base::Duration> between(scenario::Mark from, scenario::Mark to) const;

 private:
  mutable std::mutex mutex_;
  std::map<scenario::Mark, base::Duration> at_;
};

// How far back a loss reaches. What was written or found before the mark `failure` counts as lost until a comparison
// that lies between the marks has shown it. What is before a mark is so by the order of the calls here: instants may be
// equal. Thread-safe.
class Losses {
 public:
  explicit Losses(const Marks& marks) : marks_(marks) {}

  struct Call {
    base::Duration begin{0};  // since the run's start
    bool after_failure = false;
    bool within_failure = false;  // in the step that is marked so: what it does is neither before nor after
    std::string machine{};        // where it ran
    std::size_t before = 0;       // so many files were told of before it began
  };
  [[nodiscard]] Call begun(base::Duration since_start, bool within_failure = false) const;
  // The call has passed, and was no counter-proof. What its type neither records nor shows, it says nothing of.
  void passed(const Call& call, const plugin::StepType& type, const base::Value& outputs);
  // From the beginning of the earliest step some of whose files were not shown to the mark `failure`; zero: all were.
  // nullopt: a mark was never set, or nothing was compared between them.
  [[nodiscard]] std::optional<base::Duration> reach() const;

 private:
  struct File {
    std::string path;         // below the directory of its step
    std::string whole{};      // absolute; empty of what was shown, which may be a copy
    std::string machine{};    // where it was; empty of what was shown: a copy is elsewhere
    std::string digest{};     // its length tells the algorithm
    std::int64_t size = 0;    // bytes; -1: not told
    base::Duration begin{0};  // of the step that told of it
    bool written = false;     // by that step; else found by it
    bool gone = false;        // before the failure
  };
  struct Known;
  void record(const Call& call, bool written, const base::Value& manifest);
  void forget_absent(const Call& call, const base::Value& manifest);
  void show(const base::Value& rows);
  [[nodiscard]] std::vector<Known> known() const;
  void match(std::vector<Known>& known) const;

  const Marks& marks_;
  mutable std::mutex mutex_;
  std::vector<File> recorded_;            // in the order of their ends
  std::vector<std::vector<File>> shown_;  // of each comparison those that are as they were
};

// `rto`, `rpo`, `mttd`; nullopt: the journey did not get there.
std::optional<base::Duration> measured(const std::string& objective, const Marks& marks, const Losses& losses);

}  // namespace failover::run
