// Which names an expression may use at one point of a journey, and what they are.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "engine/expr/expression.h"
#include "engine/plan/plan.h"
#include "engine/plugin/step.h"
#include "engine/scenario/model.h"

namespace failover::plan {

// The steps whose outputs a `when` proves to be there: `has(steps.x.y)`.
using Guards = std::set<std::string>;
Guards guards_of(const expr::Expression& when);

struct Earlier {
  const plugin::StepType* type = nullptr;  // nullptr: not understood, said elsewhere
  bool skippable = false;
  Section section = Section::steps;
};

struct Where {
  Section section = Section::steps;
};

class Names {
 public:
  // Inputs that are used are entered into `used`.
  Names(const scenario::Scenario& scenario, std::set<std::string>& used) : scenario_(scenario), used_(used) {
    collect(scenario.preflight);
    collect(scenario.steps);
    collect(scenario.finally);
  }

  void declare(const std::string& id, Earlier earlier) { earlier_[id] = earlier; }
  void declare_unknown(const std::string& id) { earlier_[id] = {}; }
  // Enters the inputs that are used.
  void note(const scenario::Given& given);
  void note(const expr::Expression& expression);

  // `own` is the step whose `outputs` are in scope, or nullptr. Valid while this object lives and until the next
  // declare().
  expr::Scope scope(const Guards& guards, const plugin::StepType* own, const Where& where);

 private:
  void collect(const std::vector<scenario::Step>& steps);
  expr::Answer input(const expr::Path& path) const;
  expr::Answer variable(const expr::Path& path) const;
  expr::Answer step(const expr::Path& path, const Guards& guards, const Where& where) const;
  static expr::Answer output(const expr::Path& path, const plugin::StepType& type, std::size_t part,
                             const std::string& of);

  const scenario::Scenario& scenario_;
  std::set<std::string>& used_;
  std::set<std::string> all_ids_;
  std::map<std::string, Earlier> earlier_;
};

}  // namespace failover::plan
