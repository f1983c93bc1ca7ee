#include "tools/sandbox/world/store.h"

namespace failover::sandbox {

const Version* newest(const Bucket& bucket, const std::string& key) {
  const auto found = bucket.keys.find(key);
  if (found == bucket.keys.end() || found->second.empty() || found->second.back().marker) return nullptr;
  return &found->second.back();
}

}  // namespace failover::sandbox
