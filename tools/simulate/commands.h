// A scenario's own commands on a machine in memory: a handful of programs, as ssh.exec, ssh.upload and ssh.download
// send them. Known are
//   true  false  sync  echo WORD...  uname [-a|-s|-n|-r|-m]  cat [FILE...]  sha256sum FILE...  ls [DIR]  rm [-rf] [--]
//   PATH...
// Everything else ends with 127, as on a machine that lacks the program.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "steps/client/ssh.h"

namespace failover::simulate {

struct File {
  std::string bytes;
  unsigned mode = 0644;
  base::WallTime mtime{};
  friend bool operator==(const File&, const File&) = default;
};
using Tree = std::map<std::string, File>;  // by absolute path

// Is this path strictly below the directory?
bool below(const std::string& path, const std::string& directory);

// Whole files of the runner, which are not memory's: for steps that read and write them. Unlike base's nothing is
// synced. nullopt and false: it cannot be done.
std::optional<std::string> from_file(const std::string& path);
bool to_file(const std::string& path, const std::string& bytes);

// `exec PROGRAM WORD...`, `sh SCRIPT` (one plain command: words without anything that a shell reads in them),
// `receive TO NAME MODE` and `send FROM`, with files of the runner; nullopt: not one of these.
std::optional<client::Finished> scenario_command(Tree& tree, const client::Command& command, base::WallTime now,
                                                 bool disk_full);

}  // namespace failover::simulate
