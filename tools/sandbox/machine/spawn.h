// One child process, on the runner's own ground or inside a jail: nothing of this process leaks into it.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "engine/base/fd.h"

namespace failover::sandbox {

struct SpawnSpec {
  std::string program;                   // whole path, as the child sees it
  std::vector<std::string> arguments;    // with argument zero
  std::vector<std::string> environment;  // `NAME=value`, exact
  std::string directory;                 // as the child sees it; when absent it starts in `/`
  std::vector<int> fds;                  // they become 0, 1, 2, ... of the child; everything else is closed
  int jail = -1;                         // a pidfd of the process whose namespaces it enters; -1: none
  bool terminal = false;                 // fds[0] is a terminal: it becomes the controlling one
};

// Starts it in a session and process group of its own, signals as if nobody had touched them. It is a child of this
// process, also in a jail: wait for it. The number is the one this process sees.
// Error{not_found} when there is no such program, else Error{internal}.
base::Result<pid_t> spawn(const SpawnSpec& spec);

// fork(), for a child that makes system calls alone until it is another program or gone: no handler of any library
// runs in it (a sanitizer's would start a thread there, and a process with two threads cannot enter a jail).
pid_t bare_fork();
// Its end, likewise.
[[noreturn]] void bare_exit(int code);
// A descriptor that becomes readable when the child ends; not open where the system has no such thing.
base::Fd watch_process(pid_t pid);
// Reaps it if it ended: true, with its status as waitpid gives it (exit code 255 when somebody else reaped it).
bool reap(pid_t pid, int& status);
// Waits for its end.
int wait_for(pid_t pid);

}  // namespace failover::sandbox
