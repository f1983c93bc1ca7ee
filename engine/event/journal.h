// The run's journal on disk: JSON lines, append-only, checksummed, synced where an outside effect depends on it.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/error.h"
#include "engine/base/secret.h"
#include "engine/event/event.h"

namespace failover::event {

// The records of a journal's text.
struct Records {
  std::vector<Event> events;
  bool torn = false;      // the text ends in part of a record; what precedes it is whole
  std::size_t whole = 0;  // bytes up to the end of the last whole record
};
// Damage before the tail is Error{corrupt}; `name` begins its message.
base::Result<Records> parse_records(std::string_view text, const std::string& name);

// Where a stream's events are kept.
class Sink {
 public:
  virtual ~Sink() = default;
  // Appends one record; with `durable` it outlives a power loss when this returns.
  virtual base::Result<void> append(const Event& event, bool durable) = 0;
};

// Where a run's journal is: in its folder under its name; or, for who holds it open and has seen it lose that name,
// behind a descriptor of this process.
struct Place {
  Place(std::filesystem::path of_run);  // NOLINT(google-explicit-constructor): a folder is such a place
  Place(std::filesystem::path of_run, std::filesystem::path journal)
      : folder(std::move(of_run)), file(std::move(journal)) {}
  // Of the journal in `folder` that `fd` has open: where it is now, should its folder have been moved or removed.
  static Place of(const std::filesystem::path& folder, int fd);
  std::filesystem::path folder;
  std::filesystem::path file;
};

// An open journal has one writer: the lock is the file's own (flock), so it goes with the process. Thread-safe.
class Journal final : public Sink {
 public:
  // Makes the run's folder (mode 0700) and an empty journal in it. Error{invalid, no_space} names the place.
  static base::Result<std::unique_ptr<Journal>> create(const std::filesystem::path& folder);
  // Opens an existing one to continue it: cuts a torn tail off. Error{refused, locked} while another process writes it;
  // Error{corrupt} when a record before the tail is damaged. With Access::any one that cannot be written (a file system
  // that was mounted again for reading, say) is opened for its past alone: it is locked all the same, and every append
  // is an error.
  enum class Access { write, any };
  static base::Result<std::unique_ptr<Journal>> reopen(const Place& place, Access access = Access::write);
  ~Journal() override;
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // `durable`: fdatasync. When the disk is full a reserve made at create() is given up first, so that a run that must
  // end can still write how it ended.
  base::Result<void> append(const Event& event, bool durable) override;
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  // For a file of the run that is written once no record follows.
  void give_up_reserve();
  // What reopen() found.
  [[nodiscard]] const std::vector<Event>& past() const { return past_; }
  // Why it cannot be written, where reopen() has found that.
  [[nodiscard]] const std::optional<base::Error>& unwritable() const { return unwritable_; }

 private:
  Journal(std::filesystem::path folder, int fd) : folder_(std::move(folder)), fd_(fd) {}
  std::optional<base::Error> unwritable_;
  std::mutex mutex_;
  std::filesystem::path folder_;
  int fd_;
  std::int64_t end_ = 0;  // where the next record goes
  std::vector<Event> past_;
};

// The events of a journal, read only. A torn last line is passed over and `torn` set; damage before it is
// Error{corrupt}.
struct Reading {
  std::vector<Event> events;
  bool torn = false;
  bool locked = false;  // a process is writing it right now
};
base::Result<Reading> read_journal(const Place& place);

// Gives each event its number and times, redacts and plainifies its data, and hands it to the journal and then to the
// subscribers, in order. Thread-safe; subscribers are called one at a time.
class Stream {
 public:
  Stream(base::Clock& clock, const base::Redactor& redact) : clock_(&clock), redact_(&redact), start_(clock.now()) {}

  // `sink` may be null (nothing is written); it must outlive the stream. Continues behind `past`, its records so far;
  // `passed` is the time since the run's start, where something better than the wall clock tells it.
  void attach(Sink* sink, const std::vector<Event>& past = {}, std::optional<base::Duration> passed = std::nullopt);
  void subscribe(Subscriber& subscriber);
  // Error only from the journal; subscribers have been told all the same.
  base::Result<void> emit(const char* type, base::Value::Map data, bool durable = false);
  [[nodiscard]] base::Duration since_start() const;

 private:
  std::mutex mutex_;
  base::Clock* clock_;
  const base::Redactor* redact_;
  base::Instant start_;
  base::Duration offset_{0};
  std::uint64_t seq_ = 0;
  Sink* sink_ = nullptr;
  std::vector<Subscriber*> subscribers_;
};

}  // namespace failover::event
