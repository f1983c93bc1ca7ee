#include "tools/simulate/oracle.h"

#include <algorithm>
#include <set>

#include "engine/base/text.h"
#include "engine/base/units.h"

namespace failover::simulate {
namespace {

constexpr double kRounding = 1e-4;  // dollars; prices are rounded to micro-dollars on the way

}  // namespace

// What exists of ours just now, in words. Keys on machines that were there before bear no label that leads to them.
std::vector<std::string> Oracle::ours(bool by_labels) const {
  std::vector<std::string> out;
  for (const auto& [id, instance] : world_.instances) {
    if (!foreign_.is_machine(id)) {
      if (!instance.destroyed) out.push_back("instance " + std::to_string(id) + " (" + instance.label + ")");
      continue;
    }
    if (by_labels) continue;
    for (const auto& key : instance.keys) {
      if (!foreign_.is_key_on(id, key.id)) out.push_back("the key of instance " + std::to_string(id));
    }
  }
  for (const auto& key : world_.account.ssh_keys) {
    if (!foreign_.is_account_key(key.id)) out.push_back("account key " + key.text);
  }
  return out;
}

void Oracle::at_exit(const run::Outcome& outcome, bool truly_equal) {
  const auto lock = world_.enter();
  const auto held = ours();
  if (outcome.exit_code != 4 && !held.empty())
    violated("I5: exit code " + std::to_string(outcome.exit_code) + " while there is " + base::join(held));
  if (outcome.exit_code != 4 && !outcome.cleanup.left.empty())
    violated("I5: something is left and the exit code is not 4");
  if (outcome.verdict == "passed" && !truly_equal) violated("I4: it passed, but the files are not what was written");
}

void Oracle::told(const report::Report& report, const run::Outcome& outcome, base::Instant begun,
                  std::optional<std::size_t> written) {
  const auto lock = world_.enter();
  if (report.verdict != outcome.verdict || report.exit_code != outcome.exit_code)
    violated("I4: the report says " + report.verdict + " and " + std::to_string(report.exit_code) +
             ", and the run was " + outcome.verdict + " and " + std::to_string(outcome.exit_code));
  if (outcome.verdict == "passed" && written && static_cast<std::size_t>(report.files_verified()) != *written)
    violated("I4: the report says that " + std::to_string(report.files_verified()) + " files were found again, of " +
             std::to_string(*written));
  const auto line_of = [&](std::int64_t id, const std::string& label) {
    return std::find_if(report.resources.begin(), report.resources.end(),
                        [&](const report::Resource& one) { return one.id == std::to_string(id) || one.name == label; });
  };
  for (const auto& [id, instance] : world_.instances) {
    if (foreign_.is_machine(id)) continue;
    const auto line = line_of(id, instance.label);
    if (line == report.resources.end()) {
      violated("I4: the report knows nothing of instance " + std::to_string(id));
      continue;
    }
    if (!instance.destroyed && (line->state == "released" || line->state == "refused"))
      violated("I4: the report says that instance " + std::to_string(id) + " is " + line->state + ", and it is there");
    // An accepted end may come later than the answer says, which the report cannot know.
    const bool in_time = instance.destroyed && line->until && *instance.destroyed <= begun + *line->until;
    // Who never came to look at it knows no better price than the one that it was found at.
    const bool looked_at = outcome.verdict == "passed" && report.ready_step(*line) != nullptr;
    const bool unseen = instance.gpu_usd_per_hour > instance.offer.gpu_usd_per_hour && !looked_at &&
                        line->usd_per_hour < instance.gpu_usd_per_hour;
    // It was made by a copy of the request, and was gone before anybody could look for it.
    const bool denied = line->state == "refused";
    const double usd = sandbox::cost_usd(instance, world_.now()) - sandbox::traffic_usd(instance);
    const double told = report.cost(*line) - report::Report::traffic_cost(*line);
    if (in_time && !unseen && !denied && told < usd - kRounding)
      violated("I4: the report says that instance " + std::to_string(id) + " cost $" + std::to_string(told) +
               ", and it cost $" + std::to_string(usd));
  }
}

void Oracle::at_rest(const run::Ledger& ledger, const plan::Limits& limits, double excused_usd, bool by_labels) {
  const auto lock = world_.enter();
  for (const auto& one : ours(by_labels)) violated("I1: there is still " + one);
  for (const auto& one : stored(ledger, by_labels)) violated("I1: there is still " + one);
  for (const auto& [name, bucket] : world_.store.buckets) {
    for (const auto& [id, upload] : bucket.uploads) {
      if (!foreign_.is_upload(id)) violated("I13: an unfinished upload stays: " + upload.key);
    }
  }
  for (const auto& one : foreign_.touched()) violated("I6: " + one);
  double usd = 0;
  for (const auto& [id, instance] : world_.instances) {
    if (!foreign_.is_machine(id)) usd += sandbox::cost_usd(instance, world_.now());
  }
  const double limit = static_cast<double>(limits.cost.micros) / 1e6;
  if (limit > 0 && usd - excused_usd > limit)
    violated("I3: it cost $" + std::to_string(usd) + ", above the limit of " + base::format(limits.cost) +
             (excused_usd > 0 ? ", of which $" + std::to_string(excused_usd) + " could not be helped" : ""));
}

std::vector<std::string> Oracle::stored(const run::Ledger& ledger, bool by_labels) const {
  std::vector<std::string> out;
  if (by_labels) return out;
  std::set<std::string> kept;
  for (const auto& entry : ledger.entries()) {
    if (entry.state == run::State::kept) kept.insert(entry.held.id);
  }
  for (const auto& [name, bucket] : world_.store.buckets) {
    for (const auto& [key, versions] : bucket.keys) {
      const auto parts = base::split(key, '/');
      const bool is_kept = (parts.size() > 1 && kept.count(parts[1]) > 0) || kept.count(name + "/" + key) > 0;
      const bool ours = std::any_of(versions.begin(), versions.end(),
                                    [&](const sandbox::Version& version) { return !foreign_.is_version(version.id); });
      if (ours && !is_kept) out.push_back("the object " + key);
    }
  }
  return out;
}

void Oracle::written(const event::Event& event) {
  namespace type = event::type;
  if (event.type == type::recovery) {
    writer_ = Writer::recovery;
  } else if (writer_ == Writer::none) {
    // What a provider's books say is read when all is over.
    if (event.type != type::charges) violated("I12: " + event.type + " was written after its writer's last word");
  } else if (event.type == type::run_finished) {
    writer_ = Writer::none;
  } else if (writer_ == Writer::recovery &&
             (event.type == type::step_started || event.type == type::step_finished || event.type == type::intent)) {
    violated("I12: " + event.type + " was written after another process had taken the run over");
  }
}

void Oracle::no_secret(const std::string& where, const std::string& text, bool may_hear_signatures) {
  const auto lock = world_.enter();
  std::vector<std::pair<std::string, std::string>> canaries{{"the Vast key", world_.account.api_key},
                                                            {"the B2 key", world_.store.application_key}};
  for (const auto& [id, instance] : world_.instances) {
    if (!foreign_.is_machine(id)) canaries.emplace_back("the key of an instance", instance.api_key);
  }
  for (const auto& [name, secret] : canaries) {
    if (text.find(secret) != std::string::npos) violated("I7: " + name + " stands in " + where);
  }
  if (!may_hear_signatures) {
    for (std::size_t at = text.find("X-Amz-Signature="); at != std::string::npos;
         at = text.find("X-Amz-Signature=", at + 1)) {
      if (text.compare(at + 16, 3, "***") != 0) violated("I7: a signature stands in " + where);
    }
  }
}

}  // namespace failover::simulate
