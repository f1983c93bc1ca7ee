// Which names an expression may use at one point of a journey, and what they are.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/expr/expression.h"
#include "engine/plan/plan.h"
#include "engine/plugin/step_type.h"
#include "engine/scenario/model.h"

namespace failover::plan {

// What the `when`s around a place prove.
using Guards = std::vector<expr::Fact>;

struct Earlier {
  bool understood = true;  // false: said elsewhere, be silent
  base::Type outputs;
  std::string what;                    // `vast.search_offers`
  std::vector<std::string> winners{};  // of a race: what its `winner` can be
  std::string may_be_gone;             // why the step may not have run: `it has a `when``; empty: it has run
  // Of a step in a branch of a race, which has run whenever its branch has won.
  struct Race {
    const scenario::Step* written;
    std::string branch;
    bool surely;  // the race has run when this place is reached
  };
  std::optional<Race> race{};
  Section section = Section::steps;
  // Of a call that runs once: what others may have to agree with.
  const plugin::StepType* type = nullptr;
  const scenario::Step* written = nullptr;
  std::string about{};  // the step that made the machine which this one was given; empty: none, or not known
  std::map<std::string, std::vector<std::string>>
      things{};                                 // of a fragment, by output: the steps that made what it names
  std::optional<expr::Range> length{};          // of a `foreach` over a list of known length: how often it ran
  std::map<std::string, expr::Range> ranges{};  // of its outputs, once it has passed
};

struct Where {
  Section section = Section::steps;
};

// What `outputs` is, where there is any.
struct Own {
  const base::Type* outputs;
  std::string what;
  const plugin::StepType* type = nullptr;  // of a call
  const std::map<std::string, expr::Range>* ranges = nullptr;
};

class Names {
 public:
  using Declared = std::map<std::string, Earlier>;

  using Types = std::map<std::string, base::Type, std::less<>>;

  // Inputs that are used are entered into `used`. `given` are the types of what is given for a fragment's inputs of
  // type `any`.
  Names(const scenario::Scenario& scenario, std::set<std::string>& used, Types given)
      : scenario_(scenario), used_(used), given_(std::move(given)) {
    collect(scenario.preflight);
    collect(scenario.steps);
    collect(scenario.finally);
  }

  // For the scopes from now on.
  void budgets(std::int64_t* work, std::int64_t* patterns) {
    work_left_ = work;
    patterns_left_ = patterns;
  }
  void declare(const std::string& id, Earlier earlier) { earlier_[id] = std::move(earlier); }
  // Between them the step with this id is being bound: it comes neither before nor after itself. Empty: it has none.
  void begin(const std::string& id) { open_.push_back(id); }
  void end() { open_.pop_back(); }
  // Steps of a branch or of a `foreach` are known among themselves. `enter` before them; `leave` after them takes what
  // they declared back out, and says of it why it cannot be used (`it is in the branch `a``) until it is declared
  // again.
  [[nodiscard]] Declared enter() const { return earlier_; }
  Declared leave(const Declared& before, const std::string& why);
  // nullptr: no such step was before this one.
  [[nodiscard]] const Earlier* earlier(const std::string& id) const {
    const auto at = earlier_.find(id);
    return at == earlier_.end() ? nullptr : &at->second;
  }
  // The type of `each` inside a `foreach`; nullptr outside.
  const base::Type* each(const base::Type* type) { return std::exchange(each_, type); }

  // Enters the inputs and outputs that are used.
  void note(const scenario::Given& given);
  // `own` is the step whose `outputs` it may read.
  void note(const expr::Expression& expression, const std::string& own = {});
  // `ID.OUTPUT` of everything that was read.
  [[nodiscard]] const std::set<std::string>& outputs_read() const { return read_; }

  // `own` is what `outputs` means there. Valid while this object and `own` live, and until the next declare() or
  // leave().
  expr::Scope scope(const Guards& guards, const Own* own, const Where& where);

 private:
  void collect(const std::vector<scenario::Step>& steps);
  void note(const expr::Path& path, const std::string& own);
  expr::Answer input(const expr::Path& path) const;
  expr::Answer variable(const expr::Path& path) const;
  expr::Answer step(const expr::Path& path, const Guards& guards, const Where& where) const;
  std::string steps_so_far(std::string_view word) const;
  // Do these say that the branch of this step has won?
  [[nodiscard]] bool won(const Earlier::Race& race, const std::vector<expr::Fact>& facts, bool ended) const;
  static expr::Answer about_run(const expr::Path& path);
  [[nodiscard]] bool may_compare(std::size_t names) const;
  static expr::Answer output(const expr::Path& path, const Own& own, std::size_t part);

  const scenario::Scenario& scenario_;
  std::set<std::string>& used_;
  Types given_;
  std::set<std::string> all_ids_;
  std::set<std::string> read_;
  std::vector<std::string> open_;  // the steps that are being bound, the innermost last
  Declared earlier_;
  std::map<std::string, std::string> elsewhere_;      // id -> why not here
  mutable std::size_t comparisons_left_ = 2'000'000;  // of names, for suggestions
  const base::Type* each_ = nullptr;
  std::int64_t* work_left_ = nullptr;
  std::int64_t* patterns_left_ = nullptr;
};

}  // namespace failover::plan
