#include "steps/client/ssh_version.h"

#include <doctest/doctest.h>

#include "engine/base/text.h"

using failover::client::ssh::check_libssh;

TEST_CASE("libssh: what has known holes is refused, by both versions") {
  struct Row {
    const char* library;
    const char* package;
    bool good;
  };
  const Row rows[] = {
      {"0.9.8/openssl/zlib", "0.9.8-0+deb11u1", false},
      {"0.10.5/openssl/zlib", "0.10.6-0+deb12u3", false},  // not the library of this package
      {"0.10.6/openssl/zlib", "", false},
      {"0.10.6/openssl/zlib", "0.10.6-0+deb12u1", false},
      {"0.10.6/openssl/zlib", "0.10.6-0+deb12u2", false},
      {"0.10.6/openssl/zlib", "0.10.6-0+deb12u3", true},
      {"0.10.6/openssl/zlib", "0.10.6-0+deb12u3+b1", true},
      {"0.10.6/openssl/zlib", "0.10.6-0+deb12u3~bpo11+1", false},
      {"0.10.6/openssl/zlib", "0.10.6-0+deb12u10", true},
      {"0.10.6/openssl/zlib", "0.10.6-0+deb12u", false},
      {"0.10.6/openssl/zlib", "0.10.6-0+deb12u-3", false},
      {"0.10.6/openssl/zlib", "0.10.6-0+deb12u99999999999", false},
      {"0.10.6/openssl/zlib", "0.10.6-3", false},
      {"0.10.6/openssl/zlib", "0.10.6-2ubuntu0.3", false},
      {"0.10.60/openssl/zlib", "0.10.6-0+deb12u3", false},
      {"0.10.7/openssl/zlib", "", false},
      {"0.11.0/openssl/zlib", "0.10.6-0+deb12u3", false},
      {"0.11.2/openssl/zlib", "0.11.2-1", false},
      {"0.11.4/openssl/zlib", "", false},
      {"0.11.5/openssl/zlib", "", true},
      {"0.11.10", "", true},
      {"0.12.0/openssl/zlib", "", false},
      {"0.12.1/openssl/zlib", "", false},
      {"0.12.2/openssl/zlib", "", true},
      {"0.13.0/openssl/zlib", "", true},
      {"1.0.0/openssl/zlib", "", true},
      {"", "", false},
      {"0.11", "", false},
      {"0.11.5rc1", "", false},
      {"new", "0.10.6-0+deb12u3", false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.library);
    CAPTURE(row.package);
    CHECK(check_libssh(row.library, row.package).ok() == row.good);
  }
}

TEST_CASE("libssh: the refusal names what was found, what is needed and what to do") {
  const auto refused = check_libssh("0.10.6/openssl/zlib", "0.10.6-0+deb12u2");
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == "libssh_too_old");
  for (const char* word : {"0.10.6 (package libssh-4 0.10.6-0+deb12u2)", "0.11.5", "0.12.2", "0.10.6-0+deb12u3"}) {
    CHECK_MESSAGE(failover::base::contains(refused.error().message, word), refused.error().message);
  }
  CHECK(failover::base::contains(refused.error().hint, "libssh-4"));
}
