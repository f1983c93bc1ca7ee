#include "tools/simulate/fate.h"

#include <array>

#include "engine/base/digest.h"
#include "engine/base/units.h"

namespace failover::simulate {
namespace {

// The account's own troubles are rarer than a machine's.
const std::vector<const char*> kWorld = {
    "offer_gone",
    "list_lags",
    "list_page_lost",
    "create_502_after_effect",
    "create_reset_after_effect",
    "create_late_effect",
    "create_success_false",
    "destroy_500",
    "stuck_loading",
    "instance_vanishes",
    "host_offline",
    "outbid",
    "ssh_never",
    "ssh_key_denied",
    "host_key_changed",
    "ssh_drop",
    "disk_full",
    "b2_unavailable",
    "b2_slow_down",
    "b2_internal_error",
    "put_lost_answer",
    "object_corrupted",
    "download_corrupted",
    "download_cut",
    "object_missing",
    "rate_limit_storm",
    "vast_unavailable",
    "malformed_json",
    "list_unavailable",
    "auth_revoked_mid_run",
    "no_offers",
    "no_credit",
    "price_rises",
    "b2_key_revoked",
    "b2_cap_exceeded",
};
// Drawn apart, so that what came after the others changes none of theirs.
const std::vector<const char*> kLater = {"start_unavailable", "complete_lost_answer", "object_swapped", "object_stale",
                                         "price_unreadable"};
// Each ends a journey before it has begun: one seed in many.
const std::vector<const char*> kHopeless = {"bad_vast_key", "bad_b2_key", "b2_no_rights", "b2_bucket_missing"};
constexpr int kFirstWires = 14;  // those after them came later

std::uint64_t roll(base::SeededRandom& random, std::uint64_t sides) { return random.next() % sides; }

}  // namespace

const std::vector<const char*>& world_faults() {
  static const std::vector<const char*> all = [] {
    auto out = kWorld;
    out.insert(out.end(), kLater.begin(), kLater.end());
    out.insert(out.end(), kHopeless.begin(), kHopeless.end());
    return out;
  }();
  return all;
}

const char* to_string(Wire wire) {
  static constexpr std::array kNames = {"none",         "unreachable",        "request_lost", "answer_lost",
                                        "answer_late",  "effect_late",        "duplicate",    "too_many",
                                        "server_error", "server_error_after", "denied",       "garbled",
                                        "captive",      "accepted_late",      "creeps",       "huge"};
  static_assert(kNames.size() == kWires);
  return kNames.at(static_cast<std::size_t>(wire));
}

Script Script::swarm(std::uint64_t seed) {
  base::SeededRandom random(seed ^ 0x5EEDFA7EU);
  Script out;
  out.seed = seed;
  static constexpr std::array kRates = {0, 5, 20, 60, 150, 300};
  out.rate = kRates.at(roll(random, kRates.size()));
  for (int i = 1; i < kFirstWires; ++i) {
    if (roll(random, 3) == 0) out.wires.push_back(static_cast<Wire>(i));
  }
  if (out.wires.empty()) out.wires.push_back(static_cast<Wire>(1 + roll(random, kFirstWires - 1)));
  for (std::uint64_t n = roll(random, 3); n > 0; --n) {
    // Now and then an outage instead of a hiccup: it outlasts every retry of one request.
    const std::uint64_t times = roll(random, 4) == 0 ? 10 + roll(random, 50) : 1 + roll(random, 3);
    out.world.emplace_back(kWorld.at(roll(random, kWorld.size())), static_cast<int>(times));
  }
  if (roll(random, 2) == 0) {
    for (std::uint64_t n = 1 + roll(random, 3); n > 0; --n) {
      Blow blow;
      blow.death = static_cast<Death>(1 + roll(random, 4));
      blow.at = static_cast<int>(1 + roll(random, 120));
      blow.power = roll(random, 2) == 0;
      blow.call = roll(random, 3) == 0;
      out.blows.push_back(blow);
    }
  }
  if (roll(random, 5) == 0) {
    out.interrupt.at = static_cast<int>(1 + roll(random, 60));
    if (roll(random, 3) == 0) out.give_up.at = out.interrupt.at + static_cast<int>(1 + roll(random, 10));
  }
  out.away = std::chrono::seconds(5 + roll(random, 300));
  if (roll(random, 2) == 0) out.heals = std::chrono::seconds(roll(random, 600));
  if (roll(random, 8) == 0) out.purse = static_cast<int>(100 + roll(random, 900));
  out.rots = roll(random, 16) == 0;
  out.proxied = roll(random, 16) == 0;
  if (roll(random, 8) == 0) {
    out.set_by = std::chrono::seconds(static_cast<std::int64_t>(roll(random, 2 * 840)) - 840);
    out.set_at = std::chrono::seconds(roll(random, 1800));
  }
  static constexpr std::array kDear = {3'000, 20'000, 60'000, 200'000};
  if (roll(random, 16) == 0) out.dear = kDear.at(roll(random, kDear.size()));
  out.orphaned = roll(random, 16) == 0;
  if (roll(random, 16) == 0) out.breaks = static_cast<int>(1 + roll(random, 120));
  // A lie alone hides nothing.
  out.lies = roll(random, 16) == 0;
  out.rots = out.rots || out.lies;
  for (int i = kFirstWires; i < kWires; ++i) {
    if (roll(random, 4) == 0) out.wires.push_back(static_cast<Wire>(i));
  }
  const auto times = [&] { return static_cast<int>(1 + roll(random, 3)); };
  if (roll(random, 8) == 0) out.world.emplace_back(kLater.at(roll(random, kLater.size())), times());
  if (roll(random, 256) == 0) out.world.emplace_back(kHopeless.at(roll(random, kHopeless.size())), times());
  // Drawn apart from all of that: what came later changes nothing of it.
  base::SeededRandom later(seed ^ 0x1A7E2FA7EU);
  out.labels_in_weather = out.orphaned && roll(later, 2) == 0;
  if (roll(later, 16) == 0) out.credit_ends = std::chrono::seconds(roll(later, 90));
  return out;
}

bool Script::is_calm() const {
  return rate == 0 && world.empty() && blows.empty() && breaks == 0 && at.empty() && call == 0 && interrupt.at == 0 &&
         purse == 1000 && dear == 0 && !rots && !credit_ends;
}

std::string Script::text() const {
  std::string out = "seed " + std::to_string(seed);
  if (call > 0)
    out += std::string(", call ") + std::to_string(call) + " " + to_string(wire) + (lasting ? " and on" : "");
  for (const auto& [number, how] : at) out += ", call " + std::to_string(number) + " " + to_string(how);
  if (rate > 0) {
    out += ", " + std::to_string(rate) + " of 1000 calls:";
    for (const Wire one : wires) out += std::string(" ") + to_string(one);
  }
  for (const auto& [name, count] : world) out += ", " + name + ":" + std::to_string(count);
  for (const auto& blow : blows) {
    static constexpr std::array kDeaths = {"never", "before", "torn", "lost", "durable"};
    out += std::string(", ") + (blow.power ? "power cut " : "kill ") +
           kDeaths.at(static_cast<std::size_t>(blow.death)) + (blow.call ? " call " : " record ") +
           std::to_string(blow.at);
  }
  if (interrupt.at > 0) out += ", stop before call " + std::to_string(interrupt.at);
  if (give_up.at > 0) out += ", again before call " + std::to_string(give_up.at);
  if (heals) out += ", heals " + base::format(*heals) + " after closing";
  if (purse != 1000) out += ", " + std::to_string(purse) + " of 1000 of the money";
  if (dear > 0) out += ", traffic at $" + std::to_string(dear) + " a GB";
  if (credit_ends) out += ", the credit ends after " + base::format(*credit_ends);
  if (rots) out += ", what is restored rots";
  if (lies) out += ", hosts lie about it";
  if (proxied) out += ", by the SSH proxy alone";
  if (breaks > 0) out += ", no record from " + std::to_string(breaks) + " on can be written";
  if (orphaned) out += ", its journal is lost";
  if (labels_in_weather) out += ", and its labels are first read in the same weather";
  if (set_by != base::Duration(0)) {
    out += ", the clock is set " + std::string(set_by > base::Duration(0) ? "ahead" : "back") + " by " +
           base::format(std::chrono::abs(set_by)) + " after " + base::format(set_at);
  }
  return out;
}

}  // namespace failover::simulate
