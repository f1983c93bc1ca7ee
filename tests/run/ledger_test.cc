#include "engine/run/ledger.h"

#include <doctest/doctest.h>

#include "engine/base/digest.h"
#include "engine/run/host.h"
#include "engine/run/label.h"

using namespace failover;  // NOLINT(google-build-using-namespace)

namespace {

event::Event make(const char* type, std::int64_t second, base::Value::Map data) {
  event::Event event;
  event.type = type;
  event.since_start = std::chrono::seconds(second);
  event.data = base::Value(std::move(data));
  return event;
}

event::Event intent(const char* name, double price, std::int64_t second) {
  return make("intent", second, {{"name", name}, {"kind", "k"}, {"per_hour_usd", price}, {"step", "a"}});
}

base::Duration settle(const std::string& /*kind*/) { return std::chrono::seconds(700); }

}  // namespace

TEST_CASE("what is still there after an accepted end goes on billing until the next one") {
  run::Ledger ledger;
  ledger.on(intent("x", 0.36, 0));
  ledger.on(make("made", 10, {{"name", "x"}, {"kind", "k"}, {"id", "7"}}));
  ledger.on(make("ended", 100, {{"name", "x"}, {"kind", "k"}, {"id", "7"}}));
  ledger.on(make("ended", 1'000, {{"name", "x"}, {"kind", "k"}, {"id", "7"}}));
  CHECK(ledger.find("x")->until == std::chrono::seconds(1'000));
  ledger.on(make("released", 1'004, {{"name", "x"}, {"kind", "k"}, {"id", "7"}}));
  CHECK(ledger.find("x")->until == std::chrono::seconds(1'000));
  ledger.on(make("ended", 2'000, {{"name", "x"}, {"kind", "k"}, {"id", "7"}}));
  CHECK(ledger.find("x")->until == std::chrono::seconds(1'000));
}

TEST_CASE("billing counts from the intent to the end") {
  run::Ledger ledger;
  ledger.on(intent("x", 0.36, 100));
  CHECK(ledger.spent(std::chrono::seconds(200), settle).micros == 10'000);
  CHECK(ledger.committed(std::chrono::seconds(200), std::chrono::seconds(3'800), settle).micros == 360'000);
  ledger.on(make("made", 110, {{"name", "x"}, {"kind", "k"}, {"id", "7"}}));
  ledger.on(make("ended", 200, {{"name", "x"}, {"kind", "k"}, {"id", "7"}}));
  CHECK(ledger.spent(std::chrono::seconds(200), settle).micros == 10'000);
  CHECK(ledger.spent(std::chrono::seconds(300), settle).micros == 20'000);    // an accepted end may come to pass later,
  CHECK(ledger.spent(std::chrono::seconds(9'000), settle).micros == 80'000);  // but not after the settle window
  // Until its end is proven it may go on through its settle window: that stays reserved.
  CHECK(ledger.committed(std::chrono::seconds(200), std::chrono::seconds(3'800), settle).micros == 70'000);
  CHECK(ledger.committed(std::chrono::seconds(500), std::chrono::seconds(3'800), settle).micros == 40'000);
  CHECK(ledger.committed(std::chrono::seconds(900), std::chrono::seconds(3'800), settle).micros == 0);
  CHECK(ledger.open().size() == 1);  // its absence is not proven yet
  ledger.on(make("released", 210, {{"name", "x"}, {"kind", "k"}, {"id", "7"}}));
  CHECK(ledger.open().empty());
  CHECK(ledger.spent(std::chrono::seconds(900), settle).micros == 11'000);
  CHECK(ledger.committed(std::chrono::seconds(220), std::chrono::seconds(3'800), settle).micros == 0);
  CHECK(ledger.entries()[0].until == std::optional<base::Duration>(std::chrono::seconds(200)));
}

TEST_CASE("what is proven to be gone stays so; a kind whose effects may come at any time is reserved to the end") {
  run::Ledger ledger;
  ledger.on(intent("x", 0.36, 0));
  ledger.on(make("ended", 100, {{"name", "x"}}));
  const auto ever = [](const std::string&) { return base::Duration::max(); };
  CHECK(ledger.committed(std::chrono::seconds(100), std::chrono::seconds(200), ever).micros == 10'000);
  CHECK(ledger.committed(std::chrono::seconds(100), std::chrono::seconds(3'700), ever).micros == 360'000);
  for (const std::int64_t second : {110, 120}) ledger.on(make("released", second, {{"name", "x"}}));
  CHECK(ledger.committed(std::chrono::seconds(110), std::chrono::seconds(200), ever).micros == 0);
  CHECK(ledger.entries()[0].proven == std::optional<base::Duration>(std::chrono::seconds(110)));
}

TEST_CASE("what was refused costs nothing; what is unclear is open and billed") {
  run::Ledger ledger;
  ledger.on(intent("x", 0.36, 0));
  ledger.on(make("refused", 1, {{"name", "x"}}));
  ledger.on(intent("y", 0.36, 0));
  ledger.on(make("unclear", 1, {{"name", "y"}}));
  CHECK(ledger.spent(std::chrono::seconds(100), settle).micros == 10'000);
  CHECK(ledger.committed(std::chrono::seconds(100), std::chrono::seconds(200), settle).micros == 10'000);
  REQUIRE(ledger.open().size() == 1);
  CHECK(ledger.open()[0].held.unclear);
}

TEST_CASE("a write that was never answered keeps the thing unclear, whatever is told of it later") {
  const auto at = [](event::Event event, std::int64_t second) {
    event.at = base::WallTime(std::chrono::seconds(second));
    return event;
  };
  run::Ledger ledger;
  for (const char* name : {"made", "refused", "answered"}) {
    ledger.on(at(intent(name, 0, 1), 1'001));
    ledger.on(at(make("sending", 2, {{"name", name}}), 1'002));
    ledger.on(at(make("sending", 9, {{"name", name}}), 1'009));
    if (std::string(name) != "answered") ledger.on(at(make("unanswered", 60, {{"name", name}}), 1'060));
    ledger.on(at(make("sending", 61, {{"name", name}}), 1'061));
  }
  CHECK(ledger.find("made")->held.sent_at == base::WallTime(std::chrono::seconds(1'061)));  // it may have died here
  ledger.on(at(make("made", 62, {{"name", "made"}, {"id", "7"}}), 1'062));
  ledger.on(at(make("refused", 62, {{"name", "refused"}}), 1'062));
  ledger.on(at(make("made", 62, {{"name", "answered"}, {"id", "8"}}), 1'062));
  const auto made = ledger.find("made");
  CHECK(made->state == run::State::made);
  CHECK(made->held.unclear);
  CHECK(made->held.sent_at == base::WallTime(std::chrono::seconds(1'009)));
  CHECK(ledger.find("refused")->state == run::State::unclear);
  CHECK(ledger.find("refused")->held.unclear);
  CHECK_FALSE(ledger.find("answered")->held.unclear);
  // What the first write made is as old as the intent, however late the last one went.
  for (const char* name : {"made", "refused", "answered"}) {
    CHECK(ledger.find(name)->held.begun_at == base::WallTime(std::chrono::seconds(1'001)));
  }
  ledger.on(at(make("sending", 70, {{"name", "answered"}}), 900));  // by a wall clock that was set back
  CHECK(ledger.find("answered")->held.begun_at == base::WallTime(std::chrono::seconds(900)));
}

TEST_CASE("the newest is given back first, the kept never") {
  run::Ledger ledger;
  ledger.on(intent("x", 0, 0));
  ledger.on(intent("y", 0, 1));
  ledger.on(intent("z", 0, 2));
  ledger.on(make("made", 3, {{"name", "y"}, {"id", "2"}}));
  ledger.on(make("kept", 4, {{"name", "y"}}));
  const auto open = ledger.open();
  REQUIRE(open.size() == 2);
  CHECK(open[0].held.name == "z");
  CHECK(open[1].held.name == "x");
}

TEST_CASE("what is kept is given back once it is said to be past its time") {
  run::Ledger ledger;
  ledger.on(intent("x", 0, 0));
  ledger.on(intent("y", 0, 1));
  ledger.on(make("made", 2, {{"name", "x"}, {"id", "1"}}));
  ledger.on(make("kept", 3, {{"name", "x"}, {"until", "2026-11-28T10:00:00Z"}}));
  ledger.on(make("refused", 3, {{"name", "y"}}));
  REQUIRE(ledger.kept().size() == 1);
  CHECK(ledger.kept()[0].kept_until == base::parse_utc("2026-11-28T10:00:00Z"));
  CHECK(ledger.open().empty());
  for (const char* name : {"x", "y", "nobody"}) ledger.on(make("lapsed", 4, {{"name", name}}));
  CHECK(ledger.kept().empty());
  REQUIRE(ledger.open().size() == 1);
  CHECK(ledger.open()[0].held.name == "x");
  ledger.on(make("released", 5, {{"name", "x"}}));
  ledger.on(make("lapsed", 6, {{"name", "x"}}));
  CHECK(ledger.open().empty());
}

TEST_CASE("traffic is counted and paid for; what a journal says of it beyond reason is not believed") {
  run::Ledger ledger;
  ledger.on(make("intent", 0,
                 {{"name", "x"}, {"kind", "k"}, {"per_gb_up_usd", 0.02}, {"per_gb_down_usd", 0.01}, {"step", "a"}}));
  ledger.on(make("traffic", 1, {{"name", "x"}, {"up_bytes", 2e9}, {"down_bytes", 3e9}}));
  ledger.on(make("traffic", 2, {{"name", "x"}, {"up_bytes", -5.0}, {"down_bytes", 0.0}}));
  ledger.on(make("traffic", 2, {{"name", "nobody"}, {"up_bytes", 1e9}}));
  CHECK(ledger.spent(std::chrono::seconds(10), settle).micros == 0);  // no price per hour: not billed at all
  ledger.on(intent("y", 0.36, 0));
  ledger.on(make("traffic", 1, {{"name", "y"}, {"up_bytes", 1e300}, {"down_bytes", 1e300}}));
  const auto found = ledger.find("y");
  REQUIRE(found);
  CHECK(found->up == 4'000'000'000'000'000'000);
  CHECK(ledger.find("x")->up == 2'000'000'000);
  CHECK(ledger.find("x")->down == 3'000'000'000);
  CHECK_FALSE(ledger.find("nobody"));
}

TEST_CASE("things are found by their id, and by the step that made them") {
  run::Ledger ledger;
  ledger.on(intent("x", 0.36, 0));
  ledger.on(make("intent", 1, {{"name", "y"}, {"kind", "other"}, {"step", "b"}}));
  CHECK_FALSE(ledger.by_id("k", "7"));
  ledger.on(make("made", 2, {{"name", "x"}, {"id", "7"}, {"attributes", base::Value::Map{{"machine_id", 4}}}}));
  ledger.on(make("made", 2, {{"name", "y"}, {"id", "7"}}));
  REQUIRE(ledger.by_id("k", "7"));
  CHECK(ledger.by_id("k", "7")->name == "x");
  CHECK(ledger.by_id("k", "7")->attributes.count("machine_id") == 1);
  CHECK(ledger.by_id("other", "7")->name == "y");
  CHECK_FALSE(ledger.by_id("k", "8"));
  ledger.on(make("ended", 10, {{"name", "x"}}));
  CHECK(ledger.entries()[0].until == std::optional<base::Duration>(std::chrono::seconds(10)));
  CHECK(ledger.spent(std::chrono::seconds(100), settle).micros == 10'000);
  CHECK(ledger.by_id("k", "7"));
  ledger.on(make("released", 30, {{"name", "x"}}));
  CHECK(ledger.by_id("k", "7"));                  // still one of this run's
  ledger.on(make("ended", 40, {{"name", "x"}}));  // what is asked for again has been
  CHECK(ledger.entries()[0].state == run::State::released);
  REQUIRE(ledger.of_step("b").size() == 1);
  CHECK(ledger.of_step("b")[0].held.name == "y");
  CHECK(ledger.of_step("c").empty());
}

TEST_CASE("labels tell run, sequence and deadline, and whose key made them") {
  const auto deadline = base::WallTime(std::chrono::seconds(1'800'000'000));
  const auto label = run::make_label("20260101T000000Z-abcdefghij", 3, deadline, base::Secret("key"));
  CHECK(label.substr(0, 33) == "failover-abcdefghij-3-1800000000-");
  CHECK(label.size() <= 64);
  const auto read = run::verify_label(label, base::Secret("key"));
  REQUIRE(read);
  CHECK(read->token == "abcdefghij");
  CHECK(read->sequence == 3);
  CHECK(read->deadline == deadline);
}

TEST_CASE("a label that is not exactly what this key makes is nobody's to touch") {
  const auto deadline = base::WallTime(std::chrono::seconds(1'700'000'000));
  const base::Secret key("key");
  const auto label = run::make_label("20260101T000000Z-abcdefghij", 3, deadline, key);
  CHECK_FALSE(run::verify_label(label, base::Secret("other")));
  CHECK_FALSE(run::verify_label(label, base::Secret()));
  // Without a key a label signs nothing: anybody could make it.
  CHECK_FALSE(run::verify_label(run::make_label("r-t", 1, deadline, base::Secret()), base::Secret()));
  for (std::size_t i = 0; i < label.size(); ++i) {
    CAPTURE(i);
    std::string bent = label;
    bent[i] = bent[i] == '1' ? '2' : '1';
    CHECK_FALSE(run::verify_label(bent, key));
    CHECK_FALSE(run::verify_label(label.substr(0, i), key));
    CHECK_FALSE(run::verify_label(label.substr(i + 1), key));
    CHECK_FALSE(run::verify_label(label.substr(0, i) + "-" + label.substr(i), key));
  }
  for (const std::string odd : {"failover-", "failover-a", "failover----", "failover-a-1-1", "failover-a-1-1-", "x",
                                "failover-a-99999999999999999999-1-000000000000", "failover-a--1-1-000000000000",
                                "failover-a-1--1-000000000000"}) {
    CAPTURE(odd);
    CHECK_FALSE(run::verify_label(odd, key));
  }
  for (const std::string more : {" ", "0", "-", "x"}) {
    CHECK_FALSE(run::verify_label(label + more, key));
    CHECK_FALSE(run::verify_label(more + label, key));
  }
  // Signed, and no label that a run of ours would make.
  const auto signed_by_us = [&](const std::string& run, int sequence, std::int64_t second) {
    return run::verify_label(run::make_label(run, sequence, base::WallTime(std::chrono::seconds(second)), key), key);
  };
  CHECK(signed_by_us("r-t", 1, 1));
  CHECK(signed_by_us("r-t", 1'000'000, 9'000'000'000));
  CHECK_FALSE(signed_by_us("r-t", 0, 1));
  CHECK_FALSE(signed_by_us("r-t", 1'000'001, 1));
  CHECK_FALSE(signed_by_us("r-t", 1, 0));
  CHECK_FALSE(signed_by_us("r-t", 1, 9'000'000'001));
  CHECK_FALSE(signed_by_us("r-", 1, 1));
  CHECK_FALSE(signed_by_us("r-" + std::string(60, 't'), 1, 1));
  // The numbers are what they are written as: no zeros in front, no signs, even if somebody could sign them.
  const auto with_mac = [&](const std::string& body) {
    return body + "-" + base::hex(base::hmac_sha256(key.reveal(), body)).substr(0, 12);
  };
  CHECK(run::verify_label(with_mac("failover-t-1-1700000000"), key));
  for (const char* numbers : {"01-1700000000", "1-01700000000", "+1-1700000000", "1-+1700000000", "1-x", "x-1700000000",
                              "1-", "1-1700000000 ", "1-1.7e9", "1-99999999999999999999"}) {
    CAPTURE(numbers);
    CHECK_FALSE(run::verify_label(with_mac(std::string("failover-t-") + numbers), key));
  }
  CHECK(run::looks_ours(label));
  CHECK(run::looks_ours("failover-of-somebody-else"));
  CHECK_FALSE(run::looks_ours("my-failover"));
}
