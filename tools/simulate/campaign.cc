#include "tools/simulate/campaign.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "tools/simulate/cast.h"

namespace failover::simulate {
namespace {

// `work(i, tally, cast)` for each i below `count`, in any order; each thread has a tally and a cast of its own.
template <class Work>
Tally share(const Play& play, std::uint64_t count, unsigned jobs, const Work& work, bool fail_fast = false) {
  std::atomic<std::uint64_t> next{0};
  std::atomic<bool> over{false};
  std::mutex mutex;
  Tally all;
  const auto run = [&](unsigned number) {
    Tally own;
    Cast cast(play, number);
    for (std::uint64_t i = next++; i < count && !over; i = next++) {
      work(i, own, cast);
      if (fail_fast && own.violated > 0) over = true;
    }
    const std::lock_guard lock(mutex);
    all.add(own);
  };
  {
    std::vector<std::jthread> helpers;
    for (unsigned i = 1; i < std::min<std::uint64_t>(std::max(1U, jobs), count); ++i) helpers.emplace_back(run, i);
    run(0);
  }
  return all;
}

template <class T>
bool is_same(const T& one, const T& other) {
  return one == other;
}
bool is_same(const Stop& one, const Stop& other) { return one.at == other.at; }

// The script with one thing less that goes wrong, in each way.
std::vector<Script> with_less(const Script& script) {
  std::vector<Script> out;
  const auto each = [&](auto Script::*list) {
    for (std::size_t i = 0; i < (script.*list).size(); ++i) {
      Script candidate = script;
      (candidate.*list).erase(std::next((candidate.*list).begin(), static_cast<std::ptrdiff_t>(i)));
      out.push_back(std::move(candidate));
    }
  };
  const auto plain = [&](const auto&... members) {
    Script candidate = script;
    static const Script nothing;
    const bool already = ((is_same(script.*members, nothing.*members)) && ...);
    ((candidate.*members = nothing.*members), ...);
    if (!already) out.push_back(std::move(candidate));
  };
  each(&Script::blows);
  each(&Script::world);
  if (script.rate > 0) each(&Script::wires);
  each(&Script::at);
  plain(&Script::rate, &Script::wires);
  plain(&Script::interrupt, &Script::give_up);
  plain(&Script::give_up);
  plain(&Script::lasting);
  plain(&Script::call, &Script::wire, &Script::lasting);
  plain(&Script::breaks);
  plain(&Script::labels_in_weather);
  plain(&Script::orphaned, &Script::labels_in_weather);
  plain(&Script::heals);
  plain(&Script::purse);
  plain(&Script::rots, &Script::lies);
  plain(&Script::lies);
  plain(&Script::proxied);
  plain(&Script::dear);
  plain(&Script::credit_ends);
  plain(&Script::set_by, &Script::set_at);
  return out;
}

}  // namespace

void Tally::add(const Script& script, const Result& result, std::uint64_t number) {
  ++journeys;
  passed += result.exit_code == 0 ? 1 : 0;
  deaths += result.exit_code == -1 ? 1 : 0;
  recoveries += static_cast<std::uint64_t>(result.recoveries);
  calls += static_cast<std::uint64_t>(result.calls);
  simulated += result.took;
  if (result.quiet) ++quiet[std::chrono::ceil<std::chrono::seconds>(*result.quiet).count()];
  for (const auto& [cell, hits] : result.cells) cells[cell] += hits;
  if (result.violations.empty()) return;
  ++violated;
  if (findings.size() < kMostFindings) findings.push_back({script, result.violations, number});
}

void Tally::add(const Tally& other) {
  journeys += other.journeys;
  passed += other.passed;
  deaths += other.deaths;
  recoveries += other.recoveries;
  calls += other.calls;
  simulated += other.simulated;
  violated += other.violated;
  for (const auto& [seconds, count] : other.quiet) quiet[seconds] += count;
  for (const auto& [cell, hits] : other.cells) cells[cell] += hits;
  findings.insert(findings.end(), other.findings.begin(), other.findings.end());
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.number < b.number; });
  if (findings.size() > kMostFindings) findings.resize(kMostFindings);
}

std::optional<std::int64_t> Tally::quiet_within(double per_cent) const {
  std::uint64_t all = 0;
  for (const auto& [seconds, count] : quiet) all += count;
  std::uint64_t below = 0;
  for (const auto& [seconds, count] : quiet) {
    below += count;
    if (static_cast<double>(below) * 100 >= static_cast<double>(all) * per_cent) return seconds;
  }
  return std::nullopt;
}

Tally swarm(const Play& play, std::uint64_t first, std::uint64_t count, unsigned jobs, bool fail_fast) {
  const auto one = [&](std::uint64_t i, Tally& tally, Cast& cast) {
    const Script script = Script::swarm(first + i);
    tally.add(script, journey(cast, script), first + i);
  };
  return share(play, count, jobs, one, fail_fast);
}

Tally run_all(const Play& play, const std::vector<Script>& scripts, unsigned jobs) {
  const auto one = [&](std::uint64_t i, Tally& tally, Cast& cast) {
    tally.add(scripts[i], journey(cast, scripts[i]), i + 1);
  };
  return share(play, scripts.size(), jobs, one);
}

std::vector<Script> every_point(const Play& play) {
  const Result plain = journey(play, Script{});
  std::vector<Script> out;
  for (int record = 1; record <= plain.records; ++record) {
    for (const Death death : {Death::before, Death::torn, Death::lost, Death::durable}) {
      for (const bool power : {false, true}) {
        Script script;
        script.blows = {Blow{death, record, power, false}};
        out.push_back(script);
      }
    }
    Script script;
    script.breaks = record;
    out.push_back(script);
  }
  for (int call = 1; call <= plain.calls; ++call) {
    for (const Death death : {Death::before, Death::durable}) {
      Script script;
      script.blows = {Blow{death, call, false, true}};
      out.push_back(script);
    }
    for (int wire = 1; wire < kWires; ++wire) {
      for (const bool lasting : {false, true}) {
        Script script;
        script.call = call;
        script.wire = static_cast<Wire>(wire);
        script.lasting = lasting;
        out.push_back(script);
      }
    }
    for (const int again : {0, 1}) {
      Script script;
      script.interrupt.at = call;
      if (again > 0) script.give_up.at = call + again;
      out.push_back(script);
    }
  }
  return out;
}

std::vector<Script> every_pair(const Play& play, int stride) {
  std::vector<Blow> blows;
  for (const Death death : {Death::before, Death::torn, Death::lost, Death::durable}) {
    for (const bool power : {false, true}) blows.push_back(Blow{death, 0, power, false});
  }
  const int records = journey(play, Script{}).records;
  std::vector<Script> out;
  for (int record = 1; record <= records; record += stride) {
    for (Blow first : blows) {
      first.at = record;
      Script script;
      script.blows = {first};
      const Result once = journey(play, script);
      for (int call = 1; call <= once.recovered_calls; ++call) {
        for (const Death death : {Death::before, Death::durable}) {
          script.blows = {first, Blow{death, call, false, true}};
          out.push_back(script);
        }
      }
      for (int again = 1; again <= once.recovered; ++again) {
        for (Blow second : blows) {
          second.at = again;
          script.blows = {first, second};
          out.push_back(script);
        }
      }
    }
  }
  return out;
}

Script shrink(const Play& play, Script script) {
  const auto broken = [&](const Script& candidate) {
    std::set<std::string> promises;
    for (const auto& violation : journey(play, candidate).violations)
      promises.insert(violation.substr(0, violation.find(':')));
    return promises;
  };
  const auto before = broken(script);
  const auto same = [&](const Script& candidate) {
    const auto after = broken(candidate);
    return std::any_of(after.begin(), after.end(), [&](const auto& one) { return before.count(one) > 0; });
  };
  for (;;) {
    const auto candidates = with_less(script);
    const auto smaller = std::find_if(candidates.begin(), candidates.end(), same);
    if (smaller == candidates.end()) return script;
    script = *smaller;
  }
}

}  // namespace failover::simulate
