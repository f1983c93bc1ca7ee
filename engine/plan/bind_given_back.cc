// The part of the binder that knows which machines are still there.
#include <algorithm>

#include "engine/plan/binder.h"

namespace failover::plan {

// The step that made the machine which the value names: `steps.ready.ssh` of a step that waited for
// `steps.rented.id` is about `rented`. Empty: nothing that is known.
std::string Binder::about(const scenario::Given& given) const {
  if (given.kind != scenario::Given::Kind::expression || !given.text.single()) return {};
  const auto& expression = given.text.pieces.front().expression;
  const auto& paths = expr::references(expression);
  if (paths.size() != 1 || paths[0].parts.size() != 3 || paths[0].parts[0].name != "steps") return {};
  if (paths[0].begin != 0 || paths[0].end != expression.text().size()) return {};
  const std::string& id = paths[0].parts[1].name;
  const Earlier* other = names_.earlier(id);
  if (other == nullptr || other->type == nullptr) return {};
  return other->about.empty() ? id : other->about;
}

std::string Binder::about(const Step& step) const {
  for (const auto& [input, given] : step.with) {
    if (!input->lives && input->name != step.type->frees) continue;
    if (auto found = about(given); !found.empty()) return found;
  }
  return {};
}

void Binder::still_there(const Step& step, const Guards& guards) {
  if (gone_.empty() || shared_.may_fail) return;
  // What `finally` does may come before it.
  const auto before = [&](const std::string& by) {
    return std::any_of(guards.begin(), guards.end(), [&](const auto& fact) {
      return !fact.holds && !fact.word && fact.first == "steps" && fact.second == by;
    });
  };
  for (const auto& [input, given] : step.with) {
    const auto by = input->lives ? gone_.find(about(given)) : gone_.end();
    if (by == gone_.end() || before(by->second)) continue;
    const bool last = step.section == Section::finally;
    const std::string who = by->second.empty() ? "an earlier step" : "step `" + by->second + "`";
    std::string hint =
        "name another machine, or move this step before that one; a step that shows this has `must_fail: true`";
    if (last) {
      hint = by->second.empty() ? "give that step an `id`, and let `when` ask for it: `!has(steps.ID.status)`"
                                : "let `when` ask for it too: `!has(steps." + by->second + ".status)`";
    }
    error(given.node->span, "already-gone",
          "the machine of step `" + by->first + "` is gone here" + (last ? " when all went well" : "") + ": " + who +
              " has given it back",
          hint);
  }
}

void Binder::give_back(const Step& step) {
  if (step.type == nullptr || step.type->frees.empty()) return;
  const auto found = about(step);
  if (!found.empty()) gone_.emplace(found, step.named ? step.id : std::string());
}

}  // namespace failover::plan
