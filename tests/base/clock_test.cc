// The machine's own clocks.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <sched.h>
#endif

#include <ctime>
#include <string>
#include <thread>

#include "engine/base/clock.h"

using namespace failover::base;  // NOLINT(google-build-using-namespace)
using namespace std::chrono_literals;

TEST_CASE("the system's clock waits until the time has come, or until it is told to stop") {
  SystemClock clock;
  const Instant before = clock.now();
  CHECK(clock.sleep_until(before + 20ms, {}));
  CHECK(clock.now() >= before + 20ms);
  CHECK(clock.sleep_until(before, {}));  // long past
  std::stop_source stop;
  std::jthread teller([&] { stop.request_stop(); });
  CHECK_FALSE(clock.sleep_until(clock.now() + 1h, stop.get_token()));
  CHECK_FALSE(clock.sleep_until(before, stop.get_token()));
}

#if defined(CLOCK_BOOTTIME) && defined(CLONE_NEWTIME)
namespace {

// What `body` says in a process whose host has been suspended for `seconds`, as its clocks tell; -1: the system does
// not let us make one.
template <class Body>
int after_suspension(long seconds, const Body& body) {
  const pid_t outer = ::fork();
  if (outer == 0) {
    if (::unshare(CLONE_NEWTIME) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWTIME) != 0) ::_exit(99);
    const std::string offset = "boottime " + std::to_string(seconds) + " 0\n";
    const int fd = ::open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
    const bool set = fd >= 0 && ::write(fd, offset.data(), offset.size()) == static_cast<ssize_t>(offset.size());
    if (!set) ::_exit(99);
    const pid_t inner = ::fork();  // children alone are in the new namespace
    if (inner == 0) ::_exit(body());
    int status = 0;
    ::waitpid(inner, &status, 0);
    ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 98);
  }
  int status = 0;
  ::waitpid(outer, &status, 0);
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 98;
  return code == 99 ? -1 : code;
}

}  // namespace

TEST_CASE("time goes on while the host is suspended: what was rented costs money, and what was sent takes effect") {
  constexpr long kAsleep = 5'000;
  const Instant before = SystemClock().now();
  const int told = after_suspension(kAsleep, [&] {
    return SystemClock().now() - before >= std::chrono::seconds(kAsleep) &&
                   since_boot() >= std::chrono::seconds(kAsleep) + before.time_since_epoch()
               ? 7
               : 8;
  });
  if (told < 0) {
    MESSAGE("skipped: no time namespace can be made here");
    return;
  }
  CHECK(told == 7);
}
#endif
