#include "engine/event/journal.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "engine/base/digest.h"
#include "engine/base/file.h"

using namespace failover;  // NOLINT
namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path = fs::temp_directory_path() / ("failover-event-" + base::random_id(10));
  Folder() = default;
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path); }
};

void write_three(const fs::path& folder) {
  base::FakeClock clock(base::WallTime(std::chrono::seconds(1'800'000'000)));
  base::Redactor redact;
  redact.add(base::Secret("super-secret-key"));
  auto journal = event::Journal::create(folder);
  REQUIRE(journal);
  event::Stream stream(clock, redact);
  stream.attach(journal->get());
  for (int i = 0; i < 3; ++i) {
    clock.advance(std::chrono::milliseconds(1500));
    REQUIRE(
        stream.emit(event::type::intent, {{"name", "n" + std::to_string(i)}, {"note", "key super-secret-key"}}, true));
  }
}

std::string slurp(const fs::path& folder) { return *base::read_file(folder / "journal.jsonl", 1 << 20); }

}  // namespace

TEST_CASE("a journal reads back what was written, redacted") {
  Folder folder;
  write_three(folder.path);
  const auto reading = event::read_journal(folder.path);
  REQUIRE(reading);
  REQUIRE(reading->events.size() == 3);
  CHECK_FALSE(reading->torn);
  CHECK(reading->events[2].seq == 3);
  CHECK(reading->events[2].text("name") == "n2");
  CHECK(reading->events[2].since_start == std::chrono::milliseconds(4500));
  CHECK(slurp(folder.path).find("super-secret") == std::string::npos);
  CHECK(reading->events[0].text("note") == "key ***");
}

TEST_CASE("a journal cut at any byte yields its whole records and no others") {
  Folder folder;
  write_three(folder.path);
  const std::string whole = slurp(folder.path);
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    Folder copy;
    fs::create_directories(copy.path);
    std::ofstream(copy.path / "journal.jsonl", std::ios::binary) << whole.substr(0, cut);
    const auto reading = event::read_journal(copy.path);
    REQUIRE(reading);
    const auto lines =
        static_cast<std::size_t>(std::count(whole.begin(), whole.begin() + static_cast<long>(cut), '\n'));
    CHECK(reading->events.size() == lines);
    auto reopened = event::Journal::reopen(copy.path);
    REQUIRE(reopened);
    base::FakeClock clock(base::WallTime(std::chrono::seconds(1'800'000'100)));
    const base::Redactor redact;
    event::Stream stream(clock, redact);
    stream.attach(reopened->get(), (*reopened)->past());
    REQUIRE(stream.emit(event::type::closing, {{"why", "x"}}, true));
    const auto again = event::read_journal(copy.path);
    REQUIRE(again);
    CHECK(again->events.size() == lines + 1);
    CHECK(again->events.back().seq == lines + 1);
    CHECK(again->locked);
  }
}

TEST_CASE("a changed byte before the end is corruption, named by its line") {
  Folder folder;
  write_three(folder.path);
  std::string text = slurp(folder.path);
  text[text.find("n1")] = 'm';
  std::ofstream(folder.path / "journal.jsonl", std::ios::binary) << text;
  const auto reading = event::read_journal(folder.path);
  REQUIRE_FALSE(reading);
  CHECK(reading.error().fault == base::Fault::corrupt);
  CHECK(reading.error().message.find(":2:") != std::string::npos);
}

TEST_CASE("one writer at a time") {
  Folder folder;
  auto first = event::Journal::create(folder.path);
  REQUIRE(first);
  const auto second = event::Journal::reopen(folder.path);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == "locked");
}

TEST_CASE("a folder that cannot be made is an error that names it") {
  const auto journal = event::Journal::create("/proc/failover-cannot");
  REQUIRE_FALSE(journal);
  CHECK(journal.error().message.find("/proc/failover-cannot") != std::string::npos);
}
