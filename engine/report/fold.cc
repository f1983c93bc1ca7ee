#include <algorithm>
#include <cmath>

#include "engine/base/costs.h"
#include "engine/base/text.h"
#include "engine/report/fields.h"
#include "engine/report/report.h"

namespace failover::report {
namespace {

namespace type = event::type;
using base::Value;

Trouble trouble(const Value& error) {
  const auto text = [&](const char* name) {
    const Value* member = error.find(name);
    return member == nullptr || member->text() == nullptr ? std::string() : *member->text();
  };
  return {text("code"), text("message"), text("hint")};
}

double number_of(const Value& map, const char* name) {
  const Value* member = map.find(name);
  if (member == nullptr) return 0.0;
  if (const auto* d = member->get<double>()) return *d;
  return static_cast<double>(member->get<std::int64_t>() == nullptr ? 0 : *member->get<std::int64_t>());
}

base::Duration seconds_to_time(double seconds) {
  constexpr double kMost = 9.2e9;  // what a Duration holds
  if (!(seconds > 0)) return base::Duration(0);
  return base::Duration(std::llround(std::min(seconds, kMost) * 1e9));
}

std::string phase_name(const Step& step) {
  if (!step.phase.empty()) return step.phase;
  if (step.section == "preflight") return "Preflight";
  return step.section == "finally" ? "Finally" : "Journey";
}

}  // namespace

void Folder::on(const event::Event& event) {
  report_.promises.on(event);
  lapsed_ = lapsed_ || event.type == type::lapsed;
  const bool read_later = event.type == type::charges || event.type == type::exchange;
  const bool afterwards = settled() || (report_.finished && read_later);
  if (!afterwards) report_.duration = std::max(report_.duration, event.since_start);
  if (event.type == type::run_started) {
    begin(event);
  } else if (event.type == type::step_started) {
    step(event, false);
  } else if (event.type == type::step_finished) {
    step(event, true);
  } else if (event.type == type::mark) {
    const bool failure = event.text("name") == "failure";
    base::Duration at = event.since_start;
    // A failure counts from its step's start.
    for (const auto& one : report_.steps) {
      if (failure && one.id == event.text("step")) at = one.begin;
    }
    if (report_.marks.emplace(event.text("name"), at).second && failure) files_lost(event.text("step"));
  } else if (event.type == type::objective) {
    if (!event["actual_s"].is_null())
      report_.objectives[event.text("name")] = seconds_to_time(event.number("actual_s"));
    const bool* passed = event["passed"].get<bool>();
    if (passed != nullptr && !*passed) report_.missed.push_back(event.text("name"));
  } else if (event.type == type::cleanup_started || event.type == type::cleanup_finished ||
             event.type == type::closing) {
    cleanup(event);
  } else if (event.type == type::run_finished) {
    end(event);
  } else if (event.type == type::charges) {
    charges(event);
  } else {
    resource(event);
    const auto open = [](const Resource& one) { return is_open(one.state); };
    // As `failover cleanup` would end now; a run's own end says its own.
    if (!report_.finished)
      report_.exit_code = std::any_of(report_.resources.begin(), report_.resources.end(), open) ? 4 : 130;
  }
}

// What was listed once is not forgotten because a later look failed.
void Folder::charges(const event::Event& event) {
  Charges& known = report_.charges[event.text("kind")];
  known.error = event["error"].is_null() ? "" : trouble(event["error"]).message;
  known.asked = event.integer("asked");
  const auto* lines = event["lines"].list();
  if (!known.error.empty() || lines == nullptr) {
    if (known.lines.empty()) known.read_at = event.at;
    return;
  }
  known.read_at = event.at;
  known.lines.clear();
  for (const auto& line : *lines) {
    known.lines.push_back({text_of(line, "name"), text_of(line, "id"), number_of(line, "usd"),
                           number_of(line, "compute_usd"), number_of(line, "storage_usd"),
                           number_of(line, "traffic_usd")});
  }
}

void Folder::begin(const event::Event& event) {
  report_.run_id = event.text("run_id");
  report_.scenario = event.text("scenario");
  report_.description = event.text("description");
  report_.target = event.text("target");
  report_.view = event.text("view");
  report_.source = event.text("source");
  report_.version = event.text("version");
  report_.quick = event["quick"] == Value(true);
  report_.started_at = event.at;
  const auto number = number_of;
  const Value& estimate = event["estimate"];
  report_.estimate = {number(estimate, "best_usd"), number(estimate, "expected_usd"), number(estimate, "worst_usd"),
                      number(estimate, "best_s"),   number(estimate, "expected_s"),   number(estimate, "worst_s")};
  report_.estimate.history_runs = static_cast<int>(std::clamp(number(estimate, "history_runs"), 0.0, 1e6));
  report_.limit_usd = number(event["limits"], "cost_usd");
  if (const auto* wanted = event["objectives"].map()) {
    for (const auto& [name, ignored] : *wanted) {
      report_.wanted[name.substr(0, name.rfind("_s"))] = seconds_to_time(number(event["objectives"], name.c_str()));
    }
  }
}

void Folder::step(const event::Event& event, bool finished) {
  auto& steps = report_.steps;
  auto known = std::find_if(steps.begin(), steps.end(), [&](const Step& one) { return one.id == event.text("id"); });
  if (known == steps.end()) {
    Step added;
    added.id = event.text("id");
    added.begin = event.since_start;
    steps.push_back(std::move(added));
    known = steps.end() - 1;
  }
  known->uses = event.text("uses");
  known->name = event.text("name");
  known->phase = event.text("phase");
  known->section = event.text("section");
  known->shape = event.text("shape");
  known->end = event.since_start;
  const bool compares =
      known->uses == "checksum.verify" && event.text("status") != "skipped" && overtaken_.count(known->id) == 0;
  if (!finished) {
    known->begin = event.since_start;
    phase(*known, event.since_start);
    return;
  }
  known->status = event.text("status");
  known->attempts = event.integer("attempts");
  known->outputs = event["outputs"];
  known->assertions = event["assertions"];
  if (!event["error"].is_null()) known->error = trouble(event["error"]);
  if (known->status == "skipped") return;
  phase(*known, event.since_start);
  if (known->uses == "files.create") files_created(known->outputs);
  if (compares) files_verified(known->outputs);
}

void Folder::phase(const Step& step, base::Duration at) {
  if (step.section == "on_failure" || !step.shape.empty()) return;
  const std::string name = phase_name(step);
  // Side by side, phases overlap: a step goes on with the phase that was open when it began.
  for (auto& known : report_.phases) {
    if (known.name != name || step.begin < known.begin || step.begin > known.end) continue;
    known.end = std::max(known.end, at);
    return;
  }
  if (report_.phases.empty() || report_.phases.back().name != name) report_.phases.push_back({name, step.begin, at});
  report_.phases.back().end = at;
}

void Folder::resource(const event::Event& event) {
  auto& all = report_.resources;
  if (event.type == type::intent) {
    Resource added;
    added.kind = event.text("kind");
    added.name = event.text("name");
    added.what = event.text("what");
    added.step = event.text("step");
    added.state = "intended";
    added.usd_per_hour = event.number("per_hour_usd");
    added.usd_per_gb_up = event.number("per_gb_up_usd");
    added.usd_per_gb_down = event.number("per_gb_down_usd");
    added.created_at = event.at;
    added.since = event.since_start;
    added.attributes = event["attributes"];
    all.push_back(std::move(added));
    return;
  }
  const bool known_type = event.type == type::made || event.type == type::refused || event.type == type::unclear ||
                          event.type == type::ended || event.type == type::released || event.type == type::kept ||
                          event.type == type::lapsed || event.type == type::traffic || event.type == type::priced ||
                          event.type == type::unanswered;
  if (!known_type) return;
  const auto known =
      std::find_if(all.rbegin(), all.rend(), [&](const Resource& one) { return one.name == event.text("name"); });
  if (known == all.rend()) return;
  if (event.type == type::unanswered) {
    known->unanswered = true;
    return;
  }
  if (event.type == type::priced) {
    known->usd_per_hour = std::max(known->usd_per_hour, event.number("per_hour_usd"));
    return;
  }
  if (event.type == type::traffic) {
    known->up_bytes += std::max(0.0, event.number("up_bytes"));
    known->down_bytes += std::max(0.0, event.number("down_bytes"));
    return;
  }
  if (event.type == type::lapsed) {
    if (known->state == type::kept) known->state = type::made;
    return;
  }
  if (event.type == type::ended && known->state == type::released) return;  // what is proven to be gone stays so
  // The no was not the last word: it has been billed from the beginning on.
  const bool after_all = event.type == type::made || event.type == type::unclear;
  if (after_all && known->state == type::refused) known->until.reset();
  const bool was_refused = known->state == type::refused;
  // After the run has told its end, what is given back counts one by one: who does it may die before it tells its own.
  if (retold_ && event.type == type::released && known->state != type::released) {
    ++report_.cleanup.released;
    report_.cleanup.attempted = std::max(report_.cleanup.attempted, report_.cleanup.released);
  }
  known->state = event.type;
  if (event.type == type::refused && known->unanswered) known->state = type::unclear;
  // Whether there is something to give back may turn out when it is looked for later.
  if (retold_) report_.cleanup.attempted += (was_refused ? 1 : 0) - (known->state == type::refused ? 1 : 0);
  if (event.type == type::refused) known->denied = !known->unanswered;
  if (event.type == type::made) known->denied = false;
  if (event.type == type::made) known->id = event.text("id");
  // An end that is accepted once more was asked for since the thing was still there: it has been billed up to now.
  if (event.type == type::ended) {
    known->until = std::max(known->until.value_or(event.since_start), event.since_start);
  } else if ((event.type == type::released || known->state == type::refused) && !known->until) {
    known->until = event.since_start;
  }
  if (event.type == type::released) known->released_at = event.at;
}

void Folder::cleanup(const event::Event& event) {
  if (event.type == type::closing) {
    if (!report_.closed) report_.closed = event.since_start;
    return;
  }
  auto& phases = report_.phases;
  if (event.type == type::cleanup_started) {
    retold_ = report_.finished;
    if (settled()) return;
    phases.push_back({"Cleanup", event.since_start, event.since_start});
    if (!retold_) report_.cleanup.attempted = event.integer("attempted");
    return;
  }
  if (!phases.empty() && !settled()) phases.back().end = event.since_start;
  if (!retold_) report_.cleanup.released = event.integer("released");
  if (!retold_ && !event["attempted"].is_null()) report_.cleanup.attempted = event.integer("attempted");
  report_.cleanup.attempted = std::max(report_.cleanup.attempted, report_.cleanup.released);
  // A journal may say anything.
  base::Duration& took = report_.cleanup.took;
  took += std::min(seconds_to_time(event.number("duration_s")), base::Duration::max() - took);
  report_.leftovers.clear();
  if (const auto* left = event["left"].list()) report_.leftovers = *left;
}

// It is over, and had left nothing: what was kept goes days later.
bool Folder::settled() const { return report_.finished && (lapsed_ || report_.exit_code != 4); }

void Folder::end(const event::Event& event) {
  report_.finished = true;
  report_.verdict = event.text("verdict");
  report_.exit_code = event.integer("exit_code");
  if (!event["error"].is_null()) report_.error = trouble(event["error"]);
  if (!event["proof"].is_null()) report_.proof = trouble(event["proof"]);
}

bool is_open(const std::string& state) {
  return state != type::released && state != type::kept && state != type::refused;
}

// --- figures ---

base::Duration Report::billed(const Resource& resource) const {
  if (resource.state == "refused" || resource.usd_per_hour <= 0) return base::Duration(0);
  return resource.until.value_or(duration) - resource.since;
}

double Report::cost(const Resource& resource) const {
  const auto per_hour = base::money_from_usd(resource.usd_per_hour).value_or(base::Money{0});
  return base::usd(base::cost_of(per_hour, billed(resource))) + traffic_cost(resource);
}

double Report::traffic_cost(const Resource& resource) {
  if (resource.state == "refused") return 0;
  const auto cost = [](double usd_per_gb, double bytes) {
    constexpr double kMost = 4e18;
    const auto per_gb = base::money_from_usd(usd_per_gb).value_or(base::Money{0});
    return base::usd(base::traffic_cost(per_gb, static_cast<std::int64_t>(std::min(kMost, bytes))));
  };
  return cost(resource.usd_per_gb_up, resource.up_bytes) + cost(resource.usd_per_gb_down, resource.down_bytes);
}

double Charges::usd() const {
  double total = 0;
  for (const auto& line : lines) total += line.usd;
  return total;
}

double Report::total_cost() const {
  double total = 0;
  for (const auto& one : resources) total += cost(one);
  return total;
}

bool Report::whole() const {
  return finished && verdict == "passed" && !quick &&
         std::any_of(steps.begin(), steps.end(), [](const Step& one) { return one.section == "steps"; });
}

Fell fell(double actual, double best, double expected, double worst) {
  constexpr double kHair = 1e-9;  // figures were written with rounding
  Fell out;
  if (actual < best - kHair) out.where = Fell::Where::below;
  if (actual > worst + kHair) out.where = Fell::Where::above;
  if (expected > 0) out.ratio = actual / expected;
  return out;
}

std::string_view to_string(Fell::Where where) {
  switch (where) {
    case Fell::Where::below: return "below";
    case Fell::Where::inside: return "inside";
    case Fell::Where::above: return "above";
  }
  return "inside";
}

std::optional<Fell> Report::time_fell() const {
  if (!(estimate.worst_s > 0)) return std::nullopt;
  return fell(base::seconds(journey_time()), estimate.best_s, estimate.expected_s, estimate.worst_s);
}

std::optional<Fell> Report::cost_fell() const {
  if (!(estimate.worst_s > 0)) return std::nullopt;  // nothing was said at all
  return fell(total_cost(), estimate.best_usd, estimate.expected_usd, estimate.worst_usd);
}

int Report::files_verified() const {
  return static_cast<int>(std::count_if(files.begin(), files.end(), [](const File& file) { return file.ok; }));
}

int Report::files_shown() const {
  return static_cast<int>(
      std::count_if(files.begin(), files.end(), [](const File& file) { return file.ok && file.proof == "challenge"; }));
}

std::optional<double> Report::seconds_of(std::string_view uses) const {
  std::optional<double> total;
  for (const auto& one : steps) {
    if (one.uses != uses || !one.shape.empty() || one.status == "skipped" || one.status == "running") continue;
    total = total.value_or(0) + base::seconds(one.end - one.begin);
  }
  return total;
}

std::optional<double> Report::failover_seconds() const {
  const auto failure = marks.find("failure");
  if (failure == marks.end()) return std::nullopt;
  std::optional<double> out;
  for (const auto& one : steps) {
    if (one.uses == "snapshot.restore" && one.shape.empty() && one.status == "passed" && one.end >= failure->second) {
      out = base::seconds(one.end - failure->second);
    }
  }
  return out;
}

const Step* Report::first(std::string_view uses) const {
  for (const auto& one : steps) {
    if (one.uses == uses && one.shape.empty()) return &one;
  }
  return nullptr;
}

const Step* Report::ready_step(const Resource& resource) const {
  for (const auto& one : steps) {
    if (one.uses != "vast.wait_until_ready") continue;
    if (text_of(one.outputs, "instance") == resource.id) return &one;
    const Value* ssh = one.outputs.find("ssh");
    if (ssh != nullptr && text_of(*ssh, "machine") == "vast:" + resource.id) return &one;
  }
  return nullptr;
}

std::optional<std::string> Report::timer(const Resource& resource) const {
  const Step* ready = ready_step(resource);
  const Value* tools = ready == nullptr ? nullptr : ready->outputs.find("tools");
  if (tools == nullptr || !tools->is_list()) return std::nullopt;
  // In the order in which the timer takes them.
  for (const char* known : {"curl", "python3", "wget"}) {
    for (const auto& tool : *tools->list()) {
      if (tool.text() != nullptr && *tool.text() == known) return known;
    }
  }
  return "none";
}

}  // namespace failover::report
