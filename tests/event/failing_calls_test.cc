// A journal under calls that fail once in years: a disk that cannot sync or cut, a signal within a write, another
// process that was faster. The linker leads the journal's calls here (CMakeLists.txt).
#ifdef FAILOVER_FAILING_CALLS
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/file.h"
#include "engine/event/journal.h"

namespace {

struct Failing {
  int skipped = 0;  // calls of it that still succeed
  int times = 0;    // then so many fail
  int error = 0;
  bool now() {
    if (skipped > 0) return --skipped, false;
    if (times == 0) return false;
    --times;
    errno = error;
    return true;
  }
};
Failing opening, locking, beside, cutting, syncing, writing;
std::vector<std::string> opened;  // paths, whether or not it failed

}  // namespace

// NOLINTBEGIN: the names are the linker's
extern "C" {
int __real_open(const char* path, int flags, mode_t mode);
int __real_flock(int fd, int operation);
int __real_ftruncate(int fd, off_t length);
int __real_fdatasync(int fd);
ssize_t __real_pwrite(int fd, const void* from, size_t size, off_t at);

int __wrap_open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const auto mode = (flags & O_CREAT) != 0 ? static_cast<mode_t>(va_arg(more, unsigned)) : mode_t{0};
  va_end(more);
  opened.emplace_back(path);
  return opening.now() ? -1 : __real_open(path, flags, mode);
}
int __wrap_flock(int fd, int operation) {
  // As if another held it shared.
  if (operation == (LOCK_EX | LOCK_NB) && beside.now()) return -1;
  return locking.now() ? -1 : __real_flock(fd, operation);
}
int __wrap_ftruncate(int fd, off_t length) { return cutting.now() ? -1 : __real_ftruncate(fd, length); }
int __wrap_fdatasync(int fd) { return syncing.now() ? -1 : __real_fdatasync(fd); }
ssize_t __wrap_pwrite(int fd, const void* from, size_t size, off_t at) {
  return writing.now() ? -1 : __real_pwrite(fd, from, size, at);
}
}
// NOLINTEND

using namespace failover;  // NOLINT(google-build-using-namespace)
namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path = fs::temp_directory_path() / ("failover-calls-" + base::random_id(10));
  Folder() = default;
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    opening = locking = beside = cutting = syncing = writing = {};
    opened.clear();
    fs::remove_all(path);
  }
};

event::Event numbered(std::uint64_t seq) {
  event::Event event;
  event.seq = seq;
  event.type = event::type::closing;
  event.data = base::Value(base::Value::Map{{"why", "because"}});
  return event;
}

std::size_t records(const fs::path& folder) { return event::read_journal(folder)->events.size(); }

}  // namespace

TEST_CASE("a signal within a write is no failure, and a record that need not last is not synced") {
  Folder folder;
  auto journal = event::Journal::create(folder.path);
  REQUIRE(journal);
  writing = {0, 3, EINTR};
  CHECK((*journal)->append(numbered(1), true).ok());
  syncing = {0, 1, EIO};
  CHECK((*journal)->append(numbered(2), false).ok());
  CHECK(records(folder.path) == 2);
}

TEST_CASE("a record that cannot be synced is not told as written; once the reserve makes room it is") {
  Folder folder;
  auto journal = event::Journal::create(folder.path);
  REQUIRE(journal);
  syncing = {0, 1, EIO};
  CHECK((*journal)->append(numbered(1), true).ok());
  CHECK_FALSE(fs::exists(folder.path / ".reserve"));
  syncing = {0, 2, EIO};
  const auto failed = (*journal)->append(numbered(2), true);
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().message.find("journal.jsonl") != std::string::npos);
  CHECK(records(folder.path) == 1);
}

TEST_CASE("where even the half record cannot be cut off it says so") {
  Folder folder;
  auto journal = event::Journal::create(folder.path);
  REQUIRE(journal);
  writing = {0, 1, ENOSPC};
  cutting = {0, 1, EIO};
  const auto failed = (*journal)->append(numbered(1), true);
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().fault == base::Fault::no_space);
  CHECK((*journal)->append(numbered(1), true).ok());
  journal->reset();
  std::error_code ignored;
  fs::resize_file(folder.path / "journal.jsonl", fs::file_size(folder.path / "journal.jsonl") - 3, ignored);
  cutting = {0, 1, EROFS};
  const auto reopened = event::Journal::reopen(folder.path);
  REQUIRE_FALSE(reopened);
  CHECK(reopened.error().message.find("torn") != std::string::npos);
}

TEST_CASE("a new journal that another process locks first is not this one's") {
  Folder folder;
  locking = {0, 2, EWOULDBLOCK};  // to write and to read
  const auto journal = event::Journal::create(folder.path);
  REQUIRE_FALSE(journal);
  CHECK(journal.error().message.find("lock") != std::string::npos);
}

TEST_CASE("who reads a journal just now does not keep its writer from it, and is not waited for without end") {
  Folder folder;
  beside = {0, 3, EWOULDBLOCK};
  REQUIRE(event::Journal::create(folder.path).ok());
  CHECK(beside.times == 0);
  beside = {0, 3, EWOULDBLOCK};
  CHECK(event::Journal::reopen(folder.path).ok());
  CHECK(beside.times == 0);
  beside = {0, 1'000'000, EWOULDBLOCK};
  const auto never = event::Journal::reopen(folder.path);
  REQUIRE_FALSE(never.ok());
  CHECK(never.error().code == "locked");
}

TEST_CASE("where a file system has no locks that is said, and the journal counts as another's") {
  Folder folder;
  const auto writer = event::Journal::create(folder.path);
  REQUIRE(writer);
  locking = {0, 1, ENOLCK};
  const auto reading = event::read_journal(folder.path);
  REQUIRE(reading);
  CHECK(reading->locked);
  locking = {0, 1, ENOLCK};
  const auto journal = event::Journal::reopen(folder.path);
  REQUIRE_FALSE(journal);
  CHECK(journal.error().code == "locked");
  CHECK(journal.error().message.find("another process") == std::string::npos);
  CHECK(journal.error().hint.find("FAILOVER_HOME") != std::string::npos);
}

TEST_CASE("a journal on a file system that was mounted again for reading tells its past, and takes no record") {
  using Access = event::Journal::Access;
  Folder folder;
  {
    auto journal = event::Journal::create(folder.path);
    REQUIRE(journal);
    REQUIRE((*journal)->append(numbered(1), true).ok());
    REQUIRE((*journal)->append(numbered(2), true).ok());
  }
  const auto path = folder.path / "journal.jsonl";
  fs::resize_file(path, fs::file_size(path) - 3);
  const auto size = fs::file_size(path);
  for (const int why : {EROFS, EACCES, EPERM}) {
    CAPTURE(why);
    opening = {0, 1, why};
    CHECK_FALSE(event::Journal::reopen(folder.path).ok());
    opening = {0, 1, why};
    const auto journal = event::Journal::reopen(folder.path, Access::any);
    REQUIRE(journal.ok());
    REQUIRE((*journal)->unwritable().has_value());
    CHECK((*journal)->unwritable()->message.find("journal.jsonl") != std::string::npos);
    CHECK((*journal)->past().size() == 1);
    const auto failed = (*journal)->append(numbered(2), true);
    CHECK_FALSE(failed.ok());
    CHECK(fs::file_size(path) == size);  // the torn end too
    // One at a time all the same.
    opening = {0, 1, why};
    CHECK(event::Journal::reopen(folder.path, Access::any).error().code == "locked");
  }
  // NFS locks exclusively only what is open for writing.
  opening = {0, 1, EROFS};
  locking = {0, 1, EBADF};
  CHECK(event::Journal::reopen(folder.path, Access::any).ok());
  opening = {0, 1, EIO};
  CHECK_FALSE(event::Journal::reopen(folder.path, Access::any).ok());
  opening = {0, 2, EACCES};
  CHECK_FALSE(event::Journal::reopen(folder.path, Access::any).ok());
  const auto writable = event::Journal::reopen(folder.path, Access::any);
  REQUIRE(writable.ok());
  CHECK_FALSE((*writable)->unwritable().has_value());
  CHECK((*writable)->append(numbered(2), true).ok());
}

TEST_CASE("who may not write a journal leaves its writer's reserve alone") {
  Folder folder;
  const auto writer = event::Journal::create(folder.path);
  REQUIRE(writer);
  REQUIRE(fs::exists(folder.path / ".reserve"));
  const auto second = event::Journal::reopen(folder.path);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == "locked");
  CHECK(fs::exists(folder.path / ".reserve"));
}

TEST_CASE("a folder that cannot be synced, and a journal that goes away while it is read, end nothing") {
  Folder folder;
  opening = {3, 1, EACCES};  // after the parent's, the journal's own and the reserve's
  auto journal = event::Journal::create(folder.path);
  REQUIRE(journal);
  REQUIRE(opened.size() == 5);
  CHECK(opened[0] == folder.path.parent_path().string());  // where a new folder must be found after a power loss
  CHECK(opened[3] == folder.path.string());
  CHECK(opening.times == 0);
  CHECK((*journal)->append(numbered(1), true).ok());
  opening = {1, 1, ENOENT};  // after the reading
  const auto reading = event::read_journal(folder.path);
  opening = {};
  REQUIRE(reading);
  CHECK(reading->events.size() == 1);
  CHECK_FALSE(reading->locked);
}

TEST_CASE("a journal in a folder of one name is synced into the folder that the process is in") {
  const Folder folder;
  const auto before = fs::current_path();
  fs::create_directories(folder.path);
  fs::current_path(folder.path);
  CHECK(event::Journal::create("run").ok());
  fs::current_path(before);
  REQUIRE(opened.size() == 5);
  CHECK(opened[0] == ".");
  CHECK(opened[3] == "run");
  CHECK(opened[4] == ".");
}
#endif
