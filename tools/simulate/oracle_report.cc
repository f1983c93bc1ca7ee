// Each sentence of a report held against the world (I4, I5).
#include <algorithm>
#include <set>

#include "engine/base/text.h"
#include "engine/base/units.h"
#include "tools/simulate/oracle.h"

namespace failover::simulate {
namespace {

constexpr double kRounding = 1e-4;          // dollars; prices are rounded to micro-dollars on the way
constexpr double kPrice = 1e-5;             // the same of a price per hour
constexpr double kOnTheWay = 60.0 / 3'600;  // hours that a create and a destroy are under way at most, on a calm day

using Lines = std::vector<report::Resource>;

Lines::const_iterator line_of(const Lines& lines, const std::string& id, const std::string& name) {
  const auto find = [&](const std::string report::Resource::*member, const std::string& sought) {
    return sought.empty() ? lines.end() : std::find_if(lines.begin(), lines.end(), [&](const report::Resource& one) {
      return one.*member == sought;
    });
  };
  // Two versions of one object have the same id.
  const auto by_name = find(&report::Resource::name, name);
  return by_name != lines.end() ? by_name : find(&report::Resource::id, id);
}

bool says_gone(const report::Resource& line) { return line.state == "released" || line.state == "refused"; }

std::string usd_text(double usd) { return "$" + std::to_string(usd); }

}  // namespace

void Oracle::told(const report::Report& report, const run::Outcome& outcome, const Frame& frame) {
  const auto lock = world_.enter();
  if (report.verdict != outcome.verdict || report.exit_code != outcome.exit_code)
    violated("I4: the report says " + report.verdict + " and " + std::to_string(report.exit_code) +
             ", and the run was " + outcome.verdict + " and " + std::to_string(outcome.exit_code));
  if (outcome.verdict == "passed" && frame.written &&
      static_cast<std::size_t>(report.files_verified()) != *frame.written)
    violated("I4: the report says that " + std::to_string(report.files_verified()) + " files were found again, of " +
             std::to_string(*frame.written));
  for (const auto& one : report.promises.judged(report)) {
    // What no reservation holds may take more than the limit, and is told as it is.
    const bool excused = one.id == "I3" && frame.excused_usd > 0;
    if (one.verdict == report::Promise::Verdict::broken && !excused)
      violated(std::string(one.id) + ": the report itself says that a promise was broken: " + one.what);
  }
  told_of_cleanup(report, outcome);
  told_of_things(report);
  told_of_kept(report);
  for (const auto& [id, instance] : world_.instances) {
    if (!foreign_.is_machine(id)) told_of_machine(report, outcome, frame, instance);
  }
}

void Oracle::told_of_cleanup(const report::Report& report, const run::Outcome& outcome) {
  std::multiset<std::string> said;
  std::multiset<std::string> left;
  for (const auto& one : report.leftovers) {
    const auto* name = one.find("name");
    said.insert(name == nullptr ? std::string() : name->display());
  }
  for (const auto& one : outcome.cleanup.left) left.insert(one.name);
  if (said != left)
    violated("I4: the report says that " + std::to_string(said.size()) + " are left, and the cleanup left " +
             std::to_string(left.size()));
  const auto& counts = report.cleanup;
  if (counts.attempted != counts.released + static_cast<int>(said.size()))
    violated("I4: the report says that " + std::to_string(counts.released) + " of " + std::to_string(counts.attempted) +
             " were given back, and that " + std::to_string(said.size()) + " are left");
}

// What is there is in the report, and not as gone.
void Oracle::told_of_things(const report::Report& report) {
  auto all = ours();
  for (auto& one : objects()) all.push_back(std::move(one));
  for (auto& one : uploads()) all.push_back(std::move(one));
  for (const auto& one : all) {
    const auto line = line_of(report.resources, one.id, one.name);
    if (line == report.resources.end()) {
      violated("I4: the report knows nothing of " + one.words);
    } else if (says_gone(*line)) {
      violated("I4: the report says that " + one.words + " is " + line->state + ", and it is there");
    }
  }
}

// What is kept is there, unless the service itself has lost it.
void Oracle::told_of_kept(const report::Report& report) {
  if (world_.faults.played().count("object_missing") > 0) return;
  const auto all = objects();
  for (const auto& line : report.resources) {
    if (line.state != "kept") continue;
    const bool there = std::any_of(all.begin(), all.end(), [&](const Thing& one) { return one.name == line.name; });
    if (!there) violated("I4: the report says that " + line.kind + " " + line.name + " is kept, and it is not there");
  }
}

void Oracle::told_of_machine(const report::Report& report, const run::Outcome& outcome, const Frame& frame,
                             const sandbox::Instance& instance) {
  const std::string name = "instance " + std::to_string(instance.id);
  const auto line = line_of(report.resources, std::to_string(instance.id), instance.label);
  if (line == report.resources.end()) {
    // What is there is told of already.
    if (instance.destroyed) violated("I4: the report knows nothing of " + name);
    return;
  }
  const double per_hour = std::max(instance.gpu_usd_per_hour, instance.offer.gpu_usd_per_hour) +
                          sandbox::storage_usd_per_hour(instance.offer, instance.disk_gb);
  if (line->usd_per_hour > per_hour + kPrice)
    violated("I4: the report says that " + name + " costs " + usd_text(line->usd_per_hour) + " an hour, and it costs " +
             usd_text(per_hour));
  if (!frame.begun) return;  // nobody knows how the report's times and the world's go together
  const auto hours_since = [&](base::Instant from) { return base::seconds(world_.now() - from) / 3'600; };
  const double told = report.cost(*line) - report::Report::traffic_cost(*line);
  const std::string costs = "I4: the report says that " + name + " cost " + usd_text(told) + ", and it ";
  // No longer than the run goes on; where nothing went wrong, little longer than it lived.
  double most = per_hour * hours_since(*frame.begun);
  if (frame.calm && instance.destroyed)
    most = per_hour * (base::seconds(*instance.destroyed - instance.created) / 3'600 + kOnTheWay);
  if (told > most + kRounding) violated(costs + "cannot have cost more than " + usd_text(most));
  // An accepted end may come later than the answer says, which the report cannot know.
  const bool in_time = instance.destroyed && line->until && *instance.destroyed <= *frame.begun + *line->until;
  // Who never came to look at it knows no better price than the one that it was found at.
  const bool looked_at = outcome.verdict == "passed" && report.ready_step(*line) != nullptr;
  const bool unseen = instance.gpu_usd_per_hour > instance.offer.gpu_usd_per_hour && !looked_at &&
                      line->usd_per_hour < instance.gpu_usd_per_hour;
  // It was made by a copy of the request, and was gone before anybody could look for it.
  const bool denied = line->state == "refused";
  const double usd = sandbox::cost_usd(instance, world_.now()) - sandbox::traffic_usd(instance);
  if (in_time && !unseen && !denied && told < usd - kRounding) violated(costs + "cost " + usd_text(usd));
}

}  // namespace failover::simulate
