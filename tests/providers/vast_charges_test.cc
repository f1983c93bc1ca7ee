// The account's books: what the client asks, what it believes, and how the sandbox's door keeps them.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "engine/base/digest.h"
#include "tests/providers/vast_world.h"

namespace {

using namespace failover;
using base::Fault;
using base::Money;
using testing::VastWorld;
using namespace std::chrono_literals;
using Json = nlohmann::json;

sandbox::Answer plain(int status, std::string body) {
  sandbox::Answer answer;
  answer.status = status;
  answer.text = std::move(body);
  return answer;
}

// Rents for `time` and gives back; the instance's id.
std::int64_t rent_for(VastWorld& w, base::Duration time) {
  const auto rented = w.vast().create(w.order(), w.context());
  REQUIRE(rented.ok());
  w.clock.advance(time);
  REQUIRE(w.vast().destroy(rented->id, w.context()).ok());
  return rented->id;
}

Json ask_door(VastWorld& w, const std::string& query, int& status) {
  w.clock.advance(2s);
  sandbox::Request request;
  request.method = "GET";
  request.target = "/api/v0/charges/?" + query;
  request.headers["authorization"] = "Bearer " + w.world.account.api_key;
  const auto answer = sandbox::handle_vast(request, w.world);
  status = answer.status;
  return Json::parse(answer.text, nullptr, false);
}

const std::string kEver = "select_filters=" + base::percent_encode(R"({"day":{"gte":0,"lte":9999999999}})");

}  // namespace

TEST_CASE("charges of what was rented agree with the meter within the provider's rounding") {
  VastWorld w;
  const auto since = w.clock.wall();
  const auto a = rent_for(w, 1h);
  const auto b = rent_for(w, 2h);
  const auto charges = w.vast().charges({a, b, 77}, since, w.context());
  REQUIRE(charges.ok());
  REQUIRE(charges->size() == 2);  // nobody rented 77
  for (const auto& one : *charges) {
    const auto meter = w.meter();
    for (const auto& line : meter.instances) {
      if (line.id == one.instance) CHECK(base::usd(one.amount) == doctest::Approx(line.usd).epsilon(0.01));
    }
    CHECK(one.gpu.micros > 0);
    CHECK(one.disk.micros > 0);
    CHECK(one.amount.micros % 1'000 == 0);
  }
  CHECK(w.http.count("GET", "/api/v0/charges/") == 1);
}

TEST_CASE("usage reaches the books late: not listed yet is no error") {
  VastWorld w;
  sandbox::WorldOptions options = VastWorld::options(7, false);
  options.charges_lag = 30min;
  sandbox::World late(options, w.clock);
  testing::DoorHttp http(sandbox::handle_vast, late);
  const auto vast = client::make_vast({"http://127.0.0.1:1", base::Secret(late.account.api_key)}, http, http);
  client::OfferQuery query;
  query.gpu_name = "RTX 4090";
  query.max_price = Money{1'000'000};
  const auto offers = vast->search(query, w.context());
  REQUIRE(offers.ok());
  const auto since = w.clock.wall();
  const auto rented = vast->create({offers->front(), "ubuntu:22.04", {20'000'000'000}, ""}, w.context());
  REQUIRE(rented.ok());
  w.clock.advance(10min);
  REQUIRE(vast->destroy(rented->id, w.context()).ok());
  auto charges = vast->charges({rented->id}, since, w.context());
  REQUIRE(charges.ok());
  CHECK(charges->empty());
  w.clock.advance(25min);
  charges = vast->charges({rented->id}, since, w.context());
  REQUIRE(charges->size() == 1);
  const Money part = charges->front().amount;
  w.clock.advance(1h);
  charges = vast->charges({rented->id}, since, w.context());
  CHECK(charges->front().amount > part);
}

TEST_CASE("all pages are read until everything asked for was found") {
  VastWorld w;
  {
    const auto lock = w.world.enter();
    for (int i = 0; i < 30; ++i) {
      sandbox::Rental rental;
      for (const auto& offer : w.world.offers) {
        if (!offer.rented) rental.offer_id = offer.id;
      }
      w.world.rent(rental);
    }
  }
  const auto since = w.clock.wall();
  const std::int64_t first = w.meter().instances.front().id;
  // Pages of ten, whatever the client asks for.
  w.http.before = [&](const client::HttpRequest& request) -> std::optional<base::Result<client::HttpResponse>> {
    const auto at = request.url.find("limit=500");
    if (at == std::string::npos) return std::nullopt;
    client::HttpRequest smaller = request;
    smaller.url.replace(at, 9, "limit=10");
    w.clock.advance(2s);
    return w.http.send(smaller, w.context());
  };
  const auto charges = w.vast().charges({first}, since, w.context());
  REQUIRE(charges.ok());
  REQUIRE(charges->size() == 1);  // the oldest stands on the last page
  CHECK(w.http.count("GET", "limit=10") == 3);
}

TEST_CASE("what is not the books is an error, never an empty list; a missing permission is named") {
  VastWorld w;
  const auto since = w.clock.wall();
  const auto id = rent_for(w, 1min);
  const auto row = [&](const std::string& amount) {
    return R"({"success":true,"count":1,"total":1,"next_token":null,"results":[{"source":"instance-)" +
           std::to_string(id) + "\",\"type\":\"instance\"" + amount + "}]}";
  };
  std::string body;
  int status = 200;
  w.http.after = [&](const client::HttpRequest& request, sandbox::Answer& answer) {
    if (base::contains(request.url, "/charges/")) answer = plain(status, body);
  };
  for (const std::string& wrong :
       {std::string("{}"), std::string("[]"), std::string("<html>"), std::string(R"({"success":true,"results":null})"),
        row(""), row(R"(,"amount":"1.0")"), row(R"(,"amount":1e300)"),
        std::string(R"({"success":true,"next_token":"x","results":[]})"),
        std::string(R"({"success":false,"error":"invalid_token","msg":"Invalid pagination token"})")}) {
    CAPTURE(wrong);
    body = wrong;
    const auto charges = w.vast().charges({id}, since, w.context());
    CHECK_FALSE(charges.ok());
  }
  body = row(R"(,"amount":-0.25,"items":[{"type":"sla","amount":-0.25},{"type":"gpu","amount":0.1},7])");
  auto charges = w.vast().charges({id}, since, w.context());
  REQUIRE(charges.ok());
  CHECK(charges->front().amount == Money{-250'000});
  CHECK(charges->front().gpu == Money{100'000});
  status = 403;
  body = R"({"success":false,"error":"no_permission","msg":"This key may not."})";
  charges = w.vast().charges({id}, since, w.context());
  REQUIRE_FALSE(charges.ok());
  CHECK(charges.error().fault == Fault::auth);
  CHECK(base::contains(charges.error().hint, "billing_read"));
  status = 404;
  body = R"({"success":false,"error":"auth_error","msg":"Invalid user key"})";
  CHECK(w.vast().charges({id}, since, w.context()).error().fault == Fault::auth);
  status = 503;
  body = "<html>";
  CHECK(w.vast().charges({id}, since, w.context(20s)).error().fault == Fault::unavailable);
}

TEST_CASE("the door keeps its books as the reference describes") {
  VastWorld w;
  for (int i = 0; i < 3; ++i) rent_for(w, 1min);
  int status = 0;
  for (const char* bad : {"", "select_filters=%7B%7D", "select_filters=%7B%22day%22%3A%7B%22gte%22%3A1%7D%7D"}) {
    CHECK(ask_door(w, bad, status)["msg"] == "Must provide both 'day' gte and lte filters for instance charges");
    CHECK(status == 400);
  }
  CHECK(ask_door(w, kEver + "&after_token=zzz", status)["error"] == "invalid_token");
  CHECK(status == 400);
  const auto all = ask_door(w, kEver, status);
  CHECK(all["count"] == 3);
  CHECK(all["total"] == 3);
  CHECK(all["next_token"].is_null());
  const auto oldest_first = ask_door(w, kEver + "&latest_first=false", status);
  CHECK(oldest_first["results"][0]["source"] == all["results"][2]["source"]);
  const auto page = ask_door(w, kEver + "&limit=2", status);
  CHECK(page["count"] == 2);
  REQUIRE(page["next_token"].is_string());
  const auto rest = ask_door(w, kEver + "&limit=2&after_token=" + page["next_token"].get<std::string>(), status);
  CHECK(rest["count"] == 1);
  CHECK(rest["results"][0] == all["results"][2]);
  const std::string volumes = base::percent_encode(R"({"day":{"gte":0,"lte":9999999999},"type":{"in":["volume"]}})");
  CHECK(ask_door(w, "select_filters=" + volumes, status)["count"] == 0);
  const std::string early = base::percent_encode(R"({"day":{"gte":0,"lte":1000}})");
  CHECK(ask_door(w, "select_filters=" + early, status)["count"] == 0);
}
