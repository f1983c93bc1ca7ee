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
  // Reports every key that is not legal; `where` names the mapping: `a step`.
  void known_keys(const Node& node, const std::vector<std::string>& legal, const char* where);
  bool want_mapping(const Node& node, const char* what);
  bool want_sequence(const Node& node, const char* what);
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
  std::vector<At<Mark>> marks(const Entry* entry);
  std::vector<Branch> branches(const Entry* entry);

  const source::FilePtr& file_;
  source::Diagnostics& diagnostics_;
  std::map<std::string, source::Span> ids_;
  bool fragment_ = false;
};

// "did you mean `x`? legal here: a, b".
std::string legal_names(std::string_view word, const std::vector<std::string>& legal);
// `[A-Za-z_][A-Za-z0-9_]*`
bool is_name(std::string_view text);

}  // namespace failover::scenario
