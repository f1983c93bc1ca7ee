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
  const auto refused = [&](const char* name, double usd, const char* fault = "no_offer") {
    const Value error(Value::Map{{"fault", fault}});
    REQUIRE(
        bench.stream
            .emit(event::type::intent, {{"name", name}, {"kind", "t.machine"}, {"step", "a"}, {"per_hour_usd", usd}})
            .ok());
    REQUIRE(bench.stream.emit(event::type::refused, {{"name", name}, {"kind", "t.machine"}, {"error", error}}).ok());
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
  bench.clock.advance(45s);
  CHECK(bench.clean().left.empty());
  CHECK(looks == 1);  // of the first one

  refused("x", 0.5);
  there = {{"xx", "7"}, {"another", "8"}};
  const auto begin = bench.clock.now();
  down = 2;
  CHECK(bench.clean().left.empty());
  CHECK(bench.clock.now() - begin >= 45s);
  CHECK(bench.clock.now() - begin < 50s);
  CHECK(looks == 1 + 2 + 2);  // at the beginning, and when it has to be seen
  CHECK(bench.undone.empty());

  there.emplace_back("x", "9");
  CHECK(bench.clean().released == 1);
  CHECK(bench.undone == std::vector<std::string>{"9"});

  refused("y", 0.5);
  down = 1'000'000;
  const auto result = bench.clean();
  REQUIRE_FALSE(result.left.empty());
  CHECK(result.left.back().name == "y");
}
