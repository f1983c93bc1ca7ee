// What only figures can show to be wrong: a scenario's limits against what its steps take and cost.
#include <algorithm>

#include "engine/plan/known.h"

namespace failover::plan {

using base::Duration;
using base::Money;
using base::Value;

namespace {

// Held side by side from the first to the last moment: what the purse will ask for before each rental. One machine
// alone may still be cheap enough on the day, and is refused before anything is spent.
void check_purse(const Plan& plan, const Estimate& figures, const Limits& limits, source::Span place,
                 source::Diagnostics& diagnostics) {
  const auto to_the_end = [&](const Most& most) {
    return base::cost_of(most.per_hour, limits.duration + Limits::cleanup_margin);
  };
  const bool surely = to_the_end(figures.surely) > limits.cost;
  const Most& most = surely ? figures.surely : figures.most;
  if (most.machines == 0 || to_the_end(most) <= limits.cost) return;
  const std::string above = base::format(to_the_end(most)) + ", above the limit of " + base::format(limits.cost);
  const std::string remedy =
      std::string(plan.scenario->cost_limit ? "raise limits.cost" : "write limits.cost, which is this without it") +
      ", lower the ceiling of the price, or shorten limits.duration";
  if (most.machines == 1) {
    diagnostics.warning(
        plan.scenario->file(), place, "ceiling-above-limit",
        "at the ceiling of its price a machine is not rented: until the end of the run it costs " + above, remedy);
    return;
  }
  const std::string machines =
      std::to_string(most.machines) + " machines at their highest price until the end of the run cost " + above;
  const char* kept = figures.in_doubt ? "; a machine counts as held where only a `when` or a list that the run "
                                        "decides, or one branch of a race, gives it back"
                                      : "";
  if (surely) {
    diagnostics.error(plan.scenario->file(), place, "rentals-above-limit", machines, remedy);
  } else {
    diagnostics.warning(plan.scenario->file(), place, "rentals-may-exceed-limit",
                        machines + ": which of them there are only the run knows", remedy + kept);
  }
}

// A rental for each element of a list that only the run knows, and nobody has said what it may cost.
void check_counted(const Plan& plan, const Value::Map& inputs, const Limits& limits, source::Diagnostics& diagnostics) {
  for (const Step* step : plan.in_order()) {
    const auto& list = step->written->foreach;
    if (!list || list->node == nullptr || list->kind == scenario::Given::Kind::list) continue;
    if (known(*list, step->home == plan.scenario.get() ? inputs : Value::Map{})) continue;
    std::vector<const Step*> inside{step};
    flatten(step->steps, inside);
    for (const auto& branch : step->branches) flatten(branch.steps, inside);
    const bool rents = std::any_of(inside.begin(), inside.end(), [](const Step* one) {
      return one->type != nullptr && !one->type->priced_by.empty();
    });
    if (!rents) continue;
    diagnostics.warning(step->home->file(), list->node->span, "rentals-not-counted",
                        "a machine for each element of a list that only the run knows: it ends where the money does, " +
                            base::format(limits.cost),
                        "write limits.cost, or name the elements: [\"${{ steps.ID.offers[0].id }}\", ...]");
  }
}

}  // namespace

void check_money(const Plan& plan, const Value::Map& inputs, const Limits& limits, source::Diagnostics& diagnostics) {
  const auto& file = plan.scenario->file();
  const Estimate figures = estimate(plan, inputs, limits);
  const auto cost_place = plan.scenario->cost_limit && plan.scenario->cost_limit->node != nullptr
                              ? plan.scenario->cost_limit->node->span
                              : plan.scenario->name.span;
  if (figures.cost.best > limits.cost) {
    diagnostics.error(
        file, cost_place, "limit-below-best-case",
        "the limit of " + base::format(limits.cost) + " is below the best case of " + base::format(figures.cost.best),
        "raise limits.cost, or lower the ceiling of the price");
  } else {
    check_purse(plan, figures, limits, cost_place, diagnostics);
  }
  if (!figures.rentals.empty() && figures.least > limits.duration && plan.scenario->duration_limit) {
    const auto& node = plan.scenario->duration_limit->node;
    diagnostics.warning(file, node != nullptr ? node->span : plan.scenario->name.span, "seldom-meant",
                        "`duration` is " + base::format(limits.duration) + ", and the journey takes at best " +
                            base::format(figures.least) + " on machines that are rented",
                        "give it more time");
  }
  if (!plan.scenario->cost_limit) check_counted(plan, inputs, limits, diagnostics);
  for (const Step* step : plan.in_order()) {
    if (!step->written->timeout) continue;
    const Duration timeout = timeout_of(*step, step->home == plan.scenario.get() ? inputs : Value::Map{});
    if (timeout > limits.duration && timeout != Duration::max()) {
      diagnostics.error(step->home->file(), step->written->timeout->node->span, "timeout-above-limit",
                        "a timeout of " + base::format(timeout) + " is longer than the whole run may take (" +
                            base::format(limits.duration) + ")",
                        "shorten it, or raise limits.duration");
    }
  }
}

}  // namespace failover::plan
