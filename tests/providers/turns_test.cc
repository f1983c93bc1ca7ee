// Turns that processes of one machine take at one account.
#include "steps/client/turns.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "engine/base/digest.h"
#include "engine/base/fd.h"

using namespace failover;  // NOLINT(google-build-using-namespace)
using namespace std::chrono_literals;
using client::Turns;
namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path = fs::temp_directory_path() / ("failover-turns-" + base::random_id(8));
  fs::path file = path / "turns" / "vast-0";
  ~Folder() { fs::remove_all(path); }
};

constexpr base::Duration kWindow = 5400ms;
const base::Instant kNow{1'000'000s};

}  // namespace

TEST_CASE("whoever comes within the window is told how long it still is") {
  const Folder folder;
  Turns one(folder.file);
  Turns other(folder.file);
  CHECK(one.take(kWindow, kNow) == 0s);
  CHECK(other.take(kWindow, kNow + 1s) == 4400ms);
  CHECK(one.take(kWindow, kNow + 5399ms) == 1ms);
  CHECK(other.take(kWindow, kNow + 5400ms) == 0s);
  CHECK(one.take(kWindow, kNow + 5401ms) == 5399ms);
}

TEST_CASE("the interval counts from when a turn is used, not from when it was taken") {
  const Folder folder;
  Turns one(folder.file);
  Turns other(folder.file);
  one.use(kNow);  // before the first turn there is nothing to say
  CHECK(one.take(kWindow, kNow) == 0s);
  one.use(kNow + 900ms);
  CHECK(other.take(kWindow, kNow + 5400ms) == 900ms);
  CHECK(other.take(kWindow, kNow + 6300ms) == 0s);
  Turns({}).use(kNow);
}

TEST_CASE("whoever looked at the clock before the last turn was used, and asks after it, is not free") {
  const Folder folder;
  Turns one(folder.file);
  Turns other(folder.file);
  CHECK(one.take(kWindow, kNow) == 0s);
  one.use(kNow + 18ms);
  CHECK(other.take(kWindow, kNow + 15ms) == 5403ms);
}

TEST_CASE("a turn that is used while another process looks at the file counts all the same") {
  const Folder folder;
  Turns one(folder.file);
  Turns other(folder.file);
  CHECK(one.take(kWindow, kNow) == 0s);
  {
    const base::Fd held(::open(folder.file.c_str(), O_RDWR | O_CLOEXEC));
    REQUIRE(::flock(held.get(), LOCK_EX | LOCK_NB) == 0);
    one.use(kNow + 900ms);
  }
  CHECK(other.take(kWindow, kNow + 5400ms) == 900ms);
}

TEST_CASE("without a file, with a damaged one, and with one from before a restart the turn is free") {
  const Folder folder;
  CHECK(Turns({}).take(kWindow, kNow) == 0s);
  CHECK(Turns("/dev/null/turns/vast-0").take(kWindow, kNow) == 0s);
  Turns turns(folder.file);
  CHECK(turns.take(kWindow, kNow) == 0s);
  CHECK(turns.take(kWindow, kNow - 10s) == 0s);  // the steady clock began again
  CHECK(turns.take(kWindow, kNow - 9s) == 4400ms);
  for (const char* text : {"", "nonsense\n", "99999999999999999999999\n", "\n\n"}) {
    CAPTURE(text);
    std::ofstream(folder.file) << text;
    CHECK(turns.take(kWindow, kNow) == 0s);
    CHECK(turns.take(kWindow, kNow) == kWindow);
  }
}

TEST_CASE("a process that is stopped with the file in its hands holds nobody up for long") {
  const Folder folder;
  Turns turns(folder.file);
  CHECK(turns.take(kWindow, kNow) == 0s);
  {
    const base::Fd held(::open(folder.file.c_str(), O_RDWR | O_CLOEXEC));
    REQUIRE(::flock(held.get(), LOCK_EX | LOCK_NB) == 0);
    CHECK(turns.take(kWindow, kNow + 10s) > 0s);
    CHECK(turns.take(kWindow, kNow + 11s) > 0s);
    CHECK(turns.take(kWindow, kNow + 13s) == 0s);
  }
  CHECK(turns.take(kWindow, kNow + 14s) == 0s);
}
