// The name that the engine gives to everything it makes, and what can be told from such a name alone (leak-safety.md,
// "labels"): which run made it, until when it may live, and whether this account's key signed it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/clock.h"
#include "engine/base/secret.h"

namespace failover::run {

// `failover-<run token>-<sequence>-<deadline, Unix seconds>-<MAC, 12 hex>`: at most 64 characters, safe as a Vast
// label, an SSH key comment and an object key. The MAC (HMAC-SHA256, cut) shows which account's key made it.
std::string make_label(const std::string& run_id, int sequence, base::WallTime deadline, const base::Secret& key);

struct Label {
  std::string token;  // the part of the run's id behind its dash
  int sequence = 0;   // from 1
  base::WallTime deadline{};
};

// Does this look like a name of ours to a person? Decides nothing but what is shown.
bool looks_ours(std::string_view text);
// What the label says, when it is whole and `key` made it; nullopt for everything else: unsigned, signed by another
// key, altered, cut, or in any way not what make_label() writes. Only what this accepts may ever be touched.
std::optional<Label> verify_label(std::string_view text, const base::Secret& key);

}  // namespace failover::run
