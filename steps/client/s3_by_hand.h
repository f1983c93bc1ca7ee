// What a person types into a shell to take things out of a bucket for good without this program
// (plugin::Kind::by_hand): AWS's own command line, with the account's keys in the variables that this program reads
// too.
#pragma once

#include <string>

#include "engine/base/clock.h"
#include "steps/client/services.h"

namespace failover::client {

// Every version, marker and unfinished upload below `prefix`: as S3::purge().
std::string purge_by_hand(const Settings& settings, const std::string& bucket, const std::string& prefix);

struct StoredObject {
  std::string bucket;
  std::string key;
  std::string version;  // empty: those that carry `label` alone, and unfinished uploads
  std::string label;    // empty: no versions but that one
  base::WallTime since{};
};
// As S3::take_back(): versions of others under the same key stay, and uploads that were begun more than 15 min before
// `since`; an upload carries no label, so that a younger one goes whoever began it.
std::string take_back_by_hand(const Settings& settings, const StoredObject& object);

}  // namespace failover::client
