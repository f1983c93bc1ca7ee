#include "tools/cli/parts/reaper.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "engine/base/fd.h"
#include "engine/base/file.h"
#include "engine/base/text.h"
#include "engine/event/journal.h"
#include "tools/cli/parts/itself.h"
#include "tools/cli/parts/output.h"
#include "tools/cli/parts/recovery.h"
#include "tools/cli/parts/runs.h"
#include "tools/cli/parts/signals.h"
#include "tools/cli/parts/stage.h"
#include "tools/cli/parts/uptime.h"

namespace failover::cli {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr int kWord = 3;  // the descriptor on which a reaper says that it is armed
constexpr std::string_view kArmed = "armed\n";
constexpr base::Duration kArming = 10s;

// What a recovery reads: the operator's keys and endpoints, the way to the network, nothing of the scenario's.
bool needed(const std::string& name) {
  static constexpr std::array<std::string_view, 6> kBeginnings{"VAST_", "B2_", "FAILOVER_", "SSL_", "CURL_", "LC_"};
  static constexpr std::array<std::string_view, 14> kNames{
      "PATH",        "HOME",      "LANG",      "TMPDIR",   "XDG_STATE_HOME", "http_proxy",   "https_proxy",
      "HTTPS_PROXY", "ALL_PROXY", "all_proxy", "no_proxy", "NO_PROXY",       "ASAN_OPTIONS", "UBSAN_OPTIONS"};
  const auto begins = [&](std::string_view text) { return name.compare(0, text.size(), text) == 0; };
  return std::any_of(kBeginnings.begin(), kBeginnings.end(), begins) ||
         std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

// A reaper works at the root of the file system: where it is to find certificates is said from there.
std::string from_the_root(const std::string& name, const std::string& value) {
  static constexpr std::array<std::string_view, 4> kFiles{"SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "TMPDIR"};
  const bool path = std::find(kFiles.begin(), kFiles.end(), name) != kFiles.end();
  if (!path || value.empty() || value.find(':') != std::string::npos) return value;
  std::error_code problem;
  const auto whole = fs::absolute(value, problem);
  return problem ? value : whole.string();
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

struct Launch {
  const char* file;
  char* const* arguments;
  char* const* environment;
  int null;
  int log;
  int word;
};

// In the child of a process with threads: nothing but calls that are allowed there, and no way back.
[[noreturn]] void become_reaper(const Launch& launch) {
  if (::setsid() < 0) ::_exit(126);
  if (const pid_t again = ::fork(); again != 0) ::_exit(again < 0 ? 126 : 0);  // never the leader of its session
  const bool placed = ::dup2(launch.null, 0) >= 0 && ::dup2(launch.log, 1) >= 0 && ::dup2(launch.log, 2) >= 0 &&
                      (launch.word == kWord ? ::fcntl(kWord, F_SETFD, 0) : ::dup2(launch.word, kWord)) >= 0 &&
                      ::chdir("/") == 0;
  if (!placed) ::_exit(126);
  // Above kWord everything of ours closes itself on exec.
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(launch.file, launch.arguments, launch.environment);
  ::_exit(127);
}

base::Error unarmed(const std::string& why) {
  return {base::Fault::internal, "no_reaper", "the reaper could not be armed: " + why,
          "without it a killed run is given back by the next `failover run` on this machine, or by `failover cleanup`"};
}

// `armed` and the id, or what came instead.
std::string hear(int fd) {
  std::string heard;
  base::SystemClock clock;
  const auto end = clock.now() + kArming;
  while (heard.find('\n', kArmed.size()) == std::string::npos && heard.size() < 64) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - clock.now()).count();
    pollfd ready{fd, POLLIN, 0};
    const int found = left <= 0 ? 0 : ::poll(&ready, 1, static_cast<int>(left));
    if (found < 0 && errno == EINTR) continue;
    if (found <= 0) break;
    std::array<char, 64> bytes{};
    const ssize_t count = ::read(fd, bytes.data(), bytes.size());
    if (count <= 0) break;
    heard.append(bytes.data(), static_cast<std::size_t>(count));
  }
  return heard;
}

// Takes the journal's lock and lets it go again: then its last writer is gone.
base::Result<void> wait_for_writer(int fd, const fs::path& journal) {
  while (::flock(fd, LOCK_EX) != 0) {
    if (errno != EINTR) return base::system_error(errno, "wait for the lock of", journal);
  }
  ::flock(fd, LOCK_UN);
  return {};
}

void tell_passed_over(int signal) {
  constexpr std::string_view kTerm = "failover: SIGTERM is passed over: the run is not over yet\n";
  constexpr std::string_view kInt = "failover: SIGINT is passed over: the run is not over yet\n";
  constexpr std::string_view kHup = "failover: SIGHUP is passed over: the run is not over yet\n";
  const int before = errno;
  const std::string_view line = signal == SIGTERM ? kTerm : signal == SIGINT ? kInt : kHup;
  (void)!::write(STDERR_FILENO, line.data(), line.size());
  errno = before;
}

// What asks a whole service or session to end asks the runner too, which may be killed before it has cleaned up.
void pass_over_signals() {
  struct sigaction action {};
  action.sa_handler = tell_passed_over;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaction(signal, &action, nullptr);
}

// Can this file be waited for? That another one has its lock is the best answer.
base::Result<void> try_lock(int fd, const fs::path& journal) {
  if (fd < 0) return base::system_error(errno, "open", journal);
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) {
    ::flock(fd, LOCK_UN);
  } else if (errno != EWOULDBLOCK) {
    auto error = base::system_error(errno, "lock", journal);
    error.hint = "set FAILOVER_HOME to a file system that has locks";
    return error;
  }
  return {};
}

bool is_locked(const fs::path& journal) {
  const base::Fd fd(::open(journal.c_str(), O_RDONLY | O_CLOEXEC));
  return fd.get() >= 0 && ::flock(fd.get(), LOCK_SH | LOCK_NB) != 0;
}

}  // namespace

bool Reaper::lives() const {
  pollfd end{life_.get(), 0, 0};
  return ::poll(&end, 1, 0) == 0;
}

base::Result<Reaper> arm_reaper(const fs::path& folder, const Environment& environment) {
  const std::string file = own_program().string();
  std::vector<std::string> words{"failover", "reap", fs::absolute(folder).string()};
  std::vector<std::string> variables;
  for (const auto& [name, value] : environment) {
    if (needed(name)) variables.push_back(name + "=" + from_the_root(name, value));
  }
  const auto arguments = pointers(words);
  const auto envp = pointers(variables);
  auto word = base::make_pipe();
  if (!word) return unarmed("no pipe is to be had");
  const base::Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const auto path = folder / "reaper.log";
  const base::Fd log(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (null.get() < 0 || log.get() < 0) return unarmed("its log cannot be opened: " + path.string());
  const Launch launch{file.c_str(), arguments.data(), envp.data(), null.get(), log.get(), word->write.get()};
  const pid_t child = ::fork();
  if (child < 0) return unarmed("no process is to be had");
  if (child == 0) become_reaper(launch);
  word->write.close();
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const std::string heard = hear(word->read.get());
  const auto id = base::parse_integer(base::trim(heard.substr(std::min(kArmed.size(), heard.size()))));
  if (heard.compare(0, kArmed.size(), kArmed) == 0 && id && *id > 0) {
    return Reaper(static_cast<pid_t>(*id), std::move(word->read));
  }
  return unarmed(heard.empty() ? "it did not start; see " + path.string() : base::printable(base::trim(heard), 300));
}

int reap(const fs::path& folder, const Environment& environment) {
  const fs::path journal = folder / "journal.jsonl";
  // Stays open: that it closes tells the runner of this process's end.
  const auto answer = [](const std::string& word) {
    return ::write(kWord, word.data(), word.size()) == static_cast<ssize_t>(word.size());
  };
  // Only a process that waits for the answer gives this descriptor.
  if (::fcntl(kWord, F_GETFD) < 0) {
    return complain("`failover reap` is started by `failover run`", "to give things back use `failover cleanup`",
                    usage);
  }
  ::fcntl(kWord, F_SETFD, FD_CLOEXEC);
  pass_over_signals();
  // NFS locks exclusively only what is open for writing.
  const base::Fd fd(::open(journal.c_str(), O_RDWR | O_CLOEXEC));
  if (auto lockable = try_lock(fd.get(), journal); !lockable) {
    answer(lockable.error().line() + "\n");
    return complain(lockable.error(), usage);
  }
  if (auto company = hire(environment, {}); !company) {
    answer(company.error().line() + "\n");
    return complain(company.error(), usage);
  }
  if (!answer(std::string(kArmed) + std::to_string(::getpid()) + "\n"))
    return world_failed;  // the runner is gone already
  for (;;) {
    if (auto free = wait_for_writer(fd.get(), journal); !free) return complain(free.error(), may_be_held);
    // What the run holds does not go away with its folder.
    const auto place = event::Place::of(folder, fd.get());
    const auto reading = event::read_journal(place);
    if (!reading) return complain(unreadable(place.folder, reading.error()), may_be_held);
    if (reading->locked) continue;
    if (!is_unfinished(reading->events)) return passed;
    if (place.folder != folder) note("the run's folder is now " + place.folder.string());
    if (place.file != event::Place(place.folder).file) note("the run's folder is gone: nothing can be written down");
    const Signals signals;  // from here on they are heard
    const auto code = recover(place, environment, signals.first(), {.by = "reaper"});
    if (code) return *code;
  }
}

bool in_recovery(const fs::path& folder) {
  base::SystemClock clock;
  const auto end = clock.now() + 3s;
  bool gone = false;
  do {
    const auto reading = event::read_journal(folder);
    if (!reading || !reading->locked) return true;  // over already
    const auto& events = reading->events;
    const auto last = std::find_if(events.rbegin(), events.rend(), [](const event::Event& event) {
      return event.type == event::type::recovery || event.type == event::type::run_finished;
    });
    if (last != events.rend() && last->type == event::type::recovery) return true;
    // A run that still goes on says so by living; its process id is in its first record.
    const auto begun = beginning_of(events);
    const auto runner = static_cast<pid_t>(begun.integer("pid"));
    if (runner > 0 && (::kill(runner, 0) == 0 || errno == EPERM)) return false;
    gone = runner > 0 && begun.text("boot") == boot_name();
  } while (clock.sleep_until(clock.now() + 50ms, {}) && clock.now() < end);
  // Its own process is gone, so another one writes, although it could not say so: on a full disk, say.
  return gone;
}

bool wait_until_free(const fs::path& folder, const std::stop_token& stop) {
  base::SystemClock clock;
  while (is_locked(folder / "journal.jsonl")) {
    if (!clock.sleep_until(clock.now() + 200ms, stop)) return false;
  }
  return true;
}

}  // namespace failover::cli
