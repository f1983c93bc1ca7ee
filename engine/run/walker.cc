#include "engine/run/walker.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "engine/run/assertions.h"

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

// What a step is in the journal, beside a plain call: it tells of others.
const char* shape_of(const plan::Step& step) {
  switch (step.shape) {
    case plan::Step::Shape::call: return "";
    case plan::Step::Shape::group: return "group";
    case plan::Step::Shape::branches: return "branches";
    case plan::Step::Shape::composite: return "composite";
  }
  return "";
}

void remember(Frame& frame, const std::string& id, const Value& outputs) {
  if (outputs.is_null()) return;  // of a counter-proof that failed, as it must
  Value& known = frame.values["steps"];
  Value::Map steps;
  if (const Value::Map* before = known.map()) steps = *before;
  steps.insert_or_assign(id, outputs);
  known = Value(std::move(steps));
}

Error unheld(const plan::Step& step, const Look& last, Error error) {
  if (error.fault != Fault::timeout) return error;
  return {Fault::timeout, "until",
          "`until: " + step.written->until->expression.text() + "` did not come to hold in the step's time" +
              (last.absent.empty() ? "" : "; at the last look it " + last.absent),
          "raise the step's timeout, or look at its outputs"};
}

bool carries(const plan::Step& step, scenario::Mark mark) {
  const auto& marks = step.written->marks;
  return std::any_of(marks.begin(), marks.end(), [&](const auto& one) { return one.value == mark; });
}

// A step with a mark passed, and no call ran in it: nothing was broken, detected or recovered there. `failure` is then
// just not set.
std::optional<Error> unfounded(const plan::Step& step, const std::string& id) {
  for (const auto& mark : step.written->marks) {
    if (mark.value == scenario::Mark::failure) continue;
    return Error{Fault::invalid, "nothing_ran",
                 "no call ran in `" + id + "`, so that its mark `" + std::string(scenario::to_string(mark.value)) +
                     "` would prove nothing",
                 "let a step in it run whenever it does, or give `when` to the step with the mark"};
  }
  return std::nullopt;
}

// Where a call works, by its endpoint; empty: on the runner.
std::string machine_of(const Value::Map& with) {
  const auto host = with.find("host");
  if (host == with.end()) return {};
  for (const char* name : {"machine", "host"}) {
    const Value* member = host->second.find(name);
    if (member == nullptr || member->text() == nullptr || member->text()->empty()) continue;
    const Value* port = host->second.find("port");
    return *member->text() + (port == nullptr ? "" : ":" + port->display());
  }
  return {};
}

Duration given_time(const scenario::Seldom<scenario::Given>& given, const Frame& frame, Duration otherwise) {
  if (!given) return otherwise;
  const auto value = scenario::evaluate(*given, frame.values);
  const auto* time = value ? value->get<Duration>() : nullptr;
  return time == nullptr ? otherwise : *time;
}

}  // namespace

// A counter-proof: passing is failing.
void Walker::invert(Tried& tried) {
  if (!tried.error) {
    tried.error = Error{Fault::assertion, "must_fail", "the step passed, but it is a counter-proof that must fail",
                        "the check before it proves nothing while this passes"};
  } else if (proves(*tried.error)) {
    tried.proof = std::move(tried.error);
    tried.error.reset();
  } else if (tried.error->fault != Fault::cancelled) {
    tried.error =
        std::move(*tried.error).during("waiting for a counter-proof to fail for a reason that proves something");
  }
}

void Walker::emit(const char* kind, Value::Map data, bool durable) {
  if (!shared_.stream.emit(kind, std::move(data), durable)) shared_.journal_failed = true;
}

std::optional<Error> Walker::steps(const std::vector<plan::Step>& steps, Frame& frame) {
  for (const auto& step : steps) {
    if (auto error = one(step, frame)) return error;
  }
  return std::nullopt;
}

std::optional<Error> Walker::all_steps(const std::vector<plan::Step>& steps, Frame& frame) {
  std::optional<Error> first;
  for (const auto& step : steps) {
    if (first && (options_.give_up.stop_requested() || shared_.clock.now() >= frame.deadline)) break;
    auto error = one(step, frame);
    if (error && first) {
      first = std::move(*first).during("`" + step.id + "` failed too: " + error->line());
    } else if (error) {
      first = std::move(error);
    }
  }
  return first;
}

std::optional<Error> Walker::one(const plan::Step& step, Frame& frame) {
  auto error = visit(step, frame);
  // What was stopped because another failed or won has nothing to give evidence of.
  const bool stopped = frame.stop.stop_requested() && !interrupted();
  if (error && !step.on_failure.empty() && !stopped) {
    Frame last = frame;
    last.last_words = true;
    last.failure.clear();
    last.deadline = last_words_end();
    for (const auto& evidence : step.on_failure) (void)visit(evidence, last);  // its failure does not hide this one
  }
  return error;
}

// A step's time and stop: within the frame's, but for steps that run because the journey has ended.
base::Patience Walker::patience(const Frame& frame, Duration timeout) const {
  const auto now = shared_.clock.now();
  const auto until = [&](Duration time) { return time > frame.deadline - now ? frame.deadline : now + time; };
  if (!frame.last_words) return {shared_.clock, until(timeout), frame.stop};
  const bool hurry = interrupted() || now >= deadline_;
  return {shared_.clock, until(hurry ? std::min(timeout, kLastWords) : timeout),
          interrupted() && frame.outermost ? options_.give_up : frame.stop};
}

Error Walker::late(Error error) const {
  if (error.fault != Fault::timeout) return error;
  if (shared_.clock.now() < deadline_) {
    error.message = "the time of the group that holds this step ran out";
    error.hint = "raise the group's timeout, or look at which step took so long";
    return error;
  }
  error.code = "limit_duration";
  error.message = "the run reached limits.duration";
  error.hint = "raise limits.duration, or look at which step took so long";
  return error;
}

Duration Walker::timeout_of(const plan::Step& step, const Frame& frame) const {
  const Duration own = step.type == nullptr ? Duration::max() : step.type->timeout;
  return given_time(step.written->timeout, frame, own);
}

// Does `when` hold? nullopt: it cannot be said.
std::optional<bool> Walker::wanted(const plan::Step& step, const Frame& frame, std::optional<Error>& error) const {
  if (!step.written->when) return true;
  auto value = expr::evaluate(step.written->when->expression, frame.values);
  if (!value) {
    error = std::move(value).error().during("deciding whether to run the step");
    return std::nullopt;
  }
  const bool* yes = value->get<bool>();
  return yes != nullptr && *yes;
}

std::optional<Error> Walker::visit(const plan::Step& step, Frame& frame) {
  frame.values.insert_or_assign("elapsed", shared_.stream.since_start());
  const std::string id = frame.prefix + step.id;
  const auto began = shared_.clock.now();
  if (!frame.last_words) {
    if (auto alive = patience(frame, 1h).check(); !alive) return late(std::move(alive).error());
  }
  Tried tried;
  const auto yes = wanted(step, frame, tried.error);
  if (!yes || !*yes) {
    finished(step, id, shape_of(step), yes ? "skipped" : "failed", tried, began);
    return std::move(tried.error);
  }
  Value outputs;
  auto error = step.written->foreach ? each(step, id, frame, outputs) : once(step, id, frame, outputs);
  if (!error && step.named && step.section != plan::Section::on_failure) remember(frame, step.id, outputs);
  return error;
}

std::optional<Error> Walker::once(const plan::Step& step, const std::string& id, Frame& frame, Value& outputs) {
  const auto began = shared_.clock.now();
  const Duration timeout = timeout_of(step, frame);
  started(step, id, shape_of(step), timeout);
  const bool acted = std::exchange(frame.acted, step.shape == plan::Step::Shape::call);
  const std::string around = frame.failure;
  if (carries(step, scenario::Mark::failure)) frame.failure = id;
  if (frame.acted && !frame.failure.empty()) mark(scenario::Mark::failure, frame.failure);
  Losses::Call begun;
  if (losses_wanted_) begun = losses_.begun(shared_.stream.since_start(), !frame.failure.empty());
  Tried tried = attempt(step, id, frame, patience(frame, timeout));
  frame.failure = around;
  // What a stop broke was stopped, whatever the step saw of it (a connection that dropped, an unknown outcome), and
  // proves nothing.
  if (tried.error && !frame.last_words && frame.stop.stop_requested() && tried.error->fault != Fault::assertion) {
    tried.error->fault = Fault::cancelled;
    if (broke()) tried.error = Error{Fault::cancelled, "limit_cost", out_of_money(shared_).message};
  }
  const bool counter_proof = step.written->must_fail && step.written->must_fail->value;
  if (counter_proof) invert(tried);
  if (!tried.error && !frame.acted && step.section == plan::Section::steps) tried.error = unfounded(step, id);
  frame.acted = frame.acted || acted;
  if (!tried.error && shared_.journal_failed) {
    tried.error = Error{Fault::no_space, "journal", "the run's journal can no longer be written",
                        "free some space below $FAILOVER_HOME"};
  }
  if (!tried.error) keep(step, id, frame);
  const bool cancelled = tried.error && tried.error->fault == Fault::cancelled;
  finished(step, id, shape_of(step), !tried.error ? "passed" : cancelled ? "cancelled" : "failed", tried, began);
  if (!tried.error) {
    if (losses_wanted_ && step.type != nullptr && !counter_proof) {
      begun.machine = frame.machine;
      losses_.passed(begun, *step.type, tried.outputs);
    }
    mark(step, id);
    outputs = std::move(tried.outputs);
  }
  return std::move(tried.error);
}

// Once for each element, in order, so many at once as the author allows; the first failure ends it.
std::optional<Error> Walker::each(const plan::Step& step, const std::string& id, Frame& frame, Value& outputs) {
  const auto began = shared_.clock.now();
  started(step, id, "foreach", Duration::max());
  Tried tried;
  tried.attempts = 1;
  auto elements = scenario::evaluate(*step.written->foreach, frame.values);
  if (!elements) {
    tried.error = std::move(elements).error().during("computing the elements of `foreach`");
  } else {
    const Value::List list = *elements->list();
    const std::stop_token stopped = patience(frame, Duration::max()).stop();
    Value::List all(list.size());
    std::atomic<bool> acted = false;
    const auto one = [&](std::size_t index, Frame& own) {
      const std::string name = id + "[" + std::to_string(index) + "]";
      own.prefix = name + ".";
      own.values.insert_or_assign("each", list[index]);
      auto error = once(step, name, own, all[index]);
      if (own.acted) acted = true;
      return error;
    };
    const std::size_t together =
        step.written->max_parallel ? static_cast<std::size_t>(step.written->max_parallel->value) : 1;
    if (together == 1) {
      for (std::size_t i = 0; i < list.size() && !tried.error && !stopped.stop_requested(); ++i) {
        Frame own = frame.untouched();
        tried.error = one(i, own);
      }
    } else {
      Lanes lanes(crew(), list.size(), together, Join::all, {[&](std::size_t index, const std::stop_token& stop) {
                    Frame own = frame.untouched();
                    own.stop = stop;
                    own.outermost = false;
                    return one(index, own);
                  }},
                  stopped);
      tried.error = lanes.wait().error;
    }
    frame.acted = frame.acted || acted;
    tried.outputs = Value(std::move(all));
    if (!tried.error && stopped.stop_requested()) {
      tried.error = Error{Fault::cancelled, "stopped", "stopped on request"};
    }
  }
  const bool cancelled = tried.error && tried.error->fault == Fault::cancelled;
  outputs = tried.outputs;
  tried.outputs = Value(Value::Map{});  // each element's are in its own record
  finished(step, id, "foreach", !tried.error ? "passed" : cancelled ? "cancelled" : "failed", tried, began);
  return std::move(tried.error);
}

Walker::Tried Walker::attempt(const plan::Step& step, const std::string& id, Frame& frame,
                              const base::Patience& patience) {
  Tried tried;
  const Retries retries(step.written->retry, frame.values);
  bool again = false;  // `until` looks again; that is not another try
  for (;;) {
    if (!std::exchange(again, false)) ++tried.attempts;
    auto outputs = round(step, id, frame, patience);
    if (outputs) {
      tried.outputs = *std::move(outputs);
      const auto values = with_outputs(frame, tried.outputs);
      Look looked = look(step, values);
      if (looked.held) judged(step, values, tried);
      if (looked.hopeless) tried.error = std::move(looked.hopeless);
      if (looked.held || tried.error) return tried;
      again = true;
      if (auto slept = patience.sleep(given_time(step.written->every, frame, kEvery)); !slept) {
        tried.error = unheld(step, looked, std::move(slept).error());
        return tried;
      }
      continue;
    }
    tried.error = std::move(outputs).error();
    if (!retries.again(tried.error->fault, tried.attempts) || dangling(step, id)) return tried;
    const Duration delay = retries.delay(tried.attempts);
    emit(type::step_retry, {{"id", id},
                            {"attempt", tried.attempts},
                            {"delay_s", base::seconds(delay)},
                            {"error", event::describe(*tried.error)}});
    if (auto slept = patience.sleep(delay); !slept) {
      if (slept.error().fault == Fault::cancelled) tried.error = std::move(slept).error();
      return tried;
    }
  }
}

base::Result<Value> Walker::round(const plan::Step& step, const std::string& id, Frame& frame,
                                  const base::Patience& patience) {
  switch (step.shape) {
    case plan::Step::Shape::call: return call(step, id, frame, patience);
    case plan::Step::Shape::group: return group(step, frame, patience);
    case plan::Step::Shape::branches: return branches(step, frame, patience);
    case plan::Step::Shape::composite: return composite(step, id, frame, patience);
  }
  return Value();
}

base::Result<Value> Walker::call(const plan::Step& step, const std::string& id, Frame& frame,
                                 const base::Patience& patience) {
  Value::Map with;
  for (const auto& [input, given] : step.with) {
    auto value = scenario::evaluate(given, frame.values);
    if (!value) return std::move(value).error().during("computing `" + input->name + "`");
    with.emplace(input->name, *std::move(value));
  }
  if (losses_wanted_) frame.machine = machine_of(with);
  StepHost host(shared_, id);
  return step.type->run(Value(std::move(with)), plugin::Context(host, patience));
}

// A step that makes something, be it a replacement, is not tried again while something it asked for may still come to
// be.
bool Walker::dangling(const plan::Step& step, const std::string& id) const {
  if (step.type == nullptr || step.type->holds.empty()) return false;
  const auto made = shared_.ledger.of_step(id);
  return std::any_of(made.begin(), made.end(), [](const Entry& entry) {
    return entry.state == State::unclear || entry.state == State::intended;
  });
}

expr::Values Walker::with_outputs(const Frame& frame, const Value& outputs) const {
  expr::Values values = frame.values;
  values.insert_or_assign("outputs", outputs);
  values.insert_or_assign("elapsed", shared_.stream.since_start());
  return values;
}

// With `until`, assertions are judged when it holds.
void Walker::judged(const plan::Step& step, const expr::Values& values, Tried& tried) {
  Judgement judgement = judge(step, values);
  tried.assertions = std::move(judgement.assertions);
  tried.error = std::move(judgement.failure);
}

void Walker::keep(const plan::Step& step, const std::string& id, const Frame& frame) {
  if (!step.written->keep) return;
  const auto time = scenario::evaluate(*step.written->keep, frame.values);
  const auto* duration = time ? time->get<Duration>() : nullptr;
  if (duration == nullptr) return;
  for (const auto& entry : shared_.ledger.of_step(id)) {
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

// A failure happens when the first call of its step begins; everything else when its step has ended.
void Walker::mark(const plan::Step& step, const std::string& id) {
  for (const auto& one : step.written->marks) {
    if (one.value != scenario::Mark::failure) mark(one.value, id);
  }
}

void Walker::mark(scenario::Mark mark, const std::string& id) {
  if (!marks_.set(mark, shared_.stream.since_start())) return;
  emit(type::mark, {{"name", std::string(scenario::to_string(mark))}, {"step", id}});
}

void Walker::started(const plan::Step& step, const std::string& id, const char* shape, Duration timeout) {
  Value::Map data{{"id", id},
                  {"uses", step.uses()},
                  {"name", step.name},
                  {"phase", step.phase},
                  {"section", std::string(plan::to_string(step.section))}};
  if (*shape != '\0') data.emplace("shape", shape);
  if (timeout != Duration::max()) data.emplace("timeout_s", base::seconds(timeout));
  emit(type::step_started, std::move(data));
}

void Walker::finished(const plan::Step& step, const std::string& id, const char* shape, const char* status,
                      const Tried& tried, base::Instant began) {
  Value::List marks;
  for (const auto& mark : step.written->marks) marks.emplace_back(std::string(scenario::to_string(mark.value)));
  Value::Map data{{"id", id},
                  {"uses", step.uses()},
                  {"name", step.name},
                  {"phase", step.phase},
                  {"section", std::string(plan::to_string(step.section))},
                  {"status", status},
                  {"attempts", tried.attempts},
                  {"duration_s", base::seconds(shared_.clock.now() - began)},
                  {"outputs", tried.outputs.is_null() ? Value(Value::Map{}) : bounded(tried.outputs)},
                  {"assertions", Value(tried.assertions)},
                  {"marks", Value(std::move(marks))}};
  if (*shape != '\0') data.emplace("shape", shape);
  if (tried.error) data.emplace("error", event::describe(*tried.error));
  if (tried.proof) data.emplace("proof", event::describe(*tried.proof));
  emit(type::step_finished, std::move(data), true);
}

}  // namespace failover::run
