#include "tools/sandbox/world/world.h"

#include <algorithm>
#include <cstring>

#include "engine/base/digest.h"
#include "engine/base/text.h"

namespace failover::sandbox {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kBase62 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

std::uint64_t some_seed() {
  std::uint64_t seed = 0;
  const std::string bytes = base::random_bytes(sizeof seed);
  std::memcpy(&seed, bytes.data(), sizeof seed);
  return seed;
}

// Whether an env entry is a docker flag (`-p 8000:8000`) rather than a variable.
bool is_variable(const std::string& name) { return !name.empty() && name.front() != '-'; }

std::string start_script(const Instance& instance) {
  if (instance.onstart.empty()) return {};
  std::string out;
  for (const auto& [name, value] : instance.env) {
    if (is_variable(name)) out += "export " + name + "=" + base::shell_quote(value) + "\n";
  }
  return out + instance.onstart;
}

std::map<std::string, std::string> container_environment(const Instance& instance, const std::string& url) {
  const std::string name = "C." + std::to_string(instance.id);
  std::map<std::string, std::string> out{{"CONTAINER_ID", std::to_string(instance.id)},
                                         {"CONTAINER_API_KEY", instance.api_key},
                                         {"CONTAINER_LABEL", name},
                                         {"VAST_CONTAINERLABEL", name},
                                         {"PUBLIC_IPADDR", "127.0.0.1"},
                                         {"GPU_COUNT", std::to_string(instance.offer.num_gpus)},
                                         {"DATA_DIRECTORY", "/workspace"},
                                         {"VAST_TCP_PORT_22", std::to_string(instance.port)}};
  if (!url.empty()) out["VAST_API_URL"] = url;
  return out;
}

}  // namespace

World::World(WorldOptions options, base::Clock& clock)
    : random(options.seed != 0 ? options.seed : some_seed()),
      options_(std::move(options)),
      clock_(clock),
      now_(clock.now()),
      wall_(clock.wall()) {
  offers = make_market(random);
  account.user_id = 400000 + static_cast<std::int64_t>(random() % 100000);
  account.api_key = random_text(random, kHex, 64);
  account.credit_at_start = options_.credit_usd;
  last_id_ = 36700000 + static_cast<std::int64_t>(random() % 90000);
  store.region = "sandbox-000";
  store.key_id = "000" + random_text(random, kHex, 12) + "0000000001";
  store.application_key = "K000" + random_text(random, kBase62, 27);
  Bucket first;
  first.name = "failover-sandbox";
  first.created = wall_;
  store.buckets.emplace(first.name, std::move(first));
}

std::unique_lock<std::mutex> World::enter() {
  std::unique_lock lock(mutex_);
  const base::Instant until = std::max(now_, clock_.now());
  settle(until);
  now_ = until;
  wall_ = clock_.wall();
  return lock;
}

Timing World::new_timing() { return timing_of(options_.pace, random); }

std::optional<base::Instant> World::next_event(base::Instant until) const {
  std::optional<base::Instant> first;
  const auto consider = [&](base::Instant at) {
    if (at <= until && (!first || at < *first)) first = at;
  };
  for (const auto& [at, rental] : late_) consider(at);
  for (const auto& [id, instance] : instances) {
    if (instance.destroyed || instance.halted || instance.offline || !instance.has_run(until)) continue;
    const Mishaps& mishaps = instance.mishaps;
    if (mishaps.vanishes || mishaps.goes_offline || mishaps.is_outbid) {
      consider(instance.running_from() + instance.timing.mishap);
    }
  }
  return first;
}

void World::happen(base::Instant at) {
  for (auto each = late_.begin(); each != late_.end();) {
    if (each->first > at) {
      ++each;
      continue;
    }
    const Rental rental = each->second;
    each = late_.erase(each);
    const Offer* offer = find_offer(rental.offer_id);
    if (offer != nullptr && !offer->rented && !offer->gone) rent(rental);
  }
  for (auto& [id, instance] : instances) {
    const bool due = !instance.destroyed && !instance.halted && !instance.offline && instance.has_run(at) &&
                     instance.running_from() + instance.timing.mishap <= at;
    if (!due) continue;
    if (instance.mishaps.vanishes) destroy(instance);
    if (instance.mishaps.goes_offline) instance.offline = at;
    if (instance.mishaps.is_outbid) halt(instance);
  }
}

void World::settle(base::Instant until) {
  const base::Instant from = now_;
  while (const auto at = next_event(until)) {
    stop_when_broke(now_, *at);
    now_ = std::max(now_, *at);
    happen(*at);
  }
  stop_when_broke(std::max(from, now_), until);
  if (!key_revoked && faults.armed("auth_revoked_mid_run")) {
    for (const auto& [id, instance] : instances) {
      if (instance.has_run(until) && faults.take("auth_revoked_mid_run")) key_revoked = true;
      if (key_revoked) break;
    }
  }
}

double World::credit_at(base::Instant at) const {
  double left = account.credit_at_start;
  for (const auto& [id, instance] : instances) left -= cost_usd(instance, at);
  return left;
}

// At zero credit instances are stopped (9.2), at the second it happened though it is noticed later.
void World::stop_when_broke(base::Instant from, base::Instant until) {
  if (credit_at(until) > 0) return;
  base::Instant low = from, high = until;
  while (high - low > std::chrono::milliseconds(1)) {
    const base::Instant middle = low + (high - low) / 2;
    (credit_at(middle) > 0 ? low : high) = middle;
  }
  for (auto& [id, instance] : instances) {
    if (!instance.destroyed && !instance.halted) instance.halted = high;
  }
}

Offer* World::find_offer(std::int64_t id) {
  for (Offer& offer : offers) {
    if (offer.id == id) return &offer;
  }
  return nullptr;
}

Instance* World::find(std::int64_t id) {
  const auto found = instances.find(id);
  return found == instances.end() || found->second.destroyed ? nullptr : &found->second;
}

Instance* World::find_by_key(const std::string& api_key) {
  for (auto& [id, instance] : instances) {
    if (!instance.destroyed && instance.api_key == api_key) return &instance;
  }
  return nullptr;
}

void World::play_instance_faults(Instance& instance) {
  Mishaps& mishaps = instance.mishaps;
  mishaps.stuck_loading = faults.take("stuck_loading");
  mishaps.ssh_never = faults.take("ssh_never");
  mishaps.ssh_key_denied = faults.take("ssh_key_denied");
  mishaps.host_key_changed = faults.take("host_key_changed");
  mishaps.ssh_drop = faults.take("ssh_drop");
  mishaps.disk_full = faults.take("disk_full");
  mishaps.vanishes = faults.take("instance_vanishes");
  mishaps.goes_offline = faults.take("host_offline");
  mishaps.is_outbid = faults.take("outbid");
  if (faults.take("list_lags")) instance.unlisted = std::chrono::seconds(1 + random() % 30);
}

Instance& World::rent(const Rental& rental) {
  Offer& offer = *find_offer(rental.offer_id);
  offer.rented = true;
  last_id_ += 1 + static_cast<std::int64_t>(random() % 40);
  Instance instance;
  instance.id = last_id_;
  instance.label = rental.label;
  instance.offer = offer;
  instance.disk_gb = rental.disk_gb;
  instance.image = rental.image;
  instance.runtype = rental.runtype;
  instance.onstart = rental.onstart;
  instance.env = rental.env;
  instance.is_bid = rental.bid.has_value();
  instance.gpu_usd_per_hour = rental.bid.value_or(offer.gpu_usd_per_hour * rental.dearer);
  instance.api_key = random_text(random, kHex, 64);
  instance.keys = account.ssh_keys;  // account keys reach new instances only (8.1)
  instance.timing = timing_of(options_.pace, random);
  instance.port = 30000 + static_cast<int>(instance.id % 30000);
  instance.created = instance.booted = now_;
  instance.created_wall = wall_of(now_);
  instance.never_scheduled = rental.never_scheduled;
  if (rental.never_scheduled || rental.stopped) instance.halted = now_;
  if (!rental.never_scheduled) play_instance_faults(instance);
  return instances.emplace(instance.id, std::move(instance)).first->second;
}

void World::rent_later(const Rental& rental) {
  late_.emplace_back(now_ + timing_of(options_.pace, random).late_effect, rental);
}

void World::destroy(Instance& instance) {
  if (instance.destroyed) return;
  instance.destroyed = now_;
  for (Offer& offer : offers) {
    if (offer.machine_id != instance.offer.machine_id) continue;
    offer.rented = false;  // on the market again, under a new id (2.2)
    offer.id += 10000000;
  }
}

void World::halt(Instance& instance) {
  if (!instance.halted) instance.halted = now_;
}

void World::boot(Instance& instance, Instance::Boot kind) {
  instance.gpu_before = base::Duration(static_cast<std::int64_t>(gpu_seconds(instance, now_) * 1e9));
  instance.halted.reset();
  instance.never_scheduled = false;
  instance.booted = now_;
  instance.boot_kind = kind;
  ++instance.boots;
  if (kind == Instance::Boot::recycle) ++instance.wipes;
}

SshKey World::make_key(std::string text) {
  const base::Duration lag = options_.pace == Pace::quick ? std::chrono::milliseconds(300) : std::chrono::seconds(3);
  return {next_id(), std::move(text), wall_, now_ + lag};
}

Bucket* World::bucket(const std::string& name) {
  const auto found = store.buckets.find(name);
  return found == store.buckets.end() ? nullptr : &found->second;
}

bool World::is_listening(const Instance& instance) const {
  const bool away = instance.offline && now_ >= *instance.offline;
  return !instance.destroyed && !away && !instance.halted && instance.has_run(now_) &&
         now_ >= instance.running_from() + instance.timing.listening && !instance.mishaps.ssh_never;
}

MachinePlan World::machine_plan(const Instance& instance, bool start) const {
  const base::Instant accepting = instance.running_from() + instance.timing.listening + instance.timing.key_accepted;
  MachinePlan plan;
  plan.id = instance.id;
  plan.boots = instance.boots;
  plan.wipes = instance.wipes;
  plan.listening = is_listening(instance);
  if (start) {
    plan.environment = container_environment(instance, vast_url);
    plan.onstart = start_script(instance);
  }
  for (const SshKey& key : instance.keys) {
    const bool accepted = now_ >= accepting && now_ >= key.known_from && !instance.mishaps.ssh_key_denied;
    if (accepted) plan.keys.push_back(key.text);
    if (start) plan.environment["SSH_PUBLIC_KEY"] += key.text + "\n";
  }
  const bool later = now_ >= accepting + instance.timing.mishap / 2;
  plan.drop_command = later && instance.mishaps.ssh_drop;
  plan.change_host_key = later && instance.mishaps.host_key_changed;
  plan.disk_full = instance.mishaps.disk_full;
  return plan;
}

std::vector<MachinePlan> World::machine_plans(bool start) const {
  std::vector<MachinePlan> out;
  for (const auto& [id, instance] : instances) {
    if (!instance.destroyed) out.push_back(machine_plan(instance, start));
  }
  return out;
}

Meter World::meter() const {
  Meter out;
  for (const auto& [id, instance] : instances) {
    MeterLine line;
    line.id = id;
    line.label = instance.label;
    line.status = instance.destroyed ? "destroyed" : status_of(instance, now_).actual.value_or("null");
    line.created = instance.created_wall;
    if (instance.destroyed) line.destroyed = instance.created_wall + (*instance.destroyed - instance.created);
    line.billed_s = storage_seconds(instance, now_);
    line.gpu_s = gpu_seconds(instance, now_);
    line.usd = cost_usd(instance, now_);
    for (const SshKey& key : instance.keys) line.ssh_keys.push_back(key.text);
    out.billed_now += instance.destroyed ? 0 : 1;
    out.instances.push_back(std::move(line));
  }
  out.credit_usd = credit();
  out.ssh_keys = account.ssh_keys;
  for (const auto& [name, bucket] : store.buckets) {
    for (const auto& [key, versions] : bucket.keys) {
      const Version* shown = newest(bucket, key);
      if (shown != nullptr) out.objects.emplace_back(key, shown->size());
      out.hidden_versions += static_cast<std::int64_t>(versions.size()) - (shown != nullptr ? 1 : 0);
    }
    out.uploads += static_cast<int>(bucket.uploads.size());
  }
  out.vast_requests = vast_requests;
  out.b2_requests = b2_requests;
  out.requests = vast_requests + b2_requests;
  out.refused_too_frequent = refused_too_frequent;
  out.faults_played = faults.played();
  return out;
}

}  // namespace failover::sandbox
