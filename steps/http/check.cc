#include "engine/base/text.h"
#include "engine/plugin/step.h"
#include "steps/client/checks.h"
#include "steps/http/http.h"

namespace failover::steps {
namespace {

using base::Error;
using base::Fault;
using base::Result;
using namespace std::chrono_literals;

struct In {
  std::string url;
  std::int64_t status = 200;
};
struct Out {
  std::int64_t status = 0;
  base::Duration latency{0};
};

Result<void> check_status(const std::int64_t& status) {
  if (status >= 100 && status <= 599) return {};
  return Error{Fault::invalid, "bad_status", std::to_string(status) + " is no status of HTTP", "from 100 to 599"};
}

// The class by which `retry` can tell an answer that may change from one that will not.
Fault fault_of(int status) {
  switch (status) {
    case 401:
    case 403: return Fault::auth;
    case 404:
    case 410: return Fault::not_found;
    case 429: return Fault::rate_limited;
    default: return status >= 500 ? Fault::unavailable : Fault::refused;
  }
}

// `host:port` as the URL has it, for a message about a URL that the client took: it takes none with a password.
std::string place_of(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::size_t begin = scheme == std::string::npos ? 0 : scheme + 3;
  return base::printable(url.substr(begin, url.find_first_of("/?#", begin) - begin), 120);
}

Result<Out> run(client::Http& http, const In& in, const plugin::Context& context) {
  client::HttpRequest request;
  request.peer = "http";
  request.url = in.url;
  request.headers = {{"Accept", "*/*"}};
  request.body_limit = 4 << 20;
  const auto before = context.clock().now();
  auto answer = http.send(request, context);
  const auto took = context.clock().now() - before;
  const std::string place = place_of(in.url);
  if (!answer) {
    Error error = std::move(answer).error();
    if (error.code == "bad_url") {
      return Error{Fault::invalid, "bad_url",
                   "`url` is '" + base::printable(in.url, 120) + "', not an http or https URL",
                   "write it like https://backend.example/health"};
    }
    // A GET has no effect that could be in doubt.
    if (error.fault == Fault::unknown) error.fault = Fault::unavailable;
    return std::move(error).during("asking " + place);
  }
  if (answer->status != in.status) {
    return Error{fault_of(answer->status), "wrong_status",
                 place + " answered " + std::to_string(answer->status) + ", wanted " + std::to_string(in.status)};
  }
  return Out{answer->status, took};
}

}  // namespace

std::vector<plugin::StepType> http_steps(client::Services& services) {
  return {plugin::step<In, Out>({
      .name = "http.check",
      .summary = "Ask a URL once and compare the status; redirects are answers, not followed.",
      .inputs = {plugin::required("url", &In::url, "http or https.", client::check_url),
                 plugin::optional("status", &In::status, "The status that is right, 100 to 599.", check_status)
                     .at_least(100)},
      .outputs = {plugin::output("status", &Out::status, "The status it answered.").echoes("status"),
                  plugin::output("latency", &Out::latency, "From the request to the whole answer.")},
      .errors = {Fault::unavailable, Fault::refused, Fault::not_found, Fault::auth, Fault::rate_limited,
                 Fault::corrupt},
      .timeout = 30s,
      .example = "{url: \"https://backend.example/health\"}",
      .estimate =
          [](const In&) {
            return plugin::Estimate{{50ms, 500ms, 30s}, {}};
          },
      .run = [&services](const In& in,
                         const plugin::Context& context) { return run(*services.other_http, in, context); },
  })};
}

}  // namespace failover::steps
