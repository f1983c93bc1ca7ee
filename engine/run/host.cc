#include "engine/run/host.h"

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

base::Result<void> StepHost::affordable(const plugin::Intent& intent) const {
  if (intent.per_hour.micros == 0) return {};
  const base::Duration now = shared_->stream.since_start();
  const base::Money taken = shared_->ledger.spent(now) + shared_->ledger.committed(now, shared_->purse.end);
  const base::Money wanted = base::cost_of(intent.per_hour, shared_->purse.end - now);
  if ((taken + wanted).micros <= shared_->purse.limit.micros) return {};
  return base::Error{base::Fault::refused, "limit_cost",
                     intent.what + " at " + base::format(intent.per_hour) + "/h until the run's end could cost " +
                         base::format(wanted) + ", with " + base::format(taken) +
                         " already taken: above the limit of " + base::format(shared_->purse.limit),
                     "raise limits.cost, shorten limits.duration, or lower the price you accept"};
}

base::Result<std::string> StepHost::intend(const plugin::Intent& intent) {
  if (shared_->closing) {
    return base::Error{base::Fault::refused, "closing", "the run is closing: nothing is made any more"};
  }
  const std::lock_guard one_at_a_time(shared_->purse_mutex);
  if (auto fits = affordable(intent); !fits) return std::move(fits).error();
  const int sequence = ++shared_->made;
  std::string name = make_label(shared_->info.id, sequence, shared_->info.deadline, shared_->label_key);
  auto written = shared_->stream.emit(type::intent,
                                      {{"name", name},
                                       {"kind", intent.kind},
                                       {"what", intent.what},
                                       {"per_hour_usd", intent.per_hour},
                                       {"step", step_},
                                       {"attributes", Value(intent.attributes)},
                                       {"deadline", base::format_utc(shared_->info.deadline)}},
                                      true);
  if (!written) {
    shared_->journal_failed = true;
    // The subscribers heard of it; nothing was sent, so it never came to be.
    emit(type::refused, {{"name", name}, {"kind", intent.kind}, {"error", event::describe(written.error())}}, false);
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

void StepHost::unclear(const std::string& name, const base::Error& why) {
  const auto entry = shared_->ledger.find(name);
  emit(type::unclear, {{"name", name}, {"kind", entry ? entry->held.kind : ""}, {"error", event::describe(why)}}, true);
}

void StepHost::ended(const std::string& kind, const std::string& id) {
  const auto held = shared_->ledger.by_id(kind, id);
  if (!held) return;
  emit(type::ended, {{"name", held->name}, {"kind", kind}, {"id", id}}, true);
}

std::optional<plugin::Held> StepHost::held(const std::string& kind, const std::string& id) {
  return shared_->ledger.by_id(kind, id);
}

void StepHost::hide(const base::Secret& secret) {
  if (shared_->redactor != nullptr) shared_->redactor->add(secret);
}

}  // namespace failover::run
