#include <algorithm>

#include "engine/plan/known.h"
#include "engine/plan/plan.h"

namespace failover::plan {
namespace {

using base::Duration;
using base::Money;
using base::Value;

void add(plugin::Span& sum, const plugin::Span& more) {
  sum.best += more.best;
  sum.expected += more.expected;
  sum.worst += more.worst;
}

plugin::Span difference(const plugin::Span& late, const plugin::Span& early) {
  return {late.best - early.best, late.expected - early.expected, late.worst - early.worst};
}

plugin::Span latest(const plugin::Span& a, const plugin::Span& b) {
  return {std::max(a.best, b.best), std::max(a.expected, b.expected), std::max(a.worst, b.worst)};
}

// The first to pass: it may be the quickest, and at worst all but the slowest fail.
plugin::Span earliest(const plugin::Span& a, const plugin::Span& b) {
  return {std::min(a.best, b.best), std::min(a.expected, b.expected), std::max(a.worst, b.worst)};
}

// One journey through the plan: what each step takes, what is rented when.
class Estimator {
 public:
  Estimator(const Plan& plan, const Value::Map& inputs, const Limits& limits)
      : plan_(plan), inputs_(inputs), limits_(limits) {}

  Estimate run() {
    for (const auto* section : {&plan_.preflight, &plan_.steps, &plan_.finally}) all(*section, inputs_);
    finish();
    return std::move(out_);
  }

 private:
  plugin::Estimate timed(const Step& step, const Value::Map& inputs) {
    auto estimate = step.type->estimate(known_inputs(step, inputs));
    plugin::Estimate out = estimate ? *estimate : plugin::Estimate{};
    const Duration timeout = timeout_of(step, inputs);
    if (out.time.worst == Duration::zero() || out.time.worst > timeout) out.time.worst = timeout;
    out.time.expected = std::min(out.time.expected, out.time.worst);
    out.time.best = std::min(out.time.best, out.time.expected);
    return out;
  }

  void all(const std::vector<Step>& steps, const Value::Map& inputs) {
    for (const auto& step : steps) visit(step, inputs);
  }

  // Once, or once for each element, so many side by side as the author allows.
  void visit(const Step& step, const Value::Map& inputs) {
    if (!step.written->foreach) return once(step, inputs);
    const auto elements = known(*step.written->foreach, inputs);
    const auto* list = elements ? elements->list() : nullptr;
    if (list == nullptr) {
      out_.reasons.push_back(step.id + ": how many elements `foreach` has is not known before the run; one is counted");
      return once(step, inputs);
    }
    constexpr std::size_t kMostCounted = 1000;
    const std::size_t count = std::min(list->size(), kMostCounted);
    const std::size_t together =
        step.written->max_parallel ? static_cast<std::size_t>(step.written->max_parallel->value) : 1;
    for (std::size_t i = 0; i < count; i += together) {
      const plugin::Span start = now_;
      plugin::Span end = start;
      for (std::size_t k = i; k < std::min(count, i + together); ++k) {
        now_ = start;
        once(step, inputs);
        end = latest(end, now_);
      }
      now_ = end;
    }
  }

  void once(const Step& step, const Value::Map& inputs) {
    const plugin::Span start = now_;
    switch (step.shape) {
      case Step::Shape::call: call(step, inputs); break;
      case Step::Shape::group: all(step.steps, inputs); break;
      case Step::Shape::composite: all(step.steps, arguments(step, inputs)); break;
      case Step::Shape::branches: side_by_side(step, inputs); break;
    }
    if (step.shape == Step::Shape::call || !step.written->timeout) return;
    const Duration most = timeout_of(step, inputs);
    now_.worst = std::min(now_.worst, start.worst + most);
    now_.expected = std::min(now_.expected, start.expected + most);
    now_.best = std::min(now_.best, start.best + most);
  }

  void side_by_side(const Step& step, const Value::Map& inputs) {
    const plugin::Span start = now_;
    std::optional<plugin::Span> end;
    for (const auto& branch : step.branches) {
      now_ = start;
      all(branch.steps, inputs);
      end = !end ? now_ : step.written->wait == scenario::Wait::first ? earliest(*end, now_) : latest(*end, now_);
    }
    now_ = end.value_or(start);
  }

  void call(const Step& step, const Value::Map& inputs) {
    const plugin::Estimate estimate = timed(step, inputs);
    if (estimate.quotes) quotes_[step.home][step.id] = *estimate.quotes;
    if (!step.type->priced_by.empty()) {
      Rental rental;
      rental.step = step.id;
      rental.kind = step.type->holds.empty() ? std::string() : step.type->holds.front();
      rental.ceiling = ceiling(step);
      out_.rentals.push_back(std::move(rental));
      billed_.push_back({now_, std::nullopt, step.home});
    }
    add(now_, estimate.time);
    if (!step.type->frees.empty()) free(step);
  }

  std::optional<Money> ceiling(const Step& step) const {
    const scenario::Given* offer = step.given(step.type->priced_by);
    if (offer == nullptr) return std::nullopt;
    const auto here = quotes_.find(step.home);
    if (here == quotes_.end()) return std::nullopt;
    for (const auto& id : steps_behind(*offer)) {
      if (const auto quote = here->second.find(id); quote != here->second.end()) return quote->second;
    }
    return std::nullopt;
  }

  void free(const Step& step) {
    const scenario::Given* named = step.given(step.type->frees);
    if (named == nullptr) return;
    for (const auto& id : steps_behind(*named)) {
      for (std::size_t i = 0; i < out_.rentals.size(); ++i) {
        if (out_.rentals[i].step == id && billed_[i].home == step.home && !billed_[i].until) billed_[i].until = now_;
      }
    }
  }

  void finish() {
    const Duration longest = limits_.duration + Limits::cleanup_margin;
    out_.time = now_;
    for (std::size_t i = 0; i < out_.rentals.size(); ++i) {
      out_.rentals[i].time = difference(billed_[i].until.value_or(now_), billed_[i].from);
    }
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
  const Value::Map& inputs_;
  const Limits& limits_;
  Estimate out_;
  plugin::Span now_;  // since the run's start
  // Of one file's steps: ids are a file's own.
  std::map<const scenario::Scenario*, std::map<std::string, Money>> quotes_;
  struct Bill {
    plugin::Span from;
    std::optional<plugin::Span> until;
    const scenario::Scenario* home;
  };
  std::vector<Bill> billed_;  // as out_.rentals
};

}  // namespace

std::optional<Value> known(const scenario::Given& given, const Value::Map& inputs) {
  bool inputs_only = true;
  scenario::each_reference(given, [&](const scenario::Reference& reference) {
    inputs_only = inputs_only && reference.path.parts.front().name == "inputs";
  });
  if (!inputs_only) return std::nullopt;
  auto value = scenario::evaluate(given, {{"inputs", Value(inputs)}});
  if (!value) return std::nullopt;
  return *std::move(value);
}

Value known_inputs(const Step& step, const Value::Map& inputs) {
  Value::Map out;
  for (const auto& [input, given] : step.with) {
    if (auto value = known(given, inputs)) out.emplace(input->name, *std::move(value));
  }
  return out;
}

Value::Map arguments(const Step& step, const Value::Map& inputs) {
  Value::Map out;
  for (const auto& input : step.fragment->inputs) {
    const auto given = std::find_if(step.arguments.begin(), step.arguments.end(),
                                    [&](const auto& one) { return one.first == &input; });
    if (given == step.arguments.end()) {
      if (input.fallback) out.emplace(input.name.value, *input.fallback);
    } else if (auto value = known(given->second, inputs)) {
      out.emplace(input.name.value, *std::move(value));
    }
  }
  return out;
}

std::vector<std::string> steps_behind(const scenario::Given& given) {
  std::vector<std::string> out;
  scenario::each_reference(given, [&](const scenario::Reference& reference) {
    const auto& parts = reference.path.parts;
    if (parts.size() > 1 && parts[0].name == "steps") out.push_back(parts[1].name);
  });
  return out;
}

Duration timeout_of(const Step& step, const Value::Map& inputs) {
  const Duration own = step.type == nullptr ? Duration::max() : step.type->timeout;
  if (!step.written->timeout) return own;
  const auto value = known(*step.written->timeout, inputs);
  const auto* time = value ? value->get<Duration>() : nullptr;
  return time == nullptr ? own : *time;
}

Estimate estimate(const Plan& plan, const Value::Map& inputs, const Limits& limits) {
  return Estimator(plan, inputs, limits).run();
}

namespace {

// Held side by side from the first to the last moment: what the purse will ask for before each rental.
void check_purse(const Plan& plan, const Estimate& figures, const Limits& limits, source::Span place,
                 source::Diagnostics& diagnostics) {
  const Duration longest = limits.duration + Limits::cleanup_margin;
  std::vector<std::pair<std::string, Money>> held;
  std::size_t next = 0;
  for (const Step* step : plan.in_order()) {
    if (step->type == nullptr) continue;
    if (!step->type->priced_by.empty() && next < figures.rentals.size()) {
      const Rental& rental = figures.rentals[next++];
      if (rental.ceiling) held.emplace_back(rental.step, *rental.ceiling);
      Money together;
      for (const auto& [id, price] : held) together = together + base::cost_of(price, longest);
      if (held.size() > 1 && together > limits.cost) {
        diagnostics.error(plan.scenario->file(), place, "rentals-above-limit",
                          std::to_string(held.size()) +
                              " machines at their highest price until the end of the run cost " +
                              base::format(together) + ", above the limit of " + base::format(limits.cost),
                          "raise limits.cost, lower the ceiling of the price, or shorten limits.duration");
        return;
      }
    }
    if (step->type->frees.empty()) continue;
    if (const scenario::Given* named = step->given(step->type->frees)) {
      for (const auto& id : steps_behind(*named)) {
        held.erase(std::remove_if(held.begin(), held.end(), [&](const auto& one) { return one.first == id; }),
                   held.end());
      }
    }
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
  }
  check_purse(plan, figures, limits, cost_place, diagnostics);
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
