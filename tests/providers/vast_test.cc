// The Vast client against the sandbox's door: what it sends, what it believes, and what it never sends twice.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "steps/vast/parts.h"
#include "tests/providers/vast_world.h"

namespace {

using namespace failover;
using base::Fault;
using testing::VastWorld;
using namespace std::chrono_literals;

sandbox::Answer plain(int status, std::string body) {
  sandbox::Answer answer;
  answer.status = status;
  answer.text = std::move(body);
  return answer;
}

TEST_CASE("the spacing that each endpoint demands is kept, whatever the caller does") {
  VastWorld w;
  const auto rented = w.vast().create(w.order(), w.context());
  REQUIRE(rented.ok());
  for (int i = 0; i < 5; ++i) CHECK(w.vast().find(rented->id, w.context()).ok());
  for (int i = 0; i < 14; ++i) CHECK(w.vast().search({"RTX 3090", base::Money{1'000'000}, 1, {}, 0}, w.context()).ok());
  for (int i = 0; i < 3; ++i) CHECK(w.vast().list(w.context()).ok());
  CHECK(w.meter().refused_too_frequent == 0);
}

TEST_CASE("what the service offers all the same, though its row does not fit, is not taken") {
  VastWorld w;
  const client::OfferQuery query{"RTX 4090", std::nullopt, 1, {20'000'000'000}, 0};
  const auto all = w.vast().search(query, w.context());
  REQUIRE(all.ok());
  REQUIRE(all->size() > 1);
  std::pair<const char*, nlohmann::json> odd;
  SUBCASE("a disk too small") { odd = {"disk_space", 19.5}; }
  SUBCASE("no port of its own") { odd = {"direct_port_count", 0}; }
  SUBCASE("about to end") { odd = {"duration", 3'599}; }
  SUBCASE("not to be rented") { odd = {"rentable", false}; }
  w.http.after = [&](const client::HttpRequest&, sandbox::Answer& answer) {
    auto body = nlohmann::json::parse(sandbox::body_of(answer));
    REQUIRE(body["offers"].size() == all->size());
    for (auto& row : body["offers"]) {
      if (row["id"] == all->front().id) row[odd.first] = odd.second;
      if (row["id"] == all->back().id) row.erase(odd.first);  // what it does not say does not count
    }
    answer = plain(200, body.dump());
  };
  const auto found = w.vast().search(query, w.context());
  REQUIRE(found.ok());
  REQUIRE(found->size() == all->size() - 1);
  CHECK(found->front().id != all->front().id);
  CHECK(found->back().id == all->back().id);
}

TEST_CASE("a storm of 429 in all its shapes is waited out inside the client") {
  VastWorld w;
  w.arm("rate_limit_storm:6");
  const auto credit = w.vast().credit(w.context());
  REQUIRE(credit.ok());
  CHECK(credit->micros == 25'000'000);
  CHECK(w.http.count("GET", "users/current") == 7);
}

TEST_CASE("a storm that does not end is rate_limited, within the patience") {
  VastWorld w;
  w.arm("rate_limit_storm:-1");
  const auto before = w.clock.now();
  const auto credit = w.vast().credit(w.context(20s));
  REQUIRE(!credit.ok());
  CHECK(credit.error().fault == Fault::rate_limited);
  CHECK(w.clock.now() - before <= 20s);
}

TEST_CASE("a bad key is auth, never gone: in every reading") {
  for (const int status : {404, 401}) {
    VastWorld w;
    const auto rented = w.vast().create(w.order(), w.context());
    REQUIRE(rented.ok());
    w.http.after = [&](const client::HttpRequest&, sandbox::Answer& answer) {
      answer = plain(status, R"({"success": false, "error": "auth_error", "msg": "Invalid user key"})");
    };
    const auto found = w.vast().find(rented->id, w.context());
    REQUIRE(!found.ok());
    CHECK(found.error().fault == Fault::auth);
    CHECK(w.vast().destroy(rented->id, w.context()).error().fault == Fault::auth);
    CHECK(w.vast().list(w.context()).error().fault == Fault::auth);
    CHECK(w.vast().account_keys(w.context()).error().fault == Fault::auth);
    CHECK(w.vast().detach_key(rented->id, 1, w.context()).error().fault == Fault::auth);
    CHECK(w.vast().credit(w.context()).error().hint.find("VAST_API_KEY") != std::string::npos);
    CHECK(!w.clean_up());
    w.http.after = nullptr;
    CHECK(w.clean_up());
    CHECK(w.meter().billed_now == 0);
  }
}

TEST_CASE("without a key nothing is sent") {
  VastWorld w;
  const auto vast = client::make_vast({"http://127.0.0.1:1", base::Secret()}, w.http, w.http);
  const auto credit = vast->credit(w.context());
  REQUIRE(!credit.ok());
  CHECK(credit.error().code == "no_key");
  CHECK(w.http.sent.empty());
}

TEST_CASE("all pages of the list are read") {
  VastWorld w;
  {
    const auto lock = w.world.enter();
    for (int i = 0; i < 60; ++i) {
      sandbox::Rental rental;
      for (const auto& offer : w.world.offers) {
        if (!offer.rented) rental.offer_id = offer.id;
      }
      rental.label = "somebody-" + std::to_string(i);
      w.world.rent(rental);
    }
  }
  w.clock.advance(5s);
  const std::size_t alive = w.meter().instances.size();
  REQUIRE(alive > 50);
  const auto listed = w.vast().list(w.context());
  REQUIRE(listed.ok());
  CHECK(listed->size() == alive);
  CHECK(w.http.count("GET", "/api/v1/instances/") >= 3);

  SUBCASE("a lost page is an error, not an end") {
    w.http.after = [](const client::HttpRequest& request, sandbox::Answer& answer) {
      if (!base::contains(request.url, "after_token")) return;
      answer =
          plain(200, R"({"success":true,"instances_found":0,"total_instances":60,"next_token":null,"instances":[]})");
    };
    const auto short_list = w.vast().list(w.context());
    REQUIRE(!short_list.ok());
    CHECK(short_list.error().code == "incomplete_list");
  }
  SUBCASE("neither is an answer of another shape an empty list") {
    for (const char* body : {"{\"success\":true}", "[]", "{", "null", "<html></html>", "{\"instances\":null}"}) {
      w.http.after = [&](const client::HttpRequest&, sandbox::Answer& answer) { answer = plain(200, body); };
      CHECK(w.vast().list(w.context()).error().fault == Fault::unavailable);
    }
    w.http.after = [&](const client::HttpRequest&, sandbox::Answer& answer) {
      answer = plain(410, R"({"success":false,"error":"deprecated_endpoint","msg":"gone"})");
    };
    CHECK(!w.vast().list(w.context()).ok());
  }
}

TEST_CASE("a create that is answered is made, under the label of its hold") {
  VastWorld w;
  const auto rented = w.vast().create(w.order(), w.context());
  REQUIRE(rented.ok());
  const auto records = w.host.records();
  REQUIRE(records.size() == 1);
  CHECK(records[0].outcome == "made");
  CHECK(records[0].made.id == std::to_string(rented->id));
  CHECK(records[0].intent.per_hour.micros > 0);
  CHECK(w.meter().instances.at(0).label == records[0].name);
  CHECK(w.http.count("PUT", "/api/v0/asks/") == 1);
}

TEST_CASE("502 or a reset after the effect: found by its label, never sent again") {
  for (const char* fault : {"create_502_after_effect", "create_reset_after_effect"}) {
    CAPTURE(fault);
    VastWorld w;
    const auto order = w.order();
    w.arm(fault);
    const auto rented = w.vast().create(order, w.context());
    REQUIRE(rented.ok());
    CHECK(w.http.count("PUT", "/api/v0/asks/") == 1);
    CHECK(w.meter().instances.size() == 1);
    CHECK(w.host.records().at(0).outcome == "made");
    CHECK(w.clean_up());
    CHECK(w.meter().billed_now == 0);
  }
}

TEST_CASE("a create whose effect comes too late stays unclear, and the undo finds it") {
  VastWorld w;
  const auto order = w.order();
  w.http.before = [&](const client::HttpRequest& request) -> std::optional<base::Result<client::HttpResponse>> {
    if (request.method != "PUT") return std::nullopt;
    return base::Result<client::HttpResponse>(base::Error{Fault::unknown, "cut", "the connection was cut", ""});
  };
  const auto rented = w.vast().create(order, w.context());
  REQUIRE(!rented.ok());
  CHECK(rented.error().fault == Fault::unknown);
  const auto record = w.host.records().at(0);
  CHECK(record.outcome == "unclear");
  CHECK(w.http.count("PUT", "/api/v0/asks/") == 1);
  CHECK(w.http.count("GET", "/api/v1/instances/") >= 3);
  // Nothing there yet: success for this look.
  CHECK(w.clean_up());
  {
    const auto lock = w.world.enter();
    sandbox::Rental late;
    late.offer_id = order.offer.id;
    late.label = record.name;
    w.world.rent(late);
    w.world.rent(late);  // and twice
  }
  w.clock.advance(1s);
  CHECK(w.meter().billed_now == 2);
  CHECK(w.clean_up());
  CHECK(w.meter().billed_now == 0);
}

TEST_CASE("what a create may be answered with") {
  struct Row {
    int status;
    const char* body;
    const char* outcome;
    Fault fault;
  };
  const Row rows[] = {
      {400,
       R"({"success":false,"error":"invalid_args","msg":"error 404/3603: no_such_ask  Instance type by id 1 is not available."})",
       "refused", Fault::no_offer},
      {404, R"({"success":false,"error":"no_such_ask","msg":"gone"})", "refused", Fault::no_offer},
      {410, R"({"success":false,"error":"no_such_ask","msg":"error 410/3907: no_such_ask"})", "refused",
       Fault::no_offer},
      {400, R"({"error":"insufficient_credit","msg":"Your account lacks credit; see the billing page."})", "refused",
       Fault::no_credit},
      {200, R"({"success":false,"error":"spend_rate_limit","msg":"slow"})", "refused", Fault::no_credit},
      {200, R"({"success":false,"new_contract":null})", "refused", Fault::refused},
      {200, R"({"success":false,"error":"invalid_args","detail":"disk 150 > 101.25"})", "refused", Fault::refused},
      {404, R"({"success":false,"error":"auth_error","msg":"Invalid user key"})", "refused", Fault::auth},
      {403, R"({"success":false,"error":"invalid_args","msg":"error 403/3586: Offer"})", "refused", Fault::refused},
      // A gateway's, of a request that it may have passed on: looked for once more.
      {403, R"({"error":"Forbidden"})", "refused", Fault::refused},
      {402, R"({"error":"spend_rate_limit","msg":"slow down"})", "refused", Fault::no_credit},
      // Undocumented: a gateway may say so after it has passed the request on.
      {302, R"({"message":"moved"})", "unclear", Fault::unknown},
      {400, R"({"message":"bad gateway configuration"})", "unclear", Fault::unknown},
      {404, R"({"detail":"not found"})", "unclear", Fault::unknown},
      {409, R"({"error":"conflict"})", "unclear", Fault::unknown},
      {499, R"({"message":"client closed request"})", "unclear", Fault::unknown},
      {200, R"({"success":true})", "unclear", Fault::unknown},
      {200, R"({"success":true,"new_con)", "unclear", Fault::unknown},
      {200, "null", "unclear", Fault::unknown},
      {500, R"({"success":false,"error":"server_error","msg":"x"})", "unclear", Fault::unknown},
      {404, "<html></html>", "unclear", Fault::unknown},
      {429, "API requests too frequent: endpoint threshold=4.5*1.0", "unclear", Fault::unknown},
  };
  for (const Row& row : rows) {
    CAPTURE(row.status);
    CAPTURE(row.body);
    VastWorld w;
    const auto order = w.order();
    w.http.after = [&](const client::HttpRequest& request, sandbox::Answer& answer) {
      if (request.method == "PUT") answer = plain(row.status, row.body);
    };
    w.http.before = [&](const client::HttpRequest& request) -> std::optional<base::Result<client::HttpResponse>> {
      if (request.method != "PUT") return std::nullopt;
      client::HttpResponse response;
      response.status = row.status;
      response.body = row.body;
      return base::Result<client::HttpResponse>(std::move(response));
    };
    const auto rented = w.vast().create(order, w.context());
    REQUIRE(!rented.ok());
    CHECK(rented.error().fault == row.fault);
    CHECK(w.host.records().at(0).outcome == row.outcome);
    CHECK(w.http.count("PUT", "/api/v0/asks/") == 1);
    CHECK(!rented.error().message.empty());
  }
}

TEST_CASE("success:false with an id is a made thing that is destroyed") {
  VastWorld w;
  const auto order = w.order();
  w.arm("create_success_false");
  const auto rented = w.vast().create(order, w.context());
  REQUIRE(!rented.ok());
  CHECK(rented.error().fault == Fault::no_offer);
  const auto record = w.host.records().at(0);
  CHECK(record.outcome == "made");
  CHECK(record.ended);
  CHECK(w.meter().billed_now == 0);
}

TEST_CASE("before a rental others may be proven gone with the same client: nobody's turn is held meanwhile") {
  VastWorld w;
  const auto order = w.order();
  const auto first = w.vast().create(order, w.context());
  REQUIRE(first.ok());
  REQUIRE(w.vast().destroy(first->id, w.context()).ok());
  int looks = 0;
  w.host.room = [&](const base::Patience&) -> base::Result<void> {
    ++looks;
    if (auto all = w.vast().list(w.context()); !all) return std::move(all).error();
    if (auto alone = w.vast().find(first->id, w.context()); !alone) return std::move(alone).error();
    return {};
  };
  const auto before = w.clock.now();
  CHECK(w.vast().create(w.order(), w.context()).ok());
  CHECK(looks == 1);
  CHECK(w.clock.now() - before < 20s);
  w.host.room = [](const base::Patience&) -> base::Result<void> {
    return base::Error{Fault::refused, "limit_cost", "no"};
  };
  const auto puts = w.http.count("PUT", "/api/v0/asks/");
  CHECK(w.vast().create(w.order(), w.context()).error().code == "limit_cost");
  CHECK(w.http.count("PUT", "/api/v0/asks/") == puts);
}

TEST_CASE("that the account has no keys is said with some text of keys; what says nothing of them is no such answer") {
  VastWorld w;
  const auto with = [&](int status, const std::string& body) {
    w.http.after = [&](const client::HttpRequest&, sandbox::Answer& answer) { answer = plain(status, body); };
    return w.vast().account_keys(w.context(20s));
  };
  for (const char* body : {R"({"success": false, "error": "not_found", "msg": "gone"})",
                           "No SSH keys found for this user", R"({"success": false, "msg": "No SSH keys found"})",
                           R"({"detail": "ssh_key not found"})", R"({"success": false, "error": "no_ssh_key"})"}) {
    CAPTURE(body);
    const auto keys = with(404, body);
    REQUIRE(keys.ok());
    CHECK(keys->empty());
    CHECK_FALSE(with(400, body).ok());
    CHECK_FALSE(with(503, body).ok());
  }
  for (const char* body : {"", "not found", "<html>404: no such key</html>", R"({"message": "no Route matched"})",
                           R"({"error": "auth_error", "msg": "no such user key"})", "No API key found in request",
                           R"({"detail": "key"})"}) {
    CAPTURE(body);
    CHECK_FALSE(with(404, body).ok());
  }
  CHECK(with(200, "[]").ok());
}

TEST_CASE("that an instance has no keys is said in the documented words alone, and every row is readable") {
  VastWorld w;
  const auto rented = w.vast().create(w.order(), w.context());
  REQUIRE(rented.ok());
  const auto with = [&](const std::string& body) {
    w.http.after = [&](const client::HttpRequest&, sandbox::Answer& answer) { answer = plain(200, body); };
    return w.vast().instance_keys(rented->id, w.context());
  };
  CHECK(with(R"({"success": true, "ssh_keys": "[]"})").ok());
  for (const char* body : {"[]", "{}", R"({"ssh_keys": null})", R"({"success": true, "ssh_keys": "[{}]"})"}) {
    CAPTURE(body);
    CHECK(with(body).error().code == "malformed_answer");
  }
}

TEST_CASE("nothing is sent when the ledger says no, or there is no time for the spacing") {
  VastWorld w;
  const auto order = w.order();
  w.host.refuse(base::Error{Fault::refused, "limit_cost", "too dear", ""});
  CHECK(w.vast().create(order, w.context()).error().code == "limit_cost");
  CHECK(w.http.count("PUT", "/api/v0/asks/") == 0);
  w.host.refuse(std::nullopt);
  REQUIRE(w.vast().create(order, w.context()).ok());
  const auto second = w.vast().create(order, w.context(1s));
  REQUIRE(!second.ok());
  CHECK(second.error().code == "pacing");
  CHECK(w.host.records().size() == 1);
  CHECK(w.http.count("PUT", "/api/v0/asks/") == 1);
}

TEST_CASE("a key whose turn does not come in time was certainly not sent") {
  VastWorld w;
  REQUIRE(w.vast().add_account_key("ssh-ed25519 AAAA another", w.context()).ok());
  const auto sent = w.http.count("POST", "/api/v0/ssh/");
  const auto given = steps::vast::give_account_key(w.services, w.context(1s));
  REQUIRE_FALSE(given.ok());
  CHECK(given.error().code == "pacing");
  CHECK(w.http.count("POST", "/api/v0/ssh/") == sent);
  CHECK(w.host.records().back().outcome == "unsent");
}

TEST_CASE("a no to the second arrival of a request that was done: the machine is found") {
  VastWorld w;
  w.http.after = [&](const client::HttpRequest& request, sandbox::Answer& answer) {
    if (request.method == "PUT") answer = plain(400, R"({"success":false,"error":"no_such_ask","msg":"gone"})");
  };
  const auto rented = w.vast().create(w.order(), w.context());
  REQUIRE_MESSAGE(rented.ok(), (rented.ok() ? std::string() : rented.error().line()));
  CHECK(w.host.records().at(0).outcome == "made");
  CHECK(w.host.records().at(0).made.id == std::to_string(rented->id));
  CHECK(w.meter().billed_now == 1);
}

TEST_CASE("the intent announces the request that is sent") {
  VastWorld w;
  std::string sent;
  w.http.after = [&](const client::HttpRequest& request, sandbox::Answer&) {
    if (request.method == "PUT") sent = "PUT " + request.url.substr(request.url.find("/api/")) + "\n" + request.body;
  };
  REQUIRE(w.vast().create(w.order(), w.context()).ok());
  CHECK(base::contains(sent, w.host.records().at(0).name));
  CHECK(w.host.records().at(0).announced == sent);
}

TEST_CASE("a stop while the create is in flight: its answer is still read") {
  VastWorld w;
  const auto order = w.order();
  w.http.after = [&](const client::HttpRequest& request, sandbox::Answer&) {
    if (request.method == "PUT") w.stop.request_stop();
  };
  const auto rented = w.vast().create(order, w.context());
  REQUIRE(rented.ok());
  CHECK(w.host.records().at(0).outcome == "made");
}

TEST_CASE("what took long to be written down is not sent: the settle window counts from there") {
  VastWorld w;
  const auto order = w.order();
  w.host.meanwhile = [&] { w.clock.advance(31s); };
  const auto rented = w.vast().create(order, w.context());
  REQUIRE_FALSE(rented.ok());
  CHECK(rented.error().fault == Fault::unavailable);
  CHECK(w.host.records().at(0).outcome == "unsent");
  CHECK(w.http.count("PUT", "/asks/") == 0);
  w.host.meanwhile = [&] { w.clock.advance(29s); };
  CHECK(w.vast().create(order, w.context()).ok());
}

TEST_CASE("an offer that ends before the run does is not taken") {
  VastWorld w;
  std::string asked;
  w.http.before = [&](const client::HttpRequest& request) {
    asked = request.body;
    return std::optional<base::Result<client::HttpResponse>>();
  };
  w.http.after = [&](const client::HttpRequest&, sandbox::Answer& answer) {
    // As where the filter is not honoured (2.2).
    answer = plain(200, R"({"offers": [{"ask_contract_id": 1, "gpu_name": "RTX 4090", "num_gpus": 1, "dph_total": 0.2,
                            "machine_id": 5, "duration": 20000.0}]})");
  };
  client::OfferQuery query;
  query.gpu_name = "RTX 4090";
  const auto found = [&] {
    const auto offers = w.vast().search(query, w.context());
    REQUIRE(offers.ok());
    return offers->size();
  };
  CHECK(found() == 1);
  CHECK(base::contains(asked, R"("duration":{"gte":3600)"));
  w.host.set_end(w.clock.now() + 8h);
  CHECK(found() == 0);
  CHECK(base::contains(asked, R"("duration":{"gte":28800)"));
  w.host.set_end(w.clock.now() + 5h);
  CHECK(found() == 1);
}

TEST_CASE("a machine's timer counts by the clock that nobody sets, where there is one") {
  VastWorld w;
  w.host.set_deadline(w.clock.wall() + 100s);  // the wall clock was set forward by 500 s since it was named
  w.host.set_end(w.clock.now() + 600s);
  REQUIRE(w.vast().create(w.order(), w.context()).ok());
  CHECK(base::contains(w.host.records().at(0).announced, "+ 600 ))"));
}

TEST_CASE("a stop while the intent is written: nothing is sent, and that is certain") {
  VastWorld w;
  const auto order = w.order();
  const auto before = w.http.sent.size();
  w.host.meanwhile = [&] { w.stop.request_stop(); };
  const auto rented = w.vast().create(order, w.context());
  REQUIRE_FALSE(rented.ok());
  CHECK(rented.error().code == "unsent");
  CHECK(w.host.records().at(0).outcome == "unsent");
  const auto context = w.context();
  auto hold = context.hold({"vast.ssh_key", "a key"});
  REQUIRE(hold.ok());
  const auto made = w.vast().add_account_key("ssh-ed25519 AAAA " + hold->name(), context.of(*hold));
  REQUIRE_FALSE(made.ok());
  CHECK(made.error().code == "unsent");
  CHECK(w.host.records().at(1).sent == 0);
  hold->refused(made.error());
  CHECK(w.http.sent.size() == before);
}

TEST_CASE("a stop after a first try says nothing of what that one did") {
  VastWorld w;
  w.http.after = [&](const client::HttpRequest& request, sandbox::Answer& answer) {
    if (request.method != "POST") return;
    answer.status = 429;
    answer.text = "too many";
    w.stop.request_stop();
  };
  const auto context = w.context();
  auto hold = context.hold({"vast.ssh_key", "a key"});
  REQUIRE(hold.ok());
  const auto made = w.vast().add_account_key("ssh-ed25519 AAAA " + hold->name(), context.of(*hold));
  REQUIRE_FALSE(made.ok());
  CHECK(made.error().code != "unsent");
  hold->unclear(made.error());
}

TEST_CASE("a stop while a key is being registered: its answer is still read") {
  VastWorld w;
  int answered = 0;
  w.http.after = [&](const client::HttpRequest& request, sandbox::Answer& answer) {
    if (request.method != "POST") return;
    w.stop.request_stop();
    answer.delay = 1s;
    ++answered;
  };
  const auto context = w.context();
  auto hold = context.hold({"vast.ssh_key", "a key"});
  REQUIRE(hold.ok());
  const auto made = w.vast().add_account_key("ssh-ed25519 AAAA " + hold->name(), context.of(*hold));
  CHECK_MESSAGE(made.ok(), made.error().line());
  CHECK(answered == 1);
  hold->refused({Fault::refused, "x", "x", ""});
  // What makes nothing is cut.
  CHECK_FALSE(w.vast().account_keys(context).ok());
}

TEST_CASE("what is reserved for a machine is never less than the price that its offer names") {
  VastWorld w;
  const auto reserved = [&](const std::string& row) {
    w.http.after = [&](const client::HttpRequest& request, sandbox::Answer& answer) {
      if (request.method == "POST") answer = plain(200, R"({"offers":[{"ask_contract_id":77,)" + row + "}]}");
    };
    const auto offer = w.vast().offer(77, {20'000'000'000}, w.context());
    REQUIRE(offer.ok());
    REQUIRE_FALSE(w.vast().create({*offer, "ubuntu:22.04", {20'000'000'000}, ""}, w.context()).ok());
    CHECK(w.host.records().back().intent.per_hour == offer->price_per_hour);
    return base::usd(offer->price_per_hour);
  };
  CHECK(reserved(R"("dph_base":0.3,"storage_cost":0.72,"dph_total":0.32)") == 0.32);
  CHECK(reserved(R"("dph_base":0.3,"dph_total":0.32)") == 0.32);
  CHECK(reserved(R"("storage_cost":0.72,"dph_total":0.32)") == 0.34);
  CHECK(reserved(R"("dph_base":0.3,"storage_cost":0.36,"dph_total":0.35)") == 0.35);
  CHECK(reserved(R"("dph_base":0.3,"storage_cost":0.72,"dph_total":0.01)") == 0.32);
}

TEST_CASE("a destroy is accepted, repeated over 500, and success when it is gone already") {
  VastWorld w;
  const auto rented = w.vast().create(w.order(), w.context());
  REQUIRE(rented.ok());
  w.arm("destroy_500:2");
  auto gone = w.vast().destroy(rented->id, w.context());
  REQUIRE(gone.ok());
  CHECK(*gone);
  gone = w.vast().destroy(rented->id, w.context());
  REQUIRE(gone.ok());
  CHECK(!*gone);
  const auto found = w.vast().find(rented->id, w.context());
  REQUIRE(found.ok());
  CHECK(!found->has_value());
}

TEST_CASE("nulls, odd kinds and a list where an object was promised") {
  VastWorld w;
  w.http.after = [](const client::HttpRequest&, sandbox::Answer& answer) {
    answer = plain(200, R"({"instances":[{"id":5,"actual_status":null,"label":null,"status_msg":null,"ports":[22],
      "ssh_host":"ssh7.vast.ai","ssh_port":37044,"public_ipaddr":"1.2.3.4\n","dph_total":null,"cur_state":null}]})");
  };
  auto found = w.vast().find(5, w.context());
  REQUIRE(found.ok());
  REQUIRE(found->has_value());
  CHECK((*found)->actual_status.empty());
  CHECK((*found)->direct_port == 0);
  CHECK((*found)->proxy_host == "ssh7.vast.ai");
  CHECK((*found)->proxy_port == 37044);
  w.http.after = [](const client::HttpRequest&, sandbox::Answer& answer) {
    answer = plain(
        200,
        R"({"instances":{"id":5,"actual_status":"running","ports":{"22/tcp":[{"HostIp":"0.0.0.0","HostPort":"40713"}]},
      "ssh_host":"ssh7.vast.ai","ssh_port":37044,"public_ipaddr":"1.2.3.4\n","image_runtype":"jupyter_direc ssh_proxy"}})");
  };
  found = w.vast().find(5, w.context());
  REQUIRE(found.ok());
  CHECK((*found)->direct_host == "1.2.3.4");
  CHECK((*found)->direct_port == 40713);
  CHECK((*found)->proxy_port == 37045);
  for (const char* body : {"{}", "{\"instances\":7}", "{\"instances\":{\"id\":6}}", "[1]"}) {
    w.http.after = [&](const client::HttpRequest&, sandbox::Answer& answer) { answer = plain(200, body); };
    CHECK(!w.vast().find(5, w.context()).ok());
  }
}

TEST_CASE("malformed answers and 503 are asked again") {
  VastWorld w;
  w.arm("malformed_json:2");
  CHECK(w.vast().credit(w.context()).ok());
  w.arm("vast_unavailable:4");
  CHECK(w.vast().credit(w.context()).ok());
  w.arm("vast_unavailable:-1");
  CHECK(w.vast().credit(w.context()).error().fault == Fault::unavailable);
}

TEST_CASE("an answer larger than any of theirs is no answer: asked again, and a change stays unknown") {
  VastWorld w;
  int large = 1;
  w.http.before = [&](const client::HttpRequest&) -> std::optional<base::Result<client::HttpResponse>> {
    if (large-- <= 0) return std::nullopt;
    return base::Error{Fault::corrupt, "too_large", "the answer is too large"};
  };
  CHECK(w.vast().credit(w.context()).ok());
  large = 100;
  CHECK(w.vast().credit(w.context()).error().fault == Fault::unavailable);
  CHECK(w.vast().set_state(1, "stopped", w.context()).error().fault == Fault::unknown);
}

}  // namespace
