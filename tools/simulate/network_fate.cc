// What goes wrong with the calls of a simulated runner, and when it stops and dies.
#include <algorithm>
#include <string>

#include "tools/simulate/network.h"

namespace failover::simulate {

// SplitMix64, as base::SeededRandom.
std::uint64_t Network::Stream::next() {
  state += 0x9E3779B97F4A7C15U;
  std::uint64_t mixed = state;
  mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9U;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBU;
  return mixed ^ (mixed >> 31U);
}

void Network::weather() {
  if (calm_ || !script_.heals || !closed_ || clock_.now() < *closed_ + *script_.heals) return;
  calm_ = well_ = true;
  heal();
  witness_.healed(std::max(born_, *closed_ + *script_.heals));
  if (trace) trace("the world has healed");
}

// At its own time, whoever looks at it when.
void Network::spend() {
  if (spent_ || calm_ || !script_.credit_ends || !began_ || clock_.now() < *began_ + *script_.credit_ends) return;
  spent_ = true;
  ++cells_[{"credit_ends", "world"}];
  clock_.as_of(std::max(*began_ + *script_.credit_ends, world_.now()), [&] {
    const auto lock = world_.enter();
    world_.account.credit_at_start -= world_.credit();
  });
  if (trace) trace("the account's credit has ended");
}

Wire Network::drawn(int call) {
  if (calm_) return Wire::none;
  if (const auto told = script_.at.find(call); told != script_.at.end() && lives_ == 1) return told->second;
  if (script_.call > 0 && lives_ == 1) {
    return call == script_.call || (script_.lasting && call > script_.call) ? script_.wire : Wire::none;
  }
  if (script_.rate == 0 || script_.wires.empty() || roll(1000) >= static_cast<std::uint64_t>(script_.rate))
    return Wire::none;
  return script_.wires[roll(script_.wires.size())];
}

void Network::die() {
  disk_.die();
  throw Dead{};
}

void Network::interrupt() {
  hit("stop");
  stopping_ = true;
  disk_.quiet(true);
  // Who takes the stop's callback back waits for it with a real lock, and would have the turn.
  clock_.keep_turn(true);
  stop.request_stop();
  clock_.keep_turn(false);
  disk_.quiet(false);
  stopping_ = false;
  if (disk_.dead()) throw Dead{};
}

// What cannot happen in this way is the nearest that can.
Wire Network::translated(Wire drawn, Way way) {
  if (drawn == Wire::accepted_late && way != Way::ending) drawn = Wire::answer_late;
  if (drawn == Wire::huge && way == Way::bodiless) drawn = Wire::garbled;
  if (way == Way::upload && drawn == Wire::effect_late) return drawn;  // the store's, of what the machine sent
  if (way != Way::ssh && way != Way::upload) return drawn;
  switch (drawn) {
    case Wire::too_many:
    case Wire::server_error:
    case Wire::captive: return Wire::unreachable;
    case Wire::duplicate: return Wire::none;
    case Wire::effect_late:
    case Wire::server_error_after: return Wire::answer_lost;
    default: return drawn;
  }
}

void Network::hit(const char* fault) { ++cells_[{fault, where ? where() : "?"}]; }

Network::Fate Network::next(const std::string& what, Way way) {
  if (disk_.dead()) throw Dead{};
  const int call = ++calls_;
  weather();
  if (script_.give_up.at == call && lives_ == 1) {
    hit("second stop");
    give_up.request_stop();
  }
  if (blow_.death == Death::before && blow_.call && blow_.at == call) {
    if (trace) trace("dies before " + what);
    die();
  }
  const Wire wire = translated(drawn(call), way);
  if (wire != Wire::none) hit(to_string(wire));
  if (trace)
    trace(std::to_string(call) + " " + what + (wire == Wire::none ? "" : std::string("  ! ") + to_string(wire)));
  return {call, wire, script_.interrupt.at == call && lives_ == 1};
}

// The effect is there, the runner does not know it yet.
void Network::after_effect(int call) {
  if (blow_.death != Death::none && blow_.death != Death::before && blow_.call && blow_.at == call) {
    if (trace) trace("dies before the answer");
    die();
  }
}

}  // namespace failover::simulate
