// Somebody else's things in the account that the program works on: nothing of ours may touch them (I6).
#pragma once

#include "engine/run/label.h"
#include "tests/cli/elsewhere.h"
#include "tests/client/fake_host.h"
#include "tools/cli/parts/settings.h"

namespace failover::testing {

// Rents a machine by hand under `label`; its id, or 0.
inline std::int64_t rent(Elsewhere& elsewhere, const std::string& label) {
  const auto& environment = elsewhere.failover.environment;
  const std::string bearer = "Authorization: Bearer " + environment.at("VAST_API_KEY");
  const std::string url = environment.at("VAST_API_URL");
  const auto found = nlohmann::json::parse(
      elsewhere.curl({"-H", bearer, "-d", R"({"rentable":{"eq":true},"limit":3})", url + "/api/v0/bundles/"}).out,
      nullptr, false);
  if (!found.is_object()) return 0;
  for (const auto& offer : found.value("offers", nlohmann::json::array())) {
    const auto body = nlohmann::json{{"client_id", "me"}, {"image", "ubuntu:22.04"}, {"disk", 10.0}, {"label", label}};
    const std::string ask = url + "/api/v0/asks/" + std::to_string(offer["id"].get<std::int64_t>()) + "/";
    std::string out;
    for (int tries = 0; tries < 3; ++tries) {
      out = elsewhere.curl({"-X", "PUT", "-H", bearer, "-d", body.dump(), ask}).out;
      if (!base::contains(out, "threshold")) break;
      // A request that comes too early counts too: the whole interval again.
      (void)elsewhere.failover.clock.sleep_until(elsewhere.failover.clock.now() + 5s, {});
    }
    const auto made = nlohmann::json::parse(out, nullptr, false);
    const std::int64_t id = made.is_object() ? made.value("new_contract", std::int64_t{0}) : 0;
    if (id > 0) return id;
  }
  return 0;
}

// A machine, a key of the account and a stored object, all under a name that looks like one of ours, is long past its
// deadline, and is signed by another key. From any thread: says what is wrong, and asserts nothing.
class Strangers {
 public:
  // Empty when they are there. The account is counted as clean with them from then on.
  std::string plant(Elsewhere& elsewhere) {
    const auto& environment = elsewhere.failover.environment;
    label_ = run::make_label("r-strangersx", 1, elsewhere.failover.clock.wall() - 1h, base::Secret("another key"));
    machine_ = rent(elsewhere, label_);
    if (machine_ == 0) return "no machine could be rented for somebody else";
    const std::string bearer = "Authorization: Bearer " + environment.at("VAST_API_KEY");
    key_ = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHN0cmFuZ2Vycw " + label_;
    elsewhere.curl({"-H", bearer, "-d", nlohmann::json{{"ssh_key", key_}}.dump(),
                    environment.at("VAST_API_URL") + "/api/v0/ssh/"});
    if (const std::string why = store(elsewhere); !why.empty()) return "nothing could be stored: " + why;
    elsewhere.others = {1, 1};
    const bool there = eventually(elsewhere.failover.clock, 30s, [&] {
      const auto now = see(elsewhere);
      return now.is_object() && now["machine"].value("status", "") == "running" && now["keys"].size() == 1 &&
             now["objects"].size() == 1;
    });
    before_ = see(elsewhere);
    // The account takes one rental in some seconds: the first of ours is not to come too soon behind this one.
    (void)elsewhere.failover.clock.sleep_until(elsewhere.failover.clock.now() + 5s, {});
    return there ? "" : "somebody else's things did not come to be: " + before_.dump();
  }
  // Empty when all is as it was.
  std::string changed(Elsewhere& elsewhere) const {
    const auto now = see(elsewhere);
    return now == before_ ? "" : "somebody else's things were touched: " + before_.dump() + " became " + now.dump();
  }
  [[nodiscard]] const std::string& label() const { return label_; }

 private:
  static std::unique_ptr<client::Services> services_of(const Elsewhere& elsewhere) {
    auto out = client::make_services(cli::settings_from(elsewhere.failover.environment));
    return out ? *std::move(out) : nullptr;
  }
  std::string store(Elsewhere& elsewhere) {
    const auto services = services_of(elsewhere);
    if (services == nullptr) return "no client could be made";
    FakeHost host;
    auto& clock = elsewhere.failover.clock;
    const plugin::Context context(host, base::Patience(clock, clock.now() + 30s, {}));
    client::Upload upload;
    upload.bucket = elsewhere.failover.environment.at("B2_BUCKET");
    upload.key = "snapshots/" + label_ + "/manifest.json";
    upload.body = label_;
    const auto stored = services->b2->put(upload, context);
    return stored ? "" : stored.error().line();
  }
  // The bytes of the object, or why they cannot be had.
  [[nodiscard]] std::string stored(Elsewhere& elsewhere) const {
    const auto services = services_of(elsewhere);
    if (services == nullptr) return "no client could be made";
    FakeHost host;
    auto& clock = elsewhere.failover.clock;
    const plugin::Context context(host, base::Patience(clock, clock.now() + 30s, {}));
    const auto& bucket = elsewhere.failover.environment.at("B2_BUCKET");
    const std::string key = "snapshots/" + label_ + "/manifest.json";
    const auto about = services->b2->head(bucket, key, context);
    const auto bytes = services->b2->get(bucket, key, "", 1 << 20, context);
    if (!about || !bytes) return (about ? bytes.error() : about.error()).line();
    return about->version + " " + bytes->body;
  }

  // What the world has under their name.
  [[nodiscard]] nlohmann::json see(Elsewhere& elsewhere) const {
    const auto meter = elsewhere.meter();
    nlohmann::json out{{"machine", nullptr}, {"keys", nlohmann::json::array()}, {"objects", nlohmann::json::array()}};
    if (!meter.is_object()) return out;
    for (const auto& one : meter["instances"]) {
      if (one["id"] != machine_) continue;
      for (const char* what : {"label", "status", "destroyed", "ssh_keys"}) out["machine"][what] = one[what];
    }
    for (const auto& one : meter["ssh_keys"]) {
      if (one["text"] == key_) out["keys"].push_back(one);
    }
    for (const auto& one : meter["objects"]) {
      if (one["key"].get<std::string>().find(label_) != std::string::npos) out["objects"].push_back(one);
    }
    out["object"] = stored(elsewhere);
    return out;
  }

  std::int64_t machine_ = 0;
  std::string label_;
  std::string key_;
  nlohmann::json before_;
};

}  // namespace failover::testing
