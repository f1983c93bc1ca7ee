// What the parts of the Vast door share. Each handler runs with the world's lock held.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tools/sandbox/vast/door.h"
#include "tools/sandbox/world/world.h"

namespace failover::sandbox::vast {

using Json = nlohmann::json;

struct Call {
  const Request& request;
  World& world;
  Json body;                      // an object; empty when the request has none
  std::vector<std::int64_t> ids;  // the numbers of the path, in order
};

Answer reply(const Json& body, int status = 200);
Answer failure(int status, const std::string& error, const std::string& message);
Answer no_such_instance(std::int64_t id);

// `{column: {operator: value}}`, numbers as strings too; Error text is for the client.
struct Filters {
  // What a row holds under this name; null when it has no such column.
  using Column = std::function<Json(const std::string& name)>;
  static bool match(const Json& row, const Json& filters);
  static bool match(const Column& column, const Json& filters);
  // The name of the first filter that is not an object, if any.
  static std::optional<std::string> malformed(const Json& filters);
};
// -1, 0, 1 as sort order has it: null first, numbers before texts.
int compare(const Json& a, const Json& b);
std::optional<double> as_number(const Json& value);
// Seconds since 1970.
double unix_seconds(base::WallTime at);
// The first problem of a JSON member that has to be a text of at most `limit` bytes, or absent or null.
std::optional<std::string> text_problem(const Json& body, const char* name, std::size_t limit);
std::string text_or(const Json& body, const char* name, const std::string& otherwise = {});

Json offer_row(const Offer& offer, double allocated_gb, bool bid);
Json instance_row(const World& world, const Instance& instance);
bool is_visible(const World& world, const Instance& instance);
// Listings may lag behind.
bool is_listed(const World& world, const Instance& instance);
// Rented with one, and its host has some.
bool has_direct_port(const Instance& instance);

Answer search_offers(Call& call);
Answer gpu_names(Call& call);
Answer create_instance(Call& call);
Answer show_instance(Call& call);
Answer list_instances(Call& call);
Answer list_instances_old(Call& call);
Answer manage_instance(Call& call);
Answer manage_many(Call& call);
Answer reboot_instance(Call& call);
Answer recycle_instance(Call& call);
Answer change_bid(Call& call);
Answer destroy_instance(Call& call);
Answer destroy_many(Call& call);
Answer list_keys(Call& call);
Answer add_key(Call& call);
Answer replace_key(Call& call);
Answer delete_key(Call& call);
Answer list_instance_keys(Call& call);
Answer attach_key(Call& call);
Answer detach_key(Call& call);
Answer show_user(Call& call);
Answer show_charges(Call& call);
Answer request_logs(Call& call);

}  // namespace failover::sandbox::vast
