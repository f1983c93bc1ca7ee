// Journeys that meet what the providers are known to do.
#include "tests/cli/elsewhere.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)

TEST_CASE("what goes wrong has its outcome, its exit code and nothing rented after it") {
  Elsewhere elsewhere;
  struct Case {
    const char* fault;
    int exit_code;
    const char* words;  // on stderr
  };
  const std::vector<Case> cases = {
      {"offer_gone", 0, ""},
      {"rate_limit_storm", 0, ""},
      {"create_502_after_effect", 0, ""},
      {"create_success_false", 0, ""},
      {"create_reset_after_effect", 0, ""},
      {"b2_unavailable", 0, ""},
      {"host_key_changed", 3, "host key"},
      {"disk_full", 3, "disk"},
      {"no_offers", 3, "offer"},
      {"bad_vast_key", 3, "VAST_API_KEY"},
      {"no_credit", 3, "credit"},
      {"b2_bucket_missing", 3, "bucket"},
      {"b2_no_rights", 3, "right"},
      {"object_missing", 0, ""},
      {"object_corrupted", 3, "error:"},
      {"object_swapped", 0, ""},  // a part that does not read as it was sent is sent again
      {"price_unreadable", 0, ""},
  };
  for (const auto& one : cases) {
    const std::string fault = one.fault;
    CAPTURE(fault);
    elsewhere.arm(one.fault);
    const auto done = elsewhere.failover({"run", "realtime-sync", "--live", "--yes", "--output", "plain"}, 200s);
    INFO(done.out << done.err);
    CHECK(done.exit_code == one.exit_code);
    CHECK(base::contains(done.err, one.words));
    elsewhere.arm(std::string(one.fault) + ":0");
    elsewhere.check_clean();
  }
}
