// The verifying side of AWS signature version 4, for header and presigned requests (references/b2-s3-api.md 3).
// Written apart from any client's signer, so that the two can judge each other.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "tools/sandbox/world/message.h"

namespace failover::sandbox::b2 {

struct Credentials {
  std::string key_id;
  std::string secret;
  std::string region;
};

struct Refusal {
  int status = 403;
  std::string code;
  std::string message;
};

// The text whose SHA-256 is signed. `signed_headers` in lower case, sorted; a presigned request's own signature is left
// out of the query.
std::string canonical_request(const Request& request, const std::vector<std::string>& signed_headers,
                              const std::string& payload_hash);
// Hex signature of a canonical request; `time` is `YYYYMMDDTHHMMSSZ`.
std::string signature_of(const std::string& canonical, const std::string& time, const Credentials& credentials);

// Why the request is not this key's, not now, or not this one; nullopt when it is good.
std::optional<Refusal> verify(const Request& request, const Credentials& credentials, base::WallTime now);

}  // namespace failover::sandbox::b2
