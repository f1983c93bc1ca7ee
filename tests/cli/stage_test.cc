// The settle window may be shortened for a simulated world on this machine, and nowhere else (leak-safety.md, rule 4).
#include "tools/cli/parts/stage.h"

#include <doctest/doctest.h>

using namespace failover;  // NOLINT(google-build-using-namespace)
using namespace std::chrono_literals;

namespace {

struct Place {
  const char* vast;  // VAST_API_URL; empty: not set, the real service
  const char* b2;    // B2_ENDPOINT
};

cli::Environment environment_of(const Place& place, const std::string& settle) {
  return {{"VAST_API_URL", place.vast}, {"B2_ENDPOINT", place.b2}, {"VAST_API_KEY", "k"}, {"FAILOVER_SETTLE", settle}};
}

std::optional<base::Duration> window(const Place& place, const std::string& settle) {
  const auto environment = environment_of(place, settle);
  return cli::settle_of(environment, cli::settings_from(environment));
}

}  // namespace

TEST_CASE("FAILOVER_SETTLE counts where every endpoint is on loopback") {
  for (const Place& place :
       {Place{"http://127.0.0.1:8080", "http://127.0.0.1:8081"}, Place{"http://127.0.0.1:8080", ""},  // no B2 at all
        Place{"http://localhost:8080", "http://[::1]:8081"}}) {
    CAPTURE(place.vast);
    CAPTURE(place.b2);
    CHECK(cli::all_loopback(cli::settings_from(environment_of(place, "4s"))));
    CHECK(window(place, "4s") == std::optional<base::Duration>(4s));
    CHECK_FALSE(window(place, "").has_value());
    CHECK_FALSE(window(place, "soon").has_value());
  }
  const Place place{"http://127.0.0.1:8080", "http://127.0.0.1:8081"};
  CHECK_FALSE(cli::settle_of({}, cli::settings_from(environment_of(place, ""))).has_value());
}

TEST_CASE("FAILOVER_SETTLE is ignored where any endpoint is not on loopback: the live window stays whole") {
  for (const Place& place :
       {Place{"", ""},  // as an operator who set nothing but it
        Place{"https://console.vast.ai", ""},
        Place{"https://console.vast.ai", "https://s3.us-west-004.backblazeb2.com"}, Place{"", "http://127.0.0.1:8081"},
        Place{"http://127.0.0.1:8080", "https://s3.us-west-004.backblazeb2.com"},
        Place{"https://console.vast.ai", "http://127.0.0.1:8081"},
        // What only looks like it.
        Place{"https://127.0.0.1.example.com", ""}, Place{"https://localhost.example.com", ""},
        Place{"https://127.0.0.1@example.com", ""}, Place{"http://127.0.0.1:8080", "https://10.0.0.1"},
        // What nobody can send to.
        Place{"127.0.0.1:8080", ""}, Place{"http://127.0.0.1:8080", "nonsense"}}) {
    CAPTURE(place.vast);
    CAPTURE(place.b2);
    CHECK_FALSE(cli::all_loopback(cli::settings_from(environment_of(place, "4s"))));
    for (const char* settle : {"4s", "0s", "10m"}) CHECK_FALSE(window(place, settle).has_value());
  }
}
