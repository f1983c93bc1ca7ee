// HTTP as the clients of providers need it: one request, one answer, honest about what is not known.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "engine/plugin/context.h"

namespace failover::client {

struct HttpRequest {
  std::string peer;  // for the journal: `vast`, `b2`, `http`
  std::string method = "GET";
  std::string url;  // complete and encoded; sent as it is (no dot-segment rewriting, no redirects followed)
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string body_file;  // when set, the body is this file of the runner, streamed with its exact Content-Length
  std::string sink_file;  // when set, a 2xx body is streamed into this file (created, truncated) and not kept in memory
  std::int64_t body_limit = 16 << 20;  // bytes of answer kept in memory; more is Error{corrupt, too_large}
  base::Duration connect_timeout = std::chrono::seconds(10);
  // No byte either way for this long, or fewer than 1000 a second in a stretch of it: the connection is dead.
  base::Duration stall_timeout = std::chrono::seconds(60);
  bool fresh_connection = false;  // B2 routes a new connection elsewhere (b2-s3-api.md 7)
};

struct HttpResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
  [[nodiscard]] const std::string* header(std::string_view lower_case_name) const;
};

class Http {
 public:
  virtual ~Http() = default;
  // Any answer is a response, 5xx and 3xx included. Errors: unavailable when certainly nothing was sent (refused, DNS,
  // TLS), unknown when the request may have had its effect, timeout and cancelled likewise with code `sent` or
  // `unsent`. Reports one Exchange. Honours the context's deadline and stop within 0.1 s.
  virtual base::Result<HttpResponse> send(const HttpRequest& request, const plugin::Context& context) = 0;
};

// libcurl: one multi handle, connections kept alive; one caller at a time per object. TLS verified; plain http only as
// given.
std::unique_ptr<Http> make_http();

// The error, as one of Http::send that says so.
base::Error unsent(base::Error why);
// Does this error of Http::send say that certainly nothing reached the service?
bool nothing_was_sent(const base::Error& error);
// `200 OK`-class test, and seconds of a Retry-After header (absurd values, above an hour, are ignored).
inline bool is_success(int status) { return status >= 200 && status < 300; }
std::optional<base::Duration> retry_after(const HttpResponse& response);
// scheme://host[:port] of a URL, or nullopt; and whether the host is a loopback address (127.0.0.0/8, ::1, localhost).
struct Origin {
  std::string scheme;
  std::string host;
  int port = 0;
};
std::optional<Origin> parse_origin(std::string_view url);
bool is_loopback(const Origin& origin);

}  // namespace failover::client
