#include "engine/report/promises.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "engine/report/report.h"
#include "engine/report/text.h"

namespace failover::report {
namespace {

namespace type = event::type;
using base::Value;
using Verdict = Promise::Verdict;

constexpr double kHair = 1e-6;  // seconds, and dollars of one figure: they were written with rounding
constexpr int kMayBeHeld = 4;
constexpr const char* kNoEnd = "the journal does not say how the run ended";

std::string text_of(const Value& map, const char* name) {
  const Value* member = map.find(name);
  return member == nullptr || member->is_null() ? std::string() : member->display();
}

std::optional<double> number_of(const Value& map, const char* name) {
  const Value* member = map.find(name);
  if (member == nullptr) return std::nullopt;
  if (const auto* d = member->get<double>()) return *d;
  const auto* whole = member->get<std::int64_t>();
  return whole == nullptr ? std::nullopt : std::optional<double>(static_cast<double>(*whole));
}

bool is_false(const Value& map, const char* name) {
  const Value* member = map.find(name);
  return member != nullptr && *member == Value(false);
}

std::string thing_text(const std::string& kind, const std::string& id, const std::string& name) {
  return kind + " " + (id.empty() ? name : id + " (" + name + ")");
}
template <class Thing>
std::string shown(const Thing& thing) {
  return thing_text(thing.kind, thing.id, thing.name);
}

// The code that goes with a verdict when nothing is left.
int code_of(const std::string& verdict) {
  if (verdict == "passed") return 0;
  if (verdict == "failed") return 1;
  return verdict == "interrupted" ? 130 : 3;
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::held: return "held";
    case Verdict::broken: return "broken";
    case Verdict::unknown: return "unknown";
  }
  return "unknown";
}

void Promises::Complaints::add(std::string what) {
  if (!first.empty()) {
    ++more;
  } else {
    first = std::move(what);
  }
}

std::string Promises::Complaints::text() const {
  return first + (more == 0 ? "" : " (and " + std::to_string(more) + " more)");
}

void Promises::on(const event::Event& event) {
  order(event);
  if (event.type == type::run_started) {
    limited_ = event["limits"].find("cost_usd") != nullptr;
  } else if (event.type == type::step_started) {
    running_.insert(event.text("id"));
  } else if (event.type == type::step_finished) {
    step(event);
  } else if (event.type == type::objective) {
    objective(event);
  } else if (event.type == type::cleanup_started || event.type == type::recovery) {
    left_.reset();
  } else if (event.type == type::cleanup_finished) {
    left_.emplace();
    if (const auto* left = event["left"].list()) {
      for (const auto& one : *left) left_->insert(text_of(one, "name"));
    }
  } else if (event.type == type::run_finished) {
    end(event);
  } else {
    thing(event);
  }
}

// Who writes, and what may no longer come.
void Promises::order(const event::Event& event) {
  const std::string& kind = event.type;
  if (closing_ && (kind == type::intent || kind == type::sending)) {
    const std::string step = event.text("step");
    late_.add(thing_text(event.text("kind"), "", event.text("name")) + " was " +
              (kind == type::intent ? "asked for" : "sent for") + (step.empty() ? "" : " by the step " + step) +
              " after the run had begun to close");
  }
  closing_ = closing_ || kind == type::closing || kind == type::cleanup_started || kind == type::recovery;
  const std::string place = kind + " (record " + std::to_string(event.seq) + ")";
  // What a provider's books say is read when all is over.
  const bool reading = kind == type::charges || kind == type::exchange || kind == type::step_progress;
  const bool journey = kind == type::step_started || kind == type::step_finished || kind == type::step_retry;
  if (kind == type::recovery) {
    writer_ = Writer::recovery;
    recovered_ = true;
    finished_ = false;
  } else if (writer_ == Writer::nobody) {
    if (!reading) writers_.add(place + " was written after its writer's last word");
  } else if (writer_ == Writer::recovery && (journey || kind == type::intent)) {
    writers_.add(place + " was written after another process had taken the run over");
  }
  if (kind == type::run_started && std::exchange(begun_, true)) writers_.add(place + ": the run began twice");
  if (kind == type::run_finished) writer_ = Writer::nobody;
}

// --- what was made ---

Promises::Thing* Promises::find(const std::string& name) {
  const auto at = std::find_if(things_.rbegin(), things_.rend(), [&](const Thing& one) { return one.name == name; });
  return at == things_.rend() ? nullptr : &*at;
}

void Promises::thing(const event::Event& event) {
  const std::string& kind = event.type;
  if (kind == type::intent) {
    Thing added;
    added.kind = event.text("kind");
    added.name = event.text("name");
    things_.push_back(std::move(added));
    return;
  }
  const bool makes = kind == type::sending || kind == type::made || kind == type::unclear || kind == type::lapsed;
  const bool ends = kind == type::ended || kind == type::released || kind == type::kept;
  if (!makes && !ends && kind != type::refused && kind != type::unanswered) return;
  Thing* known = find(event.text("name"));
  if (known == nullptr) {
    if (makes || ends)
      unnamed_.add(thing_text(event.text("kind"), event.text("id"), event.text("name")) + " is told of as " + kind +
                   ", and no intent had named it before");
    return;
  }
  lapsed_ = lapsed_ || kind == type::lapsed;
  if (kind == type::unanswered) known->unanswered = true;
  if (kind == type::made) known->id = event.text("id");
  if (kind == type::made || kind == type::unclear || kind == type::lapsed) {
    known->open = true;
  } else if (kind == type::ended) {
    if (!known->gone) known->open = true;
    known->ended = known->ended || !recovered_;
  } else if (kind == type::released || kind == type::kept) {
    known->open = false;
    known->gone = kind == type::released;
  } else if (kind == type::refused) {
    known->open = known->unanswered;
  }
}

// --- what was said ---

void Promises::outcome(const event::Event& event) {
  const std::string fault = text_of(event["error"], "fault");
  incomplete_ = incomplete_ || fault == "no_space" || text_of(event["error"], "code") == "journal";
}

void Promises::step(const event::Event& event) {
  const std::string id = event.text("id");
  if (const auto running = running_.find(id); running != running_.end()) running_.erase(running);
  outcome(event);
  if (event.text("status") != "passed" || !event["proof"].is_null()) return;  // of a counter-proof
  if (const auto* assertions = event["assertions"].list()) {
    for (const auto& one : *assertions) {
      if (is_false(one, "passed"))
        untrue_.add("the step " + id + " passed, and its assertion `" + text_of(one, "expression") + "` did not hold");
    }
  }
  if (event.text("uses") == "checksum.verify") files(event);
}

// Whoever says that all are the same says so of each.
void Promises::files(const event::Event& event) {
  const Value& outputs = event["outputs"];
  const Value* files = outputs.find("files");
  const auto expected = number_of(outputs, "expected");
  if (files == nullptr || !files->is_list() || !expected) return;
  const auto zero = [&](const char* name) { return number_of(outputs, name).value_or(0) == 0; };
  if (number_of(outputs, "matched") != expected || !zero("mode_changed") || !zero("mtime_changed")) return;
  const std::string said = "the step " + event.text("id") + " says that all " +
                           std::to_string(static_cast<std::int64_t>(std::clamp(*expected, 0.0, 1e15))) +
                           " files are the same";
  for (const auto& one : *files->list()) {
    if (is_false(one, "ok")) untrue_.add(said + ", and " + text_of(one, "path") + " is not");
  }
  if (static_cast<double>(files->list()->size()) != *expected)
    untrue_.add(said + ", and it names " + std::to_string(files->list()->size()));
}

void Promises::objective(const event::Event& event) {
  const auto actual = number_of(event.data, "actual_s");
  const double wanted = event.number("wanted_s");
  const bool missed = is_false(event.data, "passed");
  if (!missed && !actual) untrue_.add("the objective " + event.text("name") + " is met, and was not measured");
  if (!actual || std::abs(*actual - wanted) <= kHair || missed == (*actual > wanted)) return;
  untrue_.add("the objective " + event.text("name") + " is said to be " + (missed ? "missed" : "met") +
              ", and was measured as " + event["actual_s"].display() + " s of " + event["wanted_s"].display() + " s");
}

void Promises::end(const event::Event& event) {
  outcome(event);
  if (!recovered_) {
    const std::string verdict = event.text("verdict");
    if ((verdict == "passed") != event["error"].is_null())
      untrue_.add("the verdict is " + verdict + ", and " +
                  (verdict == "passed" ? "there is an error: " + text_of(event["error"], "message")
                                       : std::string("nothing says why")));
    for (const auto& id : running_) untrue_.add("the step " + id + " began, and its end was never told");
  }
  exit_code(event);
  finished_ = true;
}

void Promises::exit_code(const event::Event& event) {
  const int code = event.integer("exit_code");
  const std::string said = "exit code " + std::to_string(code);
  const std::string verdict = event.text("verdict");
  const std::set<std::string> left = left_.value_or(std::set<std::string>());
  std::set<std::string> open;
  const Thing* first = nullptr;
  for (const auto& one : things_) {
    if (!one.open) continue;
    if (first == nullptr) first = &one;
    open.insert(one.name);
  }
  if (first != nullptr && code != kMayBeHeld) {
    exit_.add(said + " was given while " + shown(*first) + " was still open");
  } else if (!left.empty() && code != kMayBeHeld) {
    exit_.add(said + " was given while the cleanup had left " + *left.begin());
  } else if (code == kMayBeHeld && first == nullptr && left.empty()) {
    exit_.add(said + " was given while nothing was left");
  } else if (left_ && left != open) {
    std::vector<std::string> other;
    std::set_symmetric_difference(left.begin(), left.end(), open.begin(), open.end(), std::back_inserter(other));
    exit_.add("the cleanup says that it left " + std::to_string(left.size()) + ", and the records leave " +
              std::to_string(open.size()) + " open; they differ in " + other.front());
  } else if (code != kMayBeHeld && code != (lapsed_      ? code_.value_or(code_of("interrupted"))
                                            : recovered_ ? code_of("interrupted")
                                                         : code_of(verdict))) {
    exit_.add("the verdict " + verdict + " was given with " + said);
  }
  if (code != kMayBeHeld) code_ = code;
}

// --- the verdicts ---

std::vector<Promise> Promises::judged(const Report& report) const {
  const auto needs_end = [&](Promise promise) {
    if (finished_ || promise.verdict != Verdict::held) return promise;
    promise.verdict = Verdict::unknown;
    promise.what = kNoEnd;
    return promise;
  };
  return {left_behind(),
          judged("I2", "nothing was made that had not been named before", unnamed_),
          within_limit(report),
          needs_end(judged("I4", "steps, files, objectives and the verdict are as they were seen", untrue_)),
          needs_end(judged("I5", "the exit code says what is left", exit_)),
          judged("I11", "nothing was begun after closing had begun", late_),
          judged("I12", "one process at a time wrote the journal", writers_)};
}

Promise Promises::judged(std::string_view id, std::string_view promise, const Complaints& complaints) const {
  if (complaints.first.empty()) return {id, promise, Verdict::held, ""};
  // What is missing may be all that is wrong.
  if (incomplete_) return {id, promise, Verdict::unknown, complaints.text() + "; the journal lacks records"};
  return {id, promise, Verdict::broken, complaints.text()};
}

Promise Promises::left_behind() const {
  Promise out{"I1", "nothing is left but what is kept", finished_ ? Verdict::held : Verdict::unknown,
              finished_ ? "" : kNoEnd};
  Complaints open;
  for (const auto& one : things_) {
    if (one.open) open.add(shown(one));
  }
  if (open.first.empty()) return out;
  out.verdict = Verdict::unknown;  // the records do not say that it is there, either
  out.what = open.text() + " may still be held" + (out.what.empty() ? "" : ": " + out.what);
  return out;
}

Promise Promises::within_limit(const Report& report) const {
  Promise out{"I3", "the cost stays within the limit", Verdict::held, ""};
  const auto say = [&](Verdict verdict, std::string what) {
    out.verdict = verdict;
    out.what = std::move(what);
    return out;
  };
  if (!limited_ && !report.resources.empty()) return say(Verdict::unknown, "the journal names no limit");
  const std::string above = ", above the limit of " + short_money(report.limit_usd);
  for (const auto& [kind, books] : report.charges) {
    // The provider rounds each to a tenth of a cent.
    const double least = books.usd() - 0.0005 * static_cast<double>(books.lines.size()) - kHair;
    if (!books.lines.empty() && least > report.limit_usd)
      return say(Verdict::broken, "the provider charged " + short_money(books.usd()) + " for " + kind + above);
  }
  double sure = 0;  // of what the run itself saw end
  double traffic = 0;
  const Resource* most = nullptr;
  const Resource* open = nullptr;
  for (const auto& one : report.resources) {
    const auto known =
        std::find_if(things_.rbegin(), things_.rend(), [&](const Thing& thing) { return thing.name == one.name; });
    if (known == things_.rend()) continue;
    const double cost = report.cost(one);
    traffic += Report::traffic_cost(one);
    sure += known->ended ? cost : Report::traffic_cost(one);
    if (most == nullptr || cost > report.cost(*most)) most = &one;
    if (known->open && one.usd_per_hour > 0) open = &one;
  }
  const double limit = report.limit_usd + 3 * kHair * static_cast<double>(report.resources.size() + 1);
  const std::string counted = "by its own count the run cost " + short_money(report.total_cost()) + above +
                              (most == nullptr ? "" : "; most of it " + shown(*most)) +
                              (traffic > 0 ? "; " + short_money(traffic) + " of it is traffic" : "");
  if (sure > limit) return say(Verdict::broken, counted);
  if (open != nullptr) return say(Verdict::unknown, shown(*open) + " may still cost");
  if (!finished_) return say(Verdict::unknown, kNoEnd);
  if (report.total_cost() > limit) return say(Verdict::unknown, counted + ", and nobody saw when that ended");
  return out;
}

}  // namespace failover::report
