// How rented machines and keys are given back, from nothing but their names (leak-safety.md, rule 4).
#include <algorithm>

#include "engine/base/text.h"
#include "engine/plugin/kind.h"
#include "steps/vast/parts.h"
#include "steps/vast/vast.h"

namespace failover::steps {
namespace vast {
namespace {

using base::Error;
using base::Fault;
using base::Result;
using plugin::Context;
using plugin::Held;
using namespace std::chrono_literals;

constexpr int kRounds = 20;

// Two looks at least 2 s apart that find nothing; what a look finds is removed. `look` yields ids, `remove` takes one.
template <class Look, class Remove>
Result<void> until_gone(const Context& context, const std::string& what, Look look, Remove remove) {
  int empty = 0;
  for (int round = 0; round < kRounds; ++round) {
    Result<std::vector<std::int64_t>> left = look();
    if (!left) return std::move(left).error();
    if (left->empty() && ++empty == 2) return {};
    if (!left->empty()) empty = 0;
    for (const std::int64_t id : *left) {
      if (Result<void> removed = remove(id); !removed) return removed;
    }
    if (auto slept = context.sleep(2s); !slept) return slept;
  }
  return Error{Fault::unavailable, "still_there", what + " is still listed after it was removed", "it is tried again"};
}

Result<void> undo_instance(client::Vast& vast, const Held& held, const Context& context) {
  const std::int64_t known = base::parse_integer(held.id).value_or(0);
  const auto destroy = [&](std::int64_t id) -> Result<void> {
    auto gone = vast.destroy(id, context);
    if (!gone) return std::move(gone).error();
    // Its end counts from here on, a second time too: it was still there. What was not has been billed no longer.
    if (*gone) context.ended(kInstance, std::to_string(id));
    return {};
  };
  // Its end is asked for before anything is proven: a list that fails must not keep the meter running.
  if (known > 0 && !vast.end_accepted(known)) {
    if (auto asked = destroy(known); !asked) return asked;
  }
  const auto look = [&]() -> Result<std::vector<std::int64_t>> {
    auto all = vast.list(context);
    if (!all) return std::move(all).error();
    std::vector<std::int64_t> ours;
    for (const auto& instance : *all) {
      const bool labelled = !held.name.empty() && instance.label == held.name;
      if (labelled || instance.id == known) ours.push_back(instance.id);
    }
    if (known <= 0 || !ours.empty()) return ours;
    // A listing may not show a young machine yet, and an accepted end may take effect later: only both ways of looking
    // together prove that it is gone (vastai-api.md 3.4, 4.1, 6), and each twice, since one answer can be a broken one.
    auto alone = vast.find(known, context);
    if (!alone) return std::move(alone).error();
    if (alone->has_value()) ours.push_back(known);
    return ours;
  };
  return until_gone(context, "instance " + (held.id.empty() ? held.name : held.id), look, destroy);
}

void hurry_instances(client::Vast& vast, const std::vector<Held>& held, const Context& context) {
  std::vector<std::int64_t> ids;
  for (const Held& one : held) {
    if (const auto id = base::parse_integer(one.id); id && *id > 0) ids.push_back(*id);
  }
  if (ids.empty()) return;
  std::vector<std::int64_t> fresh;  // of the others nobody has seen that they are still there
  for (const std::int64_t id : ids) {
    if (!vast.end_accepted(id)) fresh.push_back(id);
  }
  if (!vast.destroy_all(ids, context)) return;  // the orderly undo follows anyway
  for (const std::int64_t id : fresh) context.ended(kInstance, std::to_string(id));
}

Result<plugin::Found> find_instances(client::Vast& vast, const Context& context) {
  auto all = vast.list(context);
  if (!all) return std::move(all).error();
  plugin::Found found;
  for (const auto& instance : *all) {
    Held held;
    held.kind = kInstance;
    held.name = instance.label;
    held.id = std::to_string(instance.id);
    found.things.push_back(std::move(held));
  }
  found.now = vast.service_time(context.clock());
  return found;
}

base::Result<std::vector<plugin::Charge>> charges_of(client::Vast& vast, const std::vector<Held>& held,
                                                     const Context& context) {
  std::vector<std::int64_t> ids;
  base::WallTime since = context.clock().wall();
  for (const Held& one : held) {
    if (const auto id = base::parse_integer(one.id)) ids.push_back(*id);
    since = std::min(since, one.sent_at);
  }
  auto listed = vast.charges(ids, since, context);
  if (!listed) return std::move(listed).error();
  std::vector<plugin::Charge> out;
  for (const auto& one : *listed) {
    out.push_back({std::to_string(one.instance), one.amount, one.gpu, one.disk, one.traffic});
  }
  return out;
}

// The account's keys under the last word of each, its comment. Keys on instances go with the instances.
// The last word of a public key: its comment, which for a key of ours is the label.
std::string_view comment_of(const client::SshKey& key) {
  const std::string_view text = base::trim(key.text);
  return text.substr(text.find_last_of(" \t") + 1);
}

Result<plugin::Found> find_keys(client::Vast& vast, const Context& context) {
  auto keys = vast.account_keys(context);
  if (!keys) return std::move(keys).error();
  plugin::Found found;
  for (const auto& key : *keys) {
    Held held;
    held.kind = kSshKey;
    held.name = std::string(comment_of(key));
    held.id = std::to_string(key.id);
    found.things.push_back(std::move(held));
  }
  found.now = vast.service_time(context.clock());
  return found;
}

// One line for a person (vastai-api.md 7).
std::string curl(const client::Settings& settings, const std::string& method, const std::string& path) {
  return "curl -X " + method + " -H \"Authorization: Bearer $VAST_API_KEY\" " +
         base::shell_quote(settings.vast_url + "/api/v0/" + path);
}

std::string instance_by_hand(const client::Settings& settings, const Held& held) {
  if (!base::parse_integer(held.id)) return "look for the label " + held.name + " at https://cloud.vast.ai/instances/";
  return curl(settings, "DELETE", "instances/" + held.id + "/");
}

// The instance that a key was lent to; nullptr: to the account.
const std::int64_t* instance_of(const Held& held) {
  const auto where = held.attributes.find("instance");
  return where == held.attributes.end() ? nullptr : where->second.get<std::int64_t>();
}

std::string key_by_hand(const client::Settings& settings, const Held& held) {
  const auto* instance = instance_of(held);
  const std::string keys = instance == nullptr ? "ssh/" : "instances/" + std::to_string(*instance) + "/ssh/";
  if (base::parse_integer(held.id)) return curl(settings, "DELETE", keys + held.id + "/");
  return "look for the id of the key with the comment " + held.name + ": " + curl(settings, "GET", keys) +
         "; then, with it for ID: " + curl(settings, "DELETE", keys + "ID/");
}

bool names(const client::SshKey& key, const Held& held) { return !held.name.empty() && comment_of(key) == held.name; }

Result<void> undo_key(client::Vast& vast, const Held& held, const Context& context) {
  const auto* instance = instance_of(held);
  const auto look = [&]() -> Result<std::vector<std::int64_t>> {
    auto keys = instance != nullptr ? vast.instance_keys(*instance, context) : vast.account_keys(context);
    if (!keys && instance != nullptr && keys.error().fault == Fault::not_found) return std::vector<std::int64_t>{};
    if (!keys) return std::move(keys).error();
    std::vector<std::int64_t> ours;
    for (const auto& key : *keys) {
      if (names(key, held)) ours.push_back(key.id);
    }
    return ours;
  };
  // Removed by its id before anything is proven: an empty list may be a broken answer (8.1 has 404 for none), and a
  // row need not carry the comment.
  const auto remove = [&](std::int64_t key) {
    return instance != nullptr ? vast.detach_key(*instance, key, context) : vast.delete_account_key(key, context);
  };
  if (const std::int64_t known = base::parse_integer(held.id).value_or(0); known > 0) {
    if (auto removed = remove(known); !removed) return removed;
  }
  return until_gone(context, "SSH key " + held.name, look, remove);
}

}  // namespace
}  // namespace vast

std::vector<plugin::Kind> vast_kinds(client::Services& services) {
  plugin::Kind instance;
  instance.name = vast::kInstance;
  instance.summary = "A machine rented on Vast.ai; destroyed by its id and by its label.";
  instance.settle = std::chrono::seconds(700);
  instance.shows = std::chrono::seconds(45);
  instance.undo = [&services](const plugin::Held& held, const plugin::Context& context) {
    return vast::undo_instance(*services.vast, held, context);
  };
  instance.hurry = [&services](const std::vector<plugin::Held>& held, const plugin::Context& context) {
    vast::hurry_instances(*services.vast, held, context);
  };
  instance.charges = [&services](const std::vector<plugin::Held>& held, const plugin::Context& context) {
    return vast::charges_of(*services.vast, held, context);
  };
  instance.find = [&services](const plugin::Context& context) { return vast::find_instances(*services.vast, context); };
  instance.by_hand = [&services](const plugin::Held& held) { return vast::instance_by_hand(services.settings, held); };
  instance.timer = "its start script destroys it at the run's deadline with its own limited key";
  plugin::Kind key;
  key.name = vast::kSshKey;
  key.summary = "The run's public SSH key, on an instance it did not rent or on the account; detached by its comment.";
  key.settle = instance.settle;
  key.undo = [&services](const plugin::Held& held, const plugin::Context& context) {
    return vast::undo_key(*services.vast, held, context);
  };
  key.find = [&services](const plugin::Context& context) { return vast::find_keys(*services.vast, context); };
  key.by_hand = [&services](const plugin::Held& held) { return vast::key_by_hand(services.settings, held); };
  return {std::move(instance), std::move(key)};
}

}  // namespace failover::steps
