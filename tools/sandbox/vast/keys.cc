#include <algorithm>

#include "engine/base/text.h"
#include "tools/sandbox/vast/internal.h"

namespace failover::sandbox::vast {
namespace {

Json key_row(const World& world, const SshKey& key) {
  return {{"id", key.id},
          {"user_id", world.account.user_id},
          {"key", key.text},
          {"public_key", key.text},
          {"created_at", base::format_utc(key.created)},
          {"deleted_at", nullptr}};
}

auto find_key(std::vector<SshKey>& keys, std::int64_t id) {
  return std::find_if(keys.begin(), keys.end(), [&](const SshKey& key) { return key.id == id; });
}

// The public key of the request's body, if it looks like one.
std::optional<std::string> sent_key(const Call& call) {
  const std::string text(base::trim(text_or(call.body, "ssh_key")));
  const bool plausible = text.rfind("ssh-", 0) == 0 || text.rfind("ecdsa-", 0) == 0 || text.rfind("sk-", 0) == 0;
  if (!plausible || text.find('\n') != std::string::npos || text.find(' ') == std::string::npos) return std::nullopt;
  return text;
}

// Which text says so is not documented (8.1): each account hears another.
Answer no_keys_at_all(const World& world) {
  if (world.account.user_id % 3 == 0) return failure(404, "not_found", "No ssh keys found for this user.");
  if (world.account.user_id % 3 == 1) return reply({{"success", false}, {"msg", "No SSH keys found"}}, 404);
  Answer answer;
  answer.status = 404;
  answer.headers["Content-Type"] = "text/plain";
  answer.text = "No SSH keys found for this user";
  return answer;
}

Answer no_ssh_key() { return failure(400, "no_ssh_key", "No such SSH key, or not a public key."); }

}  // namespace

Answer list_keys(Call& call) {
  if (call.world.account.ssh_keys.empty()) return no_keys_at_all(call.world);
  Json rows = Json::array();
  for (const SshKey& key : call.world.account.ssh_keys) rows.push_back(key_row(call.world, key));
  return reply(rows);
}

Answer add_key(Call& call) {
  const auto text = sent_key(call);
  if (!text) return no_ssh_key();
  call.world.account.ssh_keys.push_back(call.world.make_key(*text));
  return reply({{"success", true}, {"key", key_row(call.world, call.world.account.ssh_keys.back())}});
}

Answer replace_key(Call& call) {
  const auto found = find_key(call.world.account.ssh_keys, call.ids.front());
  const auto text = sent_key(call);
  if (found == call.world.account.ssh_keys.end() || !text) return no_ssh_key();
  found->text = *text;
  return reply({{"success", true}, {"key", key_row(call.world, *found)}});
}

Answer delete_key(Call& call) {
  const auto found = find_key(call.world.account.ssh_keys, call.ids.front());
  if (found == call.world.account.ssh_keys.end()) return no_ssh_key();
  call.world.account.ssh_keys.erase(found);
  return reply({{"success", true}});
}

Answer list_instance_keys(Call& call) {
  const Instance* instance = call.world.find(call.ids.front());
  if (instance == nullptr) return no_such_instance(call.ids.front());
  Json rows = Json::array();
  for (const SshKey& key : instance->keys) rows.push_back(key_row(call.world, key));
  return reply({{"success", true}, {"ssh_keys", rows.dump()}});  // a text that holds an array (8.1)
}

Answer attach_key(Call& call) {
  Instance* instance = call.world.find(call.ids.front());
  if (instance == nullptr) return no_such_instance(call.ids.front());
  const auto text = sent_key(call);
  if (!text) return no_ssh_key();
  const bool known =
      std::any_of(instance->keys.begin(), instance->keys.end(), [&](const SshKey& key) { return key.text == *text; });
  if (known) {
    return reply({{"success", false},
                  {"error", "invalid_args"},
                  {"msg", "SSH key already associated with instance " + std::to_string(instance->id)}});
  }
  instance->keys.push_back(call.world.make_key(*text));
  return reply({{"success", true}, {"msg", "SSH key attached successfully"}});
}

Answer detach_key(Call& call) {
  Instance* instance = call.world.find(call.ids.front());
  if (instance == nullptr) return no_such_instance(call.ids.front());
  const auto found = find_key(instance->keys, call.ids.back());
  if (found == instance->keys.end()) return failure(404, "no_such_ssh_key", "No such SSH key on this instance.");
  instance->keys.erase(found);
  return reply({{"success", true}});
}

}  // namespace failover::sandbox::vast
