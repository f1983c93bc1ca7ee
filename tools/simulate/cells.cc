#include "tools/simulate/cells.h"

#include <algorithm>
#include <map>
#include <set>

#include "tools/simulate/cast.h"

namespace failover::simulate {
namespace {

// What one of a plan's step types has to be, for a fault to be met; and how many of them.
struct Need {
  std::vector<std::string_view> steps;  // one of these
  std::size_t count = 1;
  std::vector<std::string_view> also{};    // and one of these
  std::vector<std::string_view> unless{};  // and none of these, which end the journey before
};

const std::vector<std::string_view> kAsksVast{"vast."};
const std::vector<std::string_view> kAsksB2{"b2.", "snapshot."};
const std::vector<std::string_view> kRents{"vast.create_instance"};
const std::vector<std::string_view> kStores{"b2.put_object", "snapshot.create"};
const std::vector<std::string_view> kReads{"b2.get_object", "snapshot.restore"};

const std::map<std::string_view, Need>& needs() {
  static const std::map<std::string_view, Need> all = [] {
    std::map<std::string_view, Need> out;
    for (const char* fault :
         {"offer_gone", "price_rises", "create_502_after_effect", "create_reset_after_effect", "create_late_effect",
          "create_success_false", "destroy_500", "list_lags", "list_page_lost", "list_unavailable", "stuck_loading",
          "instance_vanishes", "host_offline", "outbid", "ssh_never", "ssh_key_denied", "host_key_changed", "ssh_drop",
          "disk_full"})
      out[fault] = {kRents};
    for (const char* fault :
         {"rate_limit_storm", "vast_unavailable", "malformed_json", "auth_revoked_mid_run", "bad_vast_key"})
      out[fault] = {kAsksVast};
    for (const char* fault : {"no_offers", "price_unreadable"}) out[fault] = {{"vast.search_offers"}};
    out["no_credit"] = {kRents, 1, {}, {"vast.check_account"}};
    out["start_unavailable"] = {{"vast.start_instance"}};
    for (const char* fault : {"b2_slow_down", "b2_key_revoked", "bad_b2_key", "b2_no_rights", "b2_bucket_missing"})
      out[fault] = {kAsksB2};
    for (const char* fault :
         {"b2_unavailable", "b2_internal_error", "put_lost_answer", "object_corrupted", "object_missing"})
      out[fault] = {kStores};
    out["b2_cap_exceeded"] = {{"b2.put_object", "b2.get_object", "snapshot."}};
    for (const char* fault : {"download_corrupted", "download_cut"}) out[fault] = {kReads};
    // A snapshot consists of several objects.
    out["object_swapped"] = {{"snapshot.create"}};
    out["object_stale"] = {{"b2.put_object"}, 2, {"b2.get_object", "b2.head_object"}};
    return out;
  }();
  return all;
}

std::size_t count_of(const plan::Plan& plan, const std::vector<std::string_view>& names) {
  const auto steps = plan.in_order();
  return static_cast<std::size_t>(std::count_if(steps.begin(), steps.end(), [&](const plan::Step* step) {
    return step->type != nullptr && std::any_of(names.begin(), names.end(), [&](std::string_view name) {
             return name.back() == '.' ? step->type->name.rfind(name, 0) == 0 : step->type->name == name;
           });
  }));
}

std::string words_of(const std::vector<std::string_view>& names) {
  std::string out;
  for (const auto& name : names)
    out += (out.empty() ? "" : " or ") + std::string(name) + (name.back() == '.' ? "*" : "");
  return out;
}

}  // namespace

std::optional<std::string> out_of_reach(const plan::Plan& plan, std::string_view fault) {
  if (fault == "complete_lost_answer") return "an upload goes in parts only above 100 MB, whatever the steps are";
  const auto at = needs().find(fault);
  if (at == needs().end()) return std::nullopt;
  const Need& need = at->second;
  if (count_of(plan, need.steps) < need.count)
    return "it takes " + std::to_string(need.count) + " of " + words_of(need.steps);
  if (!need.also.empty() && count_of(plan, need.also) == 0) return "it takes " + words_of(need.also);
  if (!need.unless.empty() && count_of(plan, need.unless) > 0)
    return words_of(need.unless) + " ends the journey before it";
  return std::nullopt;
}

std::vector<std::pair<std::string, std::string>> reachable_cells(const Play& play) {
  std::set<std::pair<std::string, std::string>> out;
  const auto probe = [&](const Script& script) {
    std::set<std::string> callers;
    for (const auto& [cell, hits] : journey(play, script).cells) {
      out.insert(cell);
      if (cell.second != "world") callers.insert(cell.second);
    }
    return callers;
  };
  // Every call goes wrong once, in a gentle way that all have, and in others that not all have: who calls is who can be
  // hit, and how.
  const int calls = journey(play, Script{}).calls;
  const auto has = [&](Wire wire, const std::string& caller) { return out.count({to_string(wire), caller}) > 0; };
  std::set<std::string> callers{"cleanup", "recovery"};
  for (int call = 1; call <= calls; ++call) {
    Script script;
    script.call = call;
    for (const Wire wire : {Wire::answer_late, Wire::duplicate, Wire::accepted_late, Wire::huge}) {
      script.wire = wire;
      callers.merge(probe(script));
    }
  }
  for (const auto& caller : callers) {
    const bool comes_back = caller == "cleanup" || caller == "recovery";
    const bool asks = comes_back || has(Wire::duplicate, caller);
    for (const Wire wire : {Wire::unreachable, Wire::request_lost, Wire::answer_lost, Wire::answer_late, Wire::denied,
                            Wire::garbled, Wire::creeps})
      out.emplace(to_string(wire), caller);
    for (const Wire wire : {Wire::effect_late, Wire::duplicate, Wire::too_many, Wire::server_error,
                            Wire::server_error_after, Wire::captive}) {
      if (asks) out.emplace(to_string(wire), caller);
    }
    if (comes_back) out.emplace(to_string(Wire::accepted_late), caller);
    for (const char* death : {"kill", "power cut"}) out.emplace(death, caller);
    for (const char* fault : {"stop", "disk error"}) {
      if (caller != "recovery") out.emplace(fault, caller);
    }
  }
  const Cast cast(play);
  for (const char* fault : world_faults()) {
    Script script;
    script.world = {{fault, 60}};
    probe(script);
    if (!out_of_reach(cast.plan(), fault)) out.emplace(fault, "world");
  }
  Script spent;
  spent.credit_ends = base::Duration(0);
  probe(spent);
  Script plagued;
  plagued.rots = plagued.lies = true;
  probe(plagued);
  return {out.begin(), out.end()};
}

}  // namespace failover::simulate
