#include "engine/event/journal.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/base/digest.h"
#include "engine/base/fd.h"
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

namespace {

event::Event numbered(std::uint64_t seq, const std::string& note = "") {
  event::Event event;
  event.seq = seq;
  event.type = event::type::closing;
  event.data = base::Value(base::Value::Map{{"why", note}});
  return event;
}

// While it lives no file of this process grows beyond `bytes`: what a full disk does, at a known byte.
class Limit {
 public:
  explicit Limit(std::uintmax_t bytes) {
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit now = before_;
    now.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~Limit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    (void)std::signal(SIGXFSZ, handler_);
  }
  Limit(const Limit&) = delete;
  Limit& operator=(const Limit&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int) = nullptr;
};

}  // namespace

TEST_CASE("a record that does not fit leaves no half of it; the next one that fits follows the last whole one") {
  Folder folder;
  auto journal = event::Journal::create(folder.path);
  REQUIRE(journal);
  CHECK((*journal)->folder() == folder.path);
  REQUIRE((*journal)->append(numbered(1), true).ok());
  const auto whole = fs::file_size(folder.path / "journal.jsonl");
  CHECK(fs::exists(folder.path / ".reserve"));
  {
    const Limit limit(whole + 40);
    const auto full = (*journal)->append(numbered(2, std::string(100, 'x')), true);
    REQUIRE_FALSE(full.ok());
    CHECK(full.error().message.find("journal.jsonl") != std::string::npos);
    CHECK(fs::file_size(folder.path / "journal.jsonl") == whole);
    // The room that it kept for the end was given up first, and there is none to give up twice.
    CHECK_FALSE(fs::exists(folder.path / ".reserve"));
    CHECK_FALSE((*journal)->append(numbered(2, std::string(100, 'x')), false).ok());
    CHECK(fs::file_size(folder.path / "journal.jsonl") == whole);
  }
  REQUIRE((*journal)->append(numbered(2, "after all"), true).ok());
  const auto reading = event::read_journal(folder.path);
  REQUIRE(reading);
  CHECK_FALSE(reading->torn);
  REQUIRE(reading->events.size() == 2);
  CHECK(reading->events[1].text("why") == "after all");
}

TEST_CASE("the stream tells its listeners what the journal could not take, and counts it not") {
  Folder folder;
  base::FakeClock clock(base::WallTime(std::chrono::seconds(1'800'000'000)));
  const base::Redactor redact;
  auto journal = event::Journal::create(folder.path);
  REQUIRE(journal);
  event::Stream stream(clock, redact);
  stream.attach(journal->get());
  struct Listener final : event::Subscriber {
    void on(const event::Event& event) override { heard.push_back(event.seq); }
    std::vector<std::uint64_t> heard;
  } listener;
  stream.subscribe(listener);
  {
    const Limit limit(10);
    CHECK_FALSE(stream.emit(event::type::closing, {{"why", "lost"}}, true).ok());
  }
  REQUIRE(stream.emit(event::type::closing, {{"why", "kept"}}, true).ok());
  CHECK(listener.heard == std::vector<std::uint64_t>{1, 1});
  REQUIRE(event::read_journal(folder.path)->events.size() == 1);
}

TEST_CASE("secrets go from keys, lists and maps of a record; numbers and the rest stay what they are") {
  base::FakeClock clock(base::WallTime(std::chrono::seconds(1'800'000'000)));
  base::Redactor redact;
  redact.add(base::Secret("super-secret-key"));
  event::Stream stream(clock, redact);
  struct Listener final : event::Subscriber {
    void on(const event::Event& event) override { last = event; }
    event::Event last;
  } listener;
  stream.subscribe(listener);
  using base::Value;
  REQUIRE(stream
              .emit(event::type::closing, {{"super-secret-key", Value(Value::List{"a super-secret-key", 7, true})},
                                           {"map", Value(Value::Map{{"x", "super-secret-key"}, {"y", 1.5}})},
                                           {"none", Value()}})
              .ok());
  CHECK(base::to_json(listener.last.data) ==
        base::to_json(Value(Value::Map{{"***", Value(Value::List{"a ***", 7, true})},
                                       {"map", Value(Value::Map{{"x", "***"}, {"y", 1.5}})},
                                       {"none", Value()}})));
  // Where a key alone tells it, at the top and inside.
  REQUIRE(stream.emit(event::type::closing, {{"of super-secret-key", 1}}).ok());
  CHECK(listener.last.data.find("of ***") != nullptr);
  CHECK(listener.last.data.map()->size() == 1);
  REQUIRE(stream.emit(event::type::closing, {{"map", Value(Value::Map{{"super-secret-key", 1}})}}).ok());
  CHECK(base::to_json(listener.last["map"]) == base::to_json(Value(Value::Map{{"***", 1}})));
}

TEST_CASE("what names a thing stays as it is, though a secret ends like it") {
  base::FakeClock clock(base::WallTime(std::chrono::seconds(1'800'000'000)));
  base::Redactor redact;
  redact.add(base::Secret("acme-failover"));
  event::Stream stream(clock, redact);
  struct Listener final : event::Subscriber {
    void on(const event::Event& event) override { last = event; }
    event::Event last;
  } listener;
  stream.subscribe(listener);
  using base::Value;
  const Value where(Value::Map{{"bucket", "failover-drills"}});
  for (const char* type : {event::type::intent, event::type::made, event::type::released}) {
    REQUIRE(stream
                .emit(type, {{"name", "failover-abc-1"},
                             {"id", "failover-7"},
                             {"attributes", where},
                             {"note", "failover-abc-1 of acme-failover"}})
                .ok());
    CHECK(listener.last.text("name") == "failover-abc-1");
    CHECK(listener.last.text("id") == "failover-7");
    CHECK(listener.last["attributes"] == where);
    CHECK(listener.last.text("note") == "***-abc-1 of ***");
  }
  REQUIRE(stream.emit(event::type::run_started, {{"run_id", "failover-abc"}, {"name", "failover-abc"}}).ok());
  CHECK(listener.last.text("run_id") == "failover-abc");
  CHECK(listener.last.text("name") == "***-abc");
}

TEST_CASE("a continued journal believes a better clock than the wall's, and never goes back") {
  auto last = numbered(41);
  last.since_start = std::chrono::seconds(100);
  last.at = base::WallTime(std::chrono::seconds(1'800'000'000));
  for (const auto& [passed, wanted] : {std::pair(130, 130), std::pair(60, 100)}) {
    base::FakeClock clock(last.at + std::chrono::hours(3));
    const base::Redactor redact;
    event::Stream stream(clock, redact);
    stream.attach(nullptr, {last}, std::chrono::seconds(passed));
    CHECK(stream.since_start() == std::chrono::seconds(wanted));
    clock.advance(std::chrono::seconds(5));
    CHECK(stream.since_start() == std::chrono::seconds(wanted + 5));
  }
}

TEST_CASE("a continued journal goes on in number and time; a wall clock that was set back does not turn it round") {
  for (const auto gap : {std::chrono::seconds(10), std::chrono::seconds(-3'600)}) {
    CAPTURE(gap.count());
    auto last = numbered(41);
    last.since_start = std::chrono::seconds(100);
    last.at = base::WallTime(std::chrono::seconds(1'800'000'000));
    base::FakeClock clock(last.at + gap);
    const base::Redactor redact;
    event::Stream stream(clock, redact);
    stream.attach(nullptr, {last});
    CHECK(stream.since_start() == std::chrono::seconds(100) + std::max(gap, std::chrono::seconds(0)));
    struct Listener final : event::Subscriber {
      void on(const event::Event& event) override { last = event; }
      event::Event last;
    } listener;
    stream.subscribe(listener);
    REQUIRE(stream.emit(event::type::closing, {}).ok());
    CHECK(listener.last.seq == 42);
  }
}

TEST_CASE("a record that is whole and wrong is damage, the last one too; only half a record is a torn end") {
  const auto one = event::to_line(numbered(1)) + "\n";
  const auto two = event::to_line(numbered(2)) + "\n";
  const auto three = event::to_line(numbered(3)) + "\n";
  const auto read = event::parse_records(one + two.substr(0, two.size() - 1), "j");
  REQUIRE(read);
  CHECK(read->torn);
  CHECK(read->events.size() == 1);
  CHECK(read->whole == one.size());
  const auto last = event::parse_records(one + three, "j");
  REQUIRE_FALSE(last);
  CHECK(last.error().message == "j:2: a journal record is out of order");
  const auto wrong = event::parse_records(one + three + two, "j");
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().message == "j:2: a journal record is out of order");
  CHECK(wrong.error().hint.find("nothing behind this line can be trusted") != std::string::npos);
  CHECK_FALSE(event::parse_records("nonsense\n" + two, "j"));
  CHECK(event::parse_records("", "j")->events.empty());
}

TEST_CASE("what cannot be opened, read or made says where") {
  Folder folder;
  CHECK(event::Journal::reopen(folder.path).error().message.find(folder.path.string()) != std::string::npos);
  CHECK_FALSE(event::read_journal(folder.path).ok());
  { REQUIRE(event::Journal::create(folder.path).ok()); }
  // A second run never writes into the journal of a first.
  CHECK_FALSE(event::Journal::create(folder.path).ok());
  CHECK_FALSE(fs::exists(folder.path / ".reserve"));
  // A journal that is damaged is not opened for writing.
  REQUIRE(base::write_file(folder.path / "journal.jsonl", "nonsense\n" + event::to_line(numbered(2)) + "\n").ok());
  const auto damaged = event::Journal::reopen(folder.path);
  REQUIRE_FALSE(damaged.ok());
  CHECK(damaged.error().fault == base::Fault::corrupt);
}

TEST_CASE("reading does not stand in the way of reading") {
  Folder folder;
  { REQUIRE(event::Journal::create(folder.path).ok()); }
  CHECK_FALSE(event::read_journal(folder.path)->locked);
  const auto writer = event::Journal::reopen(folder.path);
  REQUIRE(writer.ok());
  CHECK(event::read_journal(folder.path)->locked);
  CHECK(event::read_journal(folder.path)->locked);
}

#ifdef __linux__
TEST_CASE("who holds a journal open finds it when its folder is moved, and reads it when that is gone") {
  Folder folder;
  const auto moved = folder.path.string() + "-moved";
  {
    auto journal = event::Journal::create(folder.path);
    REQUIRE(journal);
    base::FakeClock clock{base::WallTime{}};
    const base::Redactor redact;
    event::Stream stream(clock, redact);
    stream.attach(journal->get());
    REQUIRE(stream.emit("closing", {}, true).ok());
  }
  const base::Fd fd(::open((folder.path / "journal.jsonl").c_str(), O_RDWR | O_CLOEXEC));
  REQUIRE(fd.open());
  CHECK(event::Place::of(folder.path, fd.get()).file == folder.path / "journal.jsonl");
  fs::rename(folder.path, moved);
  const auto there = event::Place::of(folder.path, fd.get());
  CHECK(there.folder == moved);
  CHECK(event::read_journal(there)->events.size() == 1);
  // Another one under its name is not it.
  REQUIRE(event::Journal::create(folder.path).ok());
  CHECK(event::Place::of(folder.path, fd.get()).folder == moved);
  fs::remove_all(moved);
  const auto gone = event::Place::of(folder.path, fd.get());
  CHECK(gone.folder == folder.path);
  CHECK(event::read_journal(gone)->events.size() == 1);
  const auto journal = event::Journal::reopen(gone);
  REQUIRE(journal.ok());
  CHECK((*journal)->past().size() == 1);
  CHECK(event::read_journal(gone)->locked);
  CHECK(event::read_journal(folder.path)->events.empty());
}
#endif
