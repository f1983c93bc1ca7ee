// A machine's walls: one bubblewrap per machine with a fresh root, in whose namespaces all its commands run, so that
// they see each other and nothing else.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>

#include "engine/base/fd.h"

namespace failover::sandbox {

class Jail {
 public:
  // Raises the walls around `directory` (absolute): its workspace, root, tmp and etc become the machine's. The thread
  // that calls this must live as long as the jail: its end ends every process inside. Error{unavailable} with what
  // bubblewrap said where this cannot be done.
  static base::Result<std::unique_ptr<Jail>> raise(const std::filesystem::path& directory);
  ~Jail();
  Jail(const Jail&) = delete;
  Jail& operator=(const Jail&) = delete;

  // What SpawnSpec::jail wants.
  [[nodiscard]] int namespaces() const { return first_watch_.get(); }
  // The number this process knows the jail's first process by.
  [[nodiscard]] pid_t first() const { return first_; }
  // Kills every process inside. Those started by spawn() must be waited for before the destructor.
  void kill_all() const;

 private:
  Jail() = default;

  pid_t bwrap_ = -1;
  pid_t first_ = -1;
  base::Fd first_watch_;
  base::Fd alive_;  // the first process reads it: it ends with us
};

// From now on (or no longer) every write below /workspace fails with ENOSPC: an overlay whose upper side is a full
// tmpfs lies over it. Files that a command holds open already are not reached. Any thread may call it.
base::Result<void> fill_disk(const Jail& jail, bool full);

}  // namespace failover::sandbox
