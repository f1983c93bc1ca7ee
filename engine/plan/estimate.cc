#include <algorithm>
#include <utility>

#include "engine/base/costs.h"
#include "engine/plan/known.h"
#include "engine/plan/meaning.h"
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

// What is counted although it may not come to be.
struct Doubt {
  bool rents = false;  // below a `when` that is not known
  bool frees = false;  // or in a loop that may have no round
  bool fails = false;  // what must fail gives nothing back
};

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

  // What its `when` leaves out is not there. Where that is not known, the journey is at best without it, and at worst
  // it rents and gives nothing back.
  void visit(const Step& step, const Value::Map& inputs) {
    const auto yes = wanted(step, before(inputs));
    if (yes && !*yes) return;
    const Doubt around = doubt_;
    const Duration best = now_.best;
    if (!yes) doubt_.rents = doubt_.frees = true;
    if (step.written->must_fail && step.written->must_fail->value) doubt_.fails = true;
    rounds(step, inputs);
    if (!yes) now_.best = best;
    doubt_ = around;
  }

  // Once, or once for each element, so many side by side as the author allows.
  void rounds(const Step& step, const Value::Map& inputs) {
    if (!step.written->foreach) return once(step, inputs);
    const scenario::Given& over = *step.written->foreach;
    const auto elements = known(over, before(inputs));
    const auto* list = elements ? elements->list() : nullptr;
    const bool written = over.kind == scenario::Given::Kind::list;
    const Meaning around = meaning_;
    if (list == nullptr && !written) {
      out_.reasons.push_back(step.id + ": how many elements `foreach` has is not known before the run; one is counted");
      round(step, inputs, over, false, true);
      meaning_.leave_round(around);
      unbounded(step);
      return;
    }
    constexpr std::size_t kMostCounted = 1000;
    const std::size_t all = list != nullptr ? list->size() : over.items.size();
    const std::size_t count = std::min(all, kMostCounted);
    const std::size_t together =
        step.written->max_parallel
            ? std::max<std::size_t>(1, static_cast<std::size_t>(step.written->max_parallel->value))
            : 1;
    for (std::size_t i = 0; i < count && calls_left_ > 0; i += together) {
      const std::size_t now = std::min(together, count - i);
      abreast(now, false, [&](std::size_t k) {
        if (calls_left_ == 0) return;
        if (written && i + k < over.items.size()) {
          const scenario::Given& element = over.items[i + k];
          round(step, inputs, element, names_one(element), doubt_.frees);
        } else {
          once(step, inputs);
        }
      });
    }
    meaning_.leave_round(around);
    if (all > kMostCounted || calls_left_ == 0) unbounded(step);
  }

  // `each` stands for this; or, where that is not sure, for something in it. `doubtful`: there may be no round at all.
  void round(const Step& step, const Value::Map& inputs, const scenario::Given& element, bool sure, bool doubtful) {
    const bool around = std::exchange(doubt_.frees, doubtful);
    const bool each = std::exchange(each_sure_, sure);
    meaning_.enter_round(element);
    once(step, inputs);
    each_sure_ = each;
    doubt_.frees = around;
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
        abreast(step.branches.size(), step.written->wait == scenario::Wait::first,
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
    Meaning caller = std::exchange(meaning_, meaning_.inside(step));
    all(step.steps, arguments(step, inputs));
    caller.outputs_of(step, meaning_);
    meaning_ = std::move(caller);
    prefix_ = around;
  }

  // Side by side from the same moment. What all of them hold is held together; of a race only what each of them has
  // given back is surely gone.
  template <class One>
  void abreast(std::size_t count, bool race, One one) {
    if (count == 0) return;
    if (count == 1) return one(0);
    const plugin::Span start = now_;
    const std::vector<Held> before = held_;
    const std::vector<Bill> billed = billed_;
    const Load most_before = most_;
    const Load at_start = load(before);
    Load most = at_start;
    std::vector<Held> after;
    std::vector<std::size_t> gone(before.size());  // in so many of them
    std::vector<bool> sure(before.size(), true);
    std::vector<Ends> ends(billed.size());
    std::vector<std::size_t> ended(billed.size());
    std::optional<plugin::Span> end;
    const std::vector<std::size_t> around = beside_;
    for (std::size_t i = 0; i < count; ++i) {
      now_ = start;
      held_ = before;
      most_ = at_start;
      std::copy(billed.begin(), billed.end(), billed_.begin());
      one(i);
      const bool quicker = !end || now_.expected < end->expected;
      end = !end ? now_ : race ? earliest(*end, now_) : latest(*end, now_);
      for (std::size_t k = 0; k < billed.size(); ++k) {
        const auto won = quicker ? billed_[k].ends.expected : ends[k].expected;
        join(ends[k], billed_[k].ends);
        if (race) ends[k].expected = won;  // by the quickest, as is expected
        ended[k] += billed_[k].ends.worst ? 1 : 0;
        if (!race && billed_[k].ends.best && !billed[k].ends.best) beside_.push_back(k);
      }
      most.all = joined(most.all, most_.all, at_start.all);
      most.sure = joined(most.sure, most_.sure, at_start.sure);
      for (std::size_t k = 0; k < before.size(); ++k) {
        gone[k] += is_in(before[k], held_) ? 0 : 1;
        for (const Held& held : held_) sure[k] = sure[k] && (held.rental != before[k].rental || held.sure);
      }
      std::copy_if(held_.begin(), held_.end(), std::back_inserter(after),
                   [&](const Held& held) { return !is_in(held, before); });
    }
    beside_ = around;
    now_ = *end;
    held_.clear();
    for (std::size_t k = 0; k < before.size(); ++k) {
      if (gone[k] < (race ? count : 1)) {
        held_.push_back(before[k]);
        held_.back().sure = before[k].sure && sure[k] && gone[k] == 0;
      }
      out_.in_doubt = out_.in_doubt || (race && gone[k] > 0 && gone[k] < count);
    }
    held_.insert(held_.end(), after.begin(), after.end());
    for (std::size_t k = 0; k < billed.size(); ++k) {
      if (race && ended[k] < count) ends[k].worst.reset();
      billed_[k].ends = ends[k];
    }
    most_ = {larger(most_before.all, most.all), larger(most_before.sure, most.sure)};
  }

  struct Ends {
    std::optional<Duration> best;
    std::optional<Duration> expected;
    std::optional<Duration> worst;
  };
  struct Bill {
    plugin::Span from;
    Ends ends;
    bool sure;
  };
  // At best it ends with the first branch that ends it, at worst with the last.
  static void join(Ends& sum, const Ends& own) {
    if (own.best) sum.best = std::min(sum.best.value_or(*own.best), *own.best);
    if (own.expected) sum.expected = std::min(sum.expected.value_or(*own.expected), *own.expected);
    if (own.worst) sum.worst = std::max(sum.worst.value_or(*own.worst), *own.worst);
  }

  void call(const Step& step, const Value::Map& inputs) {
    calls_left_ -= std::min<std::size_t>(calls_left_, 1);
    const plugin::Estimate figures = timed(step, inputs);
    if (figures.quotes) meaning_.quoted(step.id, {*figures.quotes, figures.model});
    if (!step.type->priced_by.empty()) {
      Rental rental;
      rental.step = prefix_ + step.id;
      rental.kind = step.type->holds.empty() ? std::string() : step.type->holds.front();
      const scenario::Given* offer = step.given(step.type->priced_by);
      if (const auto quote = offer == nullptr ? std::nullopt : meaning_.quote(*offer)) {
        rental.ceiling = quote->ceiling;
        rental.model = quote->model;
        hold({out_.rentals.size(), *rental.ceiling, !doubt_.rents});
      }
      meaning_.made(step.id, out_.rentals.size());
      out_.rentals.push_back(std::move(rental));
      billed_.push_back({now_, {}, !doubt_.rents});
    } else {
      meaning_.about(step);
    }
    add(now_, figures.time);
    if (!step.type->frees.empty() && !doubt_.fails) free(step);
  }

  // One thing: of several that one name stands for, the last that is left.
  void free(const Step& step) {
    const scenario::Given* named = step.given(step.type->frees);
    if (named == nullptr) return;
    const auto rentals = meaning_.rentals(*named);
    const bool one = names_one(*named);
    const bool by_each = reads_each(*named);
    const bool surely = !doubt_.frees && one && (!by_each || each_sure_);
    if (!one) one_of(rentals);
    const auto open = [&](std::size_t i) { return surely ? !billed_[i].ends.worst : !billed_[i].ends.best; };
    // What runs beside this has given back another one, if it can.
    auto left = std::find_if(rentals.rbegin(), rentals.rend(), [&](std::size_t i) {
      return open(i) && std::find(beside_.begin(), beside_.end(), i) == beside_.end();
    });
    if (left == rentals.rend()) left = std::find_if(rentals.rbegin(), rentals.rend(), open);
    if (left == rentals.rend()) return;
    Ends& ends = billed_[*left].ends;
    if (!ends.best) ends.best = now_.best;
    if (!ends.expected) ends.expected = now_.expected;
    out_.in_doubt = out_.in_doubt || !surely;
    if (!surely) {
      // Whatever `each` may stand for may be gone.
      const auto may_go = [&](std::size_t rental) {
        return by_each && !each_sure_ ? std::count(rentals.begin(), rentals.end(), rental) > 0 : one && rental == *left;
      };
      for (auto& held : held_) held.sure = held.sure && !may_go(held.rental);
      for (std::size_t rental : rentals) {
        if (may_go(rental) && !billed_[rental].ends.best) billed_[rental].ends.best = now_.best;
      }
      return;
    }
    ends.worst = now_.worst;
    std::erase_if(held_, [&](const Held& held) { return held.rental == *left; });
  }

  // --- what is held at once ---

  struct Held {
    std::size_t rental;  // its place in out_.rentals
    Money ceiling;
    bool sure;
  };
  struct Load {
    Most all;
    Most sure;  // of what is surely rented
  };
  // In the order of their rentals, wherever they are kept.
  static bool is_in(const Held& held, const std::vector<Held>& all) {
    return std::binary_search(all.begin(), all.end(), held,
                              [](const Held& a, const Held& b) { return a.rental < b.rental; });
  }
  static Load load(const std::vector<Held>& all) {
    Load out;
    const auto count = [](Most& most, const Held& held) {
      ++most.machines;
      most.per_hour = base::sum_of(most.per_hour, held.ceiling);
    };
    for (const auto& held : all) {
      count(out.all, held);
      if (held.sure) count(out.sure, held);
    }
    return out;
  }
  static Most larger(const Most& a, const Most& b) { return b.per_hour > a.per_hour ? b : a; }
  // And what `more` has come to, beside it, since `start`.
  static Most joined(const Most& sum, const Most& more, const Most& start) {
    return {sum.machines + more.machines - start.machines, base::sum_of(sum.per_hour, more.per_hour - start.per_hour)};
  }
  // One of them may go: the others, at least all but the dearest, are still held.
  void one_of(const std::vector<std::size_t>& rentals) {
    Held* dearest = nullptr;
    for (auto& held : held_) {
      const bool named = held.sure && std::count(rentals.begin(), rentals.end(), held.rental) > 0;
      if (named && (dearest == nullptr || held.ceiling > dearest->ceiling)) dearest = &held;
    }
    if (dearest != nullptr) dearest->sure = false;
  }
  void hold(const Held& held) {
    held_.push_back(held);
    const Load now = load(held_);
    most_ = {larger(most_.all, now.all), larger(most_.sure, now.sure)};
  }

  // --- the sums ---

  void finish() {
    out_.most = most_.all;
    out_.surely = most_.sure;
    out_.time = now_;
    out_.least = now_.best;
    out_.time.worst = std::min(out_.time.worst, limits_.duration);
    out_.time.expected = std::min(out_.time.expected, limits_.duration);
    out_.time.best = std::min(out_.time.best, out_.time.expected);
    for (std::size_t i = 0; i < out_.rentals.size(); ++i) {
      const auto& [from, ends, sure] = billed_[i];
      const Duration best = std::min(ends.best.value_or(now_.best), now_.best);
      out_.rentals[i].time = difference(
          {std::max(best, from.best), ends.expected.value_or(now_.expected), ends.worst.value_or(now_.worst)}, from);
      if (!sure) out_.rentals[i].time.best = Duration{0};
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
  std::vector<std::size_t> beside_;   // rentals that a part running beside this one has given back
  bool unpriced_ = false;
  bool each_sure_ = true;  // `each` stands for one thing that is known
  Doubt doubt_;
  Meaning meaning_;           // of the file whose steps are walked through
  std::vector<Bill> billed_;  // as out_.rentals
  std::vector<Held> held_;
  Load most_;
};

}  // namespace

Estimate estimate(const Plan& plan, const Value::Map& inputs, const Limits& limits, const Past& past) {
  return Estimator(plan, inputs, limits, past).run();
}

}  // namespace failover::plan
