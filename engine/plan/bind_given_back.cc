// The part of the binder that knows which machines are still there, and which of them run.
#include <algorithm>
#include <utility>

#include "engine/base/text.h"
#include "engine/plan/binder.h"

namespace failover::plan {
namespace {

// `[a, b]` of references and nothing else; also one reference alone.
bool lists_references(const expr::Expression& expression) {
  std::string rest(expression.text());
  for (const auto& path : expr::references(expression)) {
    std::fill(rest.begin() + static_cast<std::ptrdiff_t>(path.begin),
              rest.begin() + static_cast<std::ptrdiff_t>(path.end), ' ');
  }
  return rest.find_first_not_of("[], ") == std::string::npos;
}

}  // namespace

// The steps that made the things which the value names: `steps.ready.ssh` of a step that waited for `steps.rented.id`
// is about `rented`. Empty: nothing that is known.
void Binder::about(const scenario::Given& given, const scenario::Given* each_of, std::vector<About>& out) const {
  for (const auto& item : given.items) about(item, each_of, out);
  for (const auto& [ignored, member] : given.members) about(member, each_of, out);
  if (given.kind != scenario::Given::Kind::expression || !given.text.single()) return;
  const auto& expression = given.text.pieces.front().expression;
  if (!lists_references(expression)) return;
  for (const auto& path : expr::references(expression)) {
    if (path.parts.size() == 1 && path.parts[0].name == "each" && each_of != nullptr) {
      const std::size_t before = out.size();
      about(*each_of, nullptr, out);
      for (std::size_t i = before; i < out.size(); ++i) {
        out[i].span = given.node->span;
        out[i].of_element = true;
      }
    }
    const auto add = [&](const std::map<std::string, std::vector<std::string>>& things, const std::string& name) {
      const auto at = things.find(name);
      if (at == things.end()) return;
      for (const auto& id : at->second) out.push_back({id, given.node->span});
    };
    if (path.parts.size() > 1 && path.parts[0].name == "inputs") add(things_, path.parts[1].name);
    if (path.parts.size() < 3 || path.parts[0].name != "steps") continue;
    const std::string& id = path.parts[1].name;
    const Earlier* other = names_.earlier(id);
    if (other == nullptr) continue;
    if (other->type == nullptr) {
      add(other->things, path.parts[2].name);
    } else {
      out.push_back({other->about.empty() ? prefix_ + id : other->about, given.node->span});
    }
  }
}

std::vector<std::string> Binder::named_by(const scenario::Given& given) const {
  std::vector<About> found;
  about(given, each_of_, found);
  std::vector<std::string> out;
  for (auto& one : found) out.push_back(std::move(one.id));
  return out;
}

std::vector<Binder::About> Binder::about(const Step& step, std::string_view input) const {
  std::vector<About> out;
  if (const auto* given = input.empty() ? nullptr : step.given(input)) about(*given, each_of_, out);
  return out;
}

std::string Binder::about(const Step& step) const {
  for (const auto& [input, given] : step.with) {
    if (input->needs == plugin::Needs::nothing && input->name != step.type->frees) continue;
    if (auto found = about(step, input->name); !found.empty()) return found.front().id;
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
  std::set<std::string> told;
  for (const auto& [input, given] : step.with) {
    if (input->needs == plugin::Needs::nothing) continue;
    for (const auto& [id, span, of_element] : about(step, input->name)) {
      const auto by = gone_.find(id);
      if (by == gone_.end() || before(by->second.by)) continue;
      if (by->second.halted && input->needs != plugin::Needs::running) continue;
      if (by->second.starting && input->name == step.type->waits) continue;
      if (told.insert(id).second) absent(id, by->second, step.section == Section::finally, span);
    }
  }
}

void Binder::absent(const std::string& id, const Absent& how, bool last, source::Span span) {
  const std::string who = how.by.empty() ? "an earlier step" : "step `" + how.by + "`";
  if (how.starting) {
    std::vector<std::string> waits;
    for (const auto& type : shared_.registry.steps) {
      if (!type.waits.empty()) waits.push_back("`" + type.name + "`");
    }
    return error(span, "already-gone",
                 "the machine of step `" + id + "` is only starting here: " + who +
                     " has started it, and no step has waited for it since",
                 "wait for it first with " + base::join(waits, " or "));
  }
  std::vector<std::string> wakes;
  for (const auto& type : shared_.registry.steps) {
    if (how.halted && !type.wakes.empty()) wakes.push_back("`" + type.name + "`");
  }
  std::string hint = wakes.empty() ? "name another machine" : "start it again with " + base::join(wakes, " or ");
  hint += ", or move this step before that one; a step that shows this has `must_fail: true`";
  if (last) {
    hint = how.by.empty() ? "give that step an `id`, and let `when` ask for it: `!has(steps.ID.status)`"
                          : "let `when` ask for it too: `!has(steps." + how.by + ".status)`";
  }
  error(span, "already-gone",
        "the machine of step `" + id + "` is " + (how.halted ? "stopped" : "gone") + " here" +
            (last ? " when all went well" : "") + ": " + who + " has " + (how.halted ? "stopped it" : "given it back"),
        hint);
}

void Binder::change_lives(const Step& step) {
  if (step.type == nullptr) return;
  const std::string by = step.named ? step.id : std::string();
  for (const auto& [id, ignored, of_element] : about(step, step.type->wakes)) {
    const auto at = gone_.find(id);
    if (at != gone_.end() && at->second.halted) at->second = {by, true, true, of_element};
  }
  for (const auto& [id, ignored, of_element] : about(step, step.type->waits)) {
    const auto at = gone_.find(id);
    if (at != gone_.end() && at->second.starting) gone_.erase(at);
  }
  for (const auto& [id, ignored, of_element] : about(step, step.type->halts)) {
    Absent& how = gone_.emplace(id, Absent{by, true, false, of_element}).first->second;
    if (how.starting) how = {by, true, false, of_element};
  }
  for (const auto& [id, ignored, of_element] : about(step, step.type->frees)) {
    Absent& how = gone_.emplace(id, Absent{by, true, false, of_element}).first->second;
    if (how.halted) how = {by, false, false, of_element};
  }
}

// The steps of a `foreach` once more, with what its first round has ended or stopped.
void Binder::second_round(const scenario::Step& written, const Place& place, const Names::Declared& before) {
  const Absence after = gone_;
  // What a round makes, the next one makes again.
  const auto made_inside = [&](const std::string& id) {
    return id.starts_with(prefix_) &&
           before.count(id.substr(prefix_.size(), id.find('/', prefix_.size()) - prefix_.size())) == 0;
  };
  std::erase_if(gone_, [&](const auto& one) { return one.second.of_element || made_inside(one.first); });
  source::Diagnostics found;
  std::swap(found, shared_.diagnostics);
  const bool trying = std::exchange(shared_.trying, true);
  const int count = count_;
  Step scratch;
  scratch.id = "again";
  scratch.written = &written;
  scratch.home = &home_;
  (void)body(written, place, scratch);
  count_ = count;
  shared_.trying = trying;
  std::swap(found, shared_.diagnostics);
  gone_ = after;
  for (const auto& one : found.sorted()) {
    if (one.code == "already-gone")
      shared_.diagnostics.error(one.file, one.span, one.code, one.message, "so it is in the second round; " + one.hint);
  }
}

// Of what was so before a step, what is so whether or not it did what it does.
Binder::Absence Binder::either_way(Absence before, const Absence& after) {
  std::erase_if(before, [&](const auto& one) {
    const auto at = after.find(one.first);
    return at == after.end() || (at->second.starting && !one.second.starting);
  });
  return before;
}

}  // namespace failover::plan
