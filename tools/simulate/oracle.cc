#include "tools/simulate/oracle.h"

#include <algorithm>

#include "engine/base/text.h"
#include "engine/base/units.h"

namespace failover::simulate {
namespace {

constexpr double kRounding = 1e-4;  // dollars; prices are rounded to micro-dollars on the way
constexpr const char* kForeignObject = "snapshots/not-ours/manifest.json";

}  // namespace

std::int64_t Oracle::plant(const std::string& label) {
  const auto offer = std::find_if(world_.offers.begin(), world_.offers.end(), [](const sandbox::Offer& one) {
    return !one.rented && !one.gone && one.gpu_name != "RTX 4090";
  });
  if (offer == world_.offers.end()) return 0;
  sandbox::Rental rental;
  rental.offer_id = offer->id;
  rental.label = label;
  rental.image = "somebody/else";
  rental.runtype = "ssh";
  const std::int64_t id = world_.rent(rental).id;
  foreign_.insert(id);
  return id;
}

std::vector<std::int64_t> Oracle::plant_own(std::size_t count) {
  const auto lock = world_.enter();
  std::vector<std::int64_t> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(plant("mine"));
  return out;
}

void Oracle::plant_foreign(bool crowded) {
  const auto lock = world_.enter();
  std::vector<std::string> labels{"", "old, delete", "failover-s1mu1at10n-1-1767225600-0123456789ab", "failover"};
  // A page of the listing holds 25.
  if (crowded) labels.resize(30, "somebody's training");
  for (const std::string& label : labels) plant(label);
  world_.account.ssh_keys.push_back(world_.make_key("ssh-ed25519 AAAAsomebodyelse somebody@else"));
  foreign_keys_ = world_.account.ssh_keys.size();
  sandbox::Version version;
  version.id = "foreign";
  version.stored = world_.wall();
  world_.store.buckets.begin()->second.keys[kForeignObject].push_back(std::move(version));
}

// What exists of ours just now, in words.
std::vector<std::string> Oracle::ours(bool by_labels) const {
  std::vector<std::string> out;
  for (const auto& [id, instance] : world_.instances) {
    if (!instance.destroyed && foreign_.count(id) == 0)
      out.push_back("instance " + std::to_string(id) + " (" + instance.label + ")");
    if (foreign_.count(id) == 0 || by_labels) continue;
    for (const auto& key : instance.keys) {
      if (base::contains(key.text, "failover-")) out.push_back("the key of instance " + std::to_string(id));
    }
  }
  for (const auto& key : world_.account.ssh_keys) {
    if (base::contains(key.text, "failover-")) out.push_back("account key " + key.text);
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
    if (foreign_.count(id) > 0) continue;
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
  for (const std::int64_t id : foreign_) {
    const auto at = world_.instances.find(id);
    const bool whole = at != world_.instances.end() && !at->second.destroyed && at->second.boots == 1;
    if (!whole) violated("I6: the foreign instance " + std::to_string(id) + " was touched");
  }
  if (world_.account.ssh_keys.size() < foreign_keys_) violated("I6: a foreign account key is gone");
  objects(ledger, by_labels);
  double usd = 0;
  for (const auto& [id, instance] : world_.instances) {
    if (foreign_.count(id) == 0) usd += sandbox::cost_usd(instance, world_.now());
  }
  const double limit = static_cast<double>(limits.cost.micros) / 1e6;
  if (limit > 0 && usd - excused_usd > limit)
    violated("I3: it cost $" + std::to_string(usd) + ", above the limit of " + base::format(limits.cost) +
             (excused_usd > 0 ? ", of which $" + std::to_string(excused_usd) + " could not be helped" : ""));
}

void Oracle::objects(const run::Ledger& ledger, bool by_labels) {
  std::set<std::string> kept;
  for (const auto& entry : ledger.entries()) {
    if (entry.state == run::State::kept) kept.insert(entry.held.id);
  }
  bool foreign = false;
  for (const auto& [name, bucket] : world_.store.buckets) {
    for (const auto& [key, versions] : bucket.keys) {
      foreign = foreign || key == kForeignObject;
      const auto parts = base::split(key, '/');
      const bool is_kept = (parts.size() > 1 && kept.count(parts[1]) > 0) || kept.count(name + "/" + key) > 0;
      const bool may_stay = key == kForeignObject || by_labels || is_kept;
      if (!may_stay) violated("I1: there is still the object " + key);
    }
    for (const auto& [id, upload] : bucket.uploads) violated("I13: an unfinished upload stays: " + upload.key);
  }
  if (!foreign) violated("I6: a foreign object is gone");
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
    if (foreign_.count(id) == 0) canaries.emplace_back("the key of an instance", instance.api_key);
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
