#include "tools/sandbox/vast/door.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "engine/base/text.h"
#include "tools/sandbox/vast/internal.h"

namespace failover::sandbox {
namespace vast {
namespace {

enum class Who {
  anybody,
  account,   // the account's key alone
  instance,  // or the key of the instance that the path names
};

struct Route {
  const char* method;
  const char* path;      // below /api/, `#` stands for a number
  const char* endpoint;  // as the interval table names it
  Who who;
  Answer (*handler)(Call&);
};

constexpr std::array<Route, 26> kRoutes{{
    {"POST", "v0/bundles", "POST bundles", Who::anybody, search_offers},
    {"GET", "v0/bundles", "POST bundles", Who::anybody, search_offers},
    {"PUT", "v0/search/asks", "POST bundles", Who::anybody, search_offers},
    {"GET", "v0/gpu_names/unique", "", Who::anybody, gpu_names},
    {"PUT", "v0/asks/#", "PUT asks/{id}", Who::account, create_instance},
    {"GET", "v0/instances/#", "GET instances/{id}", Who::instance, show_instance},
    {"GET", "v1/instances", "GET v1 instances", Who::account, list_instances},
    {"GET", "v0/instances", "", Who::account, list_instances_old},
    {"PUT", "v0/instances/#", "PUT instances/{id}", Who::instance, manage_instance},
    {"PUT", "v0/instances", "", Who::account, manage_many},
    {"PUT", "v0/instances/reboot/#", "PUT instances/reboot/{id}", Who::account, reboot_instance},
    {"PUT", "v0/instances/recycle/#", "PUT instances/recycle/{id}", Who::account, recycle_instance},
    {"PUT", "v0/instances/bid_price/#", "PUT instances/bid_price/{id}", Who::account, change_bid},
    {"PUT", "v0/instances/request_logs/#", "", Who::account, request_logs},
    {"DELETE", "v0/instances/#", "DELETE instances/{id}", Who::instance, destroy_instance},
    {"DELETE", "v0/instances", "", Who::account, destroy_many},
    {"GET", "v0/ssh", "", Who::account, list_keys},
    {"POST", "v0/ssh", "POST ssh", Who::account, add_key},
    {"PUT", "v0/ssh/#", "PUT ssh/{id}", Who::account, replace_key},
    {"DELETE", "v0/ssh/#", "", Who::account, delete_key},
    {"GET", "v0/instances/#/ssh", "", Who::account, list_instance_keys},
    {"POST", "v0/instances/#/ssh", "", Who::account, attach_key},
    {"DELETE", "v0/instances/#/ssh/#", "DELETE instances/{id}/ssh/{key}", Who::account, detach_key},
    {"GET", "v0/users/current", "", Who::account, show_user},
    {"GET", "v0/charges", "GET charges", Who::account, show_charges},
    {"GET", "v0/instances/filters", "", Who::account,
     [](Call&) {
       return reply({{"success", true}, {"filters", Json::object()}});
     }},
}};

// The path below /api/ without slashes at its ends, numbers as `#`.
std::string shape_of(const std::string& path, std::vector<std::int64_t>& ids) {
  std::vector<std::string> words;
  for (const std::string& word : base::split(path, '/')) {
    if (word.empty()) continue;
    const auto number = base::parse_integer(word);
    if (number) ids.push_back(*number);
    words.push_back(number ? "#" : word);
  }
  if (!words.empty() && words.front() == "api") words.erase(words.begin());
  return base::join(words, "/");
}

const Route* find_route(const std::string& method, const std::string& shape) {
  for (const Route& route : kRoutes) {
    if (method == route.method && shape == route.path) return &route;
  }
  return nullptr;
}

// Paths that work without their slash too (1).
bool slash_optional(const std::string& shape, const std::string& method) {
  return shape == "v0/users/current" || shape == "v0/instances/request_logs/#" ||
         (shape == "v0/bundles" && method == "GET");
}

std::string key_of(const Request& request) {
  const std::string header = request.header("authorization");
  constexpr std::string_view kBearer = "Bearer ";
  if (header.compare(0, kBearer.size(), kBearer) == 0) return header.substr(kBearer.size());
  return request.parameter("api_key").value_or("");
}

std::string seconds_text(double seconds) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f", seconds);
  return text.data();
}

// The four bodies that are in circulation (10), in turn.
Answer too_frequent(World& world, double threshold, int number) {
  ++world.refused_too_frequent;
  const std::string value = seconds_text(threshold);
  Answer answer;
  switch (number % 4) {
    case 0: answer.text = "API requests too frequent: endpoint threshold=" + value + "*1.0"; break;
    case 1: return reply({{"detail", "API requests too frequent endpoint threshold=" + value}}, 429);
    case 2:
      return reply({{"success", false},
                    {"error", "rate_limit_exceeded"},
                    {"msg", "API requests too frequent endpoint threshold=" + value}},
                   429);
    default: answer.text = "API requests too frequent"; break;
  }
  answer.status = 429;
  answer.headers["Content-Type"] = "text/plain; charset=utf-8";
  return answer;
}

Answer auth_error(const World& world) {
  return failure(world.options().bad_key_status, "auth_error", "Invalid user key");
}

// Why this caller may not do this; nullopt: may.
std::optional<Answer> check_caller(const Route& route, const Call& call, const std::string& key) {
  World& world = call.world;
  if (route.who == Who::anybody) return std::nullopt;
  if (world.key_revoked || world.faults.take("bad_vast_key")) return auth_error(world);
  if (key == world.account.api_key) return std::nullopt;
  const Instance* own = key.empty() ? nullptr : world.find_by_key(key);
  if (own == nullptr) return auth_error(world);
  const bool allowed = route.who == Who::instance && !call.ids.empty() && call.ids.front() == own->id;
  if (allowed) return std::nullopt;
  return failure(403, "not_authorized", "This key is limited to its own instance.");
}

std::optional<Answer> fault_before(World& world) {
  if (world.faults.take("vast_unavailable")) {
    Answer answer;
    answer.status = 503;
    answer.headers["Content-Type"] = "text/html";
    answer.text = "<html><head><title>503 Service Temporarily Unavailable</title></head></html>";
    return answer;
  }
  if (world.faults.take("rate_limit_storm")) return too_frequent(world, 2.0, world.pacing.next_number());
  return std::nullopt;
}

std::optional<Answer> fault_at(const Route& route, World& world) {
  const std::string shape = route.path;
  const std::string method = route.method;
  if (shape == "v1/instances" && world.faults.take("list_unavailable")) {
    return failure(503, "service_unavailable", "Service temporarily unavailable.");
  }
  const bool destroys = method == "DELETE" && (shape == "v0/instances/#" || shape == "v0/instances");
  if (destroys && world.faults.take("destroy_500")) {
    return failure(500, "server_error", "Internal server error");
  }
  return std::nullopt;
}

std::optional<Answer> read_body(Call& call) {
  const std::string text = call.request.body.text();
  call.body = text.empty() ? Json::object() : Json::parse(text, nullptr, false);
  if (call.body.is_null()) call.body = Json::object();
  if (call.body.is_object()) return std::nullopt;
  return reply({{"error", "invalid_request"}, {"msg", "Invalid json body"}}, 400);
}

Answer answer_call(const Request& request, World& world) {
  if (auto fault = fault_before(world)) return *std::move(fault);
  Call call{request, world, Json::object(), {}};
  const std::string path = request.path();
  const std::string shape = shape_of(path, call.ids);
  const Route* route = find_route(request.method, shape);
  if (route == nullptr)
    return failure(404, "not_found", "There is no " + request.method + " " + base::printable(path, 200));
  if (path.back() != '/' && !slash_optional(shape, request.method)) {
    Answer answer =
        reply({{"message", "Moved to " + base::printable(path, 200) + "/"}, {"code", "301 Moved Permanently"}}, 301);
    answer.headers["Location"] =
        request.raw_path() + "/" + (request.raw_query().empty() ? "" : "?" + request.raw_query());
    return answer;
  }
  const std::string key = key_of(request);
  if (auto refused = check_caller(*route, call, key)) return *std::move(refused);
  if (world.options().strict_pacing) {
    const auto refusal = world.pacing.call(route->endpoint, key + "@" + request.client, world.now());
    if (refusal) ++world.too_soon;
    if (refusal) return too_frequent(world, refusal->threshold_s, refusal->number);
  }
  if (auto fault = fault_at(*route, world)) return *std::move(fault);
  if (auto problem = read_body(call)) return *std::move(problem);
  Answer answer = route->handler(call);
  if (world.faults.take("malformed_json")) answer.text.resize(answer.text.size() / 2);
  return answer;
}

}  // namespace

Answer reply(const Json& body, int status) {
  Answer answer;
  answer.status = status;
  answer.headers["Content-Type"] = "application/json";
  answer.text = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  return answer;
}

Answer failure(int status, const std::string& error, const std::string& message) {
  return reply({{"success", false}, {"error", error}, {"msg", message}}, status);
}

Answer no_such_instance(std::int64_t id) {
  return failure(404, "no_such_instance", "Instance " + std::to_string(id) + " not found.");
}

double unix_seconds(base::WallTime at) { return static_cast<double>(at.time_since_epoch().count()) / 1e9; }

std::optional<std::string> text_problem(const Json& body, const char* name, std::size_t limit) {
  const auto found = body.find(name);
  if (found == body.end() || found->is_null()) return std::nullopt;
  if (!found->is_string()) return std::string(name) + " must be a string";
  if (found->get_ref<const std::string&>().size() > limit) {
    return std::string(name) + " is longer than " + std::to_string(limit) + " characters";
  }
  return std::nullopt;
}

std::string text_or(const Json& body, const char* name, const std::string& otherwise) {
  const auto found = body.find(name);
  return found != body.end() && found->is_string() ? found->get<std::string>() : otherwise;
}

}  // namespace vast

Answer handle_vast(const Request& request, World& world) {
  const auto hold = world.enter();
  ++world.vast_requests;
  return vast::answer_call(request, world);
}

}  // namespace failover::sandbox
