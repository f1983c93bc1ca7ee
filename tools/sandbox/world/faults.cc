#include "tools/sandbox/world/faults.h"

#include <algorithm>
#include <charconv>

#include "engine/base/text.h"

namespace failover::sandbox {

const std::vector<FaultDescription>& fault_catalogue() {
  static const std::vector<FaultDescription> faults{
      {"offer_gone", "the offer vanishes between search and create", 1},
      {"price_rises", "the host asks half as much again when the offer is rented as when it was found", 1},
      {"price_unreadable", "the first offer of a search has null for a price", 1},
      {"no_offers", "every search finds nothing", -1},
      {"no_credit", "the account has no credit left", -1},
      {"bad_vast_key", "Vast refuses the API key (404 auth_error)", -1},
      {"auth_revoked_mid_run", "Vast refuses the API key once the first instance runs", -1},
      {"rate_limit_storm", "the next Vast requests are answered 429, in all four shapes", 6},
      {"vast_unavailable", "the next Vast requests are answered 503", 4},
      {"malformed_json", "the next Vast answers are cut in half", 2},
      {"list_unavailable", "listing instances answers 503", 3},
      {"list_lags", "listings do not show the new instance for up to half a minute", 1},
      {"list_page_lost", "a page of a listing is lost while its total counts what was on it", 1},
      {"create_502_after_effect", "create answers 502 although the instance was made", 1},
      {"create_reset_after_effect", "create is cut without an answer although the instance was made", 1},
      {"create_late_effect", "create answers 502 and the instance appears a little later", 1},
      {"create_success_false", "create answers success:false with the id of a stopped instance that bills storage", 1},
      {"destroy_500", "destroy answers 500 and nothing was destroyed", 2},
      {"start_unavailable", "start answers resources_unavailable", 1},
      {"stuck_loading", "the instance never leaves loading: its image has no manifest", 1},
      {"instance_vanishes", "the instance is gone a while after it came to run", 1},
      {"host_offline", "the instance's host disconnects a while after it came to run", 1},
      {"outbid", "the instance is stopped a while after it came to run", 1},
      {"ssh_never", "the instance runs but its SSH port never answers", 1},
      {"ssh_key_denied", "the instance denies every SSH key", 1},
      {"host_key_changed", "the instance shows another SSH host key a while after it came to run", 1},
      {"ssh_drop", "the instance's SSH connection drops in the middle of a command", 1},
      {"disk_full", "the instance's disk is full", 1},
      {"b2_unavailable", "an upload is answered 503 no tomes available until the client reconnects", 1},
      {"b2_slow_down", "the next B2 requests are answered 503 SlowDown", 3},
      {"b2_internal_error", "the next B2 uploads are answered 500 InternalError", 2},
      {"put_lost_answer", "an object or part is stored and the connection is cut without an answer", 1},
      {"complete_lost_answer", "a multipart upload is completed and the connection is cut without an answer", 1},
      {"object_corrupted", "a stored object's bytes are not what was sent", 1},
      {"download_corrupted", "one byte of a download is wrong", 1},
      {"download_cut", "a download's connection is cut half-way", 1},
      {"object_missing", "a stored object is lost after its upload was confirmed", 1},
      {"object_swapped", "a stored object, its upload confirmed, holds another one's bytes and ETag", 1},
      {"object_stale", "a read of an object that was stored twice gives the version before", 1},
      {"b2_cap_exceeded", "B2 refuses every transfer: a daily cap is reached", -1},
      {"b2_key_revoked", "B2 refuses the key once the first object is stored", -1},
      {"bad_b2_key", "B2 refuses the key", -1},
      {"b2_no_rights", "the B2 key has no right to anything", -1},
      {"b2_bucket_missing", "the bucket does not exist", -1},
  };
  return faults;
}

base::Result<void> Faults::arm(std::string_view text) {
  const auto colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  int count = 1;
  if (colon != std::string_view::npos) {
    const std::string_view number = text.substr(colon + 1);
    const auto [end, problem] = std::from_chars(number.data(), number.data() + number.size(), count);
    if (problem != std::errc() || end != number.data() + number.size() || count < -1) {
      return base::Error{
          base::Fault::invalid, "fault_count",
          "the count of fault '" + std::string(name) + "' is '" + std::string(number) + "', not a whole number",
          "write NAME or NAME:COUNT, -1 for always"};
    }
    return arm(name, count);
  }
  for (const auto& fault : fault_catalogue()) {
    if (fault.name == name) count = fault.count;
  }
  return arm(name, count);
}

base::Result<void> Faults::arm(std::string_view name, int count) {
  const auto& all = fault_catalogue();
  if (std::none_of(all.begin(), all.end(), [&](const FaultDescription& fault) { return fault.name == name; })) {
    std::vector<std::string> names;
    for (const auto& fault : all) names.push_back(fault.name);
    const auto near = base::nearest(name, names);
    return base::Error{base::Fault::invalid, "unknown_fault", "there is no fault '" + std::string(name) + "'",
                       near ? "did you mean '" + *near + "'?" : "the faults are: " + base::join(names)};
  }
  if (count == 0) {
    left_.erase(std::string(name));
  } else {
    left_[std::string(name)] = count;
  }
  return {};
}

bool Faults::armed(std::string_view name) const { return left_.find(name) != left_.end(); }

bool Faults::take(std::string_view name) {
  const auto found = left_.find(name);
  if (found == left_.end()) return false;
  ++played_[found->first];
  if (found->second > 0 && --found->second == 0) left_.erase(found);
  return true;
}

}  // namespace failover::sandbox
