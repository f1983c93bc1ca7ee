#include "engine/run/expired.h"

#include <algorithm>

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

CleanupResult clean_up_expired(Shared& shared, const std::vector<Sighting>& seen, const CleanupOptions& options,
                               const std::stop_token& stop) {
  for (const auto& one : seen) {
    if (one.standing != Standing::expired) continue;
    const auto& held = one.held;
    Value::Map attributes = held.attributes;
    // As if a journal had told of it: from here on there is one way to give things back.
    (void)shared.stream.emit(type::intent,
                             {{"name", held.name}, {"kind", held.kind}, {"what", "found by its label"}, {"step", ""}});
    (void)shared.stream.emit(
        type::made,
        {{"name", held.name}, {"kind", held.kind}, {"id", held.id}, {"attributes", Value(std::move(attributes))}});
  }
  return clean_up(shared, options, stop);
}

}  // namespace failover::run
