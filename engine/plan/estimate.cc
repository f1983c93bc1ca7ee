#include <algorithm>

#include "engine/plan/known.h"
#include "engine/plan/plan.h"

namespace failover::plan {
namespace {

using base::Duration;
using base::Money;
using base::Value;

struct Timed {
  const Step* step;
  plugin::Estimate estimate;
};

void add(plugin::Span& sum, const plugin::Span& more) {
  sum.best += more.best;
  sum.expected += more.expected;
  sum.worst += more.worst;
}

// One journey through the plan: what each step takes, what is rented when.
class Estimator {
 public:
  Estimator(const Plan& plan, const Value::Map& inputs, const Limits& limits)
      : plan_(plan), file_(*plan.scenario->file()), inputs_(inputs), limits_(limits) {}

  Estimate run() {
    for (const Step* step : plan_.in_order()) visit(*step);
    finish();
    return std::move(out_);
  }

 private:
  plugin::Estimate timed(const Step& step) {
    auto estimate = step.type->estimate(known_inputs(step, file_, inputs_));
    plugin::Estimate out = estimate ? *estimate : plugin::Estimate{};
    const Duration timeout = timeout_of(step, file_, inputs_);
    if (out.time.worst == Duration::zero() || out.time.worst > timeout) out.time.worst = timeout;
    out.time.expected = std::min(out.time.expected, out.time.worst);
    out.time.best = std::min(out.time.best, out.time.expected);
    return out;
  }

  void visit(const Step& step) {
    const plugin::Estimate estimate = timed(step);
    add(out_.time, estimate.time);
    if (estimate.quotes) quotes_[step.id] = *estimate.quotes;
    if (!step.type->priced_by.empty()) {
      Rental rental;
      rental.step = step.id;
      rental.kind = step.type->holds.empty() ? std::string() : step.type->holds.front();
      rental.ceiling = ceiling(step);
      out_.rentals.push_back(std::move(rental));
      billed_.push_back(true);
    }
    for (std::size_t i = 0; i < out_.rentals.size(); ++i) {
      if (billed_[i]) add(out_.rentals[i].time, estimate.time);
    }
    if (!step.type->frees.empty()) free(step);
  }

  std::optional<Money> ceiling(const Step& step) const {
    const scenario::Given* offer = step.given(step.type->priced_by);
    if (offer == nullptr) return std::nullopt;
    for (const auto& id : steps_behind(file_, *offer)) {
      if (const auto quote = quotes_.find(id); quote != quotes_.end()) return quote->second;
    }
    return std::nullopt;
  }

  void free(const Step& step) {
    const scenario::Given* named = step.given(step.type->frees);
    if (named == nullptr) return;
    for (const auto& id : steps_behind(file_, *named)) {
      for (std::size_t i = 0; i < out_.rentals.size(); ++i) {
        if (out_.rentals[i].step == id) billed_[i] = false;
      }
    }
  }

  void finish() {
    const Duration longest = limits_.duration + Limits::cleanup_margin;
    out_.time.worst = std::min(out_.time.worst, limits_.duration);
    out_.time.expected = std::min(out_.time.expected, limits_.duration);
    bool priced = false;
    for (auto& rental : out_.rentals) {
      rental.time.worst = std::min(rental.time.worst, longest);
      if (!rental.ceiling) {
        out_.reasons.push_back(rental.step + ": no earlier step quotes a price, so its cost is not in the estimate");
        continue;
      }
      priced = true;
      // Without a history of prices: offers start well below a ceiling. A quarter and a half are stated, not measured.
      rental.cost.best = base::cost_of(Money{rental.ceiling->micros / 4}, rental.time.best);
      rental.cost.expected = base::cost_of(Money{rental.ceiling->micros / 2}, rental.time.expected);
      rental.cost.worst = base::cost_of(*rental.ceiling, rental.time.worst);
      out_.cost.best = out_.cost.best + rental.cost.best;
      out_.cost.expected = out_.cost.expected + rental.cost.expected;
      out_.cost.worst = out_.cost.worst + rental.cost.worst;
      out_.reasons.push_back(rental.step + ": at most " + base::format(*rental.ceiling) + "/h for at most " +
                             base::format(rental.time.worst));
    }
    if (priced) {
      out_.reasons.push_back(
          "price: worst is the ceiling, expected half of it, best a quarter (no history is used yet)");
    }
    if (out_.cost.worst > limits_.cost) {
      out_.cost.worst = limits_.cost;
      out_.reasons.push_back("worst: capped by limits.cost " + base::format(limits_.cost) +
                             ", which is reserved before each rental");
    }
    out_.reasons.push_back("time: from each step type; worst is its timeout, and limits.duration " +
                           base::format(limits_.duration) + " in all");
  }

  const Plan& plan_;
  const source::File& file_;
  const Value::Map& inputs_;
  const Limits& limits_;
  Estimate out_;
  std::map<std::string, Money> quotes_;
  std::vector<bool> billed_;
};

}  // namespace

std::optional<Value> known(const source::File& file, const scenario::Given& given, const Value::Map& inputs) {
  for (const auto& reference : scenario::references(file, given)) {
    if (reference.path.parts.front().name != "inputs") return std::nullopt;
  }
  auto value = scenario::evaluate(given, {{"inputs", Value(inputs)}});
  if (!value) return std::nullopt;
  return *std::move(value);
}

Value known_inputs(const Step& step, const source::File& file, const Value::Map& inputs) {
  Value::Map out;
  for (const auto& [input, given] : step.with) {
    if (auto value = known(file, given, inputs)) out.emplace(input->name, *std::move(value));
  }
  return out;
}

std::vector<std::string> steps_behind(const source::File& file, const scenario::Given& given) {
  std::vector<std::string> out;
  for (const auto& reference : scenario::references(file, given)) {
    const auto& parts = reference.path.parts;
    if (parts.size() > 1 && parts[0].name == "steps") out.push_back(parts[1].name);
  }
  return out;
}

Duration timeout_of(const Step& step, const source::File& file, const Value::Map& inputs) {
  if (!step.written->timeout) return step.type->timeout;
  const auto value = known(file, *step.written->timeout, inputs);
  const auto* time = value ? value->get<Duration>() : nullptr;
  return time == nullptr ? step.type->timeout : *time;
}

Estimate estimate(const Plan& plan, const Value::Map& inputs, const Limits& limits) {
  return Estimator(plan, inputs, limits).run();
}

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
  }
  // Held side by side from the first to the last moment: what the purse will ask for before each rental.
  const Duration longest = limits.duration + Limits::cleanup_margin;
  std::vector<std::pair<std::string, Money>> held;
  std::size_t next = 0;
  for (const Step* step : plan.in_order()) {
    if (!step->type->priced_by.empty() && next < figures.rentals.size()) {
      const Rental& rental = figures.rentals[next++];
      if (rental.ceiling) held.emplace_back(rental.step, *rental.ceiling);
      Money together;
      for (const auto& [id, price] : held) together = together + base::cost_of(price, longest);
      if (held.size() > 1 && together > limits.cost) {
        diagnostics.error(file, cost_place, "rentals-above-limit",
                          std::to_string(held.size()) +
                              " machines at their highest price until the end of the run cost " +
                              base::format(together) + ", above the limit of " + base::format(limits.cost),
                          "raise limits.cost, lower the ceiling of the price, or shorten limits.duration");
        return;
      }
    }
    if (step->type->frees.empty()) continue;
    if (const scenario::Given* named = step->given(step->type->frees)) {
      for (const auto& id : steps_behind(*file, *named)) {
        held.erase(std::remove_if(held.begin(), held.end(), [&](const auto& one) { return one.first == id; }),
                   held.end());
      }
    }
  }
  for (const Step* step : plan.in_order()) {
    if (!step->written->timeout) continue;
    const Duration timeout = timeout_of(*step, *file, inputs);
    if (timeout > limits.duration) {
      diagnostics.error(file, step->written->timeout->node->span, "timeout-above-limit",
                        "a timeout of " + base::format(timeout) + " is longer than the whole run may take (" +
                            base::format(limits.duration) + ")",
                        "shorten it, or raise limits.duration");
    }
  }
}

}  // namespace failover::plan
