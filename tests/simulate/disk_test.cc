// What a life reads back is what the text says, whether the text is read or what was written is remembered.
#include "tools/simulate/disk.h"

#include <doctest/doctest.h>

#include "engine/base/json.h"

using namespace failover;  // NOLINT(google-build-using-namespace)
using simulate::Blow;
using simulate::Dead;
using simulate::Death;
using simulate::Disk;

namespace {

constexpr int kRecords = 6;

event::Event event_of(std::uint64_t seq) {
  event::Event out;
  out.seq = seq;
  out.at = base::WallTime(std::chrono::seconds(1'767'225'600) + std::chrono::milliseconds(seq));
  out.since_start = std::chrono::milliseconds(seq);
  out.type = event::type::step_progress;
  out.data = base::plain(base::Value::Map{{"text", "é \"quoted\"\n"},
                                          {"whole", seq},
                                          {"part", 0.1},
                                          {"all", 3.0},
                                          {"money", base::Money{250'000}},
                                          {"list", base::Value::List{1, base::Value(), true}}});
  return out;
}

// One life: as many records as it lives to write, every other one durable. What stands there then, whole.
std::string life(Disk& disk, const Blow& blow, std::uint64_t from) {
  disk.begin(blow);
  try {
    for (std::uint64_t seq = from; seq < from + kRecords; ++seq) (void)disk.append(event_of(seq), seq % 2 == 0);
  } catch (const Dead&) {
  }
  const auto read = disk.read();
  REQUIRE(read.ok());
  std::string out = std::to_string(read->whole) + (read->torn ? " torn\n" : "\n");
  for (const auto& event : read->events) out += event::to_line(event) + "\n";
  disk.cut(read->whole);
  CHECK(out.substr(out.find('\n') + 1) == disk.bytes());
  return out;
}

}  // namespace

TEST_CASE("a disk that remembers reads what its text says, whatever death it died") {
  for (const Death death : {Death::none, Death::before, Death::torn, Death::lost, Death::durable}) {
    for (int at = 1; at <= kRecords; ++at) {
      for (const bool power : {false, true}) {
        Disk by_text(16), remembered(1);
        const Blow blow{death, at, power, false};
        const std::string first = life(by_text, blow, 1);
        CHECK(life(remembered, blow, 1) == first);
        const auto next = by_text.read()->events.size() + 1;
        CHECK(life(remembered, {}, next) == life(by_text, {}, next));
      }
    }
  }
}

TEST_CASE("records out of order are found out by both") {
  for (const std::uint64_t seed : {16U, 1U}) {
    Disk disk(seed);
    disk.begin({});
    for (const std::uint64_t seq : {1U, 3U, 2U}) (void)disk.append(event_of(seq), true);
    CHECK_FALSE(disk.read().ok());
  }
}
