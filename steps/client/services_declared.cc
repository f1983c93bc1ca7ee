// Services without libcurl and libssh: a program that only reads declarations does not load them.
#include "steps/client/services.h"

namespace failover::client {
namespace {

using base::Error;
using base::Fault;

Error nobody() { return {Fault::internal, "no_client", "these steps are declarations: nothing runs here"}; }

struct NoHttp final : Http {
  base::Result<HttpResponse> send(const HttpRequest&, const plugin::Context&) override { return nobody(); }
};

struct NoSsh final : Ssh {
  [[nodiscard]] const std::string& public_key() const override { return none; }
  base::Result<Finished> run(const Endpoint&, const Command&, const plugin::Context&) override { return nobody(); }
  void forget(const Endpoint&) override {}
  std::string none;
};

}  // namespace

std::unique_ptr<Services> declared_services() {
  auto services = std::make_unique<Services>();
  for (auto* http : {&services->vast_http, &services->vast_urgent_http, &services->b2_http, &services->other_http}) {
    *http = std::make_unique<NoHttp>();
  }
  services->ssh = std::make_unique<NoSsh>();
  return services;
}

}  // namespace failover::client
