// What steps do on machines with nothing but a shell: scripts in one round trip, listings with digests.
// The machine needs sh, GNU coreutils, findutils and tar: what every image of Debian's family has.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/digest.h"
#include "steps/client/manifest.h"
#include "steps/client/ssh.h"

namespace failover::client {

// Runs a script that must end with 0. Error: what run() says; no_space when the machine's disk is full; else refused
// with the end of what the script said on stderr. `doing` begins the message: `creating files on root@1.2.3.4:22`.
base::Result<Finished> run_script(Ssh& ssh, const Endpoint& at, const Command& command, const std::string& doing,
                                  const plugin::Context& context);
// Was the machine asked to run it? What cannot be said counts as yes.
bool may_have_run(const base::Result<Finished>& done);
// `root@1.2.3.4:22`
std::string name_of(const Endpoint& at);

// Something in a tree on a machine.
struct Listed {
  char type = 'f';   // as find(1) prints it: f, d, l, ...
  std::string path;  // relative, without `./`; `.` for the directory itself
  std::int64_t size = 0;
  unsigned mode = 0;  // all twelve bits
  base::WallTime mtime{};
  std::string digest;  // of files that were read
};

// --- pieces of scripts; what they print is NUL-separated, an empty record ends a section ---

// `md5sum`, `sha256sum`, `b2sum`.
std::string_view digest_program(base::Algorithm algorithm);
// Lists everything below the words of `find_args` (quoted already), relative to the working directory.
std::string list_words(const std::string& find_args);
// Digests of the files that list_words() would print.
std::string digest_words(const std::string& find_args, base::Algorithm algorithm);

// Splits the output at the empty records.
std::vector<std::vector<std::string>> sections(std::string_view output);
// Two sections as entries with digests. Error{corrupt} when the machine printed something else.
base::Result<std::vector<Listed>> read_listing(const std::vector<std::string>& entries,
                                               const std::vector<std::string>& digests);
// Only its files, as a manifest of `directory`.
Manifest manifest_of(const std::vector<Listed>& listed, std::string directory, base::Algorithm algorithm);
std::vector<FileRow> rows_of(const Manifest& manifest);

}  // namespace failover::client
