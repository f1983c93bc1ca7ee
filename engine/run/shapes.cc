// The steps that hold other steps.
#include <algorithm>
#include <set>

#include "engine/run/walker.h"

namespace failover::run {
namespace {

using base::Error;
using base::Value;
using namespace std::chrono_literals;

// `machines[2].create` -> `machines`: the step of a branch that an id belongs to.
std::string_view first_part(std::string_view id) { return id.substr(0, id.find_first_of(".[")); }

}  // namespace

// One after the other, in the scope around it: what they give is seen behind the group.
base::Result<Value> Walker::group(const plan::Step& step, Frame& frame, const base::Patience& patience) {
  Frame inside = frame.within(patience.deadline());
  inside.stop = patience.stop();
  auto error = steps(step.steps, inside);
  frame.acted = inside.acted;
  frame.values = std::move(inside.values);
  if (error) return *std::move(error);
  return Value(Value::Map{});
}

// In a scope of its own: its inputs, its steps.
base::Result<Value> Walker::composite(const plan::Step& step, const std::string& id, Frame& frame,
                                      const base::Patience& patience) {
  Value::Map inputs;
  for (const auto& input : step.fragment->inputs) {
    if (input.fallback) inputs.emplace(input.name.value, *input.fallback);
  }
  for (const auto& [input, given] : step.arguments) {
    auto value = scenario::evaluate(given, frame.values);
    if (!value) return std::move(value).error().during("computing `" + input->name.value + "`");
    auto fits = scenario::check_input(*input, *std::move(value));
    if (!fits) return std::move(fits).error();
    inputs.insert_or_assign(input->name.value, *std::move(fits));
  }
  Frame inside = frame.within(patience.deadline());
  inside.stop = patience.stop();
  inside.prefix = id + ".";
  inside.values.insert_or_assign("inputs", Value(std::move(inputs)));
  inside.values.erase("steps");
  inside.values.erase("each");
  auto error = steps(step.steps, inside);
  frame.acted = inside.acted;
  if (error) return *std::move(error);
  Value::Map outputs;
  for (const auto& output : step.fragment->outputs) {
    auto value = scenario::evaluate(output.value, inside.values);
    if (!value) return std::move(value).error().during("computing the output `" + output.name.value + "`");
    outputs.emplace(output.name.value, *std::move(value));
  }
  return Value(std::move(outputs));
}

// Side by side, each in a copy of the scope; afterwards what they gave is seen together.
base::Result<Value> Walker::branches(const plan::Step& step, Frame& frame, const base::Patience& patience) {
  const bool race = step.written->wait == scenario::Wait::first;
  // The losers of a race may outlive this call: what they use is theirs, or the plan's.
  auto frames = std::make_shared<std::vector<Frame>>(step.branches.size(), frame.within(patience.deadline()));
  Lanes::Work work;
  work.run = [this, frames, &step](std::size_t lane, const std::stop_token& stop) {
    Frame& own = (*frames)[lane];
    own.stop = stop;
    own.outermost = false;
    return steps(step.branches[lane].steps, own);
  };
  if (race) {
    work.acted = [frames](std::size_t lane) { return (*frames)[lane].acted; };
    work.lost = [this, &step, prefix = frame.prefix](std::size_t lane) { give_back(step.branches[lane], prefix); };
  }
  auto lanes = std::make_unique<Lanes>(crew(), step.branches.size(), step.branches.size(),
                                       race ? Join::first : Join::all, std::move(work), patience.stop());
  Lanes::Outcome outcome = lanes->wait();
  if (race) {
    const std::lock_guard lock(stragglers_mutex_);
    stragglers_.push_back(std::move(lanes));
  }
  for (std::size_t lane = 0; lane < step.branches.size(); ++lane) {
    if (outcome.winner && lane != *outcome.winner) continue;  // its thread may still be writing
    frame.acted = frame.acted || (*frames)[lane].acted;
  }
  if (outcome.error) return *std::move(outcome.error);
  if (patience.stop().stop_requested()) return Error{base::Fault::cancelled, "stopped", "stopped on request"};
  if (race && !outcome.winner) {
    return Error{base::Fault::invalid, "nothing_ran", "no branch of `" + step.id + "` won: no call ran in any of them",
                 "let a branch have a step without `when`, or give `when` to the race itself"};
  }
  Value::Map together;
  if (const Value::Map* before = frame.values["steps"].map()) together = *before;
  Value::Map out;
  for (std::size_t lane = 0; lane < step.branches.size(); ++lane) {
    if (race && lane != *outcome.winner) continue;
    if (race) out.emplace("winner", step.branches[lane].name);
    const Value::Map* gave = (*frames)[lane].values["steps"].map();
    if (gave == nullptr) continue;
    for (const auto& [name, value] : *gave) together.insert_or_assign(name, value);
  }
  frame.values.insert_or_assign("steps", Value(std::move(together)));
  return Value(std::move(out));
}

// What a branch that lost made, given back at once; what cannot be is left to the cleanup at the run's end, as is what
// the winner may use too.
void Walker::give_back(const plan::Branch& branch, const std::string& prefix) {
  std::vector<const plan::Step*> all;
  plan::flatten(branch.steps, all);
  std::set<std::string, std::less<>> ids;
  for (const plan::Step* step : all) ids.insert(step->id);
  give_back_some(shared_, options_.cleanup, options_.stop, [&](const Entry& entry) {
    if (entry.shared || entry.step.rfind(prefix, 0) != 0) return false;
    return ids.count(first_part(std::string_view(entry.step).substr(prefix.size()))) > 0;
  });
}

}  // namespace failover::run
