#include "tools/cli/parts/output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "engine/base/text.h"

namespace failover::cli {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return value == nullptr ? "" : value;
}

void write_all(int fd, std::string_view said) {
  const std::string shown = hidden()(said);
  std::string_view text = shown;
  while (!text.empty()) {
    const ssize_t wrote = ::write(fd, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
}

}  // namespace

Terminal terminal() {
  Terminal found;
  const std::string term = variable("TERM");
  found.out = ::isatty(STDOUT_FILENO) == 1 && term != "dumb" && !term.empty() && variable("CI").empty();
  found.color = found.out && variable("NO_COLOR").empty();
  std::string locale = variable("LC_ALL");
  if (locale.empty()) locale = variable("LC_CTYPE");
  if (locale.empty()) locale = variable("LANG");
  found.unicode = found.out && base::contains(base::lower(locale), "utf");
  winsize size{};
  if (found.out && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20) found.width = size.ws_col;
  return found;
}

base::Redactor& hidden() {
  static base::Redactor all;
  return all;
}

void say(std::string_view text) { write_all(STDOUT_FILENO, text); }
void say_line(std::string_view text) { say(std::string(text) + "\n"); }
void note(std::string_view line) { write_all(STDERR_FILENO, "failover: " + std::string(line) + "\n"); }
void note_text(std::string_view text) { write_all(STDERR_FILENO, text); }

int complain(const base::Error& error, int code) { return complain(error.line(), error.hint, code); }

int complain(const std::string& message, const std::string& hint, int code) {
  std::string text = "failover: error: " + message + "\n";
  if (!hint.empty()) text += "  hint: " + hint + "\n";
  write_all(STDERR_FILENO, text);
  return code;
}

}  // namespace failover::cli
