// What the cleanup makes of a no to a create: a request may have arrived twice (plugin::Kind::shows).
#include <functional>

#include "engine/base/text.h"
#include "tests/run/cleanup_bench.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)
using base::Value;

namespace {

struct Refusals : Bench {
  std::vector<std::pair<std::string, std::string>> there{};  // names and ids
  int looks = 0;
  int down = 0;                    // looks that fail
  std::function<void()> looked{};  // after each

  Refusals() {
    registry.kinds[0].find = [this](const plugin::Context&) -> base::Result<plugin::Found> {
      ++looks;
      if (looked) looked();
      if (down-- > 0) return base::Error{base::Fault::unavailable, "down", "down"};
      plugin::Found out;
      for (const auto& [name, id] : there) {
        plugin::Held held;
        held.kind = "t.machine";
        held.name = name;
        held.id = id;
        out.things.push_back(std::move(held));
      }
      return out;
    };
  }

  void refused(const char* name, double usd, const char* fault = "no_offer", bool certain = false,
               const char* kind = "t.machine") {
    const Value error(Value::Map{{"fault", fault}});
    const Value::Map intent{{"name", name}, {"kind", kind}, {"step", "a"}, {"per_hour_usd", usd}};
    REQUIRE(stream.emit(event::type::intent, intent).ok());
    const Value::Map said{{"name", name}, {"kind", kind}, {"certain", certain}, {"error", error}};
    REQUIRE(stream.emit(event::type::refused, said).ok());
  }
};

}  // namespace

TEST_CASE("a no is the last word only when nothing stands there under its name") {
  Refusals bench;
  int& looks = bench.looks;
  int& down = bench.down;
  auto& there = bench.there;
  bench.refused("any", 0.5);
  CHECK(bench.clean().attempted == 0);
  CHECK(looks == 0);  // such a kind is believed

  bench.registry.kinds[0].shows = 45s;
  bench.refused("free", 0);
  bench.refused("not allowed", 0.5, "auth");
  bench.refused("not sent", 0.5, "unavailable", true);
  bench.clock.advance(45s);
  CHECK(bench.clean().left.empty());
  CHECK(looks == 2);  // for the first one
  CHECK(bench.clean().left.empty());
  CHECK(looks == 2);  // the journal knows that it is not there

  bench.refused("x", 0.5);
  there = {{"xx", "7"}, {"another", "8"}};
  const auto begin = bench.clock.now();
  down = 2;
  CHECK(bench.clean().left.empty());
  CHECK(bench.clock.now() - begin >= 47s);
  CHECK(bench.clock.now() - begin < 52s);
  CHECK(looks == 2 + 2 + 3);  // at the beginning, when it has to be seen, and once more
  CHECK(bench.undone.empty());

  bench.refused("z", 0.5);
  there.emplace_back("z", "9");
  const auto given_back = bench.clean();
  CHECK(given_back.released == 1);
  CHECK(given_back.attempted == 1);
  CHECK(bench.undone == std::vector<std::string>{"9"});

  bench.refused("y", 0.5);
  down = 1'000'000;
  SUBCASE("nobody can look") {}
  SUBCASE("nobody here may look, and does not wait for it") { bench.options.barred = {"t.machine"}; }
  const auto before = bench.clock.now();
  const auto result = bench.clean();
  CHECK((bench.clock.now() == before) == !bench.options.barred.empty());
  REQUIRE(result.left.size() == 1);
  CHECK(result.left.back().name == "y");
  REQUIRE(bench.ledger.find("y"));
  CHECK(bench.ledger.find("y")->state == run::State::unclear);  // whoever comes next looks for it
}

TEST_CASE("the two looks at what was refused are 2 s apart, whoever else is looked for between them") {
  Refusals bench;
  bench.registry.kinds[0].shows = 45s;
  std::vector<base::Instant> times;
  bench.looked = [&] { times.push_back(bench.clock.now()); };
  const auto begin = bench.clock.now();
  bench.refused("a", 0.5);
  bench.clock.advance(1s);
  bench.refused("b", 0.5);
  CHECK(bench.clean().left.empty());
  REQUIRE(times.size() >= 4);
  for (std::size_t i = 1; i < times.size(); ++i) CHECK(times[i] > times[i - 1]);
  CHECK(bench.clock.now() - begin >= 48s);
  CHECK(bench.clock.now() - begin < 52s);
  for (const char* name : {"a", "b"}) CHECK_FALSE(bench.ledger.find(name)->denied);
}

TEST_CASE("who stops between the two looks is told that one is missing, and the next one finds out") {
  enum class Next { nothing_there, late, may_not_look };
  for (const bool after_the_first : {true, false}) {
    for (const Next next : {Next::nothing_there, Next::late, Next::may_not_look}) {
      CAPTURE(after_the_first);
      CAPTURE(static_cast<int>(next));
      Refusals bench;
      bench.registry.kinds[0].shows = 45s;
      bench.refused("a", 0.5);
      bench.clock.advance(45s);
      if (!after_the_first) bench.stop.request_stop();
      bench.looked = [&] { bench.stop.request_stop(); };
      const auto stopped = bench.clean();
      REQUIRE(stopped.left.size() == 1);
      CHECK(base::contains(stopped.left[0].why, "only one of two looks") == after_the_first);
      CHECK(bench.looks == (after_the_first ? 1 : 0));
      CHECK(bench.ledger.find("a")->state == run::State::unclear);
      CHECK(bench.ledger.doubted().size() == 1);

      // The next one. Where nothing was made nothing is given back.
      bench.stop = {};
      bench.options.watch = 10min;
      bench.looked = nullptr;
      if (next == Next::may_not_look) bench.options.barred = {"t.machine"};
      if (next == Next::may_not_look) bench.down = 1'000'000;
      const auto begin = bench.clock.now();
      if (next == Next::late) {
        bench.looked = [&] {
          if (bench.clock.now() - begin > 100s) bench.there = {{"a", "9"}};
        };
      }
      const auto result = bench.clean();
      CHECK(result.left.size() == (next == Next::may_not_look ? 1 : 0));
      CHECK(result.attempted == (next == Next::nothing_there ? 0 : 1));
      CHECK(result.released == (next == Next::late ? 1 : 0));
      const auto state = bench.ledger.find("a")->state;
      if (next == Next::nothing_there) {
        CHECK(state == run::State::refused);
        CHECK_FALSE(bench.ledger.find("a")->denied);
        CHECK(bench.looks > 5);  // whatever comes late is seen soon
        CHECK(bench.clock.now() - begin < 300s);
      } else {
        CHECK(state == (next == Next::late ? run::State::released : run::State::unclear));
      }
      CHECK(bench.undone == (next == Next::late ? std::vector<std::string>{"9"} : std::vector<std::string>{}));
    }
  }
}

TEST_CASE("a start that has 30 s and watches for nothing finds out what was refused long ago, and ends what it finds") {
  for (const bool there : {false, true}) {
    for (const auto listing : {0s, 31s}) {
      CAPTURE(there);
      CAPTURE(listing.count());
      Refusals bench;
      bench.registry.kinds[0].shows = 45s;
      bench.refused("a", 0.5);
      bench.stop.request_stop();
      REQUIRE(bench.clean().left.size() == 1);
      bench.stop = {};
      bench.clock.advance(72h);
      bench.options.patience = 30s;
      bench.options.watch = 0s;
      if (there) bench.there = {{"a", "9"}};
      bench.looked = [&] { bench.clock.advance(listing); };
      const auto result = bench.clean();
      CHECK(result.left.size() == (there || listing == 0s ? 0 : 1));  // no time is left for a second look
      CHECK(bench.undone.size() == (there ? 1 : 0));
    }
  }
}

TEST_CASE("what cannot be looked for is not waited for; a shortened window shortens the wait") {
  Refusals bench;
  bench.registry.kinds[0].shows = 45s;
  bench.options.settle = 5s;
  plugin::Kind other;
  other.name = "t.other";
  other.shows = 45s;
  bench.registry.kinds.push_back(std::move(other));
  bench.refused("a", 0.5, "no_offer", false, "t.other");
  bench.refused("from a later version", 0.5, "no_offer", false, "t.unheard");
  const auto begin = bench.clock.now();
  CHECK(bench.clean().left.empty());
  CHECK(bench.clock.now() == begin);
  bench.refused("b", 0.5);
  CHECK(bench.clean().left.empty());
  CHECK(bench.clock.now() - begin < 10s);
  CHECK(bench.looks > 0);
}
