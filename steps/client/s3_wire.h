// The way to B2 and back, inside the client: signed requests, what may be repeated and what an answer means
// (references/b2-s3-api.md 1, 3, 7). Not for steps.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "steps/client/s3.h"

namespace failover::client::s3 {

struct Call {
  std::string method;
  std::string bucket;
  std::string key;  // empty: of the bucket
  std::vector<std::pair<std::string, std::string>> query{};
  std::vector<std::pair<std::string, std::string>> headers{};  // signed too; lower-case names
  std::string body{};
  std::string body_file{};
  std::string payload_hash{};  // hex SHA-256 of the body; empty: of `body`
  std::string sink_file{};
  std::int64_t body_limit = 16 << 20;
  // May it be sent again when no answer came? Uploads look first.
  bool replays = true;
  std::function<void()> on_unanswered{};  // of a PUT or POST, each time that it went out and nothing came back
};

class Wire {
 public:
  Wire(S3Account account, Http& http);

  // A 2xx answer; repeated with a growing pause on a new connection while the service is busy, until the context's
  // deadline. Errors as error_of() says; unknown when the answer to a call that does not replay was lost.
  base::Result<HttpResponse> ask(const Call& call, const std::string& what, const plugin::Context& context);
  [[nodiscard]] const S3Account& account() const { return account_; }
  // Error{auth}: not all that is needed is set. Error{invalid}: a key that no URL carries unchanged.
  [[nodiscard]] base::Result<void> check(const std::string& bucket, const std::string& key) const;
  // The host as it is signed: with its port when that is not the scheme's.
  [[nodiscard]] const std::string& host() const { return host_; }

 private:
  base::Result<HttpResponse> once(const Call& call, bool fresh, const plugin::Context& context);
  base::Result<void> take_turn(const plugin::Context& context);
  void end_turn();

  S3Account account_;
  std::string host_;
  Http* http_;
  std::mutex mutex_;
  bool busy_ = false;
};

// What went wrong, in the words of section 7. `local` is our clock, for complaints about it.
base::Error error_of(const HttpResponse& response, const std::string& what, base::WallTime local);
// An error document inside a 200 answer (CompleteMultipartUpload may do that).
bool holds_error(const HttpResponse& response);

struct Version {
  std::string key;
  std::string id;
  bool marker = false;
  std::optional<base::WallTime> modified{};  // nullopt: unreadable, which says nothing
};
struct Pending {
  std::string key;
  std::string id;
  std::optional<base::WallTime> begun{};  // the same
};
base::Result<std::vector<Object>> list_objects(Wire&, const std::string& bucket, const std::string& prefix,
                                               const plugin::Context&);
// Of how many keys: all that begin with `prefix`, or that one key. Listings are in the keys' order (9), so that the one
// comes before whatever it begins, and what stands behind it, millions of keys maybe, is not read.
enum class Reach { prefix, key };
base::Result<std::vector<Version>> list_versions(Wire&, const std::string& bucket, const std::string& prefix,
                                                 Reach reach, const plugin::Context&);
base::Result<std::vector<Pending>> list_uploads(Wire&, const std::string& bucket, const std::string& prefix,
                                                Reach reach, const plugin::Context&);

// --- digests of what goes out and comes in ---
struct Summed {
  std::int64_t bytes = 0;
  std::string md5;     // raw
  std::string sha256;  // lower-case hex
};
Summed sum(std::string_view bytes);
base::Result<Summed> sum_file(const std::string& path);
bool is_md5(const std::string& etag);
Object object_of(const std::string& key, const HttpResponse& response);
std::string unquoted(const std::string* header);

}  // namespace failover::client::s3
