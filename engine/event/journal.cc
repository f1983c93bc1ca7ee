#include "engine/event/journal.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "engine/base/fd.h"
#include "engine/base/file.h"
#include "engine/base/json.h"

namespace failover::event {
namespace {

constexpr const char* kName = "journal.jsonl";
constexpr const char* kReserve = ".reserve";
constexpr std::size_t kReserveBytes = 256 << 10;
constexpr std::size_t kLargest = std::size_t{1} << 30;  // bytes of a journal that is read back

int sync_data(int fd) {
#ifdef F_FULLFSYNC
  return ::fcntl(fd, F_FULLFSYNC);
#else
  return ::fdatasync(fd);
#endif
}

void make_reserve(const std::filesystem::path& folder) {
  // Real bytes: a sparse file would reserve nothing.
  (void)base::write_file(folder / kReserve, std::string(kReserveBytes, 'r'), 0600);
}

base::Result<Records> parse(const std::filesystem::path& path) {
  auto text = base::read_file(path, kLargest);
  if (!text) return std::move(text).error();
  return parse_records(*text, path.string());
}

bool touches(const base::Value& value, const base::Redactor& redact) {
  if (const std::string* text = value.text()) return redact.touches(*text);
  if (value.is_list()) {
    return std::any_of(value.list()->begin(), value.list()->end(),
                       [&](const base::Value& item) { return touches(item, redact); });
  }
  if (!value.is_map()) return false;
  return std::any_of(value.map()->begin(), value.map()->end(), [&](const auto& member) {
    return redact.touches(member.first) || touches(member.second, redact);
  });
}

base::Value redact_value(const base::Value& value, const base::Redactor& redact) {
  if (!touches(value, redact)) return value;
  if (const std::string* text = value.text()) return redact(*text);
  if (value.is_list()) {
    base::Value::List out;
    for (const auto& item : *value.list()) out.push_back(redact_value(item, redact));
    return out;
  }
  base::Value::Map out;
  for (const auto& [key, item] : *value.map()) out.emplace(redact(key), redact_value(item, redact));
  return out;
}

// Does this member name a thing, or where it is? Recovery finds it by nothing else: it stays as it is, even if a secret
// looks like a part of it.
bool names_a_thing(std::string_view type, std::string_view key) {
  static constexpr std::array kThings{type::intent,  type::sending, type::unanswered,    type::made, type::refused,
                                      type::unclear, type::ended,   type::released,      type::kept, type::lapsed,
                                      type::traffic, type::priced,  type::cleanup_failed};
  static constexpr std::array<std::string_view, 4> kNames{"name", "kind", "id", "attributes"};
  static constexpr std::array<std::string_view, 4> kPlaces{"run_id", "accounts", "endpoints", "boot"};
  const auto has = [](const auto& all, std::string_view one) {
    return std::find(all.begin(), all.end(), one) != all.end();
  };
  return (type == type::run_started && has(kPlaces, key)) || (has(kThings, type) && has(kNames, key));
}

base::Value redact_data(std::string_view type, base::Value::Map data, const base::Redactor& redact) {
  base::Value whole(std::move(data));
  if (!touches(whole, redact)) return whole;
  base::Value::Map out;
  for (const auto& [key, value] : *whole.map()) {
    const bool kept = names_a_thing(type, key);
    out.emplace(kept ? key : redact(key), kept ? value : redact_value(value, redact));
  }
  return base::Value(std::move(out));
}

}  // namespace

base::Result<Records> parse_records(std::string_view text, const std::string& name) {
  Records out;
  std::size_t at = 0;
  std::size_t line = 0;
  while (at < text.size()) {
    ++line;
    const std::size_t end = text.find('\n', at);
    if (end == std::string_view::npos) break;  // torn: the newline is written last
    auto event = from_line(text.substr(at, end - at));
    if (!event || event->seq != out.events.size() + 1) {
      base::Error error = event
                              ? base::Error{base::Fault::corrupt, "damaged_record", "a journal record is out of order"}
                              : std::move(event).error();
      error.message = name + ":" + std::to_string(line) + ": " + error.message;
      error.hint = "the file was changed after it was written; nothing behind this line can be trusted";
      return error;
    }
    out.events.push_back(*std::move(event));
    at = end + 1;
    out.whole = at;
  }
  out.torn = out.whole < text.size();
  return out;
}

namespace {

bool same_file(int fd, const std::filesystem::path& path) {
  struct stat mine {};
  struct stat named {};
  return ::fstat(fd, &mine) == 0 && ::stat(path.c_str(), &named) == 0 && mine.st_dev == named.st_dev &&
         mine.st_ino == named.st_ino;
}

// Who only reads holds a shared lock for a moment (read_journal()): that is waited for, a writer never is. 0, or errno.
int lock_to_write(int fd) {
  constexpr int kLooks = 1000;  // a millisecond apart
  for (int look = 1;; ++look) {
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return 0;
    const int why = errno;
    if (why != EWOULDBLOCK || look == kLooks) return why;
    // With a writer there is no place for another reader. Where locks are POSIX's (NFS) this one takes a file that is
    // open for reading.
    if (::flock(fd, LOCK_SH | LOCK_NB) != 0) return errno;
    (void)::flock(fd, LOCK_UN);
    (void)::poll(nullptr, 0, 1);
  }
}

// Nobody here can write it, so nobody does: that another one is at it shows in either lock.
int lock_to_read(int fd) {
  const int why = lock_to_write(fd);
  if (why != EBADF) return why;
  return ::flock(fd, LOCK_SH | LOCK_NB) == 0 ? 0 : errno;
}

}  // namespace

Place::Place(std::filesystem::path of_run) : folder(std::move(of_run)), file(folder / kName) {}

Place Place::of(const std::filesystem::path& folder, int fd) {
  Place named(folder);
  if (same_file(fd, named.file)) return named;
  const std::filesystem::path link = "/proc/self/fd/" + std::to_string(fd);
  std::error_code problem;
  const auto now = std::filesystem::read_symlink(link, problem);
  if (problem) return named;
  if (same_file(fd, now)) return {now.parent_path(), now};
  return {folder, link};
}

base::Result<std::unique_ptr<Journal>> Journal::create(const std::filesystem::path& folder) {
  if (auto made = base::make_directories(folder); !made) return std::move(made).error();
  const auto path = folder / kName;
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return base::system_error(errno, "create the journal", path);
  std::unique_ptr<Journal> journal(new Journal(folder, fd));
  if (const int why = lock_to_write(fd); why != 0) return base::system_error(why, "lock", path);
  make_reserve(folder);
  base::sync_directory(folder);
  base::sync_directory(folder.parent_path());
  return journal;
}

base::Result<std::unique_ptr<Journal>> Journal::reopen(const Place& place, Access access) {
  const auto& path = place.file;
  base::Fd file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  std::optional<base::Error> unwritable;
  if (!file.open()) {
    unwritable = base::system_error(errno, "open the journal", path);
    if (access == Access::write || (errno != EROFS && errno != EACCES && errno != EPERM)) return *unwritable;
    file = base::Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.open()) return base::system_error(errno, "open the journal", path);
  }
  const int fd = file.get();
  if (const int why = unwritable ? lock_to_read(fd) : lock_to_write(fd); why != 0) {
    if (why == EWOULDBLOCK) {
      return base::Error{base::Fault::refused, "locked", "another process is writing " + path.string(),
                         "wait until that run or cleanup has ended"};
    }
    base::Error error = base::system_error(why, "lock", path);
    error.code = "locked";  // for all that is known
    error.hint = "set FAILOVER_HOME to a file system that has locks";
    return error;
  }
  // Who writes may take the reserve away when it ends, and nobody else.
  std::unique_ptr<Journal> journal(new Journal(place.folder, file.release()));
  journal->unwritable_ = std::move(unwritable);
  auto parsed = parse(path);
  if (!parsed) return std::move(parsed).error();
  if (parsed->torn && !journal->unwritable_ && ::ftruncate(fd, static_cast<off_t>(parsed->whole)) != 0) {
    return base::system_error(errno, "cut the torn end off", path);
  }
  journal->end_ = static_cast<std::int64_t>(parsed->whole);
  journal->past_ = std::move(parsed->events);
  return journal;
}

Journal::~Journal() {
  give_up_reserve();
  ::close(fd_);
}

void Journal::give_up_reserve() {
  std::error_code ignored;
  std::filesystem::remove(folder_ / kReserve, ignored);
}

base::Result<void> Journal::append(const Event& event, bool durable) {
  if (unwritable_) return *unwritable_;
  const std::string line = to_line(event) + "\n";
  const std::lock_guard lock(mutex_);
  int failed = 0;
  for (;;) {  // twice at most: the reserve is there but once
    std::string_view rest = line;
    std::int64_t at = end_;
    failed = 0;
    while (!rest.empty() && failed == 0) {
      const ssize_t wrote = ::pwrite(fd_, rest.data(), rest.size(), static_cast<off_t>(at));
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) {
        failed = errno;
      } else {
        rest.remove_prefix(static_cast<std::size_t>(wrote));
        at += wrote;
      }
    }
    if (failed == 0 && durable && sync_data(fd_) != 0) failed = errno;
    if (failed == 0) {
      end_ = at;
      return {};
    }
    // Half a record must not stand in the way of the next one.
    std::error_code ignored;
    if (::ftruncate(fd_, static_cast<off_t>(end_)) != 0 || !std::filesystem::remove(folder_ / kReserve, ignored)) break;
  }
  return base::system_error(failed, "write", folder_ / kName);
}

base::Result<Reading> read_journal(const Place& place) {
  const auto& path = place.file;
  auto parsed = parse(path);
  if (!parsed) return std::move(parsed).error();
  Reading reading{std::move(parsed->events), parsed->torn};
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd >= 0) {
    // Readers do not stand in each other's way. Where it cannot be told, somebody may be writing.
    reading.locked = ::flock(fd, LOCK_SH | LOCK_NB) != 0;
    ::close(fd);
  }
  return reading;
}

void Stream::attach(Sink* sink, const std::vector<Event>& past, std::optional<base::Duration> passed) {
  const std::lock_guard lock(mutex_);
  sink_ = sink;
  if (past.empty()) return;
  seq_ = past.back().seq;
  // The time between the last record and now passed too; wall clocks may lie, so never backwards.
  const base::Duration last = past.back().since_start;
  const base::Duration since_start = passed ? *passed : last + (clock_->wall() - past.back().at);
  offset_ = std::max(last, since_start) - (clock_->now() - start_);
}

void Stream::subscribe(Subscriber& subscriber) {
  const std::lock_guard lock(mutex_);
  subscribers_.push_back(&subscriber);
}

base::Result<void> Stream::emit(const char* type, base::Value::Map data, bool durable) {
  const std::lock_guard lock(mutex_);
  Event event;
  event.seq = seq_ + 1;
  // What a line of the journal holds of a time: who folds the living events sees what is read back later.
  event.at = std::chrono::floor<std::chrono::microseconds>(clock_->wall());
  event.since_start = std::chrono::round<std::chrono::microseconds>(since_start());
  event.type = type;
  // Made plain, so that a subscriber sees the same now as a reader of the journal sees later.
  event.data = base::plain(redact_data(type, std::move(data), *redact_));
  base::Result<void> written;
  if (sink_ != nullptr) written = sink_->append(event, durable);
  if (written) seq_ = event.seq;
  for (auto* subscriber : subscribers_) subscriber->on(event);
  return written;
}

base::Duration Stream::since_start() const { return offset_ + (clock_->now() - start_); }

}  // namespace failover::event
