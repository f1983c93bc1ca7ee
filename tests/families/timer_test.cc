// The last wall: a machine that ends itself, with every other wall absent.
#include "steps/client/vast_timer.h"
#include "tests/families/yard.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)

namespace {

client::Order order(Yard& yard) {
  client::OfferQuery query;
  query.gpu_name = "RTX 4090";
  query.disk = {10'000'000'000};
  const auto offers = yard.services->vast->search(query, yard.context());
  REQUIRE(offers.ok());
  REQUIRE_FALSE(offers->empty());
  return {offers->front(), "ubuntu:22.04", {10'000'000'000}, ""};
}

}  // namespace

TEST_CASE("a machine whose runner never returns destroys itself at its deadline") {
  Yard yard;
  yard.host.set_deadline(yard.clock.wall() + 2s);
  const auto rented = yard.services->vast->create(order(yard), yard.context());
  REQUIRE_MESSAGE(rented.ok(), (rented.ok() ? std::string() : rented.error().line()));
  // Nobody of ours says anything from here on but to ask what is there.
  const auto billed = [&](std::size_t wanted) {
    return yard.context().poll(1s, [&]() -> base::Result<std::optional<bool>> {
      auto listed = yard.services->vast->list(yard.context());
      if (!listed) return std::move(listed).error();
      return listed->size() == wanted ? std::optional<bool>(true) : std::nullopt;
    });
  };
  const auto there = billed(1);
  REQUIRE_MESSAGE(there.ok(), (there.ok() ? std::string() : there.error().line()));
  const auto gone = billed(0);
  CHECK_MESSAGE(gone.ok(), (gone.ok() ? std::string() : gone.error().line()));
  CHECK(yard.clock.wall() > yard.host.run().deadline);
}

TEST_CASE("the timer holds no secret, fits into a start script, and quotes the address") {
  const auto script = client::vast::end_script("https://console.vast.ai/o'clock $(x)", 90min);
  CHECK(script.size() < 2048);
  CHECK(base::contains(script, "5400"));
  CHECK(base::contains(script, R"('https://console.vast.ai/o'\''clock $(x)')"));
  CHECK_FALSE(base::contains(script, "SECONDS_LEFT"));
  CHECK_FALSE(base::contains(script, "API_URL"));
  // A deadline that has passed already still leaves a second to start in.
  CHECK(base::contains(client::vast::end_script("u", -5min), "+ 1 ))"));
}
