// Backblaze B2 through its S3 API (references/b2-s3-api.md): signed by us, path style, no conditional and no checksum
// headers.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/secret.h"
#include "engine/plugin/context.h"
#include "steps/client/http.h"

namespace failover::client {

struct S3Account {
  std::string endpoint;  // `https://s3.us-west-004.backblazeb2.com`: scheme, host, port; no path
  std::string region;    // never guessed: from B2_REGION or the endpoint's host
  std::string key_id;
  base::Secret key;
};

struct Object {
  std::string key;
  std::int64_t bytes = 0;
  std::string etag;     // without quotes
  std::string version;  // x-amz-version-id; may be empty in listings
  std::string label{};  // Upload::label; empty in listings
};

// An object that was read: both of one answer.
struct Fetched {
  Object object;
  std::string body;
};

struct Upload {
  std::string bucket;
  std::string key;
  std::string body;       // or
  std::string body_file;  // a file of the runner, streamed; above 100 MB in parts
  std::function<void(std::int64_t done)> on_bytes;
  std::string label;  // when set, stored with it as x-amz-meta-failover: finds the version again (take_back)
  // The request that begins an upload in parts was never answered, and may be sent again: an upload that nobody
  // finishes may come to be. May be called more than once.
  std::function<void()> on_lost_begin{};
};

class S3 {
 public:
  virtual ~S3() = default;
  // Lists one key under `prefix`: the probe that works with restricted keys (section 8). Error: auth, not_found (no
  // such bucket).
  virtual base::Result<void> check(const std::string& bucket, const std::string& prefix, const plugin::Context&) = 0;
  // Content-MD5 sent, ETag compared. After a lost answer it looks before it sends again; unfinished multipart uploads
  // are aborted on failure. Error{corrupt} when the stored ETag is not ours.
  virtual base::Result<Object> put(const Upload& upload, const plugin::Context&) = 0;
  // The object in memory (at most `limit` bytes) or, with `file`, streamed into a temporary beside it, verified against
  // the ETag where that is an MD5, and renamed. `version` may be empty: the newest.
  virtual base::Result<Fetched> get(const std::string& bucket, const std::string& key, const std::string& version,
                                    std::int64_t limit, const plugin::Context&) = 0;
  virtual base::Result<Object> get_file(const std::string& bucket, const std::string& key, const std::string& version,
                                        const std::string& file, const plugin::Context&) = 0;
  virtual base::Result<Object> head(const std::string& bucket, const std::string& key, const plugin::Context&) = 0;
  // All of them, every page.
  virtual base::Result<std::vector<Object>> list(const std::string& bucket, const std::string& prefix,
                                                 const plugin::Context&) = 0;
  // Every version and marker of every key under the prefix, gone for good; and unfinished uploads there, aborted.
  // Success when nothing was there. Two listings prove it.
  virtual base::Result<void> purge(const std::string& bucket, const std::string& prefix, const plugin::Context&) = 0;
  // What one put of ours made, gone for good: this version, or where `version` is empty each version of the key that
  // carries the label; and unfinished uploads of the key begun since `since` (when the first of ours can have been;
  // less 15 min, for their clock), which carry no label: another's of that time goes too. One whose time cannot be read
  // is an error. Other versions stay. Two listings prove it. Success when nothing was there.
  virtual base::Result<void> take_back(const std::string& bucket, const std::string& key, const std::string& version,
                                       const std::string& label, base::WallTime since, const plugin::Context&) = 0;
  // Every unfinished upload under the prefix, aborted; two listings prove it.
  virtual base::Result<void> abort_uploads(const std::string& bucket, const std::string& prefix,
                                           const plugin::Context&) = 0;
  // One key by name: what DELETE does (a hide marker on a versioned bucket). Success when absent.
  virtual base::Result<void> remove(const std::string& bucket, const std::string& key, const plugin::Context&) = 0;

  // A URL that lets its bearer do `method` (GET, PUT) on one key for `valid` (1 s to 15 min here). With `bytes` and
  // `md5_base64` given they are signed into a PUT, which then must carry exactly these Content-Length and Content-MD5
  // headers. A secret until it expires.
  virtual base::Result<base::Secret> presign(const std::string& method, const std::string& bucket,
                                             const std::string& key, base::Duration valid,
                                             std::optional<std::int64_t> bytes, const std::string& md5_base64,
                                             base::Clock& clock) = 0;
};

// Requests are repeated as section 7 says, bounded by the context's deadline alone (budget by time).
std::unique_ptr<S3> make_s3(S3Account account, Http& http);

// --- the signer, on its own for the published vectors (section 3) ---

struct Signable {
  std::string method;
  std::string host;                                          // with the port when it is not the scheme's
  std::string path;                                          // raw, not encoded, beginning with `/`
  std::vector<std::pair<std::string, std::string>> query;    // raw
  std::vector<std::pair<std::string, std::string>> headers;  // to be signed beside host; lower-case names
  std::string payload_hash;                                  // hex SHA-256 or UNSIGNED-PAYLOAD
};
struct Signed {
  std::string canonical_hash;  // hex SHA-256 of the canonical request
  std::string signature;       // hex
  std::string authorization;   // the header's value (header form only)
  std::string path_and_query;  // encoded, as it must be sent; with the signature in the presigned form
};
Signed sign(const S3Account& account, const Signable& request, base::WallTime at);
Signed presign(const S3Account& account, const Signable& request, base::WallTime at, base::Duration valid);

}  // namespace failover::client
