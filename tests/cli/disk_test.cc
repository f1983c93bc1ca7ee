// A full disk below FAILOVER_HOME, at different moments of a run: nothing is made that is not journaled, what is held
// is given back, and the exit code is true. The disk is a small tmpfs in a mount namespace of this test's own.
#include <sys/mount.h>

#include <algorithm>
#include <thread>

#include "tests/cli/elsewhere.h"
#include "tests/skipped.h"

#ifdef __linux__
#include <sched.h>
#endif

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)

namespace {

bool write_to(const char* file, const std::string& text) {
  const int fd = ::open(file, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(fd);
  return written;
}

// From now on mounts of this process and its children are its own. False where the system does not allow that.
bool own_mounts() {
#ifdef __linux__
  static const bool done = [] {
    const auto user = std::to_string(::getuid());
    const auto group = std::to_string(::getgid());
    if (::unshare(CLONE_NEWNS) != 0) {
      if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
      (void)write_to("/proc/self/setgroups", "deny");
      if (!write_to("/proc/self/uid_map", "0 " + user + " 1") || !write_to("/proc/self/gid_map", "0 " + group + " 1")) {
        return false;
      }
    }
    return ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  }();
  return done;
#else
  return false;
#endif
}

// Has this process the right to mount, as root has it outside of containers?
bool may_mount() {
  constexpr unsigned kSysAdmin = 21;
  for (const auto& line : base::split(text_of("/proc/self/status"), '\n')) {
    if (line.rfind("CapEff:", 0) != 0) continue;
    return (std::strtoull(line.c_str() + 7, nullptr, 16) >> kSysAdmin & 1) == 1;
  }
  return false;
}

class SmallDisk {
 public:
  explicit SmallDisk(fs::path place) : place_(std::move(place)) {
    fs::create_directories(place_);
    mounted_ = ::mount("tmpfs", place_.c_str(), "tmpfs", 0, "size=1m,mode=700") == 0;
  }
  ~SmallDisk() {
    empty();
    if (mounted_) ::umount2(place_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  [[nodiscard]] bool mounted() const { return mounted_; }

  // Every byte that is free; with `on`, also every byte that comes to be free, until empty().
  void fill(bool on) {
    take_all();
    if (!on) return;
    taker_ = std::jthread([this](const std::stop_token& stop) {
      base::SystemClock clock;
      while (clock.sleep_until(clock.now() + 1ms, stop)) take_all();
    });
  }
  void empty() {
    if (taker_.joinable()) {
      taker_.request_stop();
      taker_.join();
    }
    std::error_code ignored;
    fs::remove(place_ / "filler", ignored);
  }

 private:
  void take_all() const {
    const int fd = ::open((place_ / "filler").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) return;
    const std::string page(4096, 'f');
    while (::write(fd, page.data(), page.size()) > 0) {
    }
    ::close(fd);
  }
  fs::path place_;
  bool mounted_ = false;
  std::jthread taker_;
};

fs::path only_folder(const fs::path& runs) {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(runs, none)) return entry.path();
  return {};
}

struct Moment {
  const char* record;  // the disk is full from when the journal has one of these
  bool reserve;        // is the journal's own reserve left to it?
  bool reaper;
};

// One run; what was wrong.
void play(const Moment& moment) {
  const std::string record = moment.record;
  CAPTURE(record);
  CAPTURE(moment.reserve);
  CAPTURE(moment.reaper);
  Elsewhere elsewhere;
  auto& clock = elsewhere.failover.clock;
  const auto home = elsewhere.failover.home.path() / "small";
  SmallDisk disk(home);
  REQUIRE(disk.mounted());
  elsewhere.failover.environment["FAILOVER_HOME"] = home.string();
  const auto log = elsewhere.failover.home.path() / "run.log";
  std::vector<std::string> words{"run",      "realtime-sync", "--live",  "--yes",
                                 "--output", "plain",         "--input", "file_size=1KB"};
  if (!moment.reaper) words.emplace_back("--no-reaper");
  int code = -1;
  {
    Background run(words, elsewhere.failover.environment, log);
    const std::string wanted = std::string(R"("type":")") + record + "\"";
    const auto journal = [&] { return text_of(only_folder(home / "runs") / "journal.jsonl"); };
    REQUIRE(eventually(clock, 240s, [&] { return !run.running() || base::contains(journal(), wanted); }));
    disk.fill(!moment.reserve);
    code = run.wait();
  }
  const auto folder = only_folder(home / "runs");
  const std::string journal = text_of(folder / "journal.jsonl");
  const auto meter = elsewhere.meter();
  INFO("exit code " << code << "\n" << text_of(log) << journal << meter.dump(1));
  // Nothing was made that the journal does not tell of.
  for (const auto& one : meter["instances"]) CHECK(base::contains(journal, one["label"].get<std::string>()));
  // Who ends with anything but 4 holds nothing; 4 names what it is.
  if (code == 4) {
    CHECK(base::contains(text_of(log), "may still be held: "));
  } else {
    CHECK(elsewhere.clean());
  }
  // Only a run that could write its journal to the end has passed.
  if (code == 0) {
    CHECK(base::contains(journal, R"("type":"run_finished")"));
    CHECK(fs::exists(folder / "report.json"));
  } else {
    CHECK(base::contains(text_of(log), "space"));
  }
  CHECK((code == 0 || code == 3 || code == 4));
  disk.empty();
  const auto cleaned = elsewhere.failover({"cleanup"}, 200s);
  INFO(cleaned.out << cleaned.err);
  CHECK(cleaned.exit_code == 0);
  elsewhere.check_clean();
  CHECK(base::contains(elsewhere.failover({"cleanup"}).out, "nothing to give back"));
}

}  // namespace

TEST_CASE("the disk of the journals is full before anything is made: nothing is") {
  if (!own_mounts()) return skipped("this system allows no mounts of one's own", may_mount());
  Elsewhere elsewhere;
  const auto home = elsewhere.failover.home.path() / "small";
  SmallDisk disk(home);
  REQUIRE(disk.mounted());
  elsewhere.failover.environment["FAILOVER_HOME"] = home.string();
  disk.fill(true);
  const auto done = elsewhere.failover({"run", "realtime-sync", "--live", "--yes"});
  INFO(done.out << done.err);
  CHECK(done.exit_code == 3);
  CHECK(base::contains(done.err, home.string()));
  CHECK(base::contains(done.err, "free some space there, or set FAILOVER_HOME to another place"));
  CHECK(elsewhere.meter()["instances"].empty());
}

TEST_CASE("the disk of the journals fills up in the middle of a run: all is given back, and the exit code is true") {
  if (!own_mounts()) return skipped("this system allows no mounts of one's own", may_mount());
  for (const auto& moment :
       {Moment{"run_started", false, false}, Moment{"intent", false, false}, Moment{"made", false, true},
        Moment{"made", true, false}, Moment{"ended", false, false}, Moment{"closing", false, true}}) {
    play(moment);
  }
}
