// A simulation's lean answers, held against the full ones: the client reads the same from both.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "engine/base/digest.h"
#include "tests/providers/vast_world.h"

namespace {

using namespace failover;  // NOLINT(google-build-using-namespace)
using testing::VastWorld;
using namespace std::chrono_literals;

std::string told(const client::Offer& offer) {
  std::ostringstream out;
  out << offer.id << ' ' << offer.gpu_name << ' ' << offer.gpu_count << ' ' << offer.price_per_hour.micros << ' '
      << offer.machine_id << ' ' << offer.host_id << ' ' << offer.reliability << ' ' << offer.location << ' '
      << offer.gpu_per_hour.micros << ' ' << offer.storage_usd_per_gb_month << ' ' << offer.per_gb_up.micros << ' '
      << offer.per_gb_down.micros;
  return out.str();
}

std::string told(const client::Instance& one) {
  std::ostringstream out;
  out << one.id << " [" << one.label << "] " << one.actual_status << '|' << one.intended_status << '|'
      << one.current_state << '|' << one.next_state << '|' << one.message << '|' << one.gpu_name << ' '
      << one.price_per_hour.micros << ' ' << one.machine_id << ' ' << one.host_id << ' ' << one.direct_host << ':'
      << one.direct_port << ' ' << one.proxy_host << ':' << one.proxy_port << ' ' << one.workspace;
  return out.str();
}

template <class T>
std::string told(const base::Result<std::vector<T>>& all) {
  if (!all) return all.error().line();
  std::string out;
  for (const auto& one : *all) out += told(one) + "\n";
  return out;
}

std::string told(const base::Result<std::optional<client::Instance>>& found) {
  if (!found) return found.error().line();
  return *found ? told(**found) : "nothing";
}

// The counts and the ids of a listing of this id alone.
std::string told_alone(VastWorld& w, std::int64_t id) {
  w.clock.advance(20s);  // not sooner than the service allows
  client::HttpRequest request;
  request.method = "GET";
  request.url = "http://127.0.0.1:1/api/v1/instances/?limit=25&select_filters=" +
                base::percent_encode(R"({"id":{"eq":)" + std::to_string(id) + "}}");
  request.headers.emplace_back("Authorization", "Bearer " + w.world.account.api_key);
  const auto answer = w.http.send(request, w.context());
  REQUIRE(answer.ok());
  const auto body = nlohmann::json::parse(answer->body);
  std::string out = body["total_instances"].dump() + " " + body["instances_found"].dump() + " " +
                    body["next_token"].dump() + " " + body["label_counts"].dump();
  for (const auto& row : body["instances"]) out += " " + row["id"].dump() + " " + row["actual_status"].dump();
  return out + "\n";
}

// Everything that two worlds of one seed are asked, in one text.
std::string tale(std::uint64_t seed, bool lean) {
  VastWorld w(seed, lean);
  std::string out;
  for (const char* model : {"RTX 4090", "RTX 3060", "H200", "no such model"}) {
    for (const std::int64_t count : {1, 2}) {
      client::OfferQuery query;
      query.gpu_name = model;
      query.gpu_count = count;
      query.disk = {count * 150'000'000'000};
      query.min_reliability = count == 1 ? 0 : 0.9;
      if (count == 1) query.max_price = base::Money{400'000};
      out += told(w.vast().search(query, w.context()));
    }
  }
  const client::Order order = w.order();  // of what nobody else takes
  {
    const auto lock = w.world.enter();
    int made = 0;
    for (const sandbox::Offer& offer : w.world.offers) {
      if (offer.rented || offer.gone || offer.id == order.offer.id || made > 28) continue;
      sandbox::Rental rental;
      rental.offer_id = offer.id;
      rental.label = made % 3 == 0   ? ""
                     : made % 3 == 1 ? "the same"
                                     : "label \"" + std::to_string(made) + "\" \xC3\xA9";
      rental.image = "image:" + std::to_string(made);
      rental.runtype = made % 2 == 0 ? "ssh_direc ssh_proxy" : "ssh";
      rental.never_scheduled = made % 7 == 3;
      if (made % 5 == 4) rental.bid = 0.2;
      (void)w.world.rent(rental);
      ++made;
    }
  }
  const auto rented = w.vast().create(order, w.context());
  REQUIRE(rented.ok());
  for (int look = 0; look < 6; ++look) {
    out += told(w.vast().find(rented->id, w.context())) + "\n" + told(w.vast().list(w.context()));
    w.clock.advance(look < 3 ? 200ms : 900ms);
    const auto lock = w.world.enter();
    auto& [id, instance] = *std::next(w.world.instances.begin(), look);
    if (look == 2) w.world.destroy(instance);
    if (look == 3) w.world.halt(instance);
    if (look == 4) instance.workspace = "/workspace";
  }
  out += told_alone(w, rented->id) + told_alone(w, rented->id + 1);
  REQUIRE(w.vast().destroy(rented->id, w.context()).ok());
  return out + told(w.vast().find(rented->id, w.context())) + told(w.vast().list(w.context()));
}

}  // namespace

TEST_CASE("a client reads the same from lean answers as from full ones") {
  for (const std::uint64_t seed : {7U, 8U, 9U}) {
    CAPTURE(seed);
    const std::string full = tale(seed, false);
    CHECK(full == tale(seed, true));
    CHECK(std::count(full.begin(), full.end(), '\n') > 150);  // two pages of instances, looked at again and again
  }
}

TEST_CASE("an offer whose price is no number is none, in both") {
  for (const bool lean : {false, true}) {
    CAPTURE(lean);
    VastWorld w(7, lean);
    client::OfferQuery query;
    query.gpu_name = "RTX 4090";
    const auto all = w.vast().search(query, w.context());
    REQUIRE(all.ok());
    REQUIRE(all->size() > 1);
    w.arm("price_unreadable");
    const auto priced = w.vast().search(query, w.context());
    REQUIRE(priced.ok());
    CHECK(priced->size() == all->size() - 1);
    CHECK(priced->front().id == (*all)[1].id);
  }
}
