// What the simulated object store holds (references/b2-s3-api.md 5, 6, 9): versions, hide markers, unfinished uploads.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tools/sandbox/world/message.h"

namespace failover::sandbox {

struct Version {
  std::string id;
  bool marker = false;  // a hide marker: the key reads as absent while this is the newest
  std::vector<Piece> pieces;
  std::string etag;  // without quotes
  std::string content_type;
  std::map<std::string, std::string> metadata;  // x-amz-meta-*, names in lower case
  base::WallTime stored{};
  std::int64_t flip = -1;  // this byte rotted
  [[nodiscard]] std::int64_t size() const { return size_of(pieces); }
};

struct Part {
  std::vector<Piece> pieces;
  std::string md5;  // raw
  base::WallTime stored{};
};

struct Upload {
  std::string id;
  std::string key;
  std::string content_type;
  std::map<std::string, std::string> metadata;
  base::WallTime begun{};
  std::map<int, Part> parts;
};

struct Bucket {
  std::string name;
  base::WallTime created{};
  std::map<std::string, std::vector<Version>> keys;  // in byte order; versions oldest first, never empty
  std::map<std::string, Upload> uploads;
};

// The newest version when it is not a marker.
const Version* newest(const Bucket& bucket, const std::string& key);

// The one application key and the buckets that its account has.
struct Store {
  std::string region;
  std::string key_id;
  std::string application_key;
  bool may_list_buckets = false;  // without it HeadBucket answers 403 (8)
  bool refuse_checksums = true;   // x-amz-checksum-* answers 400 (2)
  std::map<std::string, Bucket> buckets;
  std::set<std::string> full_connections;  // whose vault has no tomes; a new connection is routed elsewhere
  std::int64_t versions_made = 0;
};

}  // namespace failover::sandbox
