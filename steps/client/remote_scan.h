// A look at files on a machine in one command, however many there are and whatever they are called: sizes, modes,
// times and digests as NUL-ended records.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/error.h"
#include "steps/client/manifest.h"

namespace failover::client {

// Output of one look that is taken in; above, the command ends in Error{refused, too_much_output}.
inline constexpr std::int64_t kScanLimit = 128 << 20;

// `md5sum`, `sha256sum`, `b2sum`
std::string_view digest_tool(base::Algorithm algorithm);

// Shell functions; the variable `sum` names the digest tool.
//   look       reads NUL-ended names on its input; for each that is a regular file one `F` record and one digest record
//   need T...  ends the script with kExitNoTool when a program is not there
extern const char* const kScanFunctions;

struct Scan {
  std::vector<Entry> files;              // in the order seen; digest empty when it could not be read
  std::vector<std::string> extra;        // of `X` records: names alone
  std::vector<std::string> notes;        // of `N` records: a script's own remarks
  std::vector<std::string> directories;  // of `D` records
};

// Error{corrupt, bad_answer} when the machine's words are not records. `prefix` is taken off each name.
base::Result<Scan> parse_scan(std::string_view output, std::string_view prefix);

}  // namespace failover::client
