// The purse, case by case: what is asked before a rental, what traffic and raised prices take, what the books are
// asked.
#include <doctest/doctest.h>

#include <limits>

#include "engine/base/costs.h"
#include "engine/run/charges.h"
#include "engine/run/host.h"

using namespace failover;  // NOLINT(google-build-using-namespace)
using namespace std::chrono_literals;
using base::Money;
using base::Value;

namespace {

constexpr const char* kMachine = "vast.instance";

struct Purse {
  base::FakeClock clock{base::WallTime(std::chrono::seconds(1'800'000'000))};
  base::Redactor redactor;
  event::Stream stream{clock, redactor};
  run::Ledger ledger;
  plugin::Registry registry;
  run::Shared shared{
      stream,           ledger, registry, clock, {"20260101T000000Z-abcdefghij", "t", "live"}, {Money{1'000'000}, 1h},
      base::Secret("k")};
  run::StepHost host{shared, "step"};
  std::vector<event::Event> events;
  struct Recorder final : event::Subscriber {
    explicit Recorder(std::vector<event::Event>& all) : events(all) {}
    void on(const event::Event& event) override { events.push_back(event); }
    std::vector<event::Event>& events;
  } recorder{events};

  Purse() {
    plugin::Kind kind;
    kind.name = kMachine;
    registry.kinds = {kind};
    stream.subscribe(ledger);
    stream.subscribe(recorder);
    (void)stream.emit("run_started", {{"run_id", "r"}});
  }
  static plugin::Intent machine(std::int64_t per_hour) {
    plugin::Intent out;
    out.kind = kMachine;
    out.what = "a machine";
    out.per_hour = Money{per_hour};
    return out;
  }
  // One that is there.
  void rent(const plugin::Intent& intent, const std::string& id) {
    auto name = host.intend(intent);
    REQUIRE(name.ok());
    host.made(*name, {.id = id});
  }
  [[nodiscard]] std::vector<const event::Event*> all(const std::string& type) const {
    std::vector<const event::Event*> out;
    for (const auto& event : events) {
      if (event.type == type) out.push_back(&event);
    }
    return out;
  }
  [[nodiscard]] base::Patience patience() { return {clock, clock.now() + 10s, {}}; }
};

}  // namespace

TEST_CASE("what costs nothing by the hour is never refused for money") {
  Purse purse;
  purse.shared.purse.limit = Money{0};
  CHECK(purse.host.intend(Purse::machine(0)).ok());
  CHECK(purse.host.make_room(Purse::machine(0), purse.patience()).ok());
  CHECK_FALSE(purse.host.intend(Purse::machine(1)).ok());
}

TEST_CASE("an intent says what the report and the purse need of it, and the digest of what is sent") {
  Purse purse;
  auto intent = Purse::machine(100'000);
  intent.per_gb_up = Money{20'000};
  intent.per_gb_down = Money{10'000};
  intent.shared = true;
  intent.request = [](const std::string& name) { return "make " + name; };
  REQUIRE(purse.host.intend(intent).ok());
  const auto intents = purse.all(event::type::intent);
  REQUIRE(intents.size() == 1);
  const auto& data = *intents.front();
  CHECK(data.number("per_hour_usd") == doctest::Approx(0.1));
  CHECK(data.number("per_gb_up_usd") == doctest::Approx(0.02));
  CHECK(data.number("per_gb_down_usd") == doctest::Approx(0.01));
  CHECK(data["shared"] == Value(true));
  CHECK(data.text("request_sha256").size() == 64);
  REQUIRE(purse.host.intend(Purse::machine(100'000)).ok());
  const auto& bare = *purse.all(event::type::intent).back();
  for (const char* name : {"per_gb_up_usd", "per_gb_down_usd", "shared", "request_sha256"}) {
    CAPTURE(name);
    CHECK(bare[name].is_null());
  }
}

TEST_CASE("once the run is closing nothing is made any more, and nobody is asked to make room") {
  Purse purse;
  int asked = 0;
  purse.shared.prove = [&](const base::Patience&) { ++asked; };
  purse.shared.closing = true;
  const auto refused = purse.host.intend(Purse::machine(1));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == "closing");
  CHECK(purse.all(event::type::intent).empty());
  CHECK_FALSE(purse.host.make_room(Purse::machine(2'000'000), purse.patience()).ok());
  CHECK(asked == 0);
}

TEST_CASE("room is made by proving ends, where somebody can and where that decides") {
  Purse purse;
  const auto dear = Purse::machine(2'000'000);
  const auto refused = purse.host.make_room(dear, purse.patience());
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == "limit_cost");
  int asked = 0;
  purse.shared.prove = [&](const base::Patience&) {
    ++asked;
    purse.shared.purse.limit = Money{3'000'000};  // what a proven end does to the purse
  };
  CHECK(purse.host.make_room(Purse::machine(1'000), purse.patience()).ok());
  CHECK(asked == 0);
  CHECK(purse.host.make_room(dear, purse.patience()).ok());
  CHECK(asked == 1);
}

TEST_CASE("an intent that could not be written down was never made, costs nothing, and the run ends for it") {
  struct Full final : event::Sink {
    base::Result<void> append(const event::Event&, bool) override {
      return base::Error{base::Fault::no_space, "full", "the disk is full"};
    }
  } full;
  Purse purse;
  purse.stream.attach(&full);
  const auto refused = purse.host.intend(Purse::machine(900'000));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == "full");
  CHECK(purse.shared.journal_failed);
  CHECK(purse.ledger.open().empty());
  const auto told = purse.all(event::type::refused);
  REQUIRE(told.size() == 1);
  CHECK((*told.front())["certain"] == Value(true));
  // Its money is free for another one.
  purse.stream.attach(nullptr);
  CHECK(purse.host.intend(Purse::machine(900'000)).ok());
}

TEST_CASE("a kind that the registry does not know is reserved without a settle window") {
  Purse purse;
  auto stranger = Purse::machine(500'000);
  stranger.kind = "vast.unheard";
  purse.rent(stranger, "1");
  purse.host.ended("vast.unheard", "1");
  CHECK(purse.host.intend(Purse::machine(990'000)).ok());  // an hour of it: all that is left
  CHECK_FALSE(purse.host.intend(Purse::machine(500'000)).ok());
}

TEST_CASE("traffic: of whom it is, of how much, and what is nobody's") {
  Purse purse;
  auto paid = Purse::machine(100'000);
  paid.per_gb_up = Money{20'000};
  paid.per_gb_down = Money{10'000};
  purse.rent(Purse::machine(100'000), "6");  // moves for nothing
  purse.rent(paid, "7");
  const std::int64_t gigabyte = 1'000'000'000;
  for (const char* machine : {"", "vast", "vast:", "vast:8", "gcp:7", "vast:6"}) {
    CAPTURE(machine);
    purse.host.traffic(machine, gigabyte, gigabyte);
    CHECK(purse.all(event::type::traffic).empty());
  }
  purse.host.traffic("vast:7", -1, 0);
  purse.host.traffic("vast:7", 0, -1);
  // What costs less than a record is worth waits for more.
  for (int i = 0; i < 10; ++i) purse.host.traffic("vast:7:4022", 10, 10);
  CHECK(purse.all(event::type::traffic).empty());
  purse.host.traffic("vast:7:4022", gigabyte, 2 * gigabyte);
  const auto told = purse.all(event::type::traffic);
  REQUIRE(told.size() == 1);
  CHECK(told.front()->number("up_bytes") == gigabyte + 100);
  CHECK(told.front()->number("down_bytes") == 2 * gigabyte + 100);
  CHECK_FALSE(purse.shared.broke);
}

TEST_CASE("traffic above what is left ends the journey once, and not what has begun to close") {
  for (const bool closing : {false, true}) {
    CAPTURE(closing);
    Purse purse;
    auto paid = Purse::machine(100'000);
    paid.per_gb_up = Money{1'000'000};
    purse.rent(paid, "7");
    purse.shared.closing = closing;
    for (int i = 0; i < 2; ++i) purse.host.traffic("vast:7", 5'000'000'000, 0);
    CHECK(purse.shared.broke == !closing);
    CHECK(purse.shared.journey.stop_requested() == !closing);
    CHECK(purse.all(event::type::traffic).size() == 2);
  }
  Purse purse;
  const auto error = run::out_of_money(purse.shared);
  CHECK(error.code == "limit_cost");
  CHECK(error.message.find("$1.00") != std::string::npos);
}

TEST_CASE("a price that rose counts; one that did not, or of another thing, does not") {
  Purse purse;
  purse.rent(Purse::machine(100'000), "7");
  const auto unanswered = purse.host.intend(Purse::machine(100'000));
  REQUIRE(unanswered.ok());
  purse.host.priced("vast.other", "7", Money{200'000});
  purse.host.priced(kMachine, "8", Money{200'000});
  purse.host.priced(kMachine, "", Money{200'000});   // of the one without an answer nothing can be known
  purse.host.priced(kMachine, "7", Money{100'010});  // rounding
  purse.host.priced(kMachine, "7", Money{50'000});
  CHECK(purse.all(event::type::priced).empty());
  purse.host.priced(kMachine, "7", Money{200'000});
  CHECK(purse.all(event::type::priced).size() == 1);
  CHECK_FALSE(purse.shared.broke);
  purse.host.priced(kMachine, "7", Money{900'001});
  CHECK(purse.shared.broke);
}

TEST_CASE("the books are asked for what was rented and has an id, and no other kind's") {
  Purse purse;
  plugin::Kind key;  // has no books
  key.name = "vast.ssh_key";
  purse.registry.kinds.push_back(key);
  plugin::Kind other;
  other.name = "gcp.instance";
  std::vector<std::string> asked;
  const auto books = [&](const std::vector<plugin::Held>& held, const plugin::Context&) {
    for (const auto& one : held) asked.push_back(one.kind + " " + one.id);
    return base::Result<std::vector<plugin::Charge>>(std::vector<plugin::Charge>{});
  };
  other.charges = books;
  purse.registry.kinds.push_back(other);
  purse.registry.kinds.front().charges = books;
  purse.rent(Purse::machine(100'000), "7");
  purse.rent(Purse::machine(0), "free");
  const auto refused = purse.host.intend(Purse::machine(100'000));
  REQUIRE(refused.ok());
  purse.host.refused(*refused, {base::Fault::refused, "no", "no"});
  REQUIRE(purse.host.intend(Purse::machine(100'000)).ok());  // never answered: no id
  auto elsewhere = Purse::machine(100'000);
  elsewhere.kind = "gcp.instance";
  purse.rent(elsewhere, "9");
  run::read_charges(purse.shared, purse.patience());
  CHECK(asked == std::vector<std::string>{"vast.instance 7", "gcp.instance 9"});
  CHECK(purse.all(event::type::charges).size() == 2);
}

TEST_CASE("sums of money saturate at both ends") {
  const Money most{std::numeric_limits<std::int64_t>::max()};
  const Money least{std::numeric_limits<std::int64_t>::min()};
  CHECK(base::sum_of(most, Money{1}) == most);
  CHECK(base::sum_of(least, Money{-1}) == least);
  CHECK(base::sum_of(most, least) == Money{-1});
  CHECK(base::traffic_cost(Money{-1}, 5) == Money{0});
  CHECK(base::traffic_cost(Money{1}, -5) == Money{0});
}
