// What a plan may make, and what stands between each such thing and its being left behind (leak-safety.md, "Four
// walls").
#include <set>

#include "engine/base/text.h"
#include "engine/plan/plan.h"

namespace failover::plan {
namespace {

using base::Value;

struct Wall {
  std::string name;
  std::string words;
};

// The two first ones stand for every kind.
std::vector<Wall> walls_of(const plugin::Kind& kind) {
  std::vector<Wall> out{{"run", "the run itself, whatever ends it"},
                        {"journal", "a reaper, every later `failover run`, `failover cleanup`"}};
  if (kind.find) out.push_back({"label", "`failover cleanup --expired`, from any machine with the account's key"});
  if (!kind.timer.empty()) out.push_back({"timer", kind.timer});
  return out;
}

// What only a failure runs may make things too.
void note_held(const std::vector<Step>& steps, std::set<std::string>& held) {
  for (const auto& step : steps) {
    if (step.type != nullptr) held.insert(step.type->holds.begin(), step.type->holds.end());
    note_held(step.steps, held);
    note_held(step.on_failure, held);
    for (const auto& branch : step.branches) note_held(branch.steps, held);
  }
}

std::string missing_of(const plugin::Kind& kind) {
  std::vector<std::string> out;
  if (!kind.find) out.emplace_back("label");
  if (kind.timer.empty()) out.emplace_back("timer");
  return base::join(out);
}

}  // namespace

std::vector<const plugin::Kind*> kinds_of(const Plan& plan, const plugin::Registry& registry) {
  std::set<std::string> held;
  for (const auto* section : {&plan.preflight, &plan.steps, &plan.finally}) note_held(*section, held);
  std::vector<const plugin::Kind*> out;
  for (const auto& kind : registry.kinds) {
    if (held.count(kind.name) > 0) out.push_back(&kind);
  }
  return out;
}

std::string walls_to_text(const std::vector<const plugin::Kind*>& kinds) {
  std::string out;
  for (const auto* kind : kinds) {
    out += "      " + kind->name + (kind->keepable ? "  (unless kept)" : "") + "\n";
    for (const auto& wall : walls_of(*kind)) out += "        " + wall.name + ": " + wall.words + "\n";
    if (const std::string none = missing_of(*kind); !none.empty()) out += "        without: " + none + "\n";
  }
  return out.empty() ? out : "Given back by\n" + out;
}

Value walls_to_value(const std::vector<const plugin::Kind*>& kinds) {
  Value::List out;
  for (const auto* kind : kinds) {
    Value::Map walls;
    for (const auto& wall : walls_of(*kind)) walls.emplace(wall.name, wall.words);
    out.emplace_back(Value::Map{{"kind", kind->name},
                                {"summary", kind->summary},
                                {"keepable", kind->keepable},
                                {"settle_s", base::seconds(kind->settle)},
                                {"walls", Value(std::move(walls))}});
  }
  return out;
}

}  // namespace failover::plan
