// Reads the parts of a scenario from its tree. Inside the room only.
#pragma once

#include <initializer_list>
#include <set>
#include <string>
#include <vector>

#include "engine/scenario/model.h"

namespace failover::scenario {

// What every part of the loader does with nodes.
class Loader {
 public:
  Loader(const source::FilePtr& file, source::Diagnostics& diagnostics) : file_(file), diagnostics_(diagnostics) {}

  void top(const source::Node& root, Scenario& out);
  void fragment(const source::Node& root, Scenario& out);

 private:
  using Node = source::Node;
  using Entry = source::Entry;

  void error(source::Span span, source::Code code, std::string message, std::string hint = {});
  // Reports every key that is not legal; `where` names the mapping: `a step`. What was strange: those keys, and the
  // legal ones that they may be meant for.
  std::set<std::string> known_keys(const Node& node, const std::vector<std::string>& legal, const char* where);
  // What may stand in a mapping: all of it, what is not given there, and what the step uses.
  struct Keys {
    const std::vector<std::string>& legal;
    std::vector<std::string> open{};
    std::string uses{};
  };
  static Keys open_keys(const Node& node, const std::vector<std::string>& legal);
  static std::string meant(std::string_view key, const Keys& keys);
  static std::string key_hint(const Entry& entry, const Keys& keys, const std::string& near);
  void beside(const Entry& empty, const Entry& entry);
  // Is it a name? `what` is said of what is none: `id`. Its uses are no mistakes of their own then.
  bool want_name(const std::string& text, source::Span span, const char* what);
  bool want_mapping(const Node& node, const char* what, const std::string& hint = {});
  bool want_sequence(const Node& node, const char* what);
  // Names in a value that could not be read: it may declare them.
  void hide(const Node& node);
  std::optional<std::string> text(const Node& node);
  std::optional<Given> value(const Entry* entry, const base::Type& type);
  // A duration that is not zero.
  std::optional<Given> time(const Entry* entry);
  std::optional<At<std::string>> text_at(const Entry* entry);
  std::optional<At<bool>> flag_at(const Entry* entry);
  std::vector<std::string> texts(const Entry* entry);
  std::optional<Condition> condition(const Entry* entry);
  std::optional<Condition> condition(const Node& node, source::Span key);

  void name(const Entry* entry, Scenario& out);
  void outputs(const Entry* entry, Scenario& out);
  void environment(const Entry* entry, Scenario& out);
  void limits(const Entry* entry, Scenario& out);
  void objectives(const Entry* entry, Scenario& out);
  void inputs(const Entry* entry, Scenario& out);
  void input(const Entry& entry, Scenario& out);
  // Refuses `n: 5`, `n: integer` and `n:`.
  void written_outright(const Entry& entry);
  std::optional<base::Value> constant(const Entry* entry, const InputDeclaration& declaration);
  void choices(const Node& node, InputDeclaration& declaration);

  std::vector<Step> steps(const Entry* entry, const char* what);
  Step step(const Node& node);
  void shape(const Node& node, Step& out);
  void fitting_keys(const Node& node, const Step& step);
  void identity(const Node& node, Step& out);
  std::optional<Retry> retry(const Entry* entry);
  void retry_errors(const Entry* entry, Retry& out);
  std::vector<Assertion> assertions(const Entry* entry);
  // An expression that YAML takes apart at its `: `. True: said.
  bool torn(const Node& item);
  std::vector<At<Mark>> marks(const Entry* entry);
  std::vector<Branch> branches(const Entry* entry);

  const source::FilePtr& file_;
  source::Diagnostics& diagnostics_;
  std::map<std::string, source::Span> ids_;
  std::set<std::string> hidden_;  // Scenario::hidden
  std::set<const Node*> hollow_;  // values that are missing because what belongs to them stands beside them
  bool root_broken_ = false;      // keys of the whole file may be parts of a step
  bool fragment_ = false;
};

// "did you mean `x`? legal here: a, b".
std::string legal_names(std::string_view word, const std::vector<std::string>& legal);

}  // namespace failover::scenario
