// The Vast steps and kinds in the simulated world: what goes wrong, and that nothing stays rented.
#include <doctest/doctest.h>

#include "tests/providers/vast_world.h"

namespace {

using namespace failover;
using base::Fault;
using base::Value;
using testing::integer;
using testing::text;
using testing::VastWorld;
using namespace std::chrono_literals;

Value::Map search() { return {{"gpu_name", "RTX 4090"}, {"max_price", base::Money{1'000'000}}}; }

// Search and create; the id.
std::int64_t rent(VastWorld& w) {
  const auto offers = w.run("vast.search_offers", search());
  REQUIRE(offers.ok());
  const auto made =
      w.run("vast.create_instance", {{"offer", integer(*offers->find("best"), "id")}, {"image", "ubuntu:22.04"}});
  if (!made) FAIL(made.error().line());
  return integer(*made, "id");
}

void nothing_is_left(VastWorld& w) {
  w.stop = std::stop_source();
  CHECK(w.clean_up());
  const auto meter = w.meter();
  CHECK(meter.billed_now == 0);
  CHECK(meter.ssh_keys.empty());
  CHECK(meter.refused_too_frequent == 0);
}

TEST_CASE("a whole life: search, create, ready, show, stop, start, ready, destroy") {
  VastWorld w;
  CHECK(w.run("vast.check_account", {{"at_least", base::Money{1'000'000}}}).ok());
  const auto id = rent(w);
  auto ready = w.run("vast.wait_until_ready", {{"instance", id}});
  REQUIRE(ready.ok());
  CHECK(integer(*ready, "instance") == id);
  CHECK(text(*ready, "status") == "running");
  CHECK(text(*ready, "workspace") == "/workspace");
  const auto* ssh = ready->find("ssh");
  REQUIRE(ssh != nullptr);
  CHECK(text(*ssh, "machine") == "vast:" + std::to_string(id));
  CHECK(text(*ssh, "host") == "127.0.0.1");
  CHECK(text(*w.run("vast.show_instance", {{"instance", std::to_string(id)}}), "status") == "running");
  CHECK(text(*w.run("vast.stop_instance", {{"instance", id}}), "status") == "exited");
  CHECK(w.meter().billed_now == 1);  // stopping is not giving back
  CHECK(w.run("vast.start_instance", {{"instance", id}}).ok());
  CHECK(w.run("vast.wait_until_ready", {{"instance", id}}).ok());
  CHECK(w.host.records().size() == 1);  // no hold for the key of a machine of our own
  CHECK(text(*w.run("vast.destroy_instance", {{"instance", id}}), "status") == "destroyed");
  CHECK(w.host.records().at(0).ended);
  CHECK(w.meter().billed_now == 0);
  CHECK(text(*w.run("vast.show_instance", {{"instance", id}}), "status") == "gone");
  CHECK(w.run("vast.destroy_instance", {{"instance", id}}).ok());  // again
  nothing_is_left(w);
}

TEST_CASE("a vanishing offer: the next one of the search, under a new hold") {
  VastWorld w;
  w.arm("offer_gone:2");
  rent(w);
  const auto records = w.host.records();
  REQUIRE(records.size() == 3);
  CHECK(records[0].outcome == "refused");
  CHECK(records[1].outcome == "refused");
  CHECK(records[2].outcome == "made");
  CHECK(records[0].name != records[2].name);
  CHECK(w.meter().instances.size() == 1);
  nothing_is_left(w);
}

TEST_CASE("when every offer is gone the error says so") {
  VastWorld w;
  w.arm("offer_gone:-1");
  const auto offers = w.run("vast.search_offers", search());
  REQUIRE(offers.ok());
  const auto made =
      w.run("vast.create_instance", {{"offer", integer(*offers->find("best"), "id")}, {"image", "ubuntu:22.04"}});
  REQUIRE(!made.ok());
  CHECK(made.error().fault == Fault::no_offer);
  CHECK(!made.error().hint.empty());
  for (const auto& record : w.host.records()) CHECK(record.outcome == "refused");
  nothing_is_left(w);
}

TEST_CASE("success:false: the stopped thing is destroyed and another machine rented") {
  VastWorld w;
  w.arm("create_success_false");
  rent(w);
  CHECK(w.meter().instances.size() == 2);
  CHECK(w.meter().billed_now == 1);
  nothing_is_left(w);
}

TEST_CASE("a machine that will not become ready is given back and replaced; the old id goes on working") {
  for (const char* fault :
       {"stuck_loading", "ssh_never", "ssh_key_denied", "instance_vanishes", "outbid", "host_offline"}) {
    CAPTURE(fault);
    VastWorld w;
    w.arm(fault);
    const auto old = rent(w);
    if (base::contains("instance_vanishes outbid host_offline", fault)) w.clock.advance(20s);
    if (std::string(fault) == "ssh_key_denied" || std::string(fault) == "ssh_never") {
      // The fake login knows the world's plan only; these two are played by machines. Played here:
      const auto lock = w.world.enter();
      w.world.find(old)->mishaps.ssh_never = true;
    }
    const auto ready = w.run("vast.wait_until_ready", {{"instance", old}});
    if (!ready) FAIL(ready.error().line());
    const auto now = integer(*ready, "instance");
    CHECK(now != old);
    CHECK(w.meter().billed_now == 1);
    CHECK(text(*w.run("vast.show_instance", {{"instance", old}}), "status") == "running");
    CHECK(w.run("vast.wait_until_ready", {{"instance", old}}).ok());
    CHECK(w.run("vast.destroy_instance", {{"instance", old}}).ok());
    CHECK(w.meter().billed_now == 0);
    nothing_is_left(w);
  }
}

TEST_CASE("replacing ends: after two it is an error that says why") {
  VastWorld w;
  w.arm("stuck_loading:-1");
  const auto ready = w.run("vast.wait_until_ready", {{"instance", rent(w)}});
  REQUIRE(!ready.ok());
  CHECK(ready.error().fault == Fault::unavailable);
  CHECK(ready.error().code == "instance_failed");
  CHECK(w.meter().instances.size() == 3);
  nothing_is_left(w);
}

TEST_CASE("a late create: unclear, and the step does not rent another") {
  VastWorld w;
  w.arm("create_late_effect");
  const auto offers = w.run("vast.search_offers", search());
  const auto made =
      w.run("vast.create_instance", {{"offer", integer(*offers->find("best"), "id")}, {"image", "ubuntu:22.04"}});
  CHECK(w.http.count("PUT", "/api/v0/asks/") == 1);
  CHECK(w.meter().instances.size() <= 1);
  if (!made) CHECK(made.error().fault == Fault::unknown);
  w.clock.advance(700s);
  nothing_is_left(w);
}

// A machine that somebody else rented: the run's key on it is a thing of its own.
std::int64_t rent_by_another(VastWorld& w) {
  std::int64_t id = 0;
  {
    const auto lock = w.world.enter();
    sandbox::Rental rental;
    rental.offer_id = w.world.offers.front().id;
    rental.label = "somebody's";
    rental.runtype = "ssh_direc ssh_proxy";
    id = w.world.rent(rental).id;
    w.world.find(id)->keys.push_back(w.world.make_key("ssh-ed25519 AAAAowner owner"));
  }
  w.clock.advance(5s);
  return id;
}

TEST_CASE("a write whose answer cannot be read is not made undone by the no to the next try") {
  struct Unread {
    int status;
    const char* body;
  };
  for (const Unread& unread : {Unread{200, ""}, Unread{502, "<html>bad gateway</html>"}}) {
    CAPTURE(unread.status);
    VastWorld w;
    const auto id = rent_by_another(w);
    int posts = 0;
    w.http.before = [&](const client::HttpRequest& request) -> std::optional<base::Result<client::HttpResponse>> {
      if (request.method != "POST" || !base::contains(request.url, "/ssh/")) return std::nullopt;
      client::HttpResponse answer;
      answer.status = ++posts == 1 ? unread.status : 401;
      answer.body = posts == 1 ? unread.body : R"({"success":false,"error":"auth_error","msg":"Invalid user key"})";
      return base::Result<client::HttpResponse>(answer);
    };
    CHECK(!w.run("vast.wait_until_ready", {{"instance", id}}).ok());
    CHECK(posts == 2);
    const auto records = w.host.records();
    REQUIRE(!records.empty());
    CHECK(records.back().intent.kind == "vast.ssh_key");
    CHECK(records.back().sent == 2);
    CHECK(records.back().unanswered == 1);
  }
}

TEST_CASE("an instance that the run did not make: its key is lent and taken back, the machine stays") {
  VastWorld w;
  const auto other = rent_by_another(w);
  for (int twice = 0; twice < 2; ++twice) {
    const auto ready = w.run("vast.wait_until_ready", {{"instance", other}});
    if (!ready) FAIL(ready.error().line());
  }
  const auto records = w.host.records();
  REQUIRE(records.size() == 1);
  CHECK(records[0].intent.kind == "vast.ssh_key");
  CHECK(records[0].outcome == "made");
  const auto destroyed = w.run("vast.destroy_instance", {{"instance", other}});
  REQUIRE(!destroyed.ok());
  CHECK(destroyed.error().fault == Fault::refused);
  CHECK(w.http.count("DELETE", "/api/v0/instances/") == 0);
  CHECK(w.clean_up());
  {
    const auto lock = w.world.enter();
    const auto* instance = w.world.find(other);
    REQUIRE(instance != nullptr);
    REQUIRE(instance->keys.size() == 1);
    CHECK(base::contains(instance->keys[0].text, "owner"));
  }
  CHECK(w.meter().billed_now == 1);
}

TEST_CASE("without a direct port the proxy is used, with a key lent to the account and taken back") {
  VastWorld w;
  std::int64_t other = 0;
  {
    const auto lock = w.world.enter();
    sandbox::Rental rental;
    rental.offer_id = w.world.offers.front().id;
    rental.runtype = "ssh";
    other = w.world.rent(rental).id;
  }
  w.clock.advance(5s);
  const auto ready = w.run("vast.wait_until_ready", {{"instance", other}});
  if (!ready) FAIL(ready.error().line());
  CHECK(text(*ready->find("ssh"), "machine") == "vast:" + std::to_string(other) + ":proxy");
  CHECK(w.host.records().size() == 2);
  CHECK(w.meter().ssh_keys.size() == 1);
  CHECK(w.clean_up());
  CHECK(w.meter().ssh_keys.empty());
  CHECK(w.meter().billed_now == 1);
}

TEST_CASE("an instance that is not there is not_found, at once") {
  VastWorld w;
  const auto ready = w.run("vast.wait_until_ready", {{"instance", 123}});
  REQUIRE(!ready.ok());
  CHECK(ready.error().fault == Fault::not_found);
  CHECK(w.run("vast.wait_until_ready", {{"instance", "many"}}).error().fault == Fault::invalid);
}

TEST_CASE("no offer under the price: the error names the cheapest above it, and spelling is helped") {
  VastWorld w;
  auto none = w.run("vast.search_offers", {{"gpu_name", "RTX 4090"}, {"max_price", base::Money{10'000}}});
  REQUIRE(!none.ok());
  CHECK(none.error().fault == Fault::no_offer);
  CHECK(base::contains(none.error().message, "the cheapest above it is $0."));
  none = w.run("vast.search_offers", {{"gpu_name", "RTX 409"}});
  REQUIRE(!none.ok());
  CHECK(base::contains(none.error().hint, "RTX 4090"));
}

TEST_CASE("credit") {
  VastWorld w;
  auto checked = w.run("vast.check_account", {{"at_least", base::Money{99'000'000}}});
  REQUIRE(!checked.ok());
  CHECK(checked.error().fault == Fault::no_credit);
  const auto offers = w.run("vast.search_offers", search());
  w.arm("no_credit");
  const auto made =
      w.run("vast.create_instance", {{"offer", integer(*offers->find("best"), "id")}, {"image", "ubuntu:22.04"}});
  REQUIRE(!made.ok());
  CHECK(made.error().fault == Fault::no_credit);
  CHECK(w.host.records().size() == 1);  // no other offer would help
  nothing_is_left(w);
}

TEST_CASE("a start that cannot be satisfied is withdrawn") {
  VastWorld w;
  const auto id = rent(w);
  REQUIRE(w.run("vast.wait_until_ready", {{"instance", id}}).ok());
  REQUIRE(w.run("vast.stop_instance", {{"instance", id}}).ok());
  w.arm("start_unavailable");
  const int before = w.http.count("PUT", "/api/v0/instances/");
  const auto started = w.run("vast.start_instance", {{"instance", id}});
  REQUIRE(!started.ok());
  CHECK(started.error().code == "resources_unavailable");
  CHECK(w.http.count("PUT", "/api/v0/instances/") == before + 2);
  nothing_is_left(w);
}

TEST_CASE("giving back through a broken world: 500, lists that fail, 429, a revoked key") {
  for (const char* fault :
       {"destroy_500:2", "list_unavailable:3", "rate_limit_storm:6", "malformed_json:2", "vast_unavailable:4"}) {
    CAPTURE(fault);
    VastWorld w;
    rent(w);
    w.arm(fault);
    w.clean_up();  // may have to be tried again
    CHECK(w.clean_up());
    CHECK(w.meter().billed_now == 0);
  }
}

TEST_CASE("absence is proven by two complete listings at least 2 s apart") {
  VastWorld w;
  rent(w);
  const std::size_t from = w.http.sent.size();
  CHECK(w.clean_up());
  std::vector<base::Instant> lists;
  for (std::size_t i = from; i < w.http.sent.size(); ++i) {
    if (base::contains(w.http.sent[i].path, "/api/v1/instances/")) lists.push_back(w.http.sent[i].at);
  }
  REQUIRE(lists.size() >= 2);
  CHECK(lists.back() - lists[lists.size() - 2] >= 2s);
}

TEST_CASE("a machine that listings do not show yet, whose accepted end took no effect, is not taken for gone") {
  for (const int broken : {0, 1}) {  // answers by its id that say wrongly that there is none
    CAPTURE(broken);
    VastWorld w;
    w.arm("list_lags");
    rent(w);
    int accepted = 0;
    int asked = 0;
    w.http.before = [&](const client::HttpRequest& request) -> std::optional<base::Result<client::HttpResponse>> {
      client::HttpResponse answer;
      answer.status = 200;
      if (request.method == "DELETE" && ++accepted == 1) {
        answer.body = R"({"success":true})";
        return base::Result<client::HttpResponse>(answer);
      }
      if (request.method == "GET" && base::contains(request.url, "/api/v0/instances/") && ++asked <= broken) {
        answer.body = R"({"instances":null})";
        return base::Result<client::HttpResponse>(answer);
      }
      return std::nullopt;
    };
    CHECK(w.clean_up());
    CHECK(asked > broken);
    CHECK(accepted == 2);
    CHECK(w.meter().billed_now == 0);
  }
}

TEST_CASE("a listing that speaks of an error, or does not say how long it is, proves nothing") {
  for (const char* body : {R"({"instances":[],"error":"internal_error","msg":"backend timeout"})",
                           R"({"success":true,"instances":[],"total_instances":0})",
                           R"({"success":true,"instances":[],"instances_found":0})"}) {
    CAPTURE(body);
    VastWorld w;
    rent(w);
    w.http.before = [&](const client::HttpRequest& request) -> std::optional<base::Result<client::HttpResponse>> {
      if (!base::contains(request.url, "/api/v1/instances/")) return std::nullopt;
      client::HttpResponse answer;
      answer.status = 200;
      answer.body = body;
      return base::Result<client::HttpResponse>(answer);
    };
    CHECK_FALSE(w.clean_up());
    w.http.before = nullptr;
    CHECK(w.clean_up());
    CHECK(w.meter().billed_now == 0);
  }
}

TEST_CASE("an account's key is ours when its comment is the label, not when the label stands in it") {
  VastWorld w;
  const std::string label = "failover-abc-1-1800000000-0123456789ab";
  {
    const auto lock = w.world.enter();
    for (const std::string& comment : {label, "prefix-of-" + label + "-copy", "my laptop, not " + label + " but mine"})
      w.world.account.ssh_keys.push_back(w.world.make_key("ssh-ed25519 AAAAkey " + comment));
  }
  plugin::Held held;
  held.kind = "vast.ssh_key";
  held.name = label;
  for (const auto& kind : w.kinds) {
    if (kind.name == held.kind) CHECK(kind.undo(held, w.context()).ok());
  }
  const auto lock = w.world.enter();
  REQUIRE(w.world.account.ssh_keys.size() == 2);
  for (const auto& key : w.world.account.ssh_keys) CHECK_FALSE(base::contains(key.text, "AAAAkey " + label));
}

TEST_CASE("hurry asks for the end of all at once") {
  VastWorld w;
  const auto first = rent(w);
  const auto second = rent(w);
  std::vector<plugin::Held> held;
  for (const auto id : {first, second}) held.push_back(*w.host.held("vast.instance", std::to_string(id)));
  const std::size_t from = w.http.sent.size();
  w.kinds.at(0).hurry(held, w.context());
  CHECK(w.http.sent.size() == from + 1);
  CHECK(w.meter().billed_now == 0);
  nothing_is_left(w);
}

TEST_CASE("a stop reaches every wait, and what was rented is in the ledger") {
  VastWorld w;
  const auto id = rent(w);
  w.stop.request_stop();
  const auto ready = w.run("vast.wait_until_ready", {{"instance", id}});
  REQUIRE(!ready.ok());
  CHECK(ready.error().fault == Fault::cancelled);
  nothing_is_left(w);
}

TEST_CASE("every declaration is complete: a summary, an example that reads, estimates that grow") {
  VastWorld w;
  for (const auto& type : w.steps) {
    CAPTURE(type.name);
    CHECK(!type.summary.empty());
    CHECK(!type.errors.empty());
    const auto estimate = type.estimate(Value(Value::Map{}));
    REQUIRE(estimate.ok());
    CHECK(estimate->time.best <= estimate->time.expected);
    CHECK(estimate->time.expected <= estimate->time.worst);
    CHECK(estimate->time.worst <= type.timeout);
    CHECK(estimate->quotes.has_value() == (type.name == "vast.search_offers"));
    for (const auto& kind : type.holds) {
      CHECK(std::any_of(w.kinds.begin(), w.kinds.end(), [&](const auto& one) { return one.name == kind; }));
    }
  }
}

}  // namespace
