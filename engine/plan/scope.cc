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

expr::Refusal refuse(std::size_t part, source::Code code, std::string message, std::string hint) {
  return {part, code, std::move(message), std::move(hint)};
}

}  // namespace

void Names::collect(const std::vector<scenario::Step>& steps) {
  for (const auto& one : steps) {
    if (one.id) all_ids_.insert(one.id->value);
    collect(one.steps);
    for (const auto& branch : one.branches) collect(branch.steps);
  }
}

Names::Declared Names::leave(const Declared& before, const std::string& why) {
  Declared own;
  for (const auto& [id, earlier] : earlier_) {
    if (before.count(id) > 0) continue;
    own.emplace(id, earlier);
    elsewhere_.insert_or_assign(id, why);
  }
  earlier_ = before;
  return own;
}

void Names::note(const expr::Path& path, const std::string& own) {
  if (path.parts.size() < 2 && path.parts[0].name == "inputs") {
    for (const auto& input : scenario_.inputs) used_.insert(input.name.value);
  }
  if (path.parts.size() < 2) return;
  const std::string& name = path.parts[1].name;
  if (path.parts[0].name == "inputs") used_.insert(name);
  if (path.parts[0].name == "outputs") read_.insert(own + "." + name);
  if (path.parts[0].name == "steps") read_.insert(name + (path.parts.size() > 2 ? "." + path.parts[2].name : ""));
}

void Names::note(const scenario::Given& given) {
  scenario::each_reference(given, [&](const scenario::Reference& reference) { note(reference.path, {}); });
}

void Names::note(const expr::Expression& expression, const std::string& own) {
  if (expression.empty()) return;
  for (const auto& path : expr::references(expression)) note(path, own);
}

expr::Scope Names::scope(const Guards& guards, const Own* own, const Where& where) {
  expr::Scope scope;
  scope.work_left = work_left_;
  scope.patterns_left = patterns_left_;
  scope.names["elapsed"] = Type::Kind::duration;
  if (each_ != nullptr) scope.names["each"] = *each_;
  scope.resolvers["run"] = about_run;
  scope.resolvers["inputs"] = [this](const expr::Path& path) { return input(path); };
  scope.resolvers["env"] = [this](const expr::Path& path) { return variable(path); };
  scope.resolvers["steps"] = [this, guards, where](const expr::Path& path) { return step(path, guards, where); };
  if (own != nullptr) {
    scope.resolvers["outputs"] = [own](const expr::Path& path) -> expr::Answer {
      if (path.parts.size() < 2) return expr::Known{*own->outputs, 1};
      return output(path, *own, 1);
    };
  } else {
    scope.resolvers["outputs"] = [](const expr::Path&) -> expr::Answer {
      return refuse(0, "no-outputs-here", "`outputs` is in scope in `assert` and `until` only",
                    "use `steps.ID.NAME` of an earlier step");
    };
  }
  return scope;
}

expr::Answer Names::about_run(const expr::Path& path) {
  static const Type kRun = Type::object({{"id", Type::Kind::string}, {"target", Type::Kind::string}});
  static const std::vector<std::string> kTargets = {"live", "sandbox", "other"};  // command-line.md
  if (path.parts.size() == 2 && path.parts[1].name == "target") return expr::Known{Type::Kind::string, 2, &kTargets};
  return expr::Known{kRun, 1};
}

// Thousands of mistakes about thousands of names are not worth minutes.
bool Names::may_compare(std::size_t names) const {
  if (names > comparisons_left_) return false;
  comparisons_left_ -= names;
  return true;
}

expr::Answer Names::input(const expr::Path& path) const {
  if (path.parts.size() < 2) return expr::Known{Type::map_of(Type::Kind::any), 1};
  const auto* declared = scenario_.input(path.parts[1].name);
  if (declared != nullptr) {
    used_.insert(declared->name.value);
    const auto given = given_.find(declared->name.value);
    const auto* words = declared->choices.empty() ? nullptr : &declared->choices;
    return expr::Known{given == given_.end() ? declared->type() : given->second, 2, words};
  }
  if (scenario_.hidden.count(path.parts[1].name) > 0) return refuse(1, {}, "", "");  // said where it is declared
  if (!may_compare(scenario_.inputs.size())) {
    return refuse(1, "unknown-input", "no input `" + path.parts[1].name + "`",
                  "there are " + std::to_string(scenario_.inputs.size()) + " others");
  }
  std::vector<std::string> legal;
  for (const auto& one : scenario_.inputs) legal.push_back(one.name.value);
  if (const auto meant = base::nearest(path.parts[1].name, legal)) used_.insert(*meant);
  return refuse(1, "unknown-input", "no input `" + path.parts[1].name + "`",
                suggest(path.parts[1].name, legal, "inputs: "));
}

expr::Answer Names::variable(const expr::Path& path) const {
  if (path.parts.size() < 2) return expr::Known{Type::map_of(Type::Kind::string), 1};
  const std::string& name = path.parts[1].name;
  if (scenario_.variable(name) != nullptr) return expr::Known{Type::Kind::string, 2};
  if (scenario_.hidden.count(name) > 0) return refuse(1, {}, "", "");
  return refuse(1, "undeclared-env", "the environment variable `" + name + "` is not declared",
                "add it to the file's `env: [" + name + "]`");
}

expr::Answer Names::output(const expr::Path& path, const Own& own, std::size_t part) {
  if (own.outputs->kind() != Type::Kind::object) return expr::Known{*own.outputs, part};
  const std::string& name = path.parts[part].name;
  const std::string& of = own.what;
  if (const Type* found = own.outputs->field(name)) {
    const auto* declared = own.type == nullptr ? nullptr : own.type->output(name);
    const bool few = declared != nullptr && !declared->choices.empty();
    expr::Known known{*found, part + 1, few ? &declared->choices : nullptr};
    if (own.ranges != nullptr && found->kind() == Type::Kind::list) {
      if (const auto range = own.ranges->find(name); range != own.ranges->end()) known.length = range->second;
    }
    return known;
  }
  std::vector<std::string> legal;
  for (const auto& one : own.outputs->fields()) legal.push_back(one.name);
  if (name == "outputs" && path.parts.size() > part + 1) {
    const auto& next = path.parts[part + 1].name;
    return refuse(part, "unknown-output", "no output `outputs` on " + of,
                  "leave it out: `" + path.parts[0].name + "." + path.parts[1].name + "." + next + "`");
  }
  if (legal.empty()) return refuse(part, "unknown-output", "no output `" + name + "` on " + of, "it has no outputs");
  return refuse(part, "unknown-output", "no output `" + name + "` on " + of, suggest(name, legal, "it has: "));
}

// With the one that `word` may mean.
std::string Names::steps_so_far(std::string_view word) const {
  if (!may_compare(earlier_.size())) return std::to_string(earlier_.size()) + " steps come before this one";
  std::vector<std::string> legal;
  legal.reserve(earlier_.size());
  for (const auto& [name, ignored] : earlier_) legal.push_back(name);
  return word.empty() ? base::join(legal) : suggest(word, std::move(legal), "steps so far: ");
}

// `winner` says it, or that all the others have lost: then their steps are not there. With `ended` false the race may
// not have been run to its end.
bool Names::won(const Earlier::Race& race, const std::vector<expr::Fact>& facts, bool ended) const {
  std::set<std::string> lost;
  for (const auto& fact : facts) {
    if (fact.first != "steps") continue;
    const auto& id = race.written->id;
    const bool names_winner = fact.word && id && fact.second == id->value && fact.third == "winner";
    if (names_winner && fact.holds && *fact.word == race.branch) return true;
    const auto& branches = race.written->branches;
    const bool none = names_winner && std::none_of(branches.begin(), branches.end(),
                                                   [&](const auto& branch) { return branch.name.value == *fact.word; });
    if (none) return true;  // said at the word
    if (names_winner && !fact.holds) lost.insert(*fact.word);
    const Earlier* other = fact.word ? nullptr : earlier(fact.second);
    if (other == nullptr || !other->race || other->race->written != race.written) continue;
    if (fact.holds && other->race->branch == race.branch) return true;
    if (!fact.holds) lost.insert(other->race->branch);
  }
  lost.erase(race.branch);
  return ended && race.surely && lost.size() + 1 == race.written->branches.size();
}

expr::Answer Names::step(const expr::Path& path, const Guards& guards, const Where& where) const {
  if (path.parts.size() < 2) {
    return refuse(0, "incomplete-reference", "`steps` alone has no value",
                  "name a step and an output: `steps.ID.NAME`");
  }
  const std::string& id = path.parts[1].name;
  const auto at = earlier_.find(id);
  if (at == earlier_.end()) {
    if (const auto other = elsewhere_.find(id); other != elsewhere_.end()) {
      return refuse(1, "other-branch", "step `" + id + "` cannot be seen from here: " + other->second,
                    "use it where it is, or after the whole has ended if that gives its outputs");
    }
    if (std::find(open_.begin(), open_.end(), id) != open_.end()) {
      return refuse(1, "later-step", "step `" + id + "` is this very step: it has no outputs yet",
                    where.section == Section::on_failure
                        ? "a step that failed has none: ask the machine itself, or an earlier step"
                        : "in `assert` and `until` its own outputs are `outputs.NAME`");
    }
    if (all_ids_.count(id) > 0) {
      return refuse(1, "later-step", "step `" + id + "` comes later",
                    "a step can use what ran before it: " + (earlier_.empty() ? "nothing yet" : steps_so_far({})));
    }
    if (scenario_.hidden.count(id) > 0) return refuse(1, {}, "", "");
    return refuse(1, "unknown-step-id", "no step `" + id + "` before this one", steps_so_far(id));
  }
  const Earlier& earlier = at->second;
  if (!earlier.understood) return refuse(1, {}, "", "");  // said elsewhere
  // What may not have run must be asked for with has().
  const bool cut_short = where.section == Section::finally && earlier.section != Section::finally;
  std::vector<expr::Fact> facts = path.facts;
  facts.insert(facts.end(), guards.begin(), guards.end());
  const bool there = std::any_of(facts.begin(), facts.end(), [&](const auto& fact) {
    return fact.holds && !fact.word && fact.first == "steps" && fact.second == id;
  });
  const bool needs_proof = (!earlier.may_be_gone.empty() || cut_short) && !path.in_has && !there;
  if (needs_proof && !(earlier.race && won(*earlier.race, facts, !cut_short))) {
    return refuse(
        1, "may-be-skipped",
        "step `" + id + "` may not have run" + (cut_short ? " when `finally` does" : ": " + earlier.may_be_gone),
        "guard it: `has(steps." + id + (earlier.outputs.kind() == Type::Kind::list ? "" : ".NAME") +
            ")` in `when`, or `has(...) ? ... : ...`");
  }
  if (path.parts.size() < 3) return expr::Known{earlier.outputs, 2, nullptr, earlier.length};
  if (path.parts.size() == 3 && path.parts[2].name == "winner" && !earlier.winners.empty())
    return expr::Known{Type::Kind::string, 3, &earlier.winners};
  return output(path, {&earlier.outputs, "step `" + id + "` (" + earlier.what + ")", earlier.type, &earlier.ranges}, 2);
}

}  // namespace failover::plan
