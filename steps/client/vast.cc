#include "steps/client/vast.h"

#include <algorithm>
#include <set>

#include "engine/base/digest.h"
#include "engine/base/text.h"
#include "steps/client/vast_client.h"
#include "steps/client/vast_objects.h"

namespace failover::client {
namespace vast {
namespace {

using base::Error;
using base::Fault;
using base::Result;
using plugin::Context;
using namespace std::chrono_literals;

std::string of(std::int64_t id) { return std::to_string(id); }
std::string instance_path(std::int64_t id) { return "/api/v0/instances/" + of(id) + "/"; }

Error unreadable(const std::string& what) {
  return {Fault::unavailable, "malformed_answer", "Vast.ai's answer is not what its API promises, " + what,
          "try again; if it stays so, the API has changed"};
}

Error incomplete(const std::string& why) {
  return {Fault::unavailable, "incomplete_list", "the list of instances is not complete: " + why, "try again"};
}

// The array of keys: bare, under a member, or as a text that holds one (8.1).
std::optional<std::vector<SshKey>> keys_of(const Json& body, const char* member) {
  Json rows = body;
  std::shared_ptr<const base::JsonTree> inner;
  if (body.is_object()) {
    rows = body[member];
    if (rows.is_string()) {
      inner = base::JsonTree::read(rows.get<std::string_view>());
      rows = inner->root();
    }
  }
  if (!rows.is_array()) return std::nullopt;
  std::vector<SshKey> keys;
  for (const Json& row : rows) {
    SshKey key;
    key.id = integer_of(row, "id");
    for (const char* name : {"public_key", "key", "ssh_key"}) {
      if (key.text.empty()) key.text = text_of(row, name);
    }
    if (key.id <= 0) return std::nullopt;  // it may be the one that is looked for
    keys.push_back(std::move(key));
  }
  return keys;
}

// 404 "with text" is how the service says that an account has no keys (8.1); which text is not documented. A gateway
// that knows no such page says nothing of keys, and one that misses an API key is not answering for the account.
bool says_no_keys(const Answer& answer) {
  if (answer.status != 404) return false;
  if (answer.text_of("error") == "not_found") return true;
  const std::string words = base::lower(answer.text);
  if (base::contains(words, "<") || base::contains(words, "auth_") || base::contains(words, "unauthorized") ||
      base::contains(words, "authentication") || base::contains(words, "api key") || base::contains(words, "api_key"))
    return false;
  const bool of_keys = base::contains(words, "key");
  return of_keys && (base::contains(words, "no ") || base::contains(words, "no_") || base::contains(words, "not"));
}

}  // namespace

Result<base::Money> HttpVast::credit(const Context& context) {
  const std::string what = "reading the account's credit";
  auto answer = wire_.ask({lane::user, "GET", "/api/v0/users/current/"}, what, context);
  if (!answer) return std::move(answer).error();
  const auto found = answer->body.find("credit");
  if (found == answer->body.end() || !found->is_number()) return unreadable(what);
  const double usd = found->get<double>();
  const auto money = base::money_from_usd(usd < 0 ? -usd : usd);
  if (!money) return unreadable(what);
  return usd < 0 ? base::Money{} - *money : *money;
}

// --- the market ---

Result<std::vector<Offer>> HttpVast::search_rows(const OfferQuery& query, std::optional<std::int64_t> id,
                                                 const std::string& what, const Context& context) {
  auto answer = wire_.ask({lane::search, "POST", "/api/v0/bundles/", search_body(query, id)}, what, context);
  if (!answer) return std::move(answer).error();
  if (!answer->body.is_object() || !answer->body.contains("offers")) return unreadable(what);
  const Json rows = answer->body["offers"];
  std::vector<Offer> offers;
  const auto take = [&](const Json& row) {
    auto offer = offer_of(row, query.disk);
    if (offer && (id ? offer->id == *id : fits(row, *offer, query))) offers.push_back(*std::move(offer));
  };
  if (rows.is_array()) {
    for (const Json& row : rows) take(row);
  } else if (rows.is_object()) {  // the documented example (2.3)
    take(rows);
  } else {
    return unreadable(what);
  }
  std::stable_sort(offers.begin(), offers.end(),
                   [](const Offer& a, const Offer& b) { return a.price_per_hour < b.price_per_hour; });
  return offers;
}

Result<std::vector<Offer>> HttpVast::search(const OfferQuery& query, const Context& context) {
  OfferQuery lasting = query;
  // What is rented now is needed until the run's end at most.
  if (const auto& end = context.run().end) lasting.lasts = *end - context.clock().now();
  auto offers =
      search_rows(lasting, std::nullopt, "searching offers for " + base::printable(query.gpu_name, 60), context);
  if (offers) memory_.found(query, *offers);
  return offers;
}

Result<Offer> HttpVast::offer(std::int64_t id, base::Size disk, const Context& context) {
  if (auto known = memory_.offer(id)) return *std::move(known);
  OfferQuery query;
  query.disk = disk;
  auto offers = search_rows(query, id, "looking up offer " + of(id), context);
  if (!offers) return std::move(offers).error();
  if (offers->empty()) {
    return Error{Fault::no_offer, "no_such_ask", "there is no offer " + of(id) + " on Vast.ai",
                 "offer ids last for minutes: take one from vast.search_offers"};
  }
  return offers->front();
}

Result<std::vector<std::string>> HttpVast::gpu_names(const Context& context) {
  const std::string what = "listing the market's GPU models";
  auto answer = wire_.ask({lane::names, "GET", "/api/v0/gpu_names/unique/"}, what, context);
  if (!answer) return std::move(answer).error();
  if (!answer->body.is_object() || !answer->body["gpu_names"].is_array()) return unreadable(what);
  std::vector<std::string> names;
  for (const Json& name : answer->body["gpu_names"]) {
    if (name.is_string()) names.push_back(base::printable(name.get<std::string_view>(), 60));
  }
  return names;
}

Result<std::vector<Offer>> HttpVast::others_like(std::int64_t offer, const std::vector<std::int64_t>& avoid,
                                                 const Context& context) {
  auto remembered = memory_.search_of(offer);
  if (!remembered) return std::vector<Offer>{};
  const auto unwanted = [&](const Offer& one) {
    const bool avoided = std::find(avoid.begin(), avoid.end(), one.machine_id) != avoid.end();
    return one.id == offer || avoided || memory_.is_used(one.id);
  };
  auto offers = std::move(remembered->second);
  offers.erase(std::remove_if(offers.begin(), offers.end(), unwanted), offers.end());
  if (!offers.empty()) return offers;
  auto fresh = search(remembered->first, context);
  if (!fresh) return fresh;
  fresh->erase(std::remove_if(fresh->begin(), fresh->end(), unwanted), fresh->end());
  return fresh;
}

// --- instances ---

Result<std::optional<Instance>> HttpVast::find(std::int64_t id, const Context& context) {
  const std::string what = "reading instance " + of(id);
  auto answer = wire_.ask({lane::show, "GET", instance_path(id)}, what, context);
  if (!answer) {
    if (answer.error().fault == Fault::not_found) return std::optional<Instance>();
    return std::move(answer).error();
  }
  if (!answer->body.is_object() || !answer->body.contains("instances")) return unreadable(what);
  const Json rows = answer->body["instances"];
  if (rows.is_null()) return std::optional<Instance>();
  if (rows.is_array() && rows.empty()) return std::optional<Instance>();
  auto instance = instance_of(rows.is_array() ? rows.front() : rows);
  if (!instance || instance->id != id) return unreadable(what);
  // By id the port map may be missing where the list has it (4.1).
  if (instance->actual_status == "running" && instance->direct_port == 0) {
    auto listed = list_complete(Written{{"id", {{"eq", id}}}}.dump(), context);
    if (listed && listed->size() == 1 && listed->front().id == id) instance = listed->front();
  }
  return instance;
}

Result<std::vector<Instance>> HttpVast::list_once(const std::string& filter, const Context& context) {
  const std::string what = "listing instances";
  std::vector<Instance> all;
  std::set<std::int64_t> seen;
  std::optional<std::int64_t> total;
  std::string token;
  constexpr int kPages = 400;
  for (int page = 0; page < kPages; ++page) {
    std::string path = "/api/v1/instances/?limit=25&order_by=" + base::percent_encode(R"([{"col":"id","dir":"asc"}])");
    if (!filter.empty()) path += "&select_filters=" + base::percent_encode(filter);
    if (!token.empty()) path += "&after_token=" + base::percent_encode(token);
    auto answer = wire_.ask({lane::list, "GET", path}, what, context);
    if (!answer) return std::move(answer).error();
    const Json& body = answer->body;
    if (!body.is_object() || !body.contains("instances") || !body["instances"].is_array()) return unreadable(what);
    for (const Json& row : body["instances"]) {
      auto instance = instance_of(row);
      if (!instance) return unreadable(what);
      if (seen.insert(instance->id).second) all.push_back(*std::move(instance));
    }
    // Without its counts (4.2) a page proves nothing: what is missing from it may well be there.
    if (integer_of(body, "instances_found", -1) != static_cast<std::int64_t>(body["instances"].size()))
      return incomplete("a page is short, or does not say how long it is");
    if (!total) total = integer_of(body, "total_instances", -1);
    const std::string next = text_of(body, "next_token");
    if (next.empty()) {
      if (*total < 0) return incomplete("it does not say how many there are");
      if (*total != static_cast<std::int64_t>(all.size())) {
        return incomplete(of(*total) + " were announced and " + std::to_string(all.size()) + " came");
      }
      return all;
    }
    if (next == token || body["instances"].empty()) return incomplete("its pages do not go on");
    token = next;
  }
  return incomplete("it does not end");
}

Result<std::vector<Instance>> HttpVast::list_complete(const std::string& filter, const Context& context) {
  constexpr int kTries = 3;  // somebody may rent or give back while the pages are read
  for (int tries = 1;; ++tries) {
    auto listed = list_once(filter, context);
    if (listed || listed.error().code != "incomplete_list" || tries == kTries) return listed;
    if (auto slept = context.sleep(1s); !slept) return std::move(slept).error();
  }
}

Result<std::vector<Instance>> HttpVast::list(const Context& context) { return list_complete("", context); }

Result<void> HttpVast::set_state(std::int64_t id, const std::string& state, const Context& context) {
  const std::string what = "asking instance " + of(id) + " to be " + state;
  const Call call{lane::manage, "PUT", instance_path(id), Written{{"state", state}}, false};
  if (auto answer = wire_.ask(call, what, context); !answer) return std::move(answer).error();
  return {};
}

Result<bool> HttpVast::destroy(std::int64_t id, const Context& context) {
  const Call call{lane::destroy, "DELETE", instance_path(id), Written::object(), false};
  auto answer = wire_.ask(call, "destroying instance " + of(id), context);
  if (!answer && answer.error().fault != Fault::not_found) return std::move(answer).error();
  memory_.ended(id);
  return answer.ok();
}

Result<void> HttpVast::destroy_all(const std::vector<std::int64_t>& ids, const Context& context) {
  const Call call{lane::destroy_all, "DELETE", "/api/v0/instances/", Written{{"instance_ids", ids}}, false, true};
  auto answer = wire_.ask(call, "destroying " + std::to_string(ids.size()) + " instances", context);
  if (!answer) return std::move(answer).error();
  for (const std::int64_t id : ids) memory_.ended(id);
  return {};
}

// --- keys ---

Result<void> HttpVast::attach_key(std::int64_t instance, const std::string& text, const Context& context) {
  const std::string what = "attaching the run's SSH key to instance " + of(instance);
  const Call call{lane::attach, "POST", instance_path(instance) + "ssh/", Written{{"ssh_key", text}}, false};
  auto answer = wire_.ask_openly(call, what, context);
  if (!answer) return std::move(answer).error();
  if (answer->good() || base::contains(answer->text, "already associated with instance")) return {};
  return error_of(*answer, what);
}

Result<std::vector<SshKey>> HttpVast::instance_keys(std::int64_t instance, const Context& context) {
  const std::string what = "listing the SSH keys of instance " + of(instance);
  auto answer = wire_.ask({lane::keys_of, "GET", instance_path(instance) + "ssh/"}, what, context);
  if (!answer) return std::move(answer).error();
  auto keys = keys_of(answer->body, "ssh_keys");
  // That there are none is said in the documented words alone: a bare `[]` may be a broken answer.
  if (!keys || (keys->empty() && !answer->body.is_object())) return unreadable(what);
  return *std::move(keys);
}

Result<void> HttpVast::detach_key(std::int64_t instance, std::int64_t key, const Context& context) {
  const std::string what = "detaching the run's SSH key from instance " + of(instance);
  const Call call{lane::detach, "DELETE", instance_path(instance) + "ssh/" + of(key) + "/", Written::object(), false};
  auto answer = wire_.ask_openly(call, what, context);
  if (!answer) return std::move(answer).error();
  if (answer->good() || base::contains(answer->text, "no_such_ssh_key")) return {};
  Error error = error_of(*answer, what);
  if (error.fault == Fault::not_found) return {};
  return error;
}

Result<SshKey> HttpVast::add_account_key(const std::string& text, const Context& context) {
  const std::string what = "registering the run's SSH key with the account";
  const Call call{lane::add_key, "POST", "/api/v0/ssh/", Written{{"ssh_key", text}}, false};
  auto answer = wire_.ask(call, what, context);
  if (!answer) return std::move(answer).error();
  const auto row = answer->body.find("key");
  if (row == answer->body.end() || integer_of(*row, "id") <= 0) return unreadable(what);
  return SshKey{integer_of(*row, "id"), text};
}

Result<std::vector<SshKey>> HttpVast::account_keys(const Context& context) {
  const std::string what = "listing the account's SSH keys";
  auto answer = wire_.ask_openly({lane::keys, "GET", "/api/v0/ssh/"}, what, context);
  if (!answer) return std::move(answer).error();
  if (says_no_keys(*answer)) return std::vector<SshKey>{};
  if (!answer->good()) return error_of(*answer, what);
  auto keys = keys_of(answer->body, "keys");
  if (!keys) return unreadable(what);
  return *std::move(keys);
}

Result<void> HttpVast::delete_account_key(std::int64_t key, const Context& context) {
  const std::string what = "removing the run's SSH key from the account";
  const Call call{lane::delete_key, "DELETE", "/api/v0/ssh/" + of(key) + "/", Written::object(), false};
  auto answer = wire_.ask_openly(call, what, context);
  if (!answer) return std::move(answer).error();
  if (answer->good() || base::contains(answer->text, "no_ssh_key")) return {};
  return error_of(*answer, what);
}

}  // namespace vast

std::unique_ptr<Vast> make_vast(VastAccount account, Http& http, Http& urgent) {
  return std::make_unique<vast::HttpVast>(std::move(account), http, urgent);
}

}  // namespace failover::client
