// Who may log in: the run's own key, made for this run alone, and nothing of it left behind.
#include <algorithm>

#include "steps/vast/parts.h"

namespace failover::steps::vast {
namespace {

using base::Error;
using base::Fault;
using base::Result;
using plugin::Context;

// A no that was read; everything else that was sent may have had its effect.
bool certain(const Error& error) {
  return error.fault == Fault::auth || error.fault == Fault::not_found || error.fault == Fault::refused;
}

void settle(plugin::Hold& hold, const Error& error) {
  if (error.code == "unsent" || error.code == "pacing") {
    hold.unsent(error);
  } else if (certain(error)) {
    hold.refused(error);
  } else {
    hold.unclear(error);
  }
}

const client::SshKey* find_key(const std::vector<client::SshKey>& keys, const std::string& text) {
  const auto found =
      std::find_if(keys.begin(), keys.end(), [&](const client::SshKey& key) { return key.text.rfind(text, 0) == 0; });
  return found == keys.end() ? nullptr : &*found;
}

}  // namespace

Result<void> give_key(client::Services& services, std::int64_t instance, const Context& context) {
  client::Vast& vast = *services.vast;
  const std::string& key = services.ssh->public_key();
  auto keys = vast.instance_keys(instance, context);
  if (!keys) return std::move(keys).error();
  if (find_key(*keys, key) != nullptr) return {};
  // On a machine of the run's own the key goes with the machine.
  if (context.held(kInstance, std::to_string(instance))) {
    return vast.attach_key(instance, key + " " + context.run().id, context);
  }
  auto hold = context.hold({.kind = kSshKey,
                            .what = "SSH key on instance " + std::to_string(instance),
                            .attributes = {{"instance", instance}},
                            .shared = true});
  if (!hold) return std::move(hold).error();
  auto attached = vast.attach_key(instance, key + " " + hold->name(), context.of(*hold));
  if (!attached) {
    settle(*hold, attached.error());
    return attached;
  }
  keys = vast.instance_keys(instance, context);
  const client::SshKey* ours = keys ? find_key(*keys, key) : nullptr;
  hold->made({ours != nullptr ? std::to_string(ours->id) : hold->name(), {{"instance", instance}}});
  return {};
}

Result<void> give_account_key(client::Services& services, const Context& context) {
  client::Vast& vast = *services.vast;
  const std::string& key = services.ssh->public_key();
  auto keys = vast.account_keys(context);
  if (!keys) return std::move(keys).error();
  if (find_key(*keys, key) != nullptr) return {};
  auto hold =
      context.hold({.kind = kSshKey, .what = "SSH key on the Vast.ai account, for its SSH proxy", .shared = true});
  if (!hold) return std::move(hold).error();
  auto added = vast.add_account_key(key + " " + hold->name(), context.of(*hold));
  if (!added) {
    settle(*hold, added.error());
    return std::move(added).error();
  }
  hold->made({std::to_string(added->id), {}});
  return {};
}

}  // namespace failover::steps::vast
