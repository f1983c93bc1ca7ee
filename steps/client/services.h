// What the steps of one run share: the clients, built from the operator's settings. Making them sends nothing. Steps
// hold the Services and take a client from it when they run: a simulation puts another life's clients into it.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "engine/base/error.h"
#include "engine/base/secret.h"
#include "steps/client/http.h"
#include "steps/client/s3.h"
#include "steps/client/ssh.h"
#include "steps/client/vast.h"

namespace failover::client {

// The operator's configuration, read from the environment by the program (never by a step). Empty: not set.
struct Settings {
  std::string vast_url = "https://console.vast.ai";
  base::Secret vast_key;
  std::filesystem::path vast_turns;  // VastAccount::turns
  std::string b2_endpoint;
  std::string b2_region;
  std::string b2_key_id;
  base::Secret b2_key;
  std::map<std::string, std::string> declared_environment;  // what `local.exec` may see: the scenario's declared names
};

struct Services {
  Settings settings;
  std::unique_ptr<Http> vast_http;
  std::unique_ptr<Http> vast_urgent_http;
  std::unique_ptr<Http> b2_http;
  std::unique_ptr<Http> other_http;
  std::unique_ptr<Ssh> ssh;
  std::unique_ptr<Vast> vast;
  std::unique_ptr<S3> b2;
};

// Error{invalid}: an endpoint is not scheme://host[:port], or is plain http to a host that is not loopback; libssh too
// old.
base::Result<std::unique_ptr<Services>> make_services(Settings settings);

// Services for whoever reads the steps' declarations alone (validation, help): costs nothing to make and needs neither
// libcurl nor libssh. Nothing may run with it: `vast` and `b2` are null, every call of the others is Error{internal}.
std::unique_ptr<Services> declared_services();

}  // namespace failover::client
