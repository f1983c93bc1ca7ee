#include "tools/simulate/witness.h"

#include <algorithm>

#include "engine/base/text.h"

namespace failover::simulate {
namespace {

// Prices are rounded to micro-dollars on the way.
constexpr double kRounding = 1e-4;

// The name of ours in a text, or empty.
std::string name_in(const std::string& text) {
  const auto at = text.find("failover-");
  return at == std::string::npos ? std::string() : text.substr(at, text.find_first_of("/ ", at) - at);
}

double usd_per_hour(const sandbox::Instance& instance) {
  return instance.gpu_usd_per_hour + sandbox::storage_usd_per_hour(instance.offer, instance.disk_gb);
}

// By which its price rose between the search and the rental.
double raised_by(const sandbox::Instance& instance) {
  return std::max(0.0, instance.gpu_usd_per_hour - instance.offer.gpu_usd_per_hour);
}

}  // namespace

void Witness::begin(base::Money limit, base::WallTime end, std::optional<std::size_t> machines) {
  const auto lock = world_.enter();
  limit_ = limit;
  end_ = end;
  planned_ = machines;
  for (const auto& [id, instance] : world_.instances) {
    foreign_ = std::max(foreign_, id);
    lent_keys_ += instance.keys.size();
  }
  for (const auto& key : world_.account.ssh_keys) foreign_ = std::max(foreign_, key.id);
  for (const auto& [name, bucket] : world_.store.buckets) {
    for (const auto& [key, versions] : bucket.keys) {
      for (const auto& version : versions) stored_.insert(version.id);
    }
    for (const auto& [id, upload] : bucket.uploads) stored_.insert(id);
  }
  seen_ = key_seen_ = foreign_;
  versions_ = world_.store.versions_made;
}

void Witness::look() {
  const auto lock = world_.enter();
  for (auto at = world_.instances.upper_bound(seen_); at != world_.instances.end(); ++at) {
    seen_ = at->first;
    machine(at->second);
  }
  keys();
  if (world_.store.versions_made != versions_) objects();
  versions_ = world_.store.versions_made;
  quiet();
}

// A new one has the highest id, and stands last.
void Witness::keys() {
  const auto& all = world_.account.ssh_keys;
  for (auto key = all.rbegin(); key != all.rend() && key->id > key_seen_; ++key)
    known("the account key", name_in(key->text));
  if (!all.empty()) key_seen_ = std::max(key_seen_, all.back().id);
  std::size_t lent = 0;
  for (auto at = world_.instances.begin(); at != world_.instances.end() && !is_ours(at->second); ++at)
    lent += at->second.keys.size();
  if (lent == lent_keys_) return;
  lent_keys_ = lent;
  for (auto at = world_.instances.begin(); at != world_.instances.end() && !is_ours(at->second); ++at) {
    for (const auto& key : at->second.keys) {
      if (key.id > foreign_) known("a key on instance " + std::to_string(at->first), name_in(key.text));
    }
  }
}

// I2: intent before the call, on the disk.
void Witness::known(const std::string& what, const std::string& label) {
  if (label.empty()) {
    if (told_.insert(what).second) violations_.push_back("I2: the world has " + what + ", and it bears no label");
    return;
  }
  if (disk_.intended(label) || !told_.insert(label).second) return;
  violations_.push_back("I2: the world has " + what + " " + label + ", and no intent of it is on the disk");
}

// I3: whatever happens now, the run cannot cost more than it may.
void Witness::machine(const sandbox::Instance& instance) {
  known("instance " + std::to_string(instance.id), instance.label);
  count();
  if (limit_.micros == 0) return;
  // What was reserved for it holds no traffic that came after that.
  if (const double usd = worst_usd() - traffic_usd(); above_limit(usd))
    violations_.push_back("I3: with instance " + std::to_string(instance.id) + " the run could come to cost $" +
                          std::to_string(usd) + ", above the limit of " + base::format(limit_));
}

double Witness::worst_usd() const {
  const double left = std::max(0.0, base::seconds(end_ - world_.wall()) / 3600);
  double usd = 0;
  for (const auto& [id, one] : world_.instances) {
    if (!is_ours(one) || is_unknown(id)) continue;
    usd += sandbox::cost_usd(one, world_.now());
    // What the run was not told of it cannot keep money for.
    const double untold = repriced_.count(id) > 0 ? 0 : raised_by(one);
    usd -= untold * sandbox::gpu_seconds(one, world_.now()) / 3600;
    if (one.destroyed) continue;
    const auto ends = ending_.find(id);
    const double late = ends == ending_.end() ? left : base::seconds(ends->second - world_.now()) / 3600;
    usd += (usd_per_hour(one) - untold) * std::clamp(late, 0.0, left);
  }
  return usd;
}

double Witness::moved_usd() const {
  double usd = 0;
  for (const auto& [id, one] : world_.instances) {
    if (is_ours(one)) usd += sandbox::traffic_usd(one);
  }
  return usd;
}

double Witness::raised_usd() const {
  double usd = 0;
  for (const auto& [id, one] : world_.instances) {
    if (is_ours(one)) usd += raised_by(one) * sandbox::gpu_seconds(one, world_.now()) / 3600;
  }
  return usd;
}

void Witness::denied(std::int64_t instance) { denied_.emplace(instance, true); }

double Witness::denied_usd() const {
  double usd = 0;
  for (const auto& [id, ignored] : denied_) {
    if (const auto at = world_.instances.find(id); at != world_.instances.end())
      usd += sandbox::cost_usd(at->second, world_.now());
  }
  return usd;
}

double Witness::traffic_usd() const { return moved_usd() - moved_before_; }

bool Witness::above_limit(double usd) const {
  return limit_.micros > 0 && usd > static_cast<double>(limit_.micros) / 1e6 + kRounding;
}

void Witness::on(const event::Event& event) {
  namespace type = event::type;
  const auto lock = world_.enter();
  if (event.type == type::intent && event.number("per_hour_usd") > 0) moved_before_ = moved_usd();
  if (event.type == type::made) {
    if (const auto at = denied_.find(base::parse_integer(event.text("id")).value_or(0)); at != denied_.end())
      at->second = false;
  }
  if (event.type == type::priced) {
    repriced_.insert(base::parse_integer(event.text("id")).value_or(0));
    if (!last_words_) broke_ = broke_ || above_limit(worst_usd() - moved_usd() + told_usd_);
  }
  if (event.type == type::traffic) {
    const auto at = world_.instances.find(base::parse_integer(event.text("id")).value_or(0));
    if (at != world_.instances.end()) {
      told_usd_ += sandbox::traffic_usd(at->second.offer, static_cast<std::int64_t>(event.number("up_bytes")),
                                        static_cast<std::int64_t>(event.number("down_bytes")));
    }
    // By what the run has been told: the rest is on its way to it. Once the last words begin it is no matter any more.
    if (!last_words_) broke_ = broke_ || above_limit(worst_usd() - moved_usd() + told_usd_);
  }
  if (event.type != type::step_started) return;
  last_words_ = last_words_ || event.text("section") == "finally";
  if (broke_ && event.text("section") == "steps")
    violations_.push_back("I3: step " + event.text("id") +
                          " began although traffic or a raised price had used up the money");
}

void Witness::count() {
  if (!planned_) return;
  const auto live = std::count_if(world_.instances.begin(), world_.instances.end(), [&](const auto& one) {
    return is_ours(one.second) && !one.second.destroyed && !one.second.never_scheduled &&
           ending_.count(one.first) == 0 && !is_unknown(one.first);
  });
  if (static_cast<std::size_t>(live) > *planned_ && told_.insert("count").second)
    violations_.push_back("I3: " + std::to_string(live) + " machines at once, and the plan has " +
                          std::to_string(*planned_));
}

// By the label that it was stored with, else by its name's.
void Witness::objects() {
  const auto look = [&](const char* what, const std::string& id, const std::string& key, const auto& metadata) {
    if (!stored_.insert(id).second) return;
    const auto said = metadata.find("x-amz-meta-failover");
    known(what + key, said != metadata.end() ? said->second : name_in(key));
  };
  for (const auto& [name, bucket] : world_.store.buckets) {
    for (const auto& [key, versions] : bucket.keys) {
      for (const auto& version : versions) {
        if (!version.marker) look("the object ", version.id, key, version.metadata);
      }
    }
    for (const auto& [id, upload] : bucket.uploads) look("the unfinished upload of ", id, upload.key, upload.metadata);
  }
}

void Witness::ending(const std::string& target, const std::string& body, base::Instant latest) {
  const auto lock = world_.enter();
  for (const auto& [id, instance] : world_.instances) {
    const std::string number = std::to_string(id);
    if (!instance.destroyed && (base::contains(target, number) || base::contains(body, number)))
      ending_.emplace(id, latest);
  }
}

void Witness::healed(base::Instant since) {
  healed_ = since;
  waited_for_.clear();
  quiet_after_.reset();
  const auto lock = world_.enter();
  for (const auto& [id, instance] : world_.instances) {
    if (!is_ours(instance) || instance.destroyed || ending_.count(id) > 0) continue;
    waited_for_.insert(id);
    const base::Duration past_end = world_.wall() - end_ - (world_.now() - since);
    if (past_end > base::Duration::zero()) late_[id] = {usd_per_hour(instance), past_end};
  }
}

void Witness::quiet() {
  if (!healed_ || waited_for_.empty()) return;
  for (auto at = waited_for_.begin(); at != waited_for_.end();) {
    const auto* instance = world_.find(*at);
    at = instance == nullptr || ending_.count(*at) > 0 ? waited_for_.erase(at) : std::next(at);
  }
  if (waited_for_.empty()) quiet_after_ = world_.now() - *healed_;
}

std::optional<base::Duration> Witness::quiet_after() const { return quiet_after_; }

double Witness::excused_usd(base::Duration grace) const {
  double usd = 0;
  for (const auto& [id, late] : late_) usd += late.usd_per_hour * base::seconds(late.past_end + grace) / 3600;
  return usd;
}

}  // namespace failover::simulate
