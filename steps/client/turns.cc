#include "steps/client/turns.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>

#include "engine/base/fd.h"
#include "engine/base/file.h"
#include "engine/base/text.h"

namespace failover::client {
namespace {

using base::Duration;
using base::Instant;
using namespace std::chrono_literals;

constexpr Duration kAgain = 5ms;
constexpr std::size_t kWidth = 20;
constexpr Duration kPatience = 2s;  // reading and writing the file takes microseconds: its holder is stopped

// When the last turn was taken, by the machine's steady clock; nullopt before the first.
std::optional<Instant> last_turn(int fd) {
  std::array<char, 32> text{};
  const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
  if (size <= 0) return std::nullopt;
  const auto nanoseconds = base::parse_integer(base::trim(std::string(text.data(), static_cast<std::size_t>(size))));
  if (!nanoseconds) return std::nullopt;
  return Instant(std::chrono::nanoseconds(*nanoseconds));
}

// One write of one width: whoever reads meanwhile sees the turn before or this one, never none.
void write_turn(int fd, Instant now) {
  std::string text = std::to_string(now.time_since_epoch().count());
  text.resize(std::max(text.size(), kWidth), ' ');
  text += '\n';
  if (::pwrite(fd, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()))
    (void)!::ftruncate(fd, static_cast<off_t>(text.size()));
}

}  // namespace

Duration Turns::take(Duration window, Instant now) {
  if (file_.empty()) return Duration::zero();
  if (!base::make_directories(file_.parent_path())) return Duration::zero();
  const base::Fd fd(::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));  // its lock goes when it is closed
  if (!fd.open()) return Duration::zero();
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (!waiting_) waiting_ = now;
    return now - *waiting_ < kPatience ? kAgain : Duration::zero();
  }
  waiting_.reset();
  // A little later than now: another process looked at the clock after this one did, and was here before it. From the
  // far future, or long ago: of before this machine was started.
  if (const auto last = last_turn(fd.get()); last && std::chrono::abs(now - *last) < window)
    return *last + window - now;
  write_turn(fd.get(), now);
  return Duration::zero();
}

void Turns::use(Instant now) {
  if (file_.empty()) return;
  // Without the lock: the turn is this process's own, and whoever holds the file for a look would make it be lost.
  const base::Fd fd(::open(file_.c_str(), O_RDWR | O_CLOEXEC));
  if (fd.open()) write_turn(fd.get(), now);
}

}  // namespace failover::client
