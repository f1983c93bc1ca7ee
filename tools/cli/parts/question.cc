#include "tools/cli/parts/question.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include "engine/base/text.h"
#include "tools/cli/parts/output.h"

namespace failover::cli {

bool can_ask() { return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1; }

bool confirmed(const std::string& question, const std::stop_token& stop) {
  constexpr std::size_t kLongest = 100;
  constexpr int kSliceMs = 100;
  note_text(question + " [y/N] ");
  std::string line;
  while (!stop.stop_requested() && line.size() < kLongest) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    const int ready = ::poll(&input, 1, kSliceMs);
    if (ready < 0 && errno != EINTR) return false;
    if (ready <= 0) continue;
    char c = 0;
    const ssize_t got = ::read(STDIN_FILENO, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    if (c == '\n') break;
    line += c;
  }
  const std::string answer = base::lower(base::trim(line));
  return !stop.stop_requested() && (answer == "y" || answer == "yes");
}

}  // namespace failover::cli
