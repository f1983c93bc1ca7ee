// Binds the steps of one file to step types and fragments. Inside the room only.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/plan/known.h"
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
    std::set<std::string> made_paths{};      // on machines, by the steps so far
    std::int64_t work_left = 20'000'000;     // steps of evaluation before the run: about a second
    std::int64_t patterns_left = 1'000'000;  // instructions of regular expressions: about a second
    std::size_t steps_left = 50'000;         // of fragments, each time that they are used: they multiply

    std::size_t trials_left = 20'000;  // the same, for trials with single elements

    const Known& fragment(const std::string& path);
  };
  // What the binders of one plan share.
  struct Shared {
    const plugin::Registry& registry;
    source::Diagnostics& diagnostics;
    Files& files;
    std::vector<std::string> open;     // the files that lead here, outermost first
    bool blame = true;                 // look for who is to blame for a mistake in a fragment
    bool trying = false;               // in again(), of this binder or of one around it
    bool may_fail = false;             // what is bound may fail: it must, or another branch may win
    std::size_t cases_left = 200'000;  // of elements that are looked at one by one
  };
  // What is given for a fragment's inputs: the types of those that it leaves open, and the values that are known.
  struct Arguments {
    std::set<std::string> names;  // of all that are given: the others have their defaults
    Names::Types types{};
    base::Value::Map values{};
    std::map<std::string, std::vector<std::string>> things{};  // by input: what it names, as Binder::About says it
    std::set<std::string> said{};  // those that hold what a machine or a service said, see Binder::said_by_others()
    [[nodiscard]] bool blank() const { return types.empty() && values.empty() && things.empty() && said.empty(); }
    // With one of them alone.
    [[nodiscard]] Arguments only(const std::string& name) const;
  };
  // Where a step stands.
  struct Place {
    Section section = Section::steps;
    std::string phase;
    Guards guards;
  };

  Binder(const scenario::Scenario& home, Shared& shared, base::Value::Map inputs, Names::Types given = {});
  void head();
  void section(const std::vector<scenario::Step>& written, Section which, std::vector<Step>& out);
  void unused_inputs();
  void unread_outputs(const std::vector<Step>& bound);

 private:
  // What is known at the place that is being bound. Behind a `when` that is not known to hold it is nothing: a run may
  // never come there.
  struct Foreknown {
    bool certain = true;
    bool guarded = false;                 // by some `when`
    std::vector<base::Value> elements{};  // what `each` will be
    bool all_elements = false;            // and never anything else
    // In a trial of one type of element: those of this type that come here. With none, nothing happens here.
    std::optional<std::vector<base::Value>> tried{};
  };

  // What has been given back or halted, by the step that made it.
  struct Absent {
    std::string by;  // the step's id; empty: it has none
    bool halted = false;
    bool starting = false;    // halted before, and nobody has waited for it since
    bool of_element = false;  // named by `each`: another round has another one
  };
  using Absence = std::map<std::string, Absent>;
  struct About {
    std::string id;  // of the step that made the thing, below the fragments in which it is: `pool/gpu`
    source::Span span;
    bool of_element = false;
  };

  void error(source::Span span, source::Code code, std::string message, std::string hint);
  void steps(const std::vector<scenario::Step>& written, Place place, std::vector<Step>& out);
  void bind(const scenario::Step& written, const Place& place, std::vector<Step>& out);
  void unreached(const scenario::Step& written, Foreknown outside);
  bool body(const scenario::Step& written, const Place& place, Step& step);
  void group(const scenario::Step& written, const Place& place, Step& step);
  void branches(const scenario::Step& written, const Place& place, Step& step);
  bool composite(const scenario::Step& written, const Place& place, const expr::Scope& scope, Step& step);
  Arguments arguments(const scenario::Step& written, const expr::Scope& scope, Step& step);
  void inside(const Place& place, Arguments given, Shared& shared, Step& step);
  source::Diagnostics tried(const Place& place, Arguments given, bool blame, Step& step);
  void blame(const scenario::Step& written, const Place& place, const Arguments& given, Step& step);
  void whose(const scenario::Step& written, const Place& place, const Arguments& given,
             const source::Diagnostics& found, const Step& step);
  source::Diagnostics tried_apart(const Place& place, const Arguments& given, Step& scratch);
  void by_elements(const scenario::Step& written, const Place& place, const Arguments& given, const Step& step);
  void report(source::Span span, const std::string& what, const std::vector<source::Diagnostic>& inside);
  base::Type outputs();
  base::Type element_of(const scenario::Step& written, const Place& place, std::vector<base::Type>& kinds);
  bool several(const scenario::Step& written, const Place& place, const base::Type& element,
               const std::vector<base::Type>& kinds, Step& step);
  void settle(const source::Diagnostics& found, bool computes);
  [[nodiscard]] bool computes_for_all(const scenario::Given& given, const base::Type& type) const;
  [[nodiscard]] bool computes_for_all(const scenario::Condition& condition) const;
  bool again(const scenario::Step& written, const Place& place, const base::Type& element, const base::Type& shown);
  void blind_rounds(const scenario::Condition& until, const Step& step);
  std::optional<bool> always(const scenario::Condition& condition);
  void looks(const scenario::Condition& condition, const char* what);
  void reachable(const scenario::Condition& when);
  void unknown_type(const scenario::At<std::string>& uses);

  // --- calls (bind_call.cc) ---
  void fields(const scenario::Step& written, const expr::Scope& scope, Step& step);
  using PlaceOf = std::function<source::Span(const expr::Path&)>;
  void taken_whole(const expr::Expression& expression, const Step* own, const PlaceOf& place);
  void taken_whole(const scenario::Condition& condition, const Step* own);
  void taken_whole(const scenario::Given& given);
  [[nodiscard]] bool said_by_others(const expr::Path& path) const;
  [[nodiscard]] bool said_by_others(const scenario::Given& given) const;
  void shell(const plugin::Input& input, const scenario::Given& given, const expr::Scope& scope);
  void words(const plugin::Input& input, const scenario::Given& given, const expr::Scope& scope);
  void one_of(const scenario::Step& written, const std::vector<std::string>& group, const std::set<std::string>& seen,
              const plugin::StepType& type);
  void cases(bool by_element, const std::function<void(const Before&)>& look);
  void foresee(const scenario::Given& given, const std::string& what,
               const std::function<void(const base::Value&)>& judge);
  void foresee(const scenario::Condition& condition, const char* what, const scenario::Step* asserts,
               const base::Value::Map& echoes);
  void narrow(const scenario::Condition& when);
  void foresee_elements(const scenario::Given& list);
  [[nodiscard]] std::optional<std::size_t> length_of(const scenario::Given& list) const;
  [[nodiscard]] const base::Value::Map& assumed() const;
  [[nodiscard]] Before before(const base::Value* element = nullptr) const;
  void at_least(const scenario::Given& given, const char* what, double least);
  void retries(const scenario::Retry& retry, const expr::Scope& before);
  void outlasts(const scenario::Given& shorter, const char* what, const scenario::Given& longer, const char* than);
  void never_answered(const scenario::Retry& retry, const plugin::StepType& type);
  struct Faulty {
    source::Span span;
    std::string absent{};  // the member that is not there
  };
  static Faulty fault_of(const scenario::Given& given, const base::Spot& at);
  static source::Span wrong_alone(const plugin::Input& input, const scenario::Given& given, const base::Value& value);
  void faulty(const plugin::Input& input, const scenario::Given& given, const base::Value& value,
              const base::Error& error);
  [[nodiscard]] source::Span not_computed(const scenario::Given& given, const Before& here) const;
  void judge(const plugin::Input& input, const scenario::Given& given, const base::Value& value);
  void choices(const plugin::Input& input, const scenario::Given& given);
  void made_here(const plugin::Input& input, const scenario::Given& given);
  void one_of_types(const plugin::Input& input, const scenario::Given& given, const expr::Scope& scope);
  [[nodiscard]] std::optional<std::string> beside(const plugin::Input& input, const expr::Expression& expression) const;
  // --- paths (bind_paths.cc) ---
  void of_a_machine(const plugin::Input& input, const scenario::Given& given);
  void structured(const plugin::Input& input, const scenario::Given& given, const expr::Scope& scope);
  void on_machines(const plugin::Input& input, const scenario::Given& given, const base::Value& value);
  // --- texts that were meant as expressions (bind_meant.cc) ---
  void meant(const scenario::Given& given);
  void meant(const scenario::Given& given, std::string_view text, std::size_t offset);
  [[nodiscard]] bool names_something(std::string_view text) const;
  void about(const scenario::Given& given, const scenario::Given* each_of, std::vector<About>& out) const;
  [[nodiscard]] std::vector<About> about(const Step& step, std::string_view input) const;
  [[nodiscard]] std::string about(const Step& step) const;
  void still_there(const Step& step, const Guards& guards);
  void absent(const std::string& id, const Absent& how, bool last, source::Span span);
  [[nodiscard]] std::vector<std::string> named_by(const scenario::Given& given) const;
  void second_round(const scenario::Step& written, const Place& place, const Names::Declared& before);
  void change_lives(const Step& step);
  static Absence either_way(Absence before, const Absence& after);
  void agreement(const plugin::Agreement& wanted, const Step& step);
  [[nodiscard]] base::Value::Map echoes_of(const Step& step) const;
  // --- ranges of numbers (bind_ranges.cc) ---
  using Ranges = std::map<std::string, expr::Range>;
  [[nodiscard]] std::optional<expr::Range> counted(const Step& step, const std::string& input) const;
  [[nodiscard]] Ranges declared_ranges(const Step& step) const;
  [[nodiscard]] Ranges passed_ranges(const Step& step) const;
  [[nodiscard]] std::optional<bool> in_ranges(const scenario::Condition& condition, const Step* step, const Ranges& own,
                                              std::string& because) const;
  void decided(const scenario::Condition& condition, const char* what, const Step& step, const Ranges& own);
  void decided(const scenario::Condition& when);
  void contradicted(const Step& step, const Ranges& declared);
  [[nodiscard]] std::optional<base::Value> theirs(const Earlier& other, const std::string& name) const;
  void together(const scenario::Step& written, const Step& step);
  void restrictions(const plugin::Input& input, const scenario::Given& given);
  void secrets(const scenario::Given& given, const std::string& where);
  void times(const scenario::Step& written, const expr::Scope& before);
  void conditions(const scenario::Step& written, const Place& place, const Step& step);
  void defaults(Step& step);
  void rules(const scenario::Step& written, Section which, const Step& step);
  void in_time(const Step& step);
  [[nodiscard]] bool keepable(const plugin::StepType& type) const;

  const scenario::Scenario& home_;
  Shared& shared_;
  std::set<std::string> used_;
  Names names_;
  base::Value::Map inputs_;  // given, or by default
  Foreknown foreknown_;
  Absence gone_;                                            // when this place is reached
  std::string prefix_;                                      // of the ids in this file: `pool/`
  std::map<std::string, std::vector<std::string>> things_;  // what the inputs name
  std::set<std::string> said_;                              // Arguments::said
  // What the fragment that was bound last has left behind.
  struct Left {
    Absence gone;
    std::map<std::string, std::vector<std::string>> things;  // by output: what it names
  };
  Left left_;
  const scenario::Given* each_of_ = nullptr;  // the `foreach` that is being bound
  // One of several values that is being looked at, for what is said meanwhile.
  struct LookedAt {
    const base::Value* value = nullptr;
    const char* what = "";
  };
  LookedAt looked_at_;
  int count_ = 0;
};

}  // namespace failover::plan
