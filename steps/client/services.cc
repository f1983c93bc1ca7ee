#include "steps/client/services.h"

#include "engine/base/text.h"

namespace failover::client {
namespace {

using base::Error;
using base::Fault;

// `https://host[:port]` without a slash at its end; plain http to this machine alone.
base::Result<std::string> endpoint(const std::string& name, std::string url) {
  while (!url.empty() && url.back() == '/') url.pop_back();
  const auto origin = parse_origin(url);
  const bool plain = url.find_first_of("?#@ ", 0) == std::string::npos &&
                     url.find('/', url.find("://") == std::string::npos ? 0 : url.find("://") + 3) == std::string::npos;
  if (!origin || !plain || (origin->scheme != "https" && origin->scheme != "http")) {
    return Error{Fault::invalid, "bad_endpoint",
                 name + " is '" + base::printable(url, 120) + "', not scheme://host[:port]",
                 "write it like https://host.example or http://127.0.0.1:8080, without a path"};
  }
  if (origin->scheme == "http" && !is_loopback(*origin)) {
    return Error{Fault::invalid, "plain_http",
                 name + " would send keys over plain HTTP to " + base::printable(origin->host, 120),
                 "use https; plain http is for this machine alone"};
  }
  return url;
}

// `us-west-004` of `s3.us-west-004.backblazeb2.com`; nothing else says a region (b2-s3-api.md 1).
std::string region_of(const std::string& url) {
  const auto origin = parse_origin(url);
  if (!origin) return {};
  const auto words = base::split(origin->host, '.');
  const bool b2 = words.size() == 4 && words[0] == "s3" && words[2] == "backblazeb2" && words[3] == "com";
  return b2 ? words[1] : std::string();
}

std::unique_ptr<Services> assemble(Settings settings, std::unique_ptr<Ssh> ssh) {
  auto services = std::make_unique<Services>();
  services->vast_http = make_http();
  services->vast_urgent_http = make_http();
  services->b2_http = make_http();
  services->other_http = make_http();
  services->ssh = std::move(ssh);
  services->vast = make_vast({settings.vast_url, settings.vast_key, settings.vast_turns}, *services->vast_http,
                             *services->vast_urgent_http);
  services->b2 =
      make_s3({settings.b2_endpoint, settings.b2_region, settings.b2_key_id, settings.b2_key}, *services->b2_http);
  services->settings = std::move(settings);
  return services;
}

}  // namespace

base::Result<std::unique_ptr<Services>> make_services(Settings settings) {
  auto vast_url = endpoint("VAST_API_URL", settings.vast_url);
  if (!vast_url) return std::move(vast_url).error();
  settings.vast_url = *std::move(vast_url);
  if (!settings.b2_endpoint.empty()) {
    // The endpoint is shown beside a bucket as a bare host.
    if (!base::contains(settings.b2_endpoint, "://")) settings.b2_endpoint = "https://" + settings.b2_endpoint;
    auto b2 = endpoint("B2_ENDPOINT", settings.b2_endpoint);
    if (!b2) return std::move(b2).error();
    settings.b2_endpoint = *std::move(b2);
    if (settings.b2_region.empty()) settings.b2_region = region_of(settings.b2_endpoint);
  }
  const auto vast = parse_origin(settings.vast_url);
  auto ssh = make_ssh(vast && is_loopback(*vast));
  if (!ssh) return std::move(ssh).error();
  return assemble(std::move(settings), *std::move(ssh));
}

}  // namespace failover::client
