// `failover`: everything that needs no network, at once; the rest is handed over to `failover-runner` beside it.
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tools/cli/parts/itself.h"
#include "tools/cli/parts/output.h"
#include "tools/cli/parts/program.h"

namespace {

using namespace failover;  // NOLINT(google-build-using-namespace)

// The same process goes on, with its arguments, its environment and its descriptors.
int become_runner(char** argv) {
  const auto runner = cli::own_file().parent_path() / "failover-runner";
  ::execv(runner.c_str(), argv);
  const std::string why = std::strerror(errno);  // NOLINT(concurrency-mt-unsafe): nothing else runs
  return cli::complain(runner.string() + " cannot be started: " + why,
                       "it belongs beside `failover`: install both, or build the target failover again",
                       cli::world_failed);
}

}  // namespace

int main(int argc, char** argv) {
  cli::Outside outside;
  outside.hand_over = become_runner;
  return cli::run_program(outside, argc, argv);
}
