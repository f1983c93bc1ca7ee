#include "engine/run/runner.h"

#include <functional>
#include <utility>

#include "engine/run/assertions.h"
#include "engine/run/walker.h"

namespace failover::run {
namespace {

namespace type = event::type;
using base::Error;
using base::Fault;
using base::Value;

class Runner {
 public:
  Runner(const plan::Plan& plan, Shared& shared, const Options& options)
      : plan_(plan),
        shared_(shared),
        options_(options),
        walker_(shared, options, shared.clock.now() + options.limits.duration),
        frame_{{}, shared.clock.now() + options.limits.duration, shared.journey.get_token()},
        linked_(options.stop, [&shared] { shared.journey.request_stop(); }) {
    Value::Map environment;
    for (const auto& [name, text] : options.environment) environment.emplace(name, text);
    frame_.values.emplace("inputs", Value(options.inputs));
    frame_.values.emplace("env", Value(std::move(environment)));
    frame_.values.emplace("run", Value(Value::Map{{"id", shared.info.id}, {"target", shared.info.target}}));
  }

  Outcome run() {
    Outcome outcome;
    if (auto begun = begin(); !begun) {
      conclude(outcome, std::move(begun).error());
      return outcome;
    }
    shared_.prove = [this](const base::Patience& patience) { prove(patience); };
    std::optional<std::stop_callback<std::function<void()>>> at_stop;
    if (options_.end_at_stop) {
      at_stop.emplace(options_.stop, [this] {
        shared_.journey.request_stop();  // what sees its machine go knows why
        ask_for_the_end(shared_, options_.give_up);
      });
    }
    auto error = walker_.steps(plan_.preflight, frame_);
    if (!error && !options_.quick) {
      error = walker_.steps(plan_.steps, frame_);
      if (!error) error = objectives();
      counter_proof(error);
    }
    const bool broke = shared_.broke;
    if (!options_.quick) {
      frame_.last_words = true;
      frame_.deadline = walker_.last_words_end();
      if (auto late = walker_.all_steps(plan_.finally, frame_); late && !error) error = std::move(late);
    }
    walker_.end_stragglers();
    // A stop during the last step has ended what the journey stood on: it has not passed, whatever that step said.
    const bool unsaid = !error || error->fault == Fault::cancelled || error->fault == Fault::assertion;
    if (options_.stop.stop_requested()) {
      if (!error) error = Error{Fault::cancelled, "stopped", "stopped on request"};
    } else if (broke && unsaid) {
      error = out_of_money(shared_);
    }
    at_stop.reset();  // waits for it: the cleanup sees what it did
    emit(type::closing, {{"why", error ? error->line() : std::string("the journey has ended")}});
    outcome.cleanup = clean_up(shared_, options_.cleanup, options_.give_up);
    shared_.prove = nullptr;
    conclude(outcome, std::move(error));
    return outcome;
  }

 private:
  void emit(const char* kind, Value::Map data, bool durable = false) {
    if (!shared_.stream.emit(kind, std::move(data), durable)) shared_.journal_failed = true;
  }

  // A look at each whose end is accepted or whose making was never answered, as long as `patience` has time.
  void prove(const base::Patience& patience) {
    CleanupOptions options = options_.cleanup;
    options.one_undo = std::min(options.one_undo, patience.left());
    give_back_some(shared_, options, patience.stop(), [&](const Entry& entry) {
      const bool wanted = !entry.proven && (entry.until || entry.state == State::unclear);
      return wanted && entry.per_hour.micros > 0 && patience.check().ok();
    });
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
    const plan::Estimate figures = plan::estimate(plan_, options_.inputs, options_.limits, options_.past);
    about.emplace("estimate", Value(Value::Map{{"best_usd", figures.cost.best},
                                               {"expected_usd", figures.cost.expected},
                                               {"worst_usd", figures.cost.worst},
                                               {"best_s", base::seconds(figures.time.best)},
                                               {"expected_s", base::seconds(figures.time.expected)},
                                               {"worst_s", base::seconds(figures.time.worst)},
                                               {"history_runs", static_cast<std::int64_t>(options_.past.runs)}}));
    if (options_.quick) about.emplace("quick", true);
    about.emplace("deadline", base::format_utc(shared_.info.deadline));
    Value::List steps;
    for (const plan::Step* step : plan_.in_order()) {
      steps.push_back(Value::Map{{"id", step->id},
                                 {"uses", step->uses()},
                                 {"name", step->name},
                                 {"phase", step->phase},
                                 {"section", std::string(plan::to_string(step->section))}});
    }
    about.emplace("steps", Value(std::move(steps)));
    return shared_.stream.emit(type::run_started, std::move(about), true);
  }

  std::optional<Error> objectives() {
    std::optional<Error> missed;
    for (const auto& [name, limit] : options_.objectives) {
      const auto actual = walker_.measured(name);
      const bool passed = actual && *actual <= limit;
      Value::Map data{{"name", name}, {"wanted_s", base::seconds(limit)}, {"passed", passed}};
      if (actual) data.emplace("actual_s", base::seconds(*actual));
      emit(type::objective, std::move(data), true);
      if (passed || missed) continue;
      missed = Error{Fault::assertion, actual ? "objective" : "unmeasured",
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
    outcome.error = std::move(error);
    outcome.exit_code = exit_code(outcome.error);
    outcome.verdict = outcome.exit_code == 0     ? "passed"
                      : outcome.exit_code == 1   ? "failed"
                      : outcome.exit_code == 130 ? "interrupted"
                                                 : "error";
    if (!outcome.cleanup.left.empty()) outcome.exit_code = 4;
    Value::Map data{{"verdict", outcome.verdict}, {"exit_code", outcome.exit_code}};
    if (outcome.error) data.emplace("error", event::describe(*outcome.error));
    if (proof_) data.emplace("proof", event::describe(*proof_));
    emit(type::run_finished, std::move(data), true);
  }

  // What `steps` came to, turned round: an assertion that does not hold, or an objective that was missed, is what a
  // counter-proof is for. What `finally` says comes after it and stands.
  void counter_proof(std::optional<Error>& error) {
    if (!plan_.scenario->must_fail || !plan_.scenario->must_fail->value) return;
    if (!error) {
      error = Error{Fault::assertion, "must_fail", "the scenario passed, but it is a counter-proof that must fail"};
    } else if (error->fault == Fault::assertion && proves(*error)) {
      proof_ = std::exchange(error, std::nullopt);
    } else if (error->fault != Fault::cancelled) {
      error = std::move(*error).during("waiting for a counter-proof to fail for a reason that proves something");
    }
  }

  const plan::Plan& plan_;
  Shared& shared_;
  const Options& options_;
  Walker walker_;
  Frame frame_;
  std::optional<Error> proof_;                        // how a counter-proof failed, as it must
  std::stop_callback<std::function<void()>> linked_;  // a stop of the run ends the journey
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
