#include "tools/simulate/oracle.h"

#include <algorithm>
#include <set>

#include "engine/base/text.h"
#include "engine/base/units.h"

namespace failover::simulate {
namespace {

constexpr int kMayBeHeld = 4;

// The code that goes with a verdict when nothing is left.
int code_of(const std::string& verdict) {
  if (verdict == "passed") return 0;
  if (verdict == "failed") return 1;
  return verdict == "interrupted" ? 130 : 3;
}

// The last word of a public key: its comment, which for a key of ours is the label.
std::string comment_of(const std::string& key) { return key.substr(key.find_last_of(' ') + 1); }

// The label that it was stored with, else its name's.
std::string label_of(const std::string& key, const sandbox::Version& version) {
  const auto said = version.metadata.find("x-amz-meta-failover");
  if (said != version.metadata.end()) return said->second;
  const auto at = key.find("failover-");
  return at == std::string::npos ? std::string() : key.substr(at, key.find('/', at) - at);
}

}  // namespace

// What exists of ours just now. Keys on machines that were there before bear no label that leads to them.
std::vector<Oracle::Thing> Oracle::ours(bool by_labels) const {
  std::vector<Thing> out;
  for (const auto& [id, instance] : world_.instances) {
    const std::string number = std::to_string(id);
    if (!foreign_.is_machine(id)) {
      if (!instance.destroyed)
        out.push_back({"instance " + number + " (" + instance.label + ")", instance.label, number});
      continue;
    }
    if (by_labels) continue;
    for (const auto& key : instance.keys) {
      if (!foreign_.is_key_on(id, key.id)) out.push_back({"the key of instance " + number, comment_of(key.text)});
    }
  }
  for (const auto& key : world_.account.ssh_keys) {
    if (!foreign_.is_account_key(key.id)) out.push_back({"account key " + key.text, comment_of(key.text)});
  }
  return out;
}

std::vector<Oracle::Thing> Oracle::objects() const {
  std::vector<Thing> out;
  for (const auto& [name, bucket] : world_.store.buckets) {
    for (const auto& [key, versions] : bucket.keys) {
      for (const auto& version : versions) {
        if (!foreign_.is_version(version.id))
          out.push_back({"the object " + key, label_of(key, version), name + "/" + key});
      }
    }
  }
  return out;
}

std::vector<Oracle::Thing> Oracle::uploads() const {
  std::vector<Thing> out;
  for (const auto& [name, bucket] : world_.store.buckets) {
    for (const auto& [id, upload] : bucket.uploads) {
      if (foreign_.is_upload(id)) continue;
      const auto said = upload.metadata.find("x-amz-meta-failover");
      out.push_back({"the unfinished upload of " + upload.key, said == upload.metadata.end() ? "" : said->second});
    }
  }
  return out;
}

std::vector<Oracle::Thing> Oracle::held(const run::Ledger& ledger, bool by_labels) const {
  auto out = ours(by_labels);
  if (by_labels) return out;
  std::set<std::string> kept;
  for (const auto& entry : ledger.entries()) {
    if (entry.state != run::State::kept) continue;
    kept.insert(entry.held.id);
    kept.insert(entry.held.name);
  }
  for (auto& one : objects()) {
    if (kept.count(one.name) == 0 && kept.count(one.id) == 0) out.push_back(std::move(one));
  }
  for (auto& one : uploads()) out.push_back(std::move(one));
  return out;
}

std::string Oracle::picture() const {
  const auto lock = world_.enter();
  std::string out;
  for (const auto& [id, one] : world_.instances) {
    if (one.destroyed) continue;
    out += std::to_string(id) + " " + one.label + (one.halted ? " halted " : " ") + std::to_string(one.boots);
    for (const auto& key : one.keys) out += " " + key.text;
    out += "\n";
  }
  for (const auto& key : world_.account.ssh_keys) out += key.text + "\n";
  for (const auto& [name, bucket] : world_.store.buckets) {
    for (const auto& [key, versions] : bucket.keys) {
      out += key;
      for (const auto& version : versions) out += " " + version.id;
      out += "\n";
    }
    for (const auto& [id, upload] : bucket.uploads) out += id + " " + upload.key + "\n";
  }
  return out;
}

void Oracle::at_exit(const run::Outcome& outcome, bool truly_equal, const run::Ledger& ledger) {
  const auto lock = world_.enter();
  if (outcome.exit_code != kMayBeHeld && outcome.exit_code != code_of(outcome.verdict))
    violated("I5: the verdict " + outcome.verdict + " was given with exit code " + std::to_string(outcome.exit_code));
  if (outcome.verdict == "passed" && !truly_equal) violated("I4: it passed, but the files are not what was written");
  given_back(outcome.exit_code, outcome.cleanup, ledger);
}

void Oracle::at_exit(int code, const run::CleanupResult& cleanup, const run::Ledger& ledger) {
  const auto lock = world_.enter();
  given_back(code, cleanup, ledger);
}

void Oracle::by_labels_done() {
  const auto lock = world_.enter();
  for (const auto& one : ours(true)) violated("I5: by the labels nothing is left, and there is " + one.words);
}

void Oracle::given_back(int code, const run::CleanupResult& cleanup, const run::Ledger& ledger) {
  const auto& left = cleanup.left;
  std::vector<std::string> unnamed;
  for (const auto& one : held(ledger)) {
    const bool named = std::any_of(left.begin(), left.end(), [&](const run::Leftover& each) {
      return each.name == one.name || (!each.id.empty() && each.id == one.id);
    });
    if (code != kMayBeHeld || !named) unnamed.push_back(one.words);
  }
  if (!unnamed.empty())
    violated("I5: exit code " + std::to_string(code) + " while there is " + base::join(unnamed) +
             (code == kMayBeHeld ? ", which is not among what is left" : ""));
  if (code != kMayBeHeld && !left.empty()) violated("I5: something is left and the exit code is not 4");
  if (code == kMayBeHeld && left.empty()) violated("I5: exit code 4 and nothing is left");
  if (cleanup.attempted != cleanup.released + static_cast<int>(left.size()))
    violated("I4: of " + std::to_string(cleanup.attempted) + " things " + std::to_string(cleanup.released) +
             " were given back and " + std::to_string(left.size()) + " are left");
}

void Oracle::at_rest(const run::Ledger& ledger, const plan::Limits& limits, double excused_usd, bool by_labels) {
  const auto lock = world_.enter();
  for (const auto& one : held(ledger, by_labels)) violated("I1: there is still " + one.words);
  for (const auto& one : by_labels ? std::vector<Thing>{} : uploads()) violated("I13: there is still " + one.words);
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
