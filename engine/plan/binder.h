// Binds the steps of one file to step types and fragments. Inside the room only.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/plan/plan.h"
#include "engine/plan/scope.h"

namespace failover::plan {

// "did you mean `x`? <lead>a, b".
std::string nearest_hint(std::string_view word, std::vector<std::string> legal, const std::string& lead);
// The type that a checked value will have.
base::Type type_of(const scenario::Given& given, const expr::Scope& scope);

class Binder {
 public:
  // What is read once for a plan: its fragments, and what step types say. What is wrong with a fragment as such goes to
  // `diagnostics`.
  struct Files {
    struct Known {
      std::shared_ptr<const scenario::Scenario> fragment;
      std::string why;  // there is none; empty when it is only not understood
    };
    const Fragments& read;
    source::Diagnostics& diagnostics;
    std::map<std::string, Known> known{};
    std::map<const plugin::StepType*, std::vector<expr::Expression>> default_asserts{};

    const Known& fragment(const std::string& path);
  };
  // What the binders of one plan share.
  struct Shared {
    const plugin::Registry& registry;
    source::Diagnostics& diagnostics;
    Files& files;
    std::vector<std::string> open;  // the files that lead here, outermost first
    bool blame = true;              // look for who is to blame for a mistake in a fragment
    bool trying = false;            // in again(), of this binder or of one around it
  };
  // Where a step stands.
  struct Place {
    Section section = Section::steps;
    std::string phase;
    Guards guards;
  };

  Binder(const scenario::Scenario& home, Shared& shared, Names::Types given = {});
  void head();
  void section(const std::vector<scenario::Step>& written, Section which, std::vector<Step>& out);
  void unused_inputs();
  void unread_outputs(const std::vector<Step>& bound);

 private:
  void error(source::Span span, source::Code code, std::string message, std::string hint);
  void steps(const std::vector<scenario::Step>& written, Place place, std::vector<Step>& out);
  void bind(const scenario::Step& written, const Place& place, std::vector<Step>& out);
  bool body(const scenario::Step& written, const Place& place, Step& step);
  void group(const scenario::Step& written, const Place& place, Step& step);
  void branches(const scenario::Step& written, const Place& place, Step& step);
  bool composite(const scenario::Step& written, const Place& place, const expr::Scope& scope, Step& step);
  Names::Types arguments(const scenario::Step& written, const expr::Scope& scope, Step& step);
  static void inside(const Place& place, Names::Types given, Shared& shared, Step& step);
  source::Diagnostics tried(const Place& place, Names::Types given, bool blame, Step& step);
  void blame(const scenario::Step& written, const Place& place, const Names::Types& given, Step& step);
  void report(source::Span span, const std::string& what, const std::vector<source::Diagnostic>& inside);
  base::Type outputs();
  base::Type element_of(const scenario::Step& written, const Place& place, std::vector<base::Type>& kinds);
  bool again(const scenario::Step& written, const Place& place, const base::Type& element);
  static std::optional<bool> always(const scenario::Condition& condition);
  void looks(const scenario::Condition& condition, const char* what);
  void reachable(const scenario::Condition& when);
  void unknown_type(const scenario::At<std::string>& uses);

  // --- calls (bind_call.cc) ---
  void fields(const scenario::Step& written, const expr::Scope& scope, Step& step);
  void one_of(const scenario::Step& written, const std::vector<std::string>& group, const std::set<std::string>& seen,
              const plugin::StepType& type);
  std::optional<base::Value> foreseen(const scenario::Given& given, const std::string& what);
  [[nodiscard]] const base::Value::Map& assumed() const;
  void at_least(const scenario::Given& given, const char* what, double least);
  void retries(const scenario::Retry& retry, const expr::Scope& before);
  void outlasts(const scenario::Given& shorter, const char* what, const scenario::Given& longer, const char* than);
  void never_answered(const scenario::Retry& retry, const plugin::StepType& type);
  void together(const scenario::Step& written, const Step& step);
  void restrictions(const plugin::Input& input, const scenario::Given& given);
  void secrets(const scenario::Given& given, const std::string& where);
  void times(const scenario::Step& written, const expr::Scope& before);
  void conditions(const scenario::Step& written, const Place& place, const Step& step);
  void defaults(Step& step);
  void rules(const scenario::Step& written, Section which, const Step& step);
  [[nodiscard]] bool keepable(const plugin::StepType& type) const;

  const scenario::Scenario& home_;
  Shared& shared_;
  std::set<std::string> used_;
  Names names_;
  base::Value::Map defaults_;  // of the inputs; a fragment's come from its caller
  int conditions_ = 0;         // `when`s around what is being bound: a run with the defaults may never come there
  int count_ = 0;
};

}  // namespace failover::plan
