// The part of the binder that knows in which ranges numbers lie: what step types say of their outputs, how many files a
// step was told to make, and what must have held of a step that has passed.
#include <algorithm>

#include "engine/plan/binder.h"

namespace failover::plan {
namespace {

using expr::Range;

// The step's own output that a path names; nullptr: another thing, or a part of one.
const std::string* own_output(const expr::Path& path) {
  const bool own = path.parts.size() == 2 && path.parts[0].name == "outputs";
  return own ? &path.parts[1].name : nullptr;
}

// A number is asked for itself, a list for its size.
bool asked_as(const base::Type* type, bool size) {
  if (type == nullptr) return false;
  return type->kind() == (size ? base::Type::Kind::list : base::Type::Kind::integer);
}

std::string shown(const expr::Path& path, const Range& range, bool size) {
  std::string name;
  for (const auto& part : path.parts) name += (name.empty() ? "" : ".") + part.name;
  name = "`" + name + (size ? ".size()`" : "`") + " is ";
  if (range.least == range.most) return name + std::to_string(range.least);
  const Range open;
  if (range.most == open.most) return name + "at least " + std::to_string(range.least);
  if (range.least == open.least) return name + "at most " + std::to_string(range.most);
  return name + "from " + std::to_string(range.least) + " to " + std::to_string(range.most);
}

void tighten(std::map<std::string, Range>& ranges, const std::string& name, const Range& range) {
  if (range == Range{}) return;
  const auto at = ranges.emplace(name, range).first;
  at->second = expr::both(at->second, range);
}

}  // namespace

// How many the input says: it is a number, or names what another step counted.
std::optional<Range> Binder::counted(const Step& step, const std::string& input) const {
  const auto* given = step.given(input);
  if (given == nullptr) return std::nullopt;
  const auto value = known(*given, before());
  if (const auto* number = value ? value->get<std::int64_t>() : nullptr) return Range{*number, *number};
  if (given->kind != scenario::Given::Kind::expression || !given->text.single()) return std::nullopt;
  const auto& expression = given->text.pieces.front().expression;
  const auto& paths = expr::references(expression);
  if (paths.size() != 1 || paths[0].parts.size() != 3 || paths[0].parts[0].name != "steps") return std::nullopt;
  if (paths[0].begin != 0 || paths[0].end != expression.text().size()) return std::nullopt;
  const Earlier* other = names_.earlier(paths[0].parts[1].name);
  if (other == nullptr) return std::nullopt;
  const auto at = other->ranges.find(paths[0].parts[2].name);
  return at == other->ranges.end() ? std::nullopt : std::optional(at->second);
}

// What its type says of the outputs, whatever the scenario asks of them.
Binder::Ranges Binder::declared_ranges(const Step& step) const {
  Ranges out;
  if (step.type == nullptr) return out;
  for (const auto& output : step.type->outputs) {
    Range range;
    if (output.minimum) range.least = *output.minimum;
    if (output.maximum) range.most = *output.maximum;
    tighten(out, output.name, range);
    if (const auto count = output.counts.empty() ? std::nullopt : counted(step, output.counts))
      tighten(out, output.name, *count);
  }
  for (const auto& [name, value] : echoes_of(step)) {
    if (const auto* number = value.get<std::int64_t>()) tighten(out, name, {*number, *number});
  }
  return out;
}

// The same once it has passed: with what was asserted.
Binder::Ranges Binder::passed_ranges(const Step& step) const {
  Ranges out = declared_ranges(step);
  const auto add = [&](const expr::Expression& expression) {
    for (const auto& bound : expr::bounds(expression)) {
      const std::string* name = own_output(bound.path);
      const std::string* same = own_output(bound.same);
      if (name == nullptr || !asked_as(step.outputs.field(*name), false)) continue;
      tighten(out, *name, bound.range);
      if (const auto at = same == nullptr ? out.end() : out.find(*same); at != out.end())
        tighten(out, *name, at->second);
    }
  };
  for (const auto& assertion : step.default_asserts) add(assertion.that);
  for (const auto& assertion : step.written->asserts) add(assertion.that.expression);
  if (step.written->until) add(step.written->until->expression);
  std::erase_if(out, [](const auto& one) { return one.second.least > one.second.most; });  // said at what asserts it
  return out;
}

// What ranges say of the condition; `because` says which.
std::optional<bool> Binder::in_ranges(const scenario::Condition& condition, const Step* step, const Ranges& own,
                                      std::string& because) const {
  return expr::decided(condition.expression, [&](const expr::Path& path, bool size) -> std::optional<Range> {
    std::optional<Range> out;
    if (const std::string* name = own_output(path)) {
      const auto at = own.find(*name);
      if (step != nullptr && at != own.end() && asked_as(step->outputs.field(*name), size)) out = at->second;
    } else if (path.parts[0].name == "steps") {
      const Earlier* other = names_.earlier(path.parts[1].name);
      if (other == nullptr) return std::nullopt;
      if (path.parts.size() > 3) {
        // A part of an output: nothing but that no size is below 0.
      } else if (path.parts.size() == 2) {
        if (size) out = other->length;
      } else if (const auto at = other->ranges.find(path.parts[2].name);
                 at != other->ranges.end() && asked_as(other->outputs.field(path.parts[2].name), size)) {
        out = at->second;
      }
    } else if (path.parts[0].name == "inputs" && path.parts.size() == 2 && !size) {
      const auto at = assumed().find(path.parts[1].name);
      if (const auto* number = at == assumed().end() ? nullptr : at->second.get<std::int64_t>())
        return Range{*number, *number};
    }
    if (size && !out) out = Range{0, Range{}.most};
    if (out) because += (because.empty() ? "" : ", ") + shown(path, *out, size);
    return out;
  });
}

// An assertion or an `until` that cannot hold, or an `until` that holds at once.
void Binder::decided(const scenario::Condition& condition, const char* what, const Step& step, const Ranges& own) {
  if (condition.expression.empty() || shared_.may_fail || step.type == nullptr) return;
  std::string because;
  const auto held = in_ranges(condition, &step, own, because);
  const source::Span place = scenario::span_of(*home_.file(), condition);
  if (held && !*held)
    return error(place, "never-holds", std::string(what) + " cannot hold", because + " whenever the step succeeds");
  if (&condition != (step.written->until ? &*step.written->until : nullptr)) return;
  if (held) {
    shared_.diagnostics.warning(home_.file(), place, "always-true", "`until` holds as soon as the step succeeds",
                                because + " then; a step that fails is tried again by `retry`, not by `until`");
    return;
  }
  const auto& paths = expr::references(condition.expression);
  const bool changes = paths.empty() || std::any_of(paths.begin(), paths.end(), [](const auto& path) {
                         return path.parts[0].name == "outputs" || path.parts[0].name == "elapsed";
                       });
  if (changes) return;
  error(place, "never-holds", "`until` asks for nothing that another round could change",
        "ask for what the step itself answers: `outputs.NAME`");
}

// Assertions of one step that cannot all hold.
void Binder::contradicted(const Step& step, const Ranges& declared) {
  if (shared_.may_fail || step.type == nullptr || step.written->asserts.size() < 2) return;
  const auto empty = [](const Range& one) { return one.least > one.most; };
  Ranges so_far = declared;
  for (const auto& assertion : step.written->asserts) {
    for (const auto& bound : expr::bounds(assertion.that.expression)) {
      const std::string* name = own_output(bound.path);
      // Between 0 and 1 there is no whole number, and many others.
      if (name == nullptr || !asked_as(step.outputs.field(*name), false)) continue;
      const auto alone = declared.find(*name);
      if (alone != declared.end() && empty(expr::both(alone->second, bound.range))) continue;  // said
      const auto before = so_far.find(*name);
      const Range known = before == so_far.end() ? Range{} : before->second;
      tighten(so_far, *name, bound.range);
      const auto at = so_far.find(*name);
      if (at == so_far.end() || !empty(at->second)) continue;
      return error(scenario::span_of(*home_.file(), assertion.that), "never-holds",
                   "the assertion does not hold when those before it do", shown(bound.path, known, false) + " then");
    }
  }
}

// A `when` that what has passed before decides.
void Binder::decided(const scenario::Condition& when) {
  if (when.expression.empty()) return;
  const auto& paths = expr::references(when.expression);
  const bool of_steps =
      std::any_of(paths.begin(), paths.end(), [](const auto& path) { return path.parts[0].name == "steps"; });
  std::string because;
  const auto held = of_steps ? in_ranges(when, nullptr, {}, because) : std::nullopt;
  if (!held) return;
  const source::Span place = scenario::span_of(*home_.file(), when);
  if (*held) {
    shared_.diagnostics.warning(home_.file(), place, "always-true", "the condition always holds",
                                because + " here; remove `when`");
  } else {
    const bool of_status = because.find(".exit_code`") != std::string::npos;
    shared_.diagnostics.warning(home_.file(), place, "never-runs", "the step never runs: its condition never holds",
                                because + " here, as a step that fails ends the run" +
                                    (of_status ? "; an assertion of its own lets that step pass with another status, "
                                                 "as in `outputs.exit_code in [0, 1]`"
                                               : ""));
  }
}

}  // namespace failover::plan
