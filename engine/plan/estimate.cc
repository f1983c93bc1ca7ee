#include <algorithm>
#include <utility>

#include "engine/base/costs.h"
#include "engine/plan/known.h"
#include "engine/plan/plan.h"

namespace failover::plan {
namespace {

using base::Duration;
using base::Money;
using base::Value;

// Long enough for every limit, and twice that is still a Duration.
constexpr Duration kForever = std::chrono::hours(24 * 365 * 100);

Duration sum_of(Duration a, Duration b) { return std::min(std::min(a, kForever) + std::min(b, kForever), kForever); }

void add(plugin::Span& sum, const plugin::Span& more) {
  sum.best = sum_of(sum.best, more.best);
  sum.expected = sum_of(sum.expected, more.expected);
  sum.worst = sum_of(sum.worst, more.worst);
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
  Estimator(const Plan& plan, const Value::Map& inputs, const Limits& limits, const Past& past)
      : plan_(plan), inputs_(inputs), limits_(limits), past_(past) {}

  Estimate run() {
    for (const auto* section : {&plan_.preflight, &plan_.steps, &plan_.finally}) all(*section, inputs_);
    finish();
    return std::move(out_);
  }

 private:
  Before before(const Value::Map& inputs) {
    Before out(inputs);
    out.work_left = &work_left_;
    return out;
  }

  // What a type states, and what its past says instead. The worst is the step's timeout and nothing less: what is
  // reserved relies on it.
  plugin::Estimate timed(const Step& step, const Value::Map& inputs) {
    auto stated = step.type->estimate(known_inputs(step, before(inputs)));
    plugin::Estimate out = stated ? *stated : plugin::Estimate{};
    plugin::Span& time = out.time;
    std::string from = "stated: no history";
    if (const auto seen = past_.took ? past_.took(prefix_ + step.id, step.type->name) : std::nullopt) {
      time.best = seen->certain ? seen->low : std::min(time.best, seen->low);
      time.expected = seen->median;
      from = seen->from;
    }
    time.worst = timeout_of(step, inputs);
    time.expected = std::min(time.expected, time.worst);
    time.best = std::min(time.best, time.expected);
    out_.steps.insert_or_assign(prefix_ + step.id, StepTime{time, std::move(from)});
    return out;
  }

  void all(const std::vector<Step>& steps, const Value::Map& inputs) {
    for (const auto& step : steps) visit(step, inputs);
  }

  // Once, or once for each element, so many side by side as the author allows.
  void visit(const Step& step, const Value::Map& inputs) {
    if (!step.written->foreach) return once(step, inputs);
    const auto elements = known(*step.written->foreach, before(inputs));
    const auto* list = elements ? elements->list() : nullptr;
    if (list == nullptr) {
      out_.reasons.push_back(step.id + ": how many elements `foreach` has is not known before the run; one is counted");
      once(step, inputs);
      unbounded(step);
      return;
    }
    constexpr std::size_t kMostCounted = 1000;
    const std::size_t count = std::min(list->size(), kMostCounted);
    const std::size_t together =
        step.written->max_parallel
            ? std::max<std::size_t>(1, static_cast<std::size_t>(step.written->max_parallel->value))
            : 1;
    for (std::size_t i = 0; i < count && calls_left_ > 0; i += together) {
      const std::size_t now = std::min(together, count - i);
      abreast(now, latest, [&](std::size_t) {
        if (calls_left_ > 0) once(step, inputs);
      });
    }
    if (list->size() > kMostCounted || calls_left_ == 0) unbounded(step);
  }

  // More calls than are counted: what they take and rent ends at the hard limits alone.
  void unbounded(const Step& step) {
    now_.worst = std::max(now_.worst, limits_.duration);
    std::vector<const Step*> inside;
    flatten(step.steps, inside);
    for (const auto& branch : step.branches) flatten(branch.steps, inside);
    inside.push_back(&step);
    for (const Step* one : inside) unpriced_ = unpriced_ || (one->type != nullptr && !one->type->priced_by.empty());
  }

  void once(const Step& step, const Value::Map& inputs) {
    const plugin::Span start = now_;
    switch (step.shape) {
      case Step::Shape::call: call(step, inputs); break;
      case Step::Shape::group: all(step.steps, inputs); break;
      case Step::Shape::composite: composite(step, inputs); break;
      case Step::Shape::branches:
        abreast(step.branches.size(), step.written->wait == scenario::Wait::first ? earliest : latest,
                [&](std::size_t i) { all(step.branches[i].steps, inputs); });
        break;
    }
    if (step.shape == Step::Shape::call || !step.written->timeout) return;
    const Duration most = timeout_of(step, inputs);
    now_.worst = std::min(now_.worst, sum_of(start.worst, most));
    now_.expected = std::min(now_.expected, sum_of(start.expected, most));
    now_.best = std::min(now_.best, sum_of(start.best, most));
  }

  void composite(const Step& step, const Value::Map& inputs) {
    const std::string around = std::exchange(prefix_, prefix_ + step.id + ".");
    all(step.steps, arguments(step, inputs));
    prefix_ = around;
  }

  // Side by side from the same moment: `join` says when it is over. What all of them hold is held together.
  template <class One>
  void abreast(std::size_t count, plugin::Span (*join)(const plugin::Span&, const plugin::Span&), One one) {
    if (count == 1) return one(0);
    const plugin::Span start = now_;
    const std::vector<Held> before = held_;
    const Most most_before = out_.most;
    const Most at_start = load(before);
    Most most = at_start;
    std::vector<Held> after = before;
    std::optional<plugin::Span> end;
    for (std::size_t i = 0; i < count; ++i) {
      now_ = start;
      held_ = before;
      out_.most = at_start;
      one(i);
      end = end ? join(*end, now_) : now_;
      most.machines += out_.most.machines - at_start.machines;
      most.per_hour = base::sum_of(most.per_hour, out_.most.per_hour - at_start.per_hour);
      const auto gone = [&](const Held& held) { return is_in(held, before) && !is_in(held, held_); };
      after.erase(std::remove_if(after.begin(), after.end(), gone), after.end());
      std::copy_if(held_.begin(), held_.end(), std::back_inserter(after),
                   [&](const Held& held) { return !is_in(held, before); });
    }
    now_ = end.value_or(start);
    held_ = std::move(after);
    out_.most = most.per_hour > most_before.per_hour ? most : most_before;
  }

  void call(const Step& step, const Value::Map& inputs) {
    calls_left_ -= std::min<std::size_t>(calls_left_, 1);
    const plugin::Estimate figures = timed(step, inputs);
    if (figures.quotes) quotes_[step.home][step.id] = {*figures.quotes, figures.model};
    if (!step.type->priced_by.empty()) {
      Rental rental;
      rental.step = prefix_ + step.id;
      rental.kind = step.type->holds.empty() ? std::string() : step.type->holds.front();
      if (const Quote* quote = quote_of(step)) {
        rental.ceiling = quote->ceiling;
        rental.model = quote->model;
        hold({out_.rentals.size(), *rental.ceiling});
      }
      out_.rentals.push_back(std::move(rental));
      billed_.push_back({now_, std::nullopt, step.id, step.home});
    }
    add(now_, figures.time);
    if (!step.type->frees.empty()) free(step);
  }

  struct Quote {
    Money ceiling;
    std::string model;
  };
  [[nodiscard]] const Quote* quote_of(const Step& step) const {
    const scenario::Given* offer = step.given(step.type->priced_by);
    const auto here = quotes_.find(step.home);
    if (offer == nullptr || here == quotes_.end()) return nullptr;
    for (const auto& id : steps_behind(*offer)) {
      if (const auto quote = here->second.find(id); quote != here->second.end()) return &quote->second;
    }
    return nullptr;
  }

  void free(const Step& step) {
    const scenario::Given* named = step.given(step.type->frees);
    if (named == nullptr) return;
    for (const auto& id : steps_behind(*named)) {
      for (std::size_t i = 0; i < billed_.size(); ++i) {
        if (billed_[i].step != id || billed_[i].home != step.home || billed_[i].until) continue;
        billed_[i].until = now_;
        held_.erase(std::remove_if(held_.begin(), held_.end(), [&](const Held& held) { return held.rental == i; }),
                    held_.end());
      }
    }
  }

  // --- what is held at once ---

  struct Held {
    std::size_t rental;  // its place in out_.rentals
    Money ceiling;
  };
  // In the order of their rentals, wherever they are kept.
  static bool is_in(const Held& held, const std::vector<Held>& all) {
    return std::binary_search(all.begin(), all.end(), held,
                              [](const Held& a, const Held& b) { return a.rental < b.rental; });
  }
  static Most load(const std::vector<Held>& all) {
    Most out;
    for (const auto& held : all) {
      ++out.machines;
      out.per_hour = base::sum_of(out.per_hour, held.ceiling);
    }
    return out;
  }
  void hold(const Held& held) {
    held_.push_back(held);
    if (const Most now = load(held_); now.per_hour > out_.most.per_hour) out_.most = now;
  }

  // --- the sums ---

  void finish() {
    out_.time = now_;
    out_.least = now_.best;
    out_.time.worst = std::min(out_.time.worst, limits_.duration);
    out_.time.expected = std::min(out_.time.expected, limits_.duration);
    out_.time.best = std::min(out_.time.best, out_.time.expected);
    for (std::size_t i = 0; i < out_.rentals.size(); ++i) {
      out_.rentals[i].time = difference(billed_[i].until.value_or(now_), billed_[i].from);
      price(out_.rentals[i]);
    }
    if (unpriced_) out_.cost.worst = std::max(out_.cost.worst, limits_.cost);
    if (out_.cost.worst > limits_.cost) {
      out_.cost.worst = limits_.cost;
      out_.reasons.push_back("worst: capped by limits.cost " + base::format(limits_.cost) +
                             ", which is reserved before each rental");
    }
    out_.reasons.push_back(
        "time: the journey's, without giving back; worst is each step's timeout, and limits.duration " +
        base::in_short(limits_.duration) + " in all");
  }

  void price(Rental& rental) {
    rental.time.worst = std::min(rental.time.worst, limits_.duration + Limits::cleanup_margin);
    if (!rental.ceiling) {
      unpriced_ = true;
      out_.reasons.push_back(rental.step + ": no earlier step quotes a price, so its cost is in the worst alone");
      return;
    }
    const Money most = *rental.ceiling;
    // Without a history of prices: offers start well below a ceiling. A quarter and a half are stated, not measured.
    Money best{most.micros / 4};
    Money expected{most.micros / 2};
    std::string from = "stated as half of the ceiling: no history";
    if (const auto paid = past_.paid && !rental.model.empty() ? past_.paid(rental.model) : std::nullopt) {
      expected = std::min(paid->median, most);
      best = std::min(paid->certain ? paid->low : std::min(paid->low, best), expected);
      from = paid->from;
    }
    rental.cost.best = base::cost_of(best, rental.time.best);
    rental.cost.expected = base::cost_of(expected, rental.time.expected);
    rental.cost.worst = base::cost_of(most, rental.time.worst);
    out_.cost.best = base::sum_of(out_.cost.best, rental.cost.best);
    out_.cost.expected = base::sum_of(out_.cost.expected, rental.cost.expected);
    out_.cost.worst = base::sum_of(out_.cost.worst, rental.cost.worst);
    out_.reasons.push_back(rental.step + ": expected " + base::format(expected) + "/h (" + from + "), at most " +
                           base::format(most) + "/h (the ceiling of its search) for at most " +
                           base::in_short(rental.time.worst));
  }

  const Plan& plan_;
  const Value::Map& inputs_;
  const Limits& limits_;
  const Past& past_;
  Estimate out_;
  plugin::Span now_;                     // since the run's start
  std::string prefix_;                   // of the composites around: `restore.`
  std::int64_t work_left_ = 20'000'000;  // steps of evaluation, as while binding; what is beyond them is not known
  std::size_t calls_left_ = 100'000;  // what a `foreach` runs over is counted as long as there are some: they multiply
  bool unpriced_ = false;
  // Of one file's steps: ids are a file's own.
  std::map<const scenario::Scenario*, std::map<std::string, Quote>> quotes_;
  struct Bill {
    plugin::Span from;
    std::optional<plugin::Span> until;
    std::string step;
    const scenario::Scenario* home;
  };
  std::vector<Bill> billed_;  // as out_.rentals
  std::vector<Held> held_;
};

}  // namespace

Estimate estimate(const Plan& plan, const Value::Map& inputs, const Limits& limits, const Past& past) {
  return Estimator(plan, inputs, limits, past).run();
}

}  // namespace failover::plan
