#include "engine/plan/scope.h"

#include <algorithm>

#include "engine/base/text.h"

namespace failover::plan {
namespace {

using base::Type;

// "did you mean `x`? it has: a, b" from what is legal.
std::string suggest(std::string_view word, std::vector<std::string> legal, const std::string& lead) {
  std::sort(legal.begin(), legal.end());
  if (legal.empty()) return "there are none here";
  const auto near = base::nearest(word, legal);
  return (near ? "did you mean `" + *near + "`? " : "") + lead + base::join(legal);
}

expr::Refusal refuse(std::size_t part, std::string code, std::string message, std::string hint) {
  return {part, std::move(code), std::move(message), std::move(hint)};
}

}  // namespace

Guards guards_of(const expr::Expression& when) {
  Guards guards;
  if (when.empty()) return guards;
  for (const auto& path : expr::references(when)) {
    if (path.in_has && path.parts.size() > 1 && path.parts[0].name == "steps") guards.insert(path.parts[1].name);
  }
  return guards;
}

void Names::collect(const std::vector<scenario::Step>& steps) {
  for (const auto& one : steps) {
    if (one.id) all_ids_.insert(one.id->value);
    collect(one.steps);
    for (const auto& branch : one.branches) collect(branch.steps);
  }
}

void Names::note(const scenario::Given& given) {
  for (const auto& reference : scenario::references(*scenario_.file(), given)) {
    if (reference.path.parts.size() > 1 && reference.path.parts[0].name == "inputs") {
      used_.insert(reference.path.parts[1].name);
    }
  }
}

void Names::note(const expr::Expression& expression) {
  if (expression.empty()) return;
  for (const auto& path : expr::references(expression)) {
    if (path.parts.size() > 1 && path.parts[0].name == "inputs") used_.insert(path.parts[1].name);
  }
}

expr::Scope Names::scope(const Guards& guards, const plugin::StepType* own, const Where& where) {
  expr::Scope scope;
  scope.names["run"] = Type::object({{"id", Type::Kind::string}, {"target", Type::Kind::string}});
  scope.names["elapsed"] = Type::Kind::duration;
  scope.resolvers["inputs"] = [this](const expr::Path& path) { return input(path); };
  scope.resolvers["env"] = [this](const expr::Path& path) { return variable(path); };
  scope.resolvers["steps"] = [this, guards, where](const expr::Path& path) { return step(path, guards, where); };
  if (own != nullptr) {
    scope.resolvers["outputs"] = [own](const expr::Path& path) -> expr::Answer {
      if (path.parts.size() < 2) return expr::Known{own->output_type(), 1};
      return output(path, *own, 1, own->name);
    };
  } else {
    scope.resolvers["outputs"] = [](const expr::Path&) -> expr::Answer {
      return refuse(0, "no-outputs-here", "`outputs` is in scope in `assert` and `until` only",
                    "use `steps.ID.NAME` of an earlier step");
    };
  }
  return scope;
}

expr::Answer Names::input(const expr::Path& path) const {
  std::vector<std::string> legal;
  Type::Kind any = Type::Kind::any;
  for (const auto& declared : scenario_.inputs) legal.push_back(declared.name.value);
  if (path.parts.size() < 2) return expr::Known{Type::map_of(any), 1};
  const auto* declared = scenario_.input(path.parts[1].name);
  if (declared != nullptr) {
    used_.insert(declared->name.value);
    return expr::Known{declared->type(), 2};
  }
  return refuse(1, "unknown-input", "no input `" + path.parts[1].name + "`",
                suggest(path.parts[1].name, legal, "inputs: "));
}

expr::Answer Names::variable(const expr::Path& path) const {
  if (path.parts.size() < 2) return expr::Known{Type::map_of(Type::Kind::string), 1};
  const std::string& name = path.parts[1].name;
  if (scenario_.variable(name) != nullptr) return expr::Known{Type::Kind::string, 2};
  return refuse(1, "undeclared-env", "the environment variable `" + name + "` is not declared",
                "add it to the scenario's `env: [" + name + "]`");
}

expr::Answer Names::output(const expr::Path& path, const plugin::StepType& type, std::size_t part,
                           const std::string& of) {
  const std::string& name = path.parts[part].name;
  if (const plugin::Output* found = type.output(name)) return expr::Known{found->type, part + 1};
  std::vector<std::string> legal;
  for (const auto& one : type.outputs) legal.push_back(one.name);
  return refuse(part, "unknown-output", "no output `" + name + "` on " + of, suggest(name, legal, "it has: "));
}

expr::Answer Names::step(const expr::Path& path, const Guards& guards, const Where& where) const {
  if (path.parts.size() < 2) {
    return refuse(0, "incomplete-reference", "`steps` alone has no value",
                  "name a step and an output: `steps.ID.NAME`");
  }
  const std::string& id = path.parts[1].name;
  const auto at = earlier_.find(id);
  if (at == earlier_.end()) {
    std::vector<std::string> legal;
    for (const auto& [name, ignored] : earlier_) legal.push_back(name);
    if (all_ids_.count(id) > 0) {
      return refuse(1, "later-step", "step `" + id + "` comes later",
                    "a step can use what ran before it: " + (legal.empty() ? "nothing yet" : base::join(legal)));
    }
    return refuse(1, "unknown-step-id", "no step `" + id + "` before this one", suggest(id, legal, "steps so far: "));
  }
  const Earlier& earlier = at->second;
  if (earlier.type == nullptr) return refuse(1, "", "", "");  // said elsewhere
  // What may not have run must be asked for with has().
  const bool cut_short = where.section == Section::finally && earlier.section != Section::finally;
  if ((earlier.skippable || cut_short) && !path.in_has && !path.guarded && guards.count(id) == 0) {
    return refuse(1, "may-be-skipped",
                  "step `" + id + "` may not have run" + (cut_short ? " when `finally` does" : ": it has a `when`"),
                  "guard it: `has(steps." + id + ".NAME)` in `when`, or `has(...) ? ... : ...`");
  }
  if (path.parts.size() < 3) return expr::Known{earlier.type->output_type(), 2};
  return output(path, *earlier.type, 2, "step `" + id + "` (" + earlier.type->name + ")");
}

}  // namespace failover::plan
