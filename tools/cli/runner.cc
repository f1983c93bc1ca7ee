// `failover-runner`: the whole program; `failover` becomes it for whatever reaches outside.
#include "tools/cli/parts/charges.h"
#include "tools/cli/parts/log.h"
#include "tools/cli/parts/program.h"
#include "tools/cli/parts/reaper.h"

int main(int argc, char** argv) {
  using namespace failover;  // NOLINT(google-build-using-namespace)
  cli::Outside outside;
  outside.begin_log = cli::begin_log;
  outside.run = cli::run;
  outside.cleanup = cli::cleanup;
  outside.reap = cli::reap;
  outside.doctor = cli::doctor;
  outside.sandbox = cli::sandbox;
  outside.simulate = cli::simulate;
  outside.report_with_charges = cli::report_with_charges;
  return cli::run_program(outside, argc, argv);
}
