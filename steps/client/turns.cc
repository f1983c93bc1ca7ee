#include "steps/client/turns.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <string>

#include "engine/base/file.h"
#include "engine/base/text.h"

namespace failover::client {
namespace {

using base::Duration;
using base::Instant;
using namespace std::chrono_literals;

constexpr Duration kAgain = 5ms;
constexpr Duration kPatience = 2s;  // reading and writing the file takes microseconds: its holder is stopped

struct Closed {
  int fd;
  ~Closed() { ::close(fd); }  // its lock goes too
};

// When the last turn was taken, by the machine's steady clock; nullopt before the first.
std::optional<Instant> last_turn(int fd) {
  std::array<char, 32> text{};
  const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
  if (size <= 0) return std::nullopt;
  const auto nanoseconds = base::parse_integer(base::trim(std::string(text.data(), static_cast<std::size_t>(size))));
  if (!nanoseconds) return std::nullopt;
  return Instant(std::chrono::nanoseconds(*nanoseconds));
}

}  // namespace

Duration Turns::take(Duration window, Instant now) {
  if (file_.empty()) return Duration::zero();
  if (!base::make_directories(file_.parent_path())) return Duration::zero();
  const int fd = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return Duration::zero();
  const Closed closed{fd};
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (!waiting_) waiting_ = now;
    return now - *waiting_ < kPatience ? kAgain : Duration::zero();
  }
  waiting_.reset();
  // Of before this machine was started: from the future, or long ago.
  if (const auto last = last_turn(fd); last && *last <= now && now - *last < window) return *last + window - now;
  const std::string text = std::to_string(now.time_since_epoch().count()) + "\n";
  if (::ftruncate(fd, 0) == 0) (void)!::pwrite(fd, text.data(), text.size(), 0);
  return Duration::zero();
}

}  // namespace failover::client
