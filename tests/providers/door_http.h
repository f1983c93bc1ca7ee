// client::Http that calls a door of the sandbox in this process, on the test's clock: real client, real provider
// behaviour, no sockets and no waiting.
#pragma once

#include <deque>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/text.h"
#include "steps/client/http.h"
#include "tools/sandbox/world/world.h"

namespace failover::testing {

class DoorHttp final : public client::Http {
 public:
  using Door = sandbox::Answer (*)(const sandbox::Request&, sandbox::World&);
  DoorHttp(Door door, sandbox::World& world) : door_(door), world_(world) {}

  struct Sent {
    std::string method;
    std::string path;
    int status = 0;  // 0: no answer
    base::Instant at{};
  };
  std::vector<Sent> sent;
  // Sees every request first; an answer here replaces the door's.
  std::function<std::optional<base::Result<client::HttpResponse>>(const client::HttpRequest&)> before;
  // May change the door's answer.
  std::function<void(const client::HttpRequest&, sandbox::Answer&)> after;

  [[nodiscard]] int count(const std::string& method, const std::string& part) const {
    int found = 0;
    for (const Sent& one : sent) found += one.method == method && base::contains(one.path, part) ? 1 : 0;
    return found;
  }

  base::Result<client::HttpResponse> send(const client::HttpRequest& request, const plugin::Context& context) override {
    const auto origin = client::parse_origin(request.url);
    const auto path_at = request.url.find('/', request.url.find("://") + 3);
    const std::string target = path_at == std::string::npos ? "/" : request.url.substr(path_at);
    sent.push_back({request.method, target, 0, context.clock().now()});
    const std::size_t mine = sent.size() - 1;
    if (before) {
      if (auto given = before(request)) return *std::move(given);
    }
    sandbox::Request asked;
    asked.method = request.method;
    asked.target = target;
    for (const auto& [name, value] : request.headers) asked.headers[base::lower(name)] = value;
    asked.headers["host"] = origin ? origin->host + (origin->port != 0 ? ":" + std::to_string(origin->port) : "") : "";
    asked.body = sandbox::make_body(request.body_file.empty() ? request.body : read(request.body_file));
    if (request.fresh_connection) ++connection_;
    asked.connection = std::to_string(connection_);
    sandbox::Answer answer = door_(asked, world_);
    if (after) after(request, answer);
    if (auto slept = context.sleep(answer.delay); !slept) {
      base::Error error = std::move(slept).error();
      error.code = "sent";
      return error;
    }
    std::string body = sandbox::body_of(answer);
    const bool cut = answer.cut >= 0 && answer.cut < static_cast<std::int64_t>(body.size());
    plugin::Exchange exchange{
        request.peer, request.method, asked.path(), answer.drop || cut ? 0 : answer.status, {}, ""};
    context.exchange(exchange);
    if (answer.drop || cut) return base::Error{base::Fault::unknown, "cut", "the connection was cut", ""};
    sent[mine].status = answer.status;
    client::HttpResponse response;
    response.status = answer.status;
    for (const auto& [name, value] : answer.headers) response.headers.emplace_back(base::lower(name), value);
    const auto length = answer.claimed_length.value_or(static_cast<std::int64_t>(body.size()));
    response.headers.emplace_back("content-length", std::to_string(length));
    if (!request.sink_file.empty() && client::is_success(answer.status)) {
      std::ofstream(request.sink_file, std::ios::binary) << body;
    } else {
      response.body = std::move(body);
    }
    return response;
  }

 private:
  static std::string read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  Door door_;
  sandbox::World& world_;
  int connection_ = 0;
};

}  // namespace failover::testing
