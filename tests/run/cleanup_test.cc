// Giving back, thing by thing: what proves an end, how long an unanswered one is watched, what is said meanwhile; and
// the same from nothing but an account's labels.
#include "engine/base/text.h"
#include "engine/run/expired.h"
#include "tests/run/cleanup_bench.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)
using namespace std::chrono_literals;
using base::Value;

TEST_CASE("nothing open: nothing is asked, and it says so") {
  Bench bench;
  const auto result = bench.clean();
  CHECK(result.attempted == 0);
  CHECK(result.released == 0);
  CHECK(result.left.empty());
  CHECK(bench.undone.empty());
  CHECK(bench.count(event::type::cleanup_finished) == 1);
  CHECK(bench.shared.closing);
}

TEST_CASE("newest first; one request for all of them comes before the orderly rest, none for a single one") {
  Bench bench;
  bench.made("x", "1");
  CHECK(bench.clean().released == 1);
  CHECK(bench.hurried.empty());
  bench.made("y", "2");
  bench.made("z", "3");
  bench.intent("w");  // not known to exist: not in the request
  bench.clock.advance(400s);
  CHECK(bench.clean().released == 3);
  CHECK(bench.hurried == std::vector<std::string>{"3", "2"});
  CHECK(bench.undone == std::vector<std::string>{"1", "w", "3", "2"});
}

TEST_CASE("at once: one request for whatever is known, and nothing is proven by it") {
  Bench bench;
  plugin::Kind key;  // has no such request
  key.name = "t.key";
  bench.registry.kinds.push_back(std::move(key));
  run::ask_for_the_end(bench.shared, {});
  CHECK(bench.hurried.empty());
  bench.made("x", "1");
  bench.made("k", "9", "t.key");
  run::ask_for_the_end(bench.shared, {});
  CHECK(bench.hurried == std::vector<std::string>{"1"});
  CHECK(bench.ledger.open().size() == 2);
  CHECK(bench.undone.empty());
}

TEST_CASE("a failure is tried again until it is proven, and journaled once for the same words") {
  Bench bench;
  bench.made("x", "1");
  bench.failures = 4;
  const auto begin = bench.clock.now();
  const auto result = bench.clean();
  CHECK(result.released == 1);
  CHECK(bench.undone.size() == 5);
  CHECK(bench.count(event::type::cleanup_failed) == 1);
  CHECK(bench.clock.now() - begin > 15s);  // 3, 4.5, 6.75 and 10.125 s, each up to a quarter more or less
  CHECK(bench.clock.now() - begin < 60s);
  REQUIRE_FALSE(bench.told.empty());
  CHECK(bench.told[0] == "still held: t.machine 1: the world is down");
  CHECK(bench.told[1] == "  by hand: end-it 1");
}

TEST_CASE("patience ends: what is left is named with its reason and the way by hand; people hear of it once a minute") {
  Bench bench;
  bench.made("x", "1");
  bench.failures = 1'000;
  bench.options.patience = 10min;
  const auto result = bench.clean();
  REQUIRE(result.left.size() == 1);
  CHECK(result.left[0].id == "1");
  CHECK(result.left[0].why == "the world is down");
  CHECK(result.left[0].by_hand == "end-it 1");
  CHECK(result.attempted == 1);
  CHECK(result.released == 0);
  CHECK(bench.told.size() >= 2 * 5);
  CHECK(bench.told.size() <= 2 * 11);
  CHECK(bench.recorder.events.back()["left"].list()->size() == 1);
}

TEST_CASE("nobody listens: it goes on all the same") {
  Bench bench;
  bench.made("x", "1");
  bench.failures = 1;
  bench.options.say = {};
  CHECK(bench.clean().released == 1);
  CHECK(bench.told.empty());
}

TEST_CASE("a kind that this program does not know is left, and the remedy named") {
  Bench bench;
  bench.intent("x", "t.unheard");
  bench.options.watch = 0s;
  const auto result = bench.clean();
  REQUIRE(result.left.size() == 1);
  CHECK(base::contains(result.left[0].why, "no resource kind `t.unheard`"));
  CHECK(result.left[0].by_hand.empty());
  const auto failed = std::find_if(bench.recorder.events.begin(), bench.recorder.events.end(),
                                   [](const auto& event) { return event.type == event::type::cleanup_failed; });
  REQUIRE(failed != bench.recorder.events.end());
  CHECK(base::contains(failed->data.display(), "use the version of failover that made the run"));
}

TEST_CASE("what may exist twice is given back by its id, and watched through its window all the same") {
  Bench bench;
  bench.intent("x");
  bench.intent("w", "t.nobody");  // its window is not known either
  bench.clock.advance(10s);
  REQUIRE(bench.stream.emit(event::type::sending, {{"name", "x"}}).ok());
  REQUIRE(bench.stream.emit(event::type::unanswered, {{"name", "x"}}).ok());
  REQUIRE(bench.stream.emit(event::type::made, {{"name", "x"}, {"kind", "t.machine"}, {"id", "7"}}).ok());
  bench.failures = 3;
  bench.options.patience = bench.options.watch = 400s;
  const auto begun = bench.clock.now();
  const auto result = bench.clean();
  CHECK(result.released == 1);
  REQUIRE(result.left.size() == 1);
  CHECK(result.left[0].name == "w");
  CHECK(bench.undone.front() == "7");
  CHECK(bench.clock.now() - begun >= 300s);
}

TEST_CASE("a stop ends it before the next look; what it did not come to is left") {
  Bench bench;
  bench.made("x", "1");
  bench.made("y", "2");
  bench.registry.kinds[0].undo = [&](const plugin::Held& held, const plugin::Context&) -> base::Result<void> {
    bench.undone.push_back(held.id);
    bench.stop.request_stop();
    return {};
  };
  const auto result = bench.clean();
  CHECK(bench.undone == std::vector<std::string>{"2"});
  REQUIRE(result.left.size() == 1);
  CHECK(result.left[0].id == "1");
  CHECK(result.left[0].why == "the cleanup was stopped before it came to it");
}

TEST_CASE("a stop ends the pause between two looks") {
  Bench bench;
  bench.made("x", "1");
  bench.failures = 1'000;
  bench.options.patience = 24h;
  bench.options.say = [&](const std::string&) { bench.stop.request_stop(); };
  CHECK(bench.clean().left.size() == 1);
  CHECK(bench.undone.size() == 1);
}

TEST_CASE("an unanswered creation is watched through its window, counted from the sending") {
  Bench bench;
  bench.intent("x");
  bench.clock.advance(100s);
  bench.options.watch = 10min;
  const auto begin = bench.clock.now();
  const auto result = bench.clean();
  CHECK(result.released == 1);
  CHECK(bench.clock.now() - begin >= 200s);
  CHECK(bench.clock.now() - begin < 201s);
  CHECK(base::contains(bench.told.at(0), "its creation was never answered and may still take effect for 3m20s"));
}

TEST_CASE("its window may be shortened, never lengthened") {
  for (const base::Duration settle : {base::Duration(4s), base::Duration(1h)}) {
    const base::Duration wanted = std::min<base::Duration>(settle, 300s);
    CAPTURE(base::format(settle));
    Bench bench;
    bench.intent("x");
    bench.options.watch = 10min;
    bench.options.settle = settle;
    const auto begin = bench.clock.now();
    CHECK(bench.clean().released == 1);
    CHECK(bench.clock.now() - begin >= wanted);
    CHECK(bench.clock.now() - begin < wanted + 1s);
  }
}

TEST_CASE(
    "the window counts by the run's own time: no wall clock shortens or lengthens it, and doubt is not believed") {
  struct Row {
    base::Duration moved;   // the wall clock, since the record
    base::Duration passed;  // by the run's time
    base::Duration doubt;
    base::Duration wanted;
  };
  for (const auto& row : {Row{3h, 0s, 0s, 300s}, Row{-3h, 0s, 0s, 300s}, Row{0s, 100s, 0s, 200s}, Row{0s, 3h, 0s, 0s},
                          Row{3h, 3h, 24h, 300s}, Row{0s, 25h, 24h, 0s}}) {
    CAPTURE(base::format(row.moved));
    CAPTURE(base::format(row.passed));
    Bench bench;
    bench.clock.advance(26h);
    bench.intent("x");
    auto moved = bench.recorder.events.front();
    moved.at -= row.moved;
    moved.since_start -= row.passed;
    run::Ledger ledger;
    ledger.on(moved);
    bench.stream.subscribe(ledger);
    run::Shared shared{bench.stream, ledger, bench.registry, bench.clock, bench.shared.info, {}, kKey};
    bench.options.watch = 10h;
    bench.options.doubt = row.doubt;
    const auto begin = bench.clock.now();
    CHECK(run::clean_up(shared, bench.options, {}).left.empty());
    CHECK(bench.clock.now() - begin >= row.wanted);
    CHECK(bench.clock.now() - begin < row.wanted + 1s);
  }
}

TEST_CASE("what nobody here can end is looked at once and named, not waited for") {
  Bench bench;
  bench.made("x", "1");
  bench.failures = 1000;
  bench.options.patience = 24h;
  bench.options.barred = {"t.machine"};
  const auto begin = bench.clock.now();
  const auto result = bench.clean();
  CHECK(bench.clock.now() - begin < 1s);
  CHECK(bench.undone.size() == 1);
  REQUIRE(result.left.size() == 1);
  CHECK(result.left[0].by_hand == "end-it 1");
}

TEST_CASE("only unanswered ones left: they are watched for so long, and then named") {
  Bench bench;
  bench.intent("x");
  bench.options.watch = 30s;
  const auto begin = bench.clock.now();
  const auto result = bench.clean();
  CHECK(bench.clock.now() - begin >= 30s);
  CHECK(bench.clock.now() - begin < 60s);
  REQUIRE(result.left.size() == 1);
  CHECK(base::contains(result.left[0].why, "may still take effect"));
}

TEST_CASE("some of them, once each, while the run goes on; a stop leaves the rest") {
  Bench bench;
  bench.made("x", "1");
  bench.made("y", "2");
  bench.made("z", "3");
  bench.failures = 1;
  const auto mine = [](const run::Entry& entry) { return entry.held.id != "2"; };
  run::give_back_some(bench.shared, bench.options, {}, mine);
  CHECK(bench.undone == std::vector<std::string>{"3", "1"});
  CHECK(bench.ledger.open().size() == 2);  // 3 failed
  CHECK_FALSE(bench.shared.closing);
  bench.stop.request_stop();
  run::give_back_some(bench.shared, bench.options, bench.stop.get_token(), mine);
  CHECK(bench.undone.size() == 2);
}

TEST_CASE("a journal that cannot be written does not keep a thing from being given back, and is not forgotten") {
  struct Full final : event::Sink {
    base::Result<void> append(const event::Event&, bool) override {
      return base::Error{base::Fault::no_space, "full", "the disk is full"};
    }
  } full;
  Bench bench;
  bench.made("x", "1");
  bench.stream.attach(&full);
  CHECK(bench.clean().released == 1);
  CHECK(bench.undone.size() == 1);
  CHECK(bench.shared.journal_failed);
}

// --- by labels alone ---

namespace {

struct Account {
  Bench bench{};
  std::vector<std::string> names{};
  std::optional<base::WallTime> now{};
  std::optional<base::Error> broken{};
  bool spends_all = false;  // of the time that it is given

  struct Nobody final : plugin::Host {
    void exchange(const plugin::Exchange&) override {}
    void progress(const std::string&) override {}
    base::Result<std::string> intend(const plugin::Intent&) override { return std::string("never"); }
    void made(const std::string&, const plugin::Made&) override {}
    void refused(const std::string&, const base::Error&) override {}
    void unsent(const std::string&, const base::Error&) override {}
    void unclear(const std::string&, const base::Error&) override {}
    base::Result<void> sending(const std::string&) override { return {}; }
    void unanswered(const std::string&) override {}
    void ended(const std::string&, const std::string&) override {}
    std::optional<plugin::Held> held(const std::string&, const std::string&) override { return std::nullopt; }
    [[nodiscard]] const plugin::RunInfo& run() const override { return info; }
    plugin::RunInfo info{};
  } nobody{};

  Account() {
    bench.registry.kinds[0].find = [this](const plugin::Context& context) -> base::Result<plugin::Found> {
      if (spends_all) bench.clock.advance(context.patience().left());
      if (broken) return *broken;
      plugin::Found found;
      found.now = now;
      for (const auto& name : names) {
        plugin::Held held;
        held.kind = "t.machine";
        held.name = name;
        held.id = std::to_string(found.things.size() + 1);
        found.things.push_back(held);
      }
      return found;
    };
    plugin::Kind unlisted;
    unlisted.name = "t.unlisted";
    bench.registry.kinds.push_back(std::move(unlisted));
  }
  auto look() {
    return run::survey(bench.registry, kKey, nobody, base::Patience(bench.clock, bench.clock.now() + 1min, {}));
  }
  static std::string label(base::Duration from_now, const base::Secret& key = kKey) {
    return run::make_label("r-abcdefghij", 1, kStart + from_now, key);
  }
};

}  // namespace

TEST_CASE("what is past its deadline and signed is given back; all else is only told of, or not even that") {
  Account account;
  account.names = {Account::label(-1s), Account::label(1h), Account::label(-1h, base::Secret("another key")),
                   "training, do not touch", Account::label(0s)};
  const auto seen = account.look().seen;
  CHECK(account.look().unlisted.empty());
  REQUIRE(seen.size() == 4);
  CHECK(seen[0].standing == run::Standing::expired);
  CHECK(seen[0].label->token == "abcdefghij");
  CHECK(seen[1].standing == run::Standing::in_time);
  CHECK(seen[2].standing == run::Standing::alien);
  CHECK_FALSE(seen[2].label);
  CHECK(seen[3].standing == run::Standing::in_time);  // this very moment is still its run's
  const auto result = run::clean_up_expired(account.bench.shared, seen, account.bench.options, {});
  CHECK(result.attempted == 1);
  CHECK(result.released == 1);
  CHECK(account.bench.undone == std::vector<std::string>{"1"});
}

TEST_CASE("two things under one label are both given back, one after the other") {
  Account account;
  account.names = {Account::label(-1s), Account::label(-1s), Account::label(-1s)};
  const auto seen = account.look().seen;
  REQUIRE(seen.size() == 3);
  SUBCASE("each is proven gone by itself") {
    const auto before = account.bench.clock.now();
    const auto result = run::clean_up_expired(account.bench.shared, seen, account.bench.options, {});
    CHECK(result.attempted == 3);
    CHECK(result.released == 3);
    CHECK(result.left.empty());
    CHECK(account.bench.undone == std::vector<std::string>{"1", "2", "3"});
    CHECK(account.bench.clock.now() - before < 1s);  // and nobody waits for what is gone
  }
  SUBCASE("while the first one stays the others are named") {
    account.bench.registry.kinds[0].undo = [](const auto&, const auto&) {
      return base::Result<void>(base::Error{base::Fault::unavailable, "down", "the service is down"});
    };
    const auto result = run::clean_up_expired(account.bench.shared, seen, account.bench.options, {});
    CHECK(result.attempted == 3);
    CHECK(result.released == 0);
    REQUIRE(result.left.size() == 3);
    CHECK(result.left[0].id == "1");
    CHECK(result.left[1].id == "2");
    CHECK(result.left[1].why == "another one of this name is still held");
    CHECK(result.left[2].id == "3");
  }
}

TEST_CASE("what is still held when its turn is over is not tried and counted again in the next one's") {
  Account account;
  const std::string twice = Account::label(-1s);
  account.names = {twice, Account::label(-2s), twice};
  int tries = 0;
  account.bench.registry.kinds[0].undo = [&](const plugin::Held& held, const auto&) {
    if (held.id != "2") return base::Result<void>();
    ++tries;
    return base::Result<void>(base::Error{base::Fault::unavailable, "down", "the service is down"});
  };
  const auto before = account.bench.clock.now();
  const auto result = run::clean_up_expired(account.bench.shared, account.look().seen, account.bench.options, {});
  CHECK(result.attempted == 3);
  CHECK(result.released == 2);
  REQUIRE(result.left.size() == 1);
  CHECK(result.left[0].id == "2");
  CHECK(tries > 1);
  CHECK(account.bench.clock.now() - before < 2 * account.bench.options.patience);
}

TEST_CASE("the remote's clock judges, where it says its time") {
  Account account;
  account.names = {Account::label(1h)};
  account.now = kStart + 2h;
  CHECK(account.look().seen[0].standing == run::Standing::expired);
  account.now = kStart;
  account.bench.clock.advance(2h);
  CHECK(account.look().seen[0].standing == run::Standing::in_time);
}

TEST_CASE("a kind that cannot be listed as a whole is an error, not empty, and keeps no other from being seen") {
  Account account;
  account.broken = base::Error{base::Fault::unavailable, "down", "the service is down"};
  account.names = {Account::label(-1s)};
  plugin::Kind other = account.bench.registry.kinds[0];
  other.name = "t.other";
  other.find = [&](const plugin::Context& context) -> base::Result<plugin::Found> {
    CHECK(context.patience().left() > 0s);  // not spent by the one before
    plugin::Found found;
    for (const auto& name : account.names) {
      plugin::Held held;
      held.kind = "t.other";
      held.name = name;
      held.id = "7";
      found.things.push_back(held);
    }
    return found;
  };
  account.spends_all = true;
  account.bench.registry.kinds.push_back(std::move(other));
  const auto [seen, unlisted] = account.look();
  REQUIRE(unlisted.size() == 1);
  CHECK(base::contains(unlisted[0].line(), "looking for everything of kind t.machine"));
  CHECK(base::contains(unlisted[0].line(), "the service is down"));
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].held.kind == "t.other");
  const auto result = run::clean_up_expired(account.bench.shared, seen, account.bench.options, {});
  CHECK(result.released == 1);
  CHECK(account.bench.undone == std::vector<std::string>{"7"});
}
