// What the account's books say of instances (references/vastai-api.md 9.3): one row per contract, dollars to three
// decimals, later than the usage.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "engine/base/digest.h"
#include "engine/base/text.h"
#include "steps/client/vast_client.h"

namespace failover::client::vast {
namespace {

using base::Error;
using base::Fault;
using base::Money;
using base::Result;
using plugin::Context;
using namespace std::chrono_literals;

constexpr const char* kWhat = "reading the account's charges";

Error unreadable(const std::string& how) {
  return {Fault::unavailable, "malformed_answer", "Vast.ai's list of charges is not what its API promises: " + how,
          "try again later; if it stays so, the API has changed"};
}

// Credits are negative. nullopt: not an amount.
std::optional<Money> amount_of(const Json& row) {
  const auto found = row.find("amount");
  if (found == row.end() || !found->is_number()) return std::nullopt;
  const double usd = found->get<double>();
  const auto money = base::money_from_usd(std::abs(usd));
  if (!money) return std::nullopt;
  return usd < 0 ? Money{} - *money : *money;
}

// `instance-36717044`; 0 for anything else.
std::int64_t instance_of_row(const Json& row) {
  constexpr std::string_view kBefore = "instance-";
  const std::string source = text_of(row, "source");
  if (source.compare(0, kBefore.size(), kBefore) != 0) return 0;
  return base::parse_integer(std::string_view(source).substr(kBefore.size())).value_or(0);
}

// The parts of it that the row breaks its amount into.
void add_parts(const Json& row, InstanceCharge& charge) {
  const auto items = row.find("items");
  if (items == row.end() || !items->is_array()) return;
  for (const Json& item : *items) {
    const std::string kind = text_of(item, "type");
    const auto amount = item.is_object() ? amount_of(item) : std::nullopt;
    if (!amount) continue;
    if (kind == "gpu") charge.gpu = charge.gpu + *amount;
    if (kind == "disk") charge.disk = charge.disk + *amount;
    if (kind == "bwd" || kind == "bwu") charge.traffic = charge.traffic + *amount;
  }
}

std::string first_page(base::WallTime since, base::WallTime now) {
  const auto day = [](base::WallTime at) { return std::chrono::floor<std::chrono::days>(at).time_since_epoch(); };
  const auto seconds = [](auto time) { return std::chrono::duration_cast<std::chrono::seconds>(time).count(); };
  // Whole days, and one more at both ends: whether `day` goes by a contract's begin or end, or by which clock, is not
  // said.
  const nlohmann::json filters{{"day", {{"gte", seconds(day(since) - 24h)}, {"lte", seconds(day(now) + 48h)}}},
                               {"type", {{"in", nlohmann::json::array({"instance"})}}}};
  return "/api/v0/charges/?limit=500&latest_first=true&select_filters=" + base::percent_encode(filters.dump());
}

}  // namespace

Result<std::vector<InstanceCharge>> HttpVast::charges(const std::vector<std::int64_t>& instances, base::WallTime since,
                                                      const Context& context) {
  std::set<std::int64_t> missing(instances.begin(), instances.end());
  std::vector<InstanceCharge> out;
  const std::string path = first_page(since, service_time(context.clock()).value_or(context.clock().wall()));
  std::string token;
  constexpr int kPages = 40;
  for (int page = 0; page < kPages; ++page) {
    auto answer =
        wire_.ask({lane::charges, "GET", token.empty() ? path : path + "&after_token=" + base::percent_encode(token)},
                  kWhat, context);
    if (!answer) {
      Error error = std::move(answer).error();
      if (error.code == "no_permission")
        error.hint = "the key in VAST_API_KEY needs the permission billing_read for it";
      return error;
    }
    const Json& body = answer->body;
    if (!body.is_object() || !body.contains("results") || !body["results"].is_array()) return unreadable("no rows");
    for (const Json& row : body["results"]) {
      const std::int64_t id = row.is_object() ? instance_of_row(row) : 0;
      // One row per contract; a second one is the same contract again, moved over from the page before.
      if (missing.erase(id) == 0) continue;
      const auto amount = amount_of(row);
      if (!amount) return unreadable("a row without an amount");
      InstanceCharge charge;
      charge.instance = id;
      charge.amount = *amount;
      add_parts(row, charge);
      out.push_back(charge);
    }
    const std::string next = text_of(body, "next_token");
    if (missing.empty() || next.empty()) return out;
    if (next == token || body["results"].empty()) return unreadable("its pages do not go on");
    token = next;
  }
  return unreadable("it does not end");
}

}  // namespace failover::client::vast
