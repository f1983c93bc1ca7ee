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

void Binder::still_there(const Step& step) {
  if (gone_.empty() || shared_.may_fail) return;
  for (const auto& [input, given] : step.with) {
    const auto by = input->lives ? gone_.find(about(given)) : gone_.end();
    if (by == gone_.end()) continue;
    error(given.node->span, "already-gone",
          "the machine of step `" + by->first + "` is gone here: " + by->second + " has given it back",
          "name another machine, or move this step before that one; a step that shows this has `must_fail: true`");
  }
}

void Binder::give_back(const Step& step) {
  if (step.type == nullptr || step.type->frees.empty()) return;
  const auto found = about(step);
  if (!found.empty()) gone_.emplace(found, "step `" + step.id + "`");
}

}  // namespace failover::plan
