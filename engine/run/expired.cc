#include "engine/run/expired.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "engine/event/event.h"

namespace failover::run {
namespace {

namespace type = event::type;
using base::Value;

Sighting judge(plugin::Held held, const base::Secret& key, base::WallTime now) {
  Sighting out;
  out.label = verify_label(held.name, key);
  if (out.label) out.standing = out.label->deadline < now ? Standing::expired : Standing::in_time;
  out.held = std::move(held);
  return out;
}

bool can_be_searched(const plugin::Kind& kind) { return static_cast<bool>(kind.find); }

}  // namespace

Survey survey(const plugin::Registry& registry, const base::Secret& key, plugin::Host& host,
              const base::Patience& patience) {
  Survey out;
  auto waiting = std::count_if(registry.kinds.begin(), registry.kinds.end(), can_be_searched);
  for (const auto& kind : registry.kinds) {
    if (!can_be_searched(kind)) continue;
    auto found = kind.find(plugin::Context(host, patience.within(patience.left() / waiting--)));
    if (!found) {
      out.unlisted.push_back(std::move(found).error().during("looking for everything of kind " + kind.name));
      continue;
    }
    const base::WallTime now = found->now.value_or(patience.clock().wall());
    for (auto& held : found->things) {
      if (looks_ours(held.name)) out.seen.push_back(judge(std::move(held), key, now));
    }
  }
  return out;
}

namespace {

using Name = std::pair<std::string, std::string>;  // of a kind

Name name_of(const plugin::Held& held) { return {held.kind, held.name}; }

// As if a journal had told of it: from here on there is one way to give things back.
void tell(event::Stream& stream, const plugin::Held& held) {
  (void)stream.emit(type::intent,
                    {{"name", held.name}, {"kind", held.kind}, {"what", "found by its label"}, {"step", ""}});
  (void)stream.emit(
      type::made,
      {{"name", held.name}, {"kind", held.kind}, {"id", held.id}, {"attributes", Value(Value::Map(held.attributes))}});
}

}  // namespace

// A name is all that the ledger knows a thing by. What bears one that another bears too (a request that arrived twice)
// has its turn when that one is gone.
CleanupResult clean_up_expired(Shared& shared, const std::vector<Sighting>& seen, const CleanupOptions& options,
                               const std::stop_token& stop) {
  std::vector<plugin::Held> waiting;
  for (const auto& one : seen) {
    if (one.standing == Standing::expired) waiting.push_back(one.held);
  }
  CleanupResult all;
  std::set<Name> stuck;
  do {
    std::set<Name> told;
    std::vector<plugin::Held> later;
    for (auto& held : waiting) {
      if (told.insert(name_of(held)).second) {
        tell(shared.stream, held);
      } else {
        later.push_back(std::move(held));
      }
    }
    CleanupOptions now = options;
    for (const auto& [kind, name] : stuck) now.leave.insert(name);
    auto round = clean_up(shared, now, stop);
    for (const auto& left : round.left) stuck.emplace(left.kind, left.name);
    all.attempted += round.attempted;
    all.released += round.released;
    std::move(round.left.begin(), round.left.end(), std::back_inserter(all.left));
    waiting.clear();
    for (auto& held : later) {
      if (stuck.count(name_of(held)) == 0) {
        waiting.push_back(std::move(held));
        continue;
      }
      ++all.attempted;
      all.left.push_back(
          {held.kind, held.name, held.id, "another one of this name is still held", by_hand(shared.registry, held)});
    }
  } while (!waiting.empty());
  return all;
}

}  // namespace failover::run
