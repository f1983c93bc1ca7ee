// Parts of an expression that are the same on every run: what would fail then is found offline.
#include <cstdint>
#include <utility>

#include "engine/expr/check.h"
#include "engine/expr/evaluate.h"

namespace failover::expr {
namespace {

const Values kNoValues;

}  // namespace

void Checker::constants() {
  for (const Node* node : constants_) fails(*node);
  for (const Node* node : patterns_) pattern(*node);
  for (const Node* node : divisors_) {
    Evaluator evaluator(kNoValues);
    const auto value = evaluator.eval(*node);
    if (!value) continue;
    const auto* i = (*value)->get<std::int64_t>();
    const auto* u = (*value)->get<std::uint64_t>();
    if ((i != nullptr && *i == 0) || (u != nullptr && *u == 0)) {
      problem(all(*node), "cannot-compute", "this divides by zero", "an integer divided by 0 is an error");
    }
  }
}

// matches() with a pattern that is put together: read like a literal one.
void Checker::pattern(const Node& node) {
  if (!may_work()) return;
  Evaluator evaluator(kNoValues);
  const auto value = evaluator.eval(node);
  worked(evaluator.spent());
  const auto* text = value ? (*value)->text() : nullptr;
  if (text == nullptr) return;
  readable(node, Pattern(*text));
}

// Says of a pattern that it is none. Compiling all that a file may hold could take minutes.
void Checker::readable(const Node& node, const Pattern& pattern) {
  std::int64_t* left = scope_.patterns_left;
  constexpr std::int64_t kSaid = INT64_MIN;  // once is enough
  if (left != nullptr && *left <= 0) {
    if (std::exchange(*left, kSaid) == kSaid) return;
    return problem(all(node), "too-large", "the regular expressions up to here are too large to be looked at",
                   "write simpler ones, or fewer: `{1000}` multiplies what stands before it");
  }
  if (left != nullptr) *left -= pattern.compile();
  if (pattern.compiled().ok()) return;
  Budget budget(kMostSteps);
  problem(all(node), "bad-literal", match(base::Value(""), pattern, budget).error().message);
}

// What a file's expressions take together is bounded, as each one is: what is beyond it is not looked at.
bool Checker::may_work() const { return scope_.work_left == nullptr || *scope_.work_left > 0; }

void Checker::worked(std::int64_t steps) {
  if (scope_.work_left != nullptr) *scope_.work_left -= steps;
}

void Checker::fails(const Node& node) {
  if (!may_work()) return;
  Evaluator evaluator(kNoValues);
  const auto value = evaluator.eval(node);
  worked(evaluator.spent());
  if (value) return;
  // The smallest part that is to blame.
  for (const Node* arg : node.args) {
    Evaluator inside(kNoValues);
    if (arg->kind != Node::Kind::literal && !inside.eval(*arg)) return fails(*arg);
  }
  if (node.kind == Node::Kind::index && value.error().code == "index_out_of_range") {
    Evaluator list(kNoValues);
    Evaluator key(kNoValues);
    const auto of = list.eval(*node.args[0]);
    const auto at = key.eval(*node.args[1]);
    const auto* index = at ? (*at)->get<std::int64_t>() : nullptr;
    if (of && index != nullptr && *index >= 0) {
      const auto length = static_cast<std::int64_t>((*of)->list()->size());
      return no_place(*node.args[1], *index, {length, length});
    }
  }
  problem(all(node), "cannot-compute", "this cannot be computed: " + value.error().message,
          "no input or output takes part in it: it is the same on every run");
}

}  // namespace failover::expr
