#include "tools/cli/parts/settings.h"

#include <unistd.h>

#include <algorithm>

#include "engine/base/digest.h"
#include "engine/base/text.h"
#include "engine/base/units.h"

extern char** environ;  // NOLINT(readability-redundant-declaration)

namespace failover::cli {
namespace {

std::string get(const Environment& environment, const std::string& name) {
  const auto at = environment.find(name);
  return at == environment.end() ? std::string() : at->second;
}

bool ends_with(std::string_view text, std::string_view tail) {
  return text.size() >= tail.size() && text.substr(text.size() - tail.size()) == tail;
}

// The host of `https://host[:port]`, in lower case; also without a scheme, as the client takes an endpoint. Empty for
// anything else, which the client refuses or which is nobody's service.
std::string host_of(std::string_view url) {
  std::string text = base::lower(url);
  if (const std::string_view https = "https://"; text.compare(0, https.size(), https) == 0) text.erase(0, https.size());
  while (!text.empty() && text.back() == '/') text.pop_back();
  const std::size_t colon = text.find(':');
  const bool port = colon == std::string::npos || base::parse_integer(text.substr(colon + 1)).has_value();
  const std::string host = text.substr(0, colon);
  const bool plain = host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-") == std::string::npos;
  return port && plain ? host : std::string();
}

}  // namespace

Environment process_environment() {
  Environment out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) out.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

base::Result<std::filesystem::path> home(const Environment& environment) {
  std::filesystem::path path;
  if (const auto own = get(environment, "FAILOVER_HOME"); !own.empty()) {
    path = own;
  } else if (const auto state = get(environment, "XDG_STATE_HOME"); !state.empty()) {
    path = std::filesystem::path(state) / "failover";
  } else if (const auto user = get(environment, "HOME"); !user.empty()) {
    path = std::filesystem::path(user) / ".local" / "state" / "failover";
  } else {
    return base::Error{base::Fault::invalid, "no_home",
                       "there is no place for journals: none of FAILOVER_HOME, XDG_STATE_HOME and HOME is set",
                       "set FAILOVER_HOME to a directory"};
  }
  return std::filesystem::absolute(path);
}

client::Settings settings_from(const Environment& environment) {
  client::Settings settings;
  if (const auto url = get(environment, "VAST_API_URL"); !url.empty()) settings.vast_url = url;
  settings.vast_key = base::Secret(get(environment, "VAST_API_KEY"));
  settings.b2_endpoint = get(environment, "B2_ENDPOINT");
  settings.b2_region = get(environment, "B2_REGION");
  settings.b2_key_id = get(environment, "B2_KEY_ID");
  settings.b2_key = base::Secret(get(environment, "B2_APPLICATION_KEY"));
  return settings;
}

std::string target_of(const client::Settings& settings) {
  const bool real_vast = host_of(settings.vast_url) == "console.vast.ai";
  const bool real_b2 = settings.b2_endpoint.empty() || ends_with(host_of(settings.b2_endpoint), ".backblazeb2.com");
  return real_vast && real_b2 ? "live" : "other";
}

std::map<std::string, std::string> accounts_of(const client::Settings& settings) {
  std::map<std::string, std::string> out;
  const auto add = [&](const char* provider, const base::Secret& key, const std::string& place) {
    if (key.empty()) return;
    out.emplace(provider, base::hex(base::hmac_sha256(key.reveal(), "failover account\n" + place)).substr(0, 24));
  };
  add("vast", settings.vast_key, settings.vast_url);
  add("b2", settings.b2_key, settings.b2_endpoint + "\n" + settings.b2_key_id);
  return out;
}

std::string provider_of(std::string_view kind) { return kind.substr(0, 5) == "vast." ? "vast" : "b2"; }

base::Secret label_key(const Environment& environment, const client::Settings& settings) {
  const auto own = get(environment, "FAILOVER_LABEL_KEY");
  return own.empty() ? settings.vast_key : base::Secret(own);
}

std::vector<std::string> needed_variables(const std::vector<std::string>& step_types) {
  bool vast = false;
  bool b2 = false;
  for (const auto& name : step_types) {
    vast = vast || name.rfind("vast.", 0) == 0;
    b2 = b2 || name.rfind("b2.", 0) == 0 || name.rfind("snapshot.", 0) == 0;
  }
  std::vector<std::string> out;
  if (vast) out.emplace_back("VAST_API_KEY");
  if (b2) out.insert(out.end(), {"B2_ENDPOINT", "B2_KEY_ID", "B2_APPLICATION_KEY"});
  return out;
}

std::string origin_of(const std::string& variable) {
  if (variable == "VAST_API_KEY") return "an API key of your Vast.ai account (console.vast.ai, Keys)";
  if (variable == "B2_ENDPOINT") return "the S3 endpoint shown with your bucket, https://s3.REGION.backblazeb2.com";
  if (variable == "B2_KEY_ID") return "the keyID of an application key (not the master key)";
  if (variable == "B2_APPLICATION_KEY") return "the applicationKey that belongs to B2_KEY_ID";
  if (variable == "B2_BUCKET") return "the name of your bucket";
  return "the scenario declares it under `env`";
}

}  // namespace failover::cli
