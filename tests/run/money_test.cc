// leak-safety.md, "Money", sentence by sentence, on a scripted world; and the providers' books beside our own count.
#include <doctest/doctest.h>

#include "engine/base/text.h"
#include "engine/report/report.h"
#include "engine/run/charges.h"
#include "tests/run/scripted.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)
using base::Money;
using base::Value;

namespace {

struct Bench {
  base::FakeClock clock{base::WallTime(std::chrono::seconds(1'800'000'000))};
  World world{clock};
  Played play(const std::string& yaml) { return testing::play(world, clock, {.yaml = "name: t\n" + yaml}); }
};

report::Report fold(const std::vector<event::Event>& events) {
  report::Folder folder;
  for (const auto& event : events) folder.on(event);
  return folder.report();
}

// A run's stream and ledger with one kind of thing that has books.
struct Books {
  base::FakeClock clock{base::WallTime(std::chrono::seconds(1'800'000'000))};
  base::Redactor redactor;
  event::Stream stream{clock, redactor};
  run::Ledger ledger;
  report::Folder folded;
  plugin::Registry registry;
  int asked = 0;
  std::function<base::Result<std::vector<plugin::Charge>>()> answer;
  run::Shared shared{
      stream,           ledger, registry, clock, {"20260101T000000Z-abcdefghij", "t", "live"}, {Money{1'000'000}, 1h},
      base::Secret("k")};

  Books() {
    plugin::Kind kind;
    kind.name = "vast.instance";
    kind.charges = [this](const std::vector<plugin::Held>& held, const plugin::Context&) {
      ++asked;
      for (const auto& one : held) CHECK_FALSE(one.id.empty());
      return answer();
    };
    registry.kinds = {kind};
    stream.subscribe(ledger);
    stream.subscribe(folded);
    (void)stream.emit("run_started", {{"run_id", "r"}, {"scenario", "t"}, {"target", "live"}});
  }
  void rent(const std::string& name, const std::string& id) {
    Value::Map data{{"name", name}, {"kind", "vast.instance"}, {"per_hour_usd", Money{360'000}}};
    data.emplace("per_gb_up_usd", Money{20'000});
    data.emplace("per_gb_down_usd", Money{10'000});
    (void)stream.emit("intent", std::move(data));
    if (!id.empty()) (void)stream.emit("made", {{"name", name}, {"kind", "vast.instance"}, {"id", id}});
  }
  void end() { (void)stream.emit("run_finished", {{"verdict", "passed"}, {"exit_code", 0}}); }
  void read() { run::read_charges(shared, base::Patience(clock, clock.now() + 10s, {})); }
};

}  // namespace

TEST_CASE("before each rental: spent, and what is held until its deadline, and this one, within the limit") {
  Bench bench;
  // $0.60/h, 1 h and 2 min of margin. 30 min on a are $0.30; b may cost $0.32 more until the end.
  const std::string steps =
      "steps:\n  - {id: a, uses: t.rent, with: {price: $0.60}}\n  - {uses: t.wait, with: {time: 30m}, timeout: 40m}\n"
      "  - {uses: t.give_back, with: {machine: '${{ steps.a.id }}'}}\n"
      "  - {id: b, uses: t.rent, with: {price: $0.60}}\n";
  SUBCASE("to the cent") { CHECK(bench.play("limits: {cost: $0.62, duration: 1h}\n" + steps).outcome.exit_code == 0); }
  SUBCASE("one millionth short: what is spent counts") {
    const auto played = bench.play("limits: {cost: $0.619999, duration: 1h}\n" + steps);
    REQUIRE(played.outcome.error);
    CHECK(played.outcome.error->code == "limit_cost");
    CHECK(bench.world.created == 0);  // a alone could cost $0.62 until the end
  }
  SUBCASE("what is spent stays spent") {
    const auto played = bench.play("limits: {cost: $0.62, duration: 1h}\n" + steps +
                                   "  - {uses: t.give_back, with: {machine: '${{ steps.b.id }}'}}\n"
                                   "  - {id: c, uses: t.rent, with: {price: $0.600001}}\n");
    REQUIRE(played.outcome.error);
    CHECK(played.outcome.error->code == "limit_cost");
    CHECK(bench.world.created == 2);
    CHECK(bench.world.all().empty());
  }
}

TEST_CASE("a machine whose end is not proven keeps what its settle window may cost") {
  Bench bench;
  const std::string yaml =
      "limits: {cost: $0.62, duration: 1h}\n"
      "steps:\n  - {id: a, uses: t.rent, with: {price: $0.60}}\n"
      "  - {uses: t.give_back, with: {machine: '${{ steps.a.id }}'}}\n"
      "  - {id: b, uses: t.rent, with: {price: $0.60}}\n";
  SUBCASE("it is proven before the next rental, where that one needs the money") {
    const auto played = bench.play(yaml);
    CHECK(played.outcome.exit_code == 0);
    REQUIRE(played.entries.size() == 2);
    REQUIRE(played.entries[0].proven);
    CHECK(*played.entries[0].proven <= played.entries[1].since);
  }
  SUBCASE("where it cannot be, nothing is rented") {
    bench.world.anomaly = Anomaly::unavailable;
    bench.world.anomaly_at = 3;  // created, destroyed, and the look that would prove it
    const auto played = bench.play(yaml);
    REQUIRE(played.outcome.error);
    CHECK(played.outcome.error->code == "limit_cost");
    CHECK(played.outcome.exit_code == 3);
    CHECK(bench.world.created == 1);
  }
  SUBCASE("no look is taken where there is enough") {
    CHECK(bench.play("limits: {cost: $2, duration: 1h}\n" + yaml.substr(yaml.find("steps"))).outcome.exit_code == 0);
    CHECK(bench.world.calls == 5);  // two created, one destroyed, and the cleanup's two
  }
}

TEST_CASE("a counter-proof that the money's end breaks proves nothing, nor does a check that fails then") {
  Bench bench;
  const std::string head =
      "limits: {cost: $0.62, duration: 1h}\n"
      "steps:\n  - {id: a, uses: t.rent, with: {price: $0.30, per_gb: $0.10}}\n";
  const std::string move = "uses: t.move, with: {machine: '${{ steps.a.id }}', bytes: 5GB}";
  SUBCASE("a group") {
    const auto played = bench.play(head + "  - id: g\n    must_fail: true\n    steps:\n      - {" + move +
                                   "}\n      - {uses: t.wait}\n");
    CHECK(played.outcome.exit_code == 3);
    REQUIRE(played.outcome.error);
    CHECK(played.outcome.error->code == "limit_cost");
    const auto statuses = played.statuses();
    CHECK(std::count(statuses.begin(), statuses.end(), "g:passed") == 0);
  }
  SUBCASE("the whole scenario") {
    const auto played =
        bench.play("must_fail: true\n" + head + "  - {id: m, " + move + ", assert: [\"elapsed > duration('5h')\"]}\n");
    CHECK(played.outcome.exit_code == 3);
    REQUIRE(played.outcome.error);
    CHECK(played.outcome.error->code == "limit_cost");
  }
}

TEST_CASE("what runs because the journey has ended ends within the time that the purse keeps") {
  Bench bench;
  const auto played = bench.play(
      "limits: {cost: $1, duration: 10m}\n"
      "steps:\n  - {id: a, uses: t.rent}\n  - {id: w, uses: t.wait, with: {time: 9m}, timeout: 10m}\n"
      "finally:\n  - {id: f, uses: t.wait, with: {time: 30m}, timeout: 40m}\n  - {id: g, uses: t.wait}\n");
  CHECK(played.outcome.exit_code == 3);
  REQUIRE(played.entries.size() == 1);
  REQUIRE(played.entries[0].until);
  CHECK(*played.entries[0].until <= 12min);
  CHECK(*played.entries[0].until > 11min);
}

TEST_CASE("traffic that takes more than is left ends the journey, and everything is given back") {
  Bench bench;
  // $0.31 until the end, so $0.31 are left for traffic.
  const auto play = [&](const std::string& more) {
    return bench.play(
        "limits: {cost: $0.62, duration: 1h}\n"
        "steps:\n  - {id: a, uses: t.rent, with: {price: $0.30, per_gb: $0.10}}\n"
        "  - {id: first, uses: t.move, with: {machine: '${{ steps.a.id }}', bytes: 3GB}}\n" +
        more +
        "  - {id: after, uses: t.wait, with: {time: 1m}}\n"
        "finally:\n  - {id: last, uses: t.wait, with: {time: 1s}}\n");
  };
  SUBCASE("what fits") { CHECK(play("").outcome.exit_code == 0); }
  SUBCASE("what does not") {
    const auto played = play("  - {id: second, uses: t.move, with: {machine: '${{ steps.a.id }}', bytes: 200MB}}\n");
    REQUIRE(played.outcome.error);
    CHECK(played.outcome.error->code == "limit_cost");
    CHECK(base::contains(played.outcome.error->message, "traffic"));
    CHECK(played.outcome.verdict == "error");
    CHECK(played.outcome.exit_code == 3);
    CHECK(bench.world.all().empty());
    CHECK(played.statuses() == std::vector<std::string>{"a:passed", "first:passed", "second:passed", "last:passed"});
  }
  SUBCASE("side by side, all of it ends") {
    const auto played = play(
        "  - branches:\n"
        "      moves: [{id: m, uses: t.move, with: {machine: '${{ steps.a.id }}', bytes: 200MB}},"
        " {id: n, uses: t.wait, with: {time: 30m}}]\n"
        "      waits: [{id: w, uses: t.wait, with: {time: 30m}, timeout: 40m}]\n");
    REQUIRE(played.outcome.error);
    CHECK(played.outcome.error->code == "limit_cost");
    CHECK(bench.world.all().empty());
    CHECK(base::contains(fold(played.events).verdict, "error"));
  }
}

TEST_CASE("losers of a race and attempts that failed or were never answered are counted") {
  SUBCASE("losers") {
    static base::SystemClock real;
    World world(real);
    const auto played = testing::play(world, real, {.yaml = R"(name: t
limits: {cost: $10, duration: 1h}
steps:
  - wait: first
    branches:
      quick: [{id: a, uses: t.rent, with: {price: $3.60}}, {uses: t.wait, with: {time: 20ms}}]
      slow: [{id: b, uses: t.rent, with: {price: $3.60}}, {uses: t.wait, with: {time: 20s}}]
)"});
    CHECK(played.outcome.exit_code == 0);
    const auto report = fold(played.events);
    REQUIRE(report.resources.size() == 2);
    for (const auto& one : report.resources) CHECK(report.cost(one) > 0);
    CHECK(report.total_cost() == doctest::Approx(report.cost(report.resources[0]) + report.cost(report.resources[1])));
  }
  SUBCASE("an answer that was lost") {
    Bench bench;
    bench.world.anomaly = Anomaly::reply_lost;
    bench.world.anomaly_at = 1;
    const auto played = bench.play("steps:\n  - {id: a, uses: t.rent, with: {price: $0.36}}\n");
    CHECK(played.outcome.exit_code == 3);
    const auto report = fold(played.events);
    REQUIRE(report.resources.size() == 1);
    CHECK(report.cost(report.resources[0]) > 0);
  }
  SUBCASE("but not what the provider refused") {
    Bench bench;
    bench.world.anomaly = Anomaly::refused;
    bench.world.anomaly_at = 1;
    CHECK(fold(bench.play("steps:\n  - {id: a, uses: t.rent}\n").events).total_cost() == 0);
  }
}

TEST_CASE("traffic is counted where it is billed, in the purse and in the report") {
  Books books;
  books.rent("m", "7");
  run::StepHost host(books.shared, "s");
  host.traffic("vast:7", 500'000'000, 1'000'000'000);  // $0.01 up, $0.01 down
  host.traffic("vast:7:proxy", 0, 100'000'000);        // the same machine by another way: $0.001
  host.traffic("vast:8", 900'000'000'000, 0);          // somebody else's
  host.traffic("other:7", 900'000'000'000, 0);
  host.traffic("", 900'000'000'000, 0);
  CHECK(books.ledger.spent(base::Duration::zero(), [](const std::string&) { return base::Duration(0); }) ==
        Money{21'000});
  const auto& report = books.folded.report();
  CHECK(report::Report::traffic_cost(report.resources[0]) == doctest::Approx(0.021));
  CHECK(report.total_cost() == doctest::Approx(0.021));
  // Commands that move next to nothing write no records, and are not forgotten.
  const auto entry = [&] { return books.ledger.entries().at(0); };
  const std::int64_t before = entry().up;
  for (int i = 0; i < 100; ++i) host.traffic("vast:7", 1'000, 0);
  CHECK(entry().up == before);
  host.traffic("vast:7", 10'000'000, 0);
  CHECK(entry().up == before + 10'100'000);
}

TEST_CASE("traffic of many steps adds up, however little each of them moves") {
  Books books;
  books.rent("m", "7");
  for (int step = 0; step < 100; ++step) {
    run::StepHost host(books.shared, "s[" + std::to_string(step) + "]");
    host.traffic("vast:7", 40'000, 0);  // $0.0000008
  }
  // $0.00008 in all; less than a record's worth may not be told yet.
  CHECK(books.ledger.entries().at(0).up > 3'800'000);
  CHECK(books.folded.report().total_cost() == doctest::Approx(0.00008).epsilon(0.05));
}

TEST_CASE("the purse knows of traffic: what was moved is not there for the next machine") {
  Books books;
  books.rent("m", "7");
  (void)books.stream.emit("ended", {{"name", "m"}, {"kind", "vast.instance"}, {"id", "7"}});
  run::StepHost host(books.shared, "s");
  CHECK(host.intend({.kind = "vast.instance", .what = "fits", .per_hour = Money{990'000}}).ok());
  Books used;
  used.rent("m", "7");
  run::StepHost other(used.shared, "s");
  other.traffic("vast:7", 1'000'000'000, 0);  // $0.02
  (void)used.stream.emit("ended", {{"name", "m"}, {"kind", "vast.instance"}, {"id", "7"}});
  const auto refused = other.intend({.kind = "vast.instance", .what = "does not", .per_hour = Money{990'000}});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == "limit_cost");
}

TEST_CASE(
    "a price that rose after the search counts from the rental on, and ends the journey where it takes too much") {
  Books books;
  books.rent("m", "7");
  run::StepHost host(books.shared, "s");
  const auto price = [&] { return books.ledger.entries().at(0).per_hour; };
  host.priced("vast.instance", "7", Money{360'005});     // a rounding
  host.priced("vast.instance", "7", Money{100'000});     // what was reserved is more
  host.priced("vast.instance", "8", Money{90'000'000});  // somebody else's
  host.priced("other.instance", "7", Money{90'000'000});
  CHECK(price() == Money{360'000});
  host.priced("vast.instance", "7", Money{540'000});
  CHECK(price() == Money{540'000});
  CHECK_FALSE(books.shared.broke);
  books.clock.advance(30min);
  books.end();
  CHECK(books.folded.report().total_cost() == doctest::Approx(0.27));
  // $0.73 are left, and the other half hour costs more now.
  host.priced("vast.instance", "7", Money{2'400'000});
  CHECK(books.shared.broke);
  CHECK(books.shared.journey.stop_requested());
  CHECK(run::out_of_money(books.shared).code == "limit_cost");
  (void)books.stream.emit("ended", {{"name", "m"}, {"kind", "vast.instance"}, {"id", "7"}});
  host.priced("vast.instance", "7", Money{9'000'000});  // its meter has stopped
  CHECK(price() == Money{2'400'000});
}

TEST_CASE("a price that is too large for the sums is above every limit") {
  Books books;
  run::StepHost host(books.shared, "s");
  const Money most{std::numeric_limits<std::int64_t>::max()};
  for (int i = 0; i < 3; ++i) {
    const auto refused = host.intend({.kind = "vast.instance", .what = "dear", .per_hour = most});
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code == "limit_cost");
  }
}

TEST_CASE("the provider's charges: listed, listed in part, not listed, not readable") {
  Books books;
  books.rent("m", "7");
  books.rent("n", "8");
  books.rent("lost", "");  // no answer told its id: nothing to ask for
  books.clock.advance(100s);
  books.end();
  const auto charges = [&] { return books.folded.report().charges.at("vast.instance"); };
  SUBCASE("all") {
    books.answer = [] {
      return std::vector<plugin::Charge>{{"8", Money{2'000}, Money{1'000}, Money{500}, Money{500}},
                                         {"7", Money{9'000}}};
    };
    books.read();
    CHECK(books.asked == 1);
    CHECK(charges().asked == 2);
    CHECK(charges().usd() == doctest::Approx(0.011));
    CHECK(charges().lines.at(1).storage_usd == doctest::Approx(0.0005));
    CHECK(charges().error.empty());
  }
  SUBCASE("one is missing; a stranger's line is not ours") {
    books.answer = [] { return std::vector<plugin::Charge>{{"7", Money{9'000}}, {"99", Money{5'000'000}}}; };
    books.read();
    CHECK(charges().lines.size() == 1);
    CHECK(charges().usd() == doctest::Approx(0.009));
  }
  SUBCASE("not listed yet, then listed, then out of order: what was read stays") {
    books.answer = [] { return std::vector<plugin::Charge>{}; };
    books.read();
    CHECK(charges().lines.empty());
    books.answer = [] { return std::vector<plugin::Charge>{{"7", Money{9'000}}}; };
    books.clock.advance(1h);
    books.read();
    const auto read_at = charges().read_at;
    CHECK(charges().lines.size() == 1);
    books.answer = []() -> base::Result<std::vector<plugin::Charge>> {
      return base::Error{base::Fault::auth, "no_permission", "may not", "needs billing_read"};
    };
    books.clock.advance(1h);
    books.read();
    CHECK(charges().lines.size() == 1);
    CHECK(charges().read_at == read_at);
    CHECK(charges().error == "may not");
  }
  // None of it changes the run.
  const auto& report = books.folded.report();
  CHECK(report.verdict == "passed");
  CHECK(report.exit_code == 0);
  CHECK(base::seconds(report.duration) == doctest::Approx(100));
}

TEST_CASE("when nothing was rented nothing is asked") {
  Books books;
  books.answer = [] { return std::vector<plugin::Charge>{}; };
  books.end();
  books.read();
  CHECK(books.asked == 0);
  CHECK(books.folded.report().charges.empty());
}
