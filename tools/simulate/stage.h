// What a journey knows of itself: who calls just now, and what its plan asks for.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>

#include "engine/event/event.h"
#include "engine/plan/plan.h"
#include "tools/simulate/network.h"
#include "tools/simulate/turns.h"

namespace failover::simulate {

// Who calls just now: the type of the step that began last, of those that take turns in each one's own; or what comes
// after the steps.
class Where final : public event::Subscriber {
 public:
  // The network is told when closing begins (I11).
  Where(const Turns& turns, Network& network) : turns_(turns), network_(network) {}
  void on(const event::Event& event) override {
    if (event.type == event::type::step_started) steps_[turns_.current()] = event.text("uses");
    if (const auto* proof = event.type == event::type::step_finished ? event["outputs"].find("proof") : nullptr)
      word_alone_ = *proof == base::Value("claim");
    if (event.type != event::type::closing && event.type != event::type::cleanup_started) return;
    steps_ = {{0, "cleanup"}};
    network_.close();
  }
  // The last verification rests on the machine's word, as the run says.
  [[nodiscard]] bool word_alone() const { return word_alone_; }
  void recovering() { steps_ = {{0, "recovery"}}; }
  [[nodiscard]] std::string now() const {
    const auto at = steps_.find(turns_.current());
    return at == steps_.end() ? "start" : at->second;
  }

 private:
  const Turns& turns_;
  std::map<std::size_t, std::string> steps_;
  bool word_alone_ = false;
  Network& network_;
};

// How many machines the plan has at most at one time; nullopt: that depends on what happens.
std::optional<std::size_t> machines_of(const plan::Plan& plan, const base::Value::Map& inputs);
// Does it compare files in the end?
bool verifies(const plan::Plan& plan);

}  // namespace failover::simulate
