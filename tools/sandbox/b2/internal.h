// What the parts of the B2 door share. Each handler runs with the world's lock held.
#pragma once

#include <optional>
#include <string>

#include "tools/sandbox/b2/door.h"
#include "tools/sandbox/world/world.h"

namespace failover::sandbox::b2 {

struct Call {
  const Request& request;
  World& world;
  Bucket& bucket;
  std::string key;  // decoded; empty for a call about the bucket
};

Answer xml(const std::string& body, int status = 200);
// The error body of B2: Code and Message alone (7).
Answer error(int status, const std::string& code, const std::string& message);
// Text made safe inside an element.
std::string escaped(std::string_view text);
std::string element(const std::string& name, std::string_view text);  // escapes
std::string quoted_etag(const std::string& etag);
std::string iso_time(base::WallTime at);   // 2026-01-02T03:04:05.000Z
std::string http_time(base::WallTime at);  // Fri, 02 Jan 2026 03:04:05 GMT
std::string new_version_id(World& world, const Bucket& bucket);
// Keys of a list answer, as `encoding-type` asks.
std::string listed(const Call& call, const std::string& key);

// What is wrong with the headers of something that carries bytes (411, BadDigest, unsupported headers).
std::optional<Answer> upload_problem(const Call& call);
// Makes the version the newest of its key and plays the faults that belong to a stored object; returns its id.
std::string store_version(Call& call, Version version);
std::map<std::string, std::string> metadata_of(const Request& request);

Answer put_object(Call& call);
Answer get_object(Call& call);  // and HEAD
Answer delete_object(Call& call);
Answer delete_many(Call& call);

Answer list_objects(Call& call);  // both versions of it
Answer list_versions(Call& call);
Answer list_uploads(Call& call);
Answer list_buckets(const World& world);

Answer create_upload(Call& call);
Answer put_part(Call& call);
Answer list_parts(Call& call);
Answer complete_upload(Call& call);
Answer abort_upload(Call& call);

}  // namespace failover::sandbox::b2
