// How the program speaks: errors and notes on stderr, results on stdout.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/error.h"
#include "engine/base/secret.h"

namespace failover::cli {

enum ExitCode { passed = 0, assertion_failed = 1, usage = 2, world_failed = 3, may_be_held = 4, interrupted = 130 };

struct Terminal {
  bool out = false;  // stdout is a terminal that may be drawn on (not under CI, not TERM=dumb)
  bool color = false;
  bool unicode = false;
  int width = 80;
};
Terminal terminal();

// What nothing that is said may show; it goes for the whole process.
base::Redactor& hidden();

// Whole, retried on EINTR; a reader that went away is no error.
void say(std::string_view text);
void say_line(std::string_view text);
void note(std::string_view line);       // one line on stderr
void note_text(std::string_view text);  // as it is, on stderr
// `failover: error: message` and `  hint: ...` on stderr; returns `code`.
int complain(const base::Error& error, int code);
int complain(const std::string& message, const std::string& hint, int code);

}  // namespace failover::cli
