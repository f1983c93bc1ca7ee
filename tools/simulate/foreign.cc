#include "tools/simulate/foreign.h"

#include <algorithm>

#include "engine/run/label.h"

namespace failover::simulate {
namespace {

using namespace std::chrono_literals;

// As ours look, with the very token of the run that is played, and signed by nobody.
constexpr const char* kUnsigned = "failover-s1mu1at10n-1-1767225600-0123456789ab";
constexpr std::size_t kCrowd = 30;  // a page of the listing holds 25

// Of what the engine goes by the age of: well beyond what it allows for two clocks that differ.
constexpr base::Duration kOld = 1h;

}  // namespace

std::int64_t Foreign::rent(const std::string& label) {
  const auto offer = std::find_if(world_.offers.begin(), world_.offers.end(), [](const sandbox::Offer& one) {
    return !one.rented && !one.gone && one.gpu_name != "RTX 4090";
  });
  if (offer == world_.offers.end()) return 0;
  sandbox::Rental rental;
  rental.offer_id = offer->id;
  rental.label = label;
  rental.image = "somebody/else";
  rental.runtype = "ssh";
  const auto& made = world_.rent(rental);
  Machine machine{label};
  for (const auto& key : made.keys) machine.keys.insert(key.id);
  machines_.emplace(made.id, std::move(machine));
  return made.id;
}

std::vector<std::int64_t> Foreign::lend(std::size_t count) {
  const auto lock = world_.enter();
  std::vector<std::int64_t> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(rent("mine"));
  return out;
}

// Empty ones: what the world does to bytes that are stored is not for these.
void Foreign::store(const std::string& key, std::size_t versions) {
  Stored stored{key};
  auto& all = bucket().keys[key];
  for (std::size_t i = 0; i < versions; ++i) {
    sandbox::Version version;
    version.id = "foreign-" + std::to_string(versions_.size() + 1);
    version.stored = world_.wall() - kOld;
    versions_.insert(version.id);
    stored.versions.push_back(version.id);
    all.push_back(std::move(version));
  }
  stored_.push_back(std::move(stored));
}

void Foreign::begin_upload(const std::string& key) {
  sandbox::Upload upload;
  upload.id = "foreign-upload-" + std::to_string(uploads_.size() + 1);
  upload.key = key;
  upload.begun = world_.wall() - kOld;
  uploads_.emplace(upload.id, key);
  const std::string id = upload.id;
  bucket().uploads.emplace(id, std::move(upload));
}

void Foreign::plant(const std::string& run_id, bool crowded) {
  const auto lock = world_.enter();
  // Another run of the same account, that is still going on when all of this one is over.
  const base::Secret key(world_.account.api_key);
  const auto other = [&](int sequence) {
    return run::make_label("20260101T000000Z-an0therrun", sequence, world_.wall() + 30 * 24h, key);
  };
  std::vector<std::string> labels{"", "old, delete", kUnsigned, other(1)};
  if (crowded) {
    labels.emplace_back("failover");
    labels.resize(kCrowd, "somebody's training");
  }
  for (const std::string& label : labels) rent(label);
  for (const std::string& comment : {std::string("somebody@else"), std::string(kUnsigned), other(2)}) {
    world_.account.ssh_keys.push_back(world_.make_key("ssh-ed25519 AAAAsomebodyelse " + comment));
    keys_.emplace(world_.account.ssh_keys.back().id, world_.account.ssh_keys.back().text);
  }
  store("snapshots/not-ours/manifest.json", 2);
  store(std::string("snapshots/") + kUnsigned + "/manifest.json", 1);
  store("snapshots/" + other(3) + "/manifest.json", 1);
  store("notes/" + run_id + "/note.txt", 1);  // a step of tests/simulate/everything.yaml stores the next version
  begin_upload(std::string("snapshots/") + kUnsigned + "/part-00001");
  begin_upload("failover/" + run_id + "/bare.yaml");  // and another one this
  begin_upload("failover/" + run_id + "/large.bin");
}

bool Foreign::is_key_on(std::int64_t machine, std::int64_t key) const {
  const auto at = machines_.find(machine);
  return at != machines_.end() && at->second.keys.count(key) > 0;
}

void Foreign::touched_machines(std::vector<std::string>& out) const {
  // Without credit the service itself stops all of them.
  const bool may_halt = world_.credit() <= 0;
  for (const auto& [id, was] : machines_) {
    const std::string name = "the foreign instance " + std::to_string(id);
    const auto at = world_.instances.find(id);
    if (at == world_.instances.end() || at->second.destroyed) {
      out.push_back(name + " was destroyed");
      continue;
    }
    const auto& now = at->second;
    if (now.boots != 1 || now.wipes != 0) out.push_back(name + " was started anew");
    if (now.halted && !may_halt) out.push_back(name + " was stopped");
    if (now.label != was.label) out.push_back(name + " got another label: " + now.label);
    const auto& had = was.keys;
    const auto held = std::count_if(now.keys.begin(), now.keys.end(),
                                    [&had](const sandbox::SshKey& key) { return had.count(key.id) > 0; });
    if (static_cast<std::size_t>(held) != had.size()) out.push_back(name + " has lost a key");
  }
}

void Foreign::touched_objects(std::vector<std::string>& out) const {
  const auto& bucket = this->bucket();
  for (const auto& [key, was] : stored_) {
    std::vector<std::string> now;
    const auto at = bucket.keys.find(key);
    if (at != bucket.keys.end()) {
      for (const auto& version : at->second) {
        if (is_version(version.id) && !version.marker) now.push_back(version.id);
      }
      if (at->second.back().marker) out.push_back("the foreign object " + key + " is hidden");
    }
    if (now != was)
      out.push_back("of the foreign object " + key + " there are " + std::to_string(now.size()) + " versions, of " +
                    std::to_string(was.size()));
  }
  for (const auto& [id, key] : uploads_) {
    if (bucket.uploads.count(id) == 0) out.push_back("the foreign unfinished upload of " + key + " is gone");
  }
}

std::vector<std::string> Foreign::touched() const {
  std::vector<std::string> out;
  touched_machines(out);
  for (const auto& [id, text] : keys_) {
    const auto& all = world_.account.ssh_keys;
    const bool there = std::any_of(all.begin(), all.end(), [id = id, &text = text](const sandbox::SshKey& key) {
      return key.id == id && key.text == text;
    });
    if (!there) out.push_back("the foreign account key " + text + " is gone");
  }
  touched_objects(out);
  return out;
}

}  // namespace failover::simulate
