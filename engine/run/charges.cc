#include "engine/run/charges.h"

#include <algorithm>

namespace failover::run {
namespace {

namespace type = event::type;
using base::Value;

// What this kind was rented of, by an id that the provider knows.
std::vector<plugin::Held> rented(const Ledger& ledger, const std::string& kind) {
  std::vector<plugin::Held> out;
  for (const auto& entry : ledger.entries()) {
    const bool billed = entry.per_hour.micros > 0 && entry.state != State::refused && !entry.held.id.empty();
    if (billed && entry.held.kind == kind) out.push_back(entry.held);
  }
  return out;
}

Value line(const plugin::Held& held, const plugin::Charge& charge) {
  return Value::Map{{"name", held.name},
                    {"id", held.id},
                    {"usd", base::usd(charge.amount)},  // a number: it may be a credit
                    {"compute_usd", base::usd(charge.compute)},
                    {"storage_usd", base::usd(charge.storage)},
                    {"traffic_usd", base::usd(charge.traffic)}};
}

}  // namespace

void read_charges(Shared& shared, const base::Patience& patience) {
  StepHost host(shared, "charges");
  for (const auto& kind : shared.registry.kinds) {
    if (!kind.charges) continue;
    const auto held = rented(shared.ledger, kind.name);
    if (held.empty()) continue;
    const auto listed = kind.charges(held, plugin::Context(host, patience));
    Value::Map data{{"kind", kind.name}, {"asked", static_cast<std::int64_t>(held.size())}};
    Value::List lines;
    for (const auto& one : held) {
      if (!listed) break;
      const auto known = std::find_if(listed->begin(), listed->end(),
                                      [&](const plugin::Charge& charge) { return charge.id == one.id; });
      if (known != listed->end()) lines.push_back(line(one, *known));
    }
    data.emplace("lines", Value(std::move(lines)));
    if (!listed) data.emplace("error", event::describe(listed.error()));
    (void)shared.stream.emit(type::charges, std::move(data), true);
  }
}

}  // namespace failover::run
