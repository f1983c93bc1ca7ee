// What the cleanup makes of a no to a create: a request may have arrived twice (plugin::Kind::shows).
#include "tests/run/cleanup_bench.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)
using base::Value;

TEST_CASE("a no is the last word only when nothing stands there under its name") {
  Bench bench;
  std::vector<std::pair<std::string, std::string>> there;  // names and ids
  int looks = 0;
  int down = 0;  // looks that fail
  const auto refused = [&](const char* name, double usd, const char* fault = "no_offer", bool certain = false) {
    const Value error(Value::Map{{"fault", fault}});
    REQUIRE(
        bench.stream
            .emit(event::type::intent, {{"name", name}, {"kind", "t.machine"}, {"step", "a"}, {"per_hour_usd", usd}})
            .ok());
    REQUIRE(
        bench.stream
            .emit(event::type::refused, {{"name", name}, {"kind", "t.machine"}, {"certain", certain}, {"error", error}})
            .ok());
  };
  bench.registry.kinds[0].find = [&](const plugin::Context&) -> base::Result<plugin::Found> {
    ++looks;
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
  refused("any", 0.5);
  CHECK(bench.clean().attempted == 0);
  CHECK(looks == 0);  // such a kind is believed

  bench.registry.kinds[0].shows = 45s;
  refused("free", 0);
  refused("not allowed", 0.5, "auth");
  refused("not sent", 0.5, "unavailable", true);
  bench.clock.advance(45s);
  CHECK(bench.clean().left.empty());
  CHECK(looks == 2);  // for the first one
  CHECK(bench.clean().left.empty());
  CHECK(looks == 2);  // the journal knows that it is not there

  refused("x", 0.5);
  there = {{"xx", "7"}, {"another", "8"}};
  const auto begin = bench.clock.now();
  down = 2;
  CHECK(bench.clean().left.empty());
  CHECK(bench.clock.now() - begin >= 47s);
  CHECK(bench.clock.now() - begin < 52s);
  CHECK(looks == 2 + 2 + 3);  // at the beginning, when it has to be seen, and once more
  CHECK(bench.undone.empty());

  refused("z", 0.5);
  there.emplace_back("z", "9");
  const auto given_back = bench.clean();
  CHECK(given_back.released == 1);
  CHECK(given_back.attempted == 1);
  CHECK(bench.undone == std::vector<std::string>{"9"});

  refused("y", 0.5);
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
