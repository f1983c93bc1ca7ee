// The commands of command-line.md, one source file each. Every one returns the process's exit code.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/units.h"
#include "tools/cli/parts/prepare.h"
#include "tools/cli/parts/settings.h"

namespace failover::cli {

// `live`: figures from runs on the real services (or whatever the environment names), else from the sandbox's.
int list(bool json, bool live, const Environment& environment);

struct ValidateOptions {
  std::vector<std::string> what;  // names or files; empty: everything that list shows
  std::string format = "text";    // text, json, github, sarif
};
int validate(const ValidateOptions& options, const Environment& environment);

struct NewOptions {
  std::string name;
  std::string from;  // a scenario to begin with; empty: a commented one of its own
};
// Writes scenarios/NAME.yaml (or ./NAME.yaml where there is no such folder); never over a file.
int create(const NewOptions& options, const Environment& environment);

int plan(Wish wish, bool json, bool live, const Environment& environment);

struct RunOptions {
  std::vector<std::string> names;
  std::vector<std::pair<std::string, std::string>> inputs;
  std::optional<base::Money> limit_cost;
  bool live = false;
  bool yes = false;
  bool quick = false;
  bool typical_pace = false;
  bool allow_unjailed = false;
  bool reaper = true;
  std::vector<std::string> faults;
  std::string output;    // pretty, plain, json; empty: what the terminal can
  std::string runs_dir;  // empty: $FAILOVER_HOME/runs
  int repeat = 1;
  int jobs = 1;
  int shard = 1;  // of `shards`: only every shards-th of the names
  int shards = 1;
};
int run(const RunOptions& options, const Environment& environment);

struct CleanupCommand {
  std::string run;  // empty: all unfinished ones
  bool dry_run = false;
  bool expired = false;  // by the labels in the account, without any journal
  std::string runs_dir;
};
int cleanup(const CleanupCommand& command, const Environment& environment);

struct ReportOptions {
  std::string run;
  std::string format = "text";  // text, json
  std::string output;           // a file; empty: stdout
  bool charges = false;         // read the providers' books first
  std::string runs_dir;
};
int report(const ReportOptions& options, const Environment& environment);

struct RunsOptions {
  std::string scenario;  // empty: all
  bool json = false;
  std::string runs_dir;
};
int runs(const RunsOptions& options, const Environment& environment);

int steps(const std::string& name, bool json);
// What a code of a finding means; all of them without one. `format`: text, markdown, json.
int explain(const std::string& code, const std::string& format);
int schema(const std::string& which);  // scenario, journal, report
int doctor(bool live, const Environment& environment);

struct SandboxCommand {
  int port_base = 0;
  std::string env_file;
  bool typical_pace = false;
  std::vector<std::string> faults;
};
int sandbox(const SandboxCommand& command);

}  // namespace failover::cli
