#include "engine/run/runner.h"

#include <algorithm>

#include "engine/run/assertions.h"
#include "engine/run/retries.h"

namespace failover::run {
namespace {

namespace type = event::type;
using base::Duration;
using base::Error;
using base::Fault;
using base::Value;
using namespace std::chrono_literals;

constexpr std::size_t kLongestText = 64 << 10;  // bytes of one text that the journal keeps
constexpr Duration kLastWords = 30s;            // what a `finally` or `on_failure` step gets after an interruption
constexpr Duration kEvery = 5s;                 // between two looks of `until` without `every`

// What the journal keeps of outputs: everything but the far end of very long texts.
Value bounded(const Value& value) {
  if (const std::string* text = value.text(); text != nullptr && text->size() > kLongestText) {
    return text->substr(0, kLongestText) + "... (" + std::to_string(text->size() - kLongestText) + " bytes more)";
  }
  if (value.is_list()) {
    Value::List out;
    for (const auto& item : *value.list()) out.push_back(bounded(item));
    return out;
  }
  if (value.is_map()) {
    Value::Map out;
    for (const auto& [key, item] : *value.map()) out.emplace(key, bounded(item));
    return out;
  }
  return value;
}

struct Tried {
  Value outputs;
  std::optional<Error> error;
  Value::List assertions;
  int attempts = 0;
};

class Runner {
 public:
  Runner(const plan::Plan& plan, Shared& shared, const Options& options)
      : plan_(plan),
        shared_(shared),
        options_(options),
        start_(shared.clock.now()),
        deadline_(start_ + options.limits.duration) {
    Value::Map environment;
    for (const auto& [name, text] : options.environment) environment.emplace(name, text);
    values_.emplace("inputs", Value(options.inputs));
    values_.emplace("env", Value(std::move(environment)));
    values_.emplace("run", Value(Value::Map{{"id", shared.info.id}, {"target", shared.info.target}}));
  }

  Outcome run() {
    Outcome outcome;
    if (auto begun = begin(); !begun) {
      outcome.error = std::move(begun).error();
      outcome.verdict = "error";
      outcome.exit_code = exit_code(outcome.error);
      return outcome;
    }
    auto error = section(plan_.preflight);
    if (!error && !options_.quick) {
      error = section(plan_.steps);
      if (!error) error = objectives();
    }
    interrupted_ = error && error->fault == Fault::cancelled;
    if (!options_.quick) {
      if (auto late = section(plan_.finally); late && !error) error = std::move(late);
    }
    emit(type::closing, {{"why", error ? error->line() : std::string("the journey has ended")}});
    outcome.cleanup = clean_up(shared_, options_.cleanup, options_.give_up);
    conclude(outcome, std::move(error));
    return outcome;
  }

 private:
  void emit(const char* kind, Value::Map data, bool durable = false) {
    if (!shared_.stream.emit(kind, std::move(data), durable)) shared_.journal_failed = true;
  }

  base::Result<void> begin() {
    Value::Map about = options_.about;
    about.emplace("run_id", shared_.info.id);
    about.emplace("scenario", shared_.info.scenario);
    about.emplace("description", plan_.scenario->description);
    about.emplace("target", shared_.info.target);
    about.emplace("inputs", Value(options_.inputs));
    about.emplace("limits", Value(Value::Map{{"cost_usd", options_.limits.cost},
                                             {"duration_s", base::seconds(options_.limits.duration)}}));
    Value::Map wanted;
    for (const auto& [name, limit] : options_.objectives) wanted.emplace(name + "_s", base::seconds(limit));
    about.emplace("objectives", Value(std::move(wanted)));
    const plan::Estimate figures = plan::estimate(plan_, options_.inputs, options_.limits);
    about.emplace("estimate", Value(Value::Map{{"best_usd", figures.cost.best},
                                               {"expected_usd", figures.cost.expected},
                                               {"worst_usd", figures.cost.worst},
                                               {"best_s", base::seconds(figures.time.best)},
                                               {"expected_s", base::seconds(figures.time.expected)},
                                               {"worst_s", base::seconds(figures.time.worst)}}));
    about.emplace("deadline", base::format_utc(shared_.deadline));
    Value::List steps;
    for (const plan::Step* step : plan_.in_order()) {
      steps.push_back(Value::Map{{"id", step->id},
                                 {"uses", step->type->name},
                                 {"name", step->name},
                                 {"phase", step->phase},
                                 {"section", std::string(plan::to_string(step->section))}});
    }
    about.emplace("steps", Value(std::move(steps)));
    return shared_.stream.emit(type::run_started, std::move(about), true);
  }

  // Runs steps until one fails; its error.
  std::optional<Error> section(const std::vector<plan::Step>& steps) {
    for (const auto& step : steps) {
      auto error = visit(step);
      if (!error) continue;
      for (const auto& evidence : step.on_failure) {
        interrupted_ = error->fault == Fault::cancelled;
        (void)visit(evidence);  // evidence that cannot be had does not hide the failure
      }
      return error;
    }
    return std::nullopt;
  }

  bool last_words(const plan::Step& step) const {
    return step.section == plan::Section::finally || step.section == plan::Section::on_failure;
  }

  // A step's time and stop: within the run's own, but for steps that run because it ended.
  base::Patience patience(const plan::Step& step, Duration timeout) const {
    const auto now = shared_.clock.now();
    if (!last_words(step)) return {shared_.clock, std::min(deadline_, now + timeout), options_.stop};
    const Duration limit = interrupted_ || now >= deadline_ ? std::min(timeout, kLastWords) : timeout;
    return {shared_.clock, now + limit, interrupted_ ? options_.give_up : options_.stop};
  }

  std::optional<Error> visit(const plan::Step& step) {
    values_.insert_or_assign("elapsed", shared_.stream.since_start());
    const auto began = shared_.clock.now();
    if (!last_words(step)) {
      if (auto alive = patience(step, 1h).check(); !alive) return late(std::move(alive).error());
    }
    if (step.written->when) {
      auto wanted = expr::evaluate(step.written->when->expression, values_);
      if (!wanted) {
        Tried tried;
        tried.error = std::move(wanted).error().during("deciding whether to run the step");
        finished(step, "failed", tried, began);
        return std::move(tried.error);
      }
      const bool* yes = wanted->get<bool>();
      if (yes == nullptr || !*yes) {
        finished(step, "skipped", {}, began);
        return std::nullopt;
      }
    }
    const Duration timeout = timeout_of(step);
    emit(type::step_started, {{"id", step.id},
                              {"uses", step.type->name},
                              {"name", step.name},
                              {"phase", step.phase},
                              {"section", std::string(plan::to_string(step.section))},
                              {"timeout_s", base::seconds(timeout)}});
    mark(step, true);
    Tried tried = attempt(step, patience(step, timeout));
    if (step.written->must_fail && step.written->must_fail->value) invert(step, tried);
    if (!tried.error && shared_.journal_failed) {
      tried.error = Error{Fault::no_space, "journal", "the run's journal can no longer be written",
                          "free some space below $FAILOVER_HOME"};
    }
    if (!tried.error) keep(step);
    // What a stop broke was stopped, whatever the step saw of it (a connection that dropped, an unknown outcome).
    if (tried.error && !last_words(step) && options_.stop.stop_requested() && tried.error->fault != Fault::assertion) {
      tried.error->fault = Fault::cancelled;
    }
    const bool cancelled = tried.error && tried.error->fault == Fault::cancelled;
    finished(step, !tried.error ? "passed" : cancelled ? "cancelled" : "failed", tried, began);
    if (!tried.error) {
      mark(step, false);
      remember(step, tried.outputs);
      return std::nullopt;
    }
    return std::move(tried.error);
  }

  static Error late(Error error) {
    if (error.fault != Fault::timeout) return error;
    error.code = "limit_duration";
    error.message = "the run reached limits.duration";
    error.hint = "raise limits.duration, or look at which step took so long";
    return error;
  }

  Duration timeout_of(const plan::Step& step) const {
    if (step.written->timeout) {
      const auto value = scenario::evaluate(*step.written->timeout, values_);
      if (value && value->get<Duration>() != nullptr) return *value->get<Duration>();
    }
    return step.type->timeout;
  }

  base::Result<Value> inputs_of(const plan::Step& step) const {
    Value::Map with;
    for (const auto& [input, given] : step.with) {
      auto value = scenario::evaluate(given, values_);
      if (!value) return std::move(value).error().during("computing `" + input->name + "`");
      with.emplace(input->name, *std::move(value));
    }
    return Value(std::move(with));
  }

  Tried attempt(const plan::Step& step, const base::Patience& patience) {
    Tried tried;
    StepHost host(shared_, step.id);
    const plugin::Context context(host, patience);
    const Retries retries(step.written->retry, values_);
    for (;;) {
      ++tried.attempts;
      auto with = inputs_of(step);
      auto outputs = with ? step.type->run(*with, context) : base::Result<Value>(std::move(with).error());
      if (outputs) {
        tried.outputs = *std::move(outputs);
        tried.error = judged(step, tried);
        if (tried.error || !again(step, tried)) return tried;
        --tried.attempts;  // `until` looks again; that is not another try
        if (auto slept = patience.sleep(every(step)); !slept) {
          tried.error = unheld(step, std::move(slept).error());
          return tried;
        }
        continue;
      }
      tried.error = std::move(outputs).error();
      if (!retries.again(tried.error->fault, tried.attempts) || dangling(step)) return tried;
      const Duration delay = retries.delay(tried.attempts);
      emit(type::step_retry, {{"id", step.id},
                              {"attempt", tried.attempts},
                              {"delay_s", base::seconds(delay)},
                              {"error", event::describe(*tried.error)}});
      if (auto slept = patience.sleep(delay); !slept) {
        if (slept.error().fault == Fault::cancelled) tried.error = std::move(slept).error();
        return tried;
      }
    }
  }

  // A creating step is not tried again while something it asked for may still come to be.
  bool dangling(const plan::Step& step) const {
    if (step.type->effect != plugin::Effect::creates) return false;
    const auto made = shared_.ledger.of_step(step.id);
    return std::any_of(made.begin(), made.end(), [](const Entry& entry) {
      return entry.state == State::unclear || entry.state == State::intended;
    });
  }

  expr::Values with_outputs(const Value& outputs) {
    expr::Values values = values_;
    values.insert_or_assign("outputs", outputs);
    values.insert_or_assign("elapsed", shared_.stream.since_start());
    return values;
  }

  // With `until`, assertions are judged when it holds.
  std::optional<Error> judged(const plan::Step& step, Tried& tried) {
    if (again(step, tried)) return std::nullopt;
    Judgement judgement = judge(step, with_outputs(tried.outputs));
    tried.assertions = std::move(judgement.assertions);
    return std::move(judgement.failure);
  }

  bool again(const plan::Step& step, const Tried& tried) {
    if (!step.written->until) return false;
    auto held = expr::evaluate(step.written->until->expression, with_outputs(tried.outputs));
    const bool* yes = held ? held->get<bool>() : nullptr;
    return yes == nullptr || !*yes;
  }

  Duration every(const plan::Step& step) const {
    if (!step.written->every) return kEvery;
    const auto value = scenario::evaluate(*step.written->every, values_);
    return value && value->get<Duration>() != nullptr ? *value->get<Duration>() : kEvery;
  }

  static Error unheld(const plan::Step& step, Error error) {
    if (error.fault != Fault::timeout) return error;
    return {Fault::timeout, "until",
            "`until: " + step.written->until->expression.text() + "` did not come to hold in the step's time",
            "raise the step's timeout, or look at its outputs"};
  }

  static void invert(const plan::Step&, Tried& tried) {
    if (!tried.error) {
      tried.error = Error{Fault::assertion, "must_fail", "the step passed, but it is a counter-proof that must fail",
                          "the check before it proves nothing while this passes"};
    } else if (tried.error->fault != Fault::cancelled) {
      tried.error.reset();
    }
  }

  void keep(const plan::Step& step) {
    if (!step.written->keep) return;
    const auto time = scenario::evaluate(*step.written->keep, values_);
    const auto* duration = time ? time->get<Duration>() : nullptr;
    if (duration == nullptr) return;
    for (const auto& entry : shared_.ledger.of_step(step.id)) {
      const plugin::Kind* kind = shared_.registry.kind(entry.held.kind);
      if (entry.state != State::made || kind == nullptr || !kind->keepable) continue;
      emit(type::kept,
           {{"name", entry.held.name},
            {"kind", entry.held.kind},
            {"id", entry.held.id},
            {"until", base::format_utc(shared_.clock.wall() + *duration)}},
           true);
    }
  }

  // A failure happens when its step begins; everything else when its step has ended.
  void mark(const plan::Step& step, bool begun) {
    for (const auto& mark : step.written->marks) {
      if ((mark.value == scenario::Mark::failure) != begun) continue;
      marks_.emplace(mark.value, shared_.stream.since_start());
      emit(type::mark, {{"name", std::string(scenario::to_string(mark.value))}, {"step", step.id}});
    }
  }

  void remember(const plan::Step& step, const Value& outputs) {
    if (!step.named || step.section == plan::Section::on_failure) return;
    Value::Map steps;
    if (const Value::Map* before = values_["steps"].map()) steps = *before;
    steps.insert_or_assign(step.id, outputs);
    values_.insert_or_assign("steps", Value(std::move(steps)));
  }

  void finished(const plan::Step& step, const char* status, const Tried& tried, base::Instant began) {
    Value::List marks;
    for (const auto& mark : step.written->marks) marks.emplace_back(std::string(scenario::to_string(mark.value)));
    Value::Map data{{"id", step.id},
                    {"uses", step.type->name},
                    {"name", step.name},
                    {"phase", step.phase},
                    {"section", std::string(plan::to_string(step.section))},
                    {"status", status},
                    {"attempts", tried.attempts},
                    {"duration_s", base::seconds(shared_.clock.now() - began)},
                    {"outputs", tried.outputs.is_null() ? Value(Value::Map{}) : bounded(tried.outputs)},
                    {"assertions", Value(tried.assertions)},
                    {"marks", Value(std::move(marks))}};
    if (tried.error) data.emplace("error", event::describe(*tried.error));
    emit(type::step_finished, std::move(data), true);
  }

  std::optional<Duration> between(scenario::Mark from, scenario::Mark to) const {
    const auto first = marks_.find(from);
    const auto second = marks_.find(to);
    if (first == marks_.end() || second == marks_.end()) return std::nullopt;
    return std::max<Duration>(second->second - first->second, 0s);
  }

  // How much was lost: the `recovered` step proved that everything the journey wrote is there, so nothing. A journey
  // that did not get there proves nothing, and the objective is missed.
  std::optional<Duration> measured(const std::string& objective) const {
    using scenario::Mark;
    if (objective == "mttd") return between(Mark::failure, Mark::detected);
    const auto recovery = between(Mark::failure, Mark::recovered);
    if (objective == "rpo") return recovery ? std::optional<Duration>(0s) : std::nullopt;
    return recovery;
  }

  std::optional<Error> objectives() {
    std::optional<Error> missed;
    for (const auto& [name, limit] : options_.objectives) {
      const auto actual = measured(name);
      const bool passed = actual && *actual <= limit;
      Value::Map data{{"name", name}, {"wanted_s", base::seconds(limit)}, {"passed", passed}};
      if (actual) data.emplace("actual_s", base::seconds(*actual));
      emit(type::objective, std::move(data), true);
      if (passed || missed) continue;
      missed = Error{Fault::assertion, "objective",
                     "the objective " + name + " of " + base::format(limit) +
                         " was missed: " + (actual ? base::format(*actual) : std::string("it could not be measured"))};
    }
    return missed;
  }

  void conclude(Outcome& outcome, std::optional<Error> error) {
    if (!error && shared_.journal_failed) {
      error = Error{Fault::no_space, "journal", "the run's journal could not be written to its end",
                    "free some space below $FAILOVER_HOME"};
    }
    counter_proof(error);
    outcome.error = std::move(error);
    outcome.exit_code = exit_code(outcome.error);
    outcome.verdict = outcome.exit_code == 0     ? "passed"
                      : outcome.exit_code == 1   ? "failed"
                      : outcome.exit_code == 130 ? "interrupted"
                                                 : "error";
    if (!outcome.cleanup.left.empty()) outcome.exit_code = 4;
    Value::Map data{{"verdict", outcome.verdict}, {"exit_code", outcome.exit_code}};
    if (outcome.error) data.emplace("error", event::describe(*outcome.error));
    emit(type::run_finished, std::move(data), true);
  }

  void counter_proof(std::optional<Error>& error) const {
    if (!plan_.scenario->must_fail || !plan_.scenario->must_fail->value || options_.quick) return;
    if (!error) {
      error = Error{Fault::assertion, "must_fail", "the scenario passed, but it is a counter-proof that must fail"};
    } else if (error->fault == Fault::assertion) {
      error.reset();
    }
  }

  const plan::Plan& plan_;
  Shared& shared_;
  const Options& options_;
  base::Instant start_;
  base::Instant deadline_;
  expr::Values values_;
  std::map<scenario::Mark, Duration> marks_;
  bool interrupted_ = false;
};

}  // namespace

Outcome run(const plan::Plan& plan, Shared& shared, const Options& options) {
  return Runner(plan, shared, options).run();
}

int exit_code(const std::optional<Error>& error) {
  if (!error) return 0;
  switch (error->fault) {
    case Fault::assertion: return 1;
    case Fault::cancelled: return 130;
    default: return 3;
  }
}

}  // namespace failover::run
