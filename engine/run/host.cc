#include "engine/run/host.h"

#include <utility>

#include "engine/base/costs.h"
#include "engine/base/digest.h"
#include "engine/base/text.h"
#include "engine/run/label.h"

namespace failover::run {
namespace {

namespace type = event::type;
using base::Value;

}  // namespace

std::string make_run_id(base::WallTime now) {
  std::string stamp;
  for (const char c : base::format_utc(now).substr(0, 19)) {
    if (c != '-' && c != ':') stamp += c;
  }
  return stamp + "Z-" + base::random_id(10);
}

base::Error out_of_money(const Shared& shared) {
  return {base::Fault::refused, "limit_cost",
          "the traffic of the run's machines, or a price that rose after the search, has used up what limits.cost " +
              base::format(shared.purse.limit) + " leaves beside what they may cost until the run's end",
          "raise limits.cost, move fewer bytes, or take offers whose traffic is cheaper"};
}

void StepHost::emit(const char* kind, Value::Map data, bool durable) {
  if (!shared_->stream.emit(kind, std::move(data), durable)) shared_->journal_failed = true;
}

void StepHost::exchange(const plugin::Exchange& exchange) {
  emit(type::exchange,
       {{"step", step_},
        {"peer", exchange.peer},
        {"method", exchange.method},
        {"target", exchange.target},
        {"status", exchange.status},
        {"took_s", base::seconds(exchange.took)},
        {"outcome", exchange.outcome}},
       false);
}

void StepHost::progress(const std::string& text) {
  const std::string shown = base::printable(text, 200);
  if (shown == last_progress_) return;
  last_progress_ = shown;
  emit(type::step_progress, {{"id", step_}, {"text", shown}}, false);
}

base::Money StepHost::taken(base::Duration now) const {
  const auto settle = [this](const std::string& name) {
    const plugin::Kind* kind = shared_->registry.kind(name);
    return kind == nullptr ? base::Duration(0) : kind->settle;
  };
  return base::sum_of(shared_->ledger.spent(now, settle), shared_->ledger.committed(now, shared_->purse.end, settle));
}

bool StepHost::within_limit() const { return taken(shared_->stream.since_start()) <= shared_->purse.limit; }

base::Result<void> StepHost::affordable(const plugin::Intent& intent) const {
  if (intent.per_hour.micros == 0) return {};
  const base::Duration now = shared_->stream.since_start();
  const base::Money before = taken(now);
  const base::Money wanted = base::cost_of(intent.per_hour, shared_->purse.end - now);
  if (base::sum_of(before, wanted) <= shared_->purse.limit) return {};
  return base::Error{base::Fault::refused, "limit_cost",
                     intent.what + " at " + base::format(intent.per_hour) + "/h until the run's end could cost " +
                         base::format(wanted) + ", with " + base::format(before) +
                         " spent or kept for what is there already: above the limit of " +
                         base::format(shared_->purse.limit),
                     "raise limits.cost, shorten limits.duration, or lower the price you accept"};
}

base::Result<void> StepHost::make_room(const plugin::Intent& intent, const base::Patience& patience) {
  auto fits = affordable(intent);
  if (fits || !shared_->prove || shared_->closing) return fits;
  shared_->prove(patience);
  return affordable(intent);
}

base::Result<std::string> StepHost::intend(const plugin::Intent& intent) {
  if (shared_->closing) {
    return base::Error{base::Fault::refused, "closing", "the run is closing: nothing is made any more"};
  }
  const std::lock_guard one_at_a_time(shared_->purse_mutex);
  if (auto fits = affordable(intent); !fits) return std::move(fits).error();
  const int sequence = ++shared_->made;
  std::string name = make_label(shared_->info.id, sequence, shared_->info.deadline, shared_->label_key);
  Value::Map data{{"name", name},
                  {"kind", intent.kind},
                  {"what", intent.what},
                  {"per_hour_usd", intent.per_hour},
                  {"step", step_},
                  {"attributes", Value(intent.attributes)},
                  {"deadline", base::format_utc(shared_->info.deadline)}};
  if (intent.request) data.emplace("request_sha256", base::digest_hex(base::Algorithm::sha256, intent.request(name)));
  if (intent.shared) data.emplace("shared", true);
  if (intent.per_gb_up.micros > 0) data.emplace("per_gb_up_usd", intent.per_gb_up);
  if (intent.per_gb_down.micros > 0) data.emplace("per_gb_down_usd", intent.per_gb_down);
  auto written = shared_->stream.emit(type::intent, std::move(data), true);
  if (!written) {
    shared_->journal_failed = true;
    // The subscribers heard of it; nothing was sent, so it never came to be.
    emit(type::refused,
         {{"name", name}, {"kind", intent.kind}, {"certain", true}, {"error", event::describe(written.error())}},
         false);
    return std::move(written).error().during("writing down what is about to be made");
  }
  return name;
}

void StepHost::made(const std::string& name, const plugin::Made& made) {
  const auto entry = shared_->ledger.find(name);
  emit(type::made,
       {{"name", name},
        {"kind", entry ? entry->held.kind : ""},
        {"id", made.id},
        {"attributes", Value(made.attributes)}},
       true);
}

void StepHost::refused(const std::string& name, const base::Error& why) {
  const auto entry = shared_->ledger.find(name);
  emit(type::refused, {{"name", name}, {"kind", entry ? entry->held.kind : ""}, {"error", event::describe(why)}}, true);
}

void StepHost::unsent(const std::string& name, const base::Error& why) {
  const auto entry = shared_->ledger.find(name);
  emit(type::refused,
       {{"name", name}, {"kind", entry ? entry->held.kind : ""}, {"certain", true}, {"error", event::describe(why)}},
       true);
}

void StepHost::unclear(const std::string& name, const base::Error& why) {
  const auto entry = shared_->ledger.find(name);
  emit(type::unclear, {{"name", name}, {"kind", entry ? entry->held.kind : ""}, {"error", event::describe(why)}}, true);
}

base::Result<void> StepHost::sending(const std::string& name) {
  const auto entry = shared_->ledger.find(name);
  auto written = shared_->stream.emit(type::sending, {{"name", name}, {"kind", entry ? entry->held.kind : ""}}, true);
  if (written) return {};
  shared_->journal_failed = true;
  return std::move(written).error().during("writing down what is about to be sent");
}

void StepHost::unanswered(const std::string& name) {
  const auto entry = shared_->ledger.find(name);
  emit(type::unanswered, {{"name", name}, {"kind", entry ? entry->held.kind : ""}}, false);
}

void StepHost::ended(const std::string& kind, const std::string& id) {
  const auto held = shared_->ledger.by_id(kind, id);
  if (!held) return;
  emit(type::ended, {{"name", held->name}, {"kind", kind}, {"id", id}}, true);
}

// `vast:8812345`, or with more behind it: the provider and its id.
void StepHost::traffic(const std::string& machine, std::int64_t up, std::int64_t down) {
  const auto words = base::split(machine, ':');
  if (words.size() < 2 || up < 0 || down < 0) return;
  for (const auto& entry : shared_->ledger.entries()) {
    const bool mine = entry.held.id == words[1] && entry.held.kind.rfind(words[0] + ".", 0) == 0;
    if (!mine || entry.per_gb_up.micros + entry.per_gb_down.micros == 0) continue;
    Traffic told;
    {
      const std::lock_guard lock(shared_->traffic_mutex);
      Traffic& pending = shared_->traffic[entry.held.name];
      pending.up += up;
      pending.down += down;
      // A record for each millionth at most: commands are many, and most of them cost nothing.
      const base::Money cost =
          base::traffic_cost(entry.per_gb_up, pending.up) + base::traffic_cost(entry.per_gb_down, pending.down);
      if (cost.micros <= 2) return;  // each is rounded up
      told = std::exchange(pending, {});
    }
    emit(type::traffic,
         {{"name", entry.held.name},
          {"kind", entry.held.kind},
          {"id", entry.held.id},
          {"up_bytes", told.up},
          {"down_bytes", told.down}},
         false);
    end_if_broke();
    return;
  }
}

void StepHost::priced(const std::string& kind, const std::string& id, base::Money per_hour) {
  constexpr std::int64_t kRounding = 10;  // micro-dollars
  for (const auto& entry : shared_->ledger.entries()) {
    if (entry.held.kind != kind || entry.held.id != id || entry.state != State::made) continue;
    if (per_hour.micros <= entry.per_hour.micros + kRounding) continue;
    emit(type::priced, {{"name", entry.held.name}, {"kind", kind}, {"id", id}, {"per_hour_usd", per_hour}}, true);
    progress(kind + " " + id + " costs " + base::format(per_hour) + "/h, more than the " +
             base::format(entry.per_hour) + "/h that were reserved for it");
    end_if_broke();
  }
}

void StepHost::end_if_broke() {
  if (shared_->closing || shared_->broke || within_limit()) return;
  shared_->broke = true;
  shared_->journey.request_stop();
}

std::optional<plugin::Held> StepHost::held(const std::string& kind, const std::string& id) {
  return shared_->ledger.by_id(kind, id);
}

void StepHost::hide(const base::Secret& secret) {
  if (shared_->redactor != nullptr) shared_->redactor->add(secret);
}

}  // namespace failover::run
