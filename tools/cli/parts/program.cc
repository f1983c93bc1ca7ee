#include "tools/cli/parts/program.h"

#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <csignal>

#include "engine/base/text.h"
#include "tools/cli/parts/company.h"
#include "tools/cli/parts/output.h"
#include "tools/cli/parts/shell.h"

namespace failover::cli {
namespace {

// Options that several commands share.
struct Line {
  std::vector<std::string> inputs;
  std::string limit_cost;
  std::string pace = "default";
  std::string shard;
  bool json = false;
  bool live = false;
  bool dry_run = false;
  std::string name;
  std::string format = "text";
  std::string runs_dir;
  std::string log_level = "warning";
  std::string log_file;
};

using Command = std::function<int()>;

std::string footer(const std::string& example) { return "Example:\n  " + example + "\n"; }

// Texts into values, or an exit code.
struct Assignments {
  std::vector<std::pair<std::string, std::string>> pairs;
  std::optional<base::Money> limit;
  std::optional<int> wrong;
};

Assignments read_assignments(const Line& line) {
  Assignments out;
  for (const auto& text : line.inputs) {
    auto pair = parse_assignment(text);
    if (!pair) {
      out.wrong = complain(pair.error(), usage);
      return out;
    }
    out.pairs.push_back(*std::move(pair));
  }
  if (!line.limit_cost.empty()) {
    out.limit = base::parse_money(line.limit_cost);
    if (!out.limit) {
      out.wrong = complain("--limit-cost: `" + line.limit_cost + "` is not money", "write --limit-cost '$0.10'", usage);
    }
  }
  return out;
}

// `I/N`, 1 <= I <= N.
bool read_shard(const std::string& text, RunOptions& options) {
  if (text.empty()) return true;
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos) return false;
  const auto part = base::parse_integer(text.substr(0, slash));
  const auto all = base::parse_integer(text.substr(slash + 1));
  if (!part || !all || *part < 1 || *part > *all || *all > 100'000) return false;
  options.shard = static_cast<int>(*part);
  options.shards = static_cast<int>(*all);
  return true;
}

class Program {
 public:
  explicit Program(const Outside& outside) : outside_(outside) {
    app_.set_version_flag("--version", "failover " FAILOVER_VERSION);
    app_.require_subcommand(1);
    app_.add_option("--log-level", line_.log_level, "What the log holds: trace, debug, info, warning, error, off")
        ->check(CLI::IsMember({"trace", "debug", "info", "warning", "error", "off"}));
    app_.add_option("--log-file", line_.log_file, "Write the log here (else stderr)");
    app_.fallthrough();
    app_.footer(
        "Exit codes: 0 passed, 1 an assertion or objective failed, 2 the scenario or command line is wrong,\n"
        "3 the world failed, 4 something may still be held, 130 stopped by the user and cleaned up.");
    list();
    validate();
    plan();
    run();
    cleanup();
    reap();
    report();
    runs();
    catalogue();
    doctor();
    sandbox();
    simulate();
    create();
    shell();
  }

  int main(int argc, char** argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      if (argc > 1 && *argv[1] != '-' && app_.get_subcommands().empty()) return unknown(argv[1]);
      return app_.exit(error) == 0 ? passed : usage;
    }
    // A log is kept outside as well: nothing that only reads keeps one.
    const bool elsewhere = far_ || line_.log_level != "warning" || !line_.log_file.empty();
    if (elsewhere && outside_.hand_over) return outside_.hand_over(argv);
    if (outside_.begin_log) {
      if (auto begun = outside_.begin_log(line_.log_level, line_.log_file); !begun)
        return complain(begun.error(), usage);
    }
    return chosen_();
  }

 private:
  int unknown(const std::string& word) const {
    std::vector<std::string> names;
    for (const auto* sub : app_.get_subcommands([](const CLI::App*) { return true; })) names.push_back(sub->get_name());
    const auto near = base::nearest(word, names);
    return complain("there is no command `" + base::printable(word, 40) + "`",
                    near ? "did you mean `" + *near + "`?" : "`failover --help` lists them", usage);
  }
  CLI::App* add(const std::string& name, const std::string& about, const std::string& example, Command command) {
    auto* sub = app_.add_subcommand(name, about);
    sub->footer(footer(example));
    sub->callback([this, command = std::move(command)] { chosen_ = command; });
    return sub;
  }
  // The same for what reaches outside of this machine, or simulates it.
  CLI::App* add_far(const std::string& name, const std::string& about, const std::string& example, Command command) {
    auto* sub = add(name, about, example, {});
    sub->callback([this, command = std::move(command)] {
      chosen_ = command;
      far_ = true;
    });
    return sub;
  }

  void list() {
    auto* sub = add("list", "Scenarios found, with what they take", "failover list --json",
                    [this] { return cli::list(line_.json, line_.live, environment()); });
    sub->add_flag("--json", line_.json, "As JSON");
    sub->add_flag("--live", line_.live, "Figures from past live runs, not from the sandbox's");
  }

  void validate() {
    auto* sub = add("validate", "Checks scenarios offline: no network, no credentials",
                    "failover validate realtime-sync", [this] {
                      validate_.format = line_.format;
                      return cli::validate(validate_, environment());
                    });
    sub->add_option("scenario", validate_.what, "Names or files; without any, everything that `list` shows");
    sub->add_option("--format", line_.format, "text, json, github or sarif")
        ->check(CLI::IsMember({"text", "json", "github", "sarif"}));
  }

  void inputs(CLI::App* sub) {
    sub->add_option("--input", line_.inputs, "An input of the scenario, name=value; may be repeated")
        ->take_all()
        ->expected(1);
    sub->add_option("--limit-cost", line_.limit_cost, "Lowers the scenario's cost limit, `$0.10`");
  }

  int make_plan(const std::string& name) {
    const auto given = read_assignments(line_);
    if (given.wrong) return *given.wrong;
    return cli::plan({name, given.pairs, given.limit}, line_.json, line_.live, environment());
  }

  void plan() {
    auto* sub = add("plan", "What a run would do, make and cost; offline",
                    "failover plan realtime-sync --input file_count=10", [this] { return make_plan(line_.name); });
    sub->add_option("scenario", line_.name, "A name or a file")->required();
    sub->add_flag("--json", line_.json, "As JSON");
    sub->add_flag("--live", line_.live, "Figures of a live run: from past live runs, not from the sandbox's");
    inputs(sub);
  }

  int start_run() {
    const auto given = read_assignments(line_);
    if (given.wrong) return *given.wrong;
    if (line_.dry_run) {
      int worst = passed;
      for (const auto& name : run_.names) worst = std::max(worst, make_plan(name));
      return worst;
    }
    if (!read_shard(line_.shard, run_)) {
      return complain("--shard: `" + line_.shard + "` is not I/N", "write --shard 2/8", usage);
    }
    run_.inputs = given.pairs;
    run_.limit_cost = given.limit;
    run_.live = line_.live;
    run_.typical_pace = line_.pace == "typical";
    run_.runs_dir = line_.runs_dir;
    return outside_.run(run_, environment());
  }

  void run() {
    auto* sub = add_far("run", "Runs scenarios: in the built-in sandbox, or with --live for real money",
                        "failover run realtime-sync --input file_count=10", [this] { return start_run(); });
    sub->add_option("scenario", run_.names, "Names or files")->required();
    sub->add_flag("--live", line_.live, "On the providers of the environment; costs money");
    sub->add_flag("--yes", run_.yes, "Answers the question before a live run");
    sub->add_flag("--quick", run_.quick, "Only the preflight: free and read-only");
    sub->add_flag("--dry-run", line_.dry_run, "The same as `failover plan`");
    inputs(sub);
    sub->add_option("--output", run_.output, "pretty, plain or json")
        ->check(CLI::IsMember({"pretty", "plain", "json"}));
    sub->add_option("--runs-dir", line_.runs_dir, "Where run folders go (else $FAILOVER_HOME/runs)");
    sub->add_option("--repeat", run_.repeat, "Runs each so often")->check(CLI::Range(1, 10'000));
    sub->add_option("--jobs", run_.jobs, "So many side by side")->check(CLI::Range(1, 64));
    sub->add_option("--shard", line_.shard, "I/N: only the I-th of N parts of the named scenarios");
    sub->add_option("--pace", line_.pace,
                    "Of the sandbox: default, or typical for the times measured on the real services")
        ->check(CLI::IsMember({"default", "typical"}));
    sub->add_option("--fault", run_.faults, "What goes wrong in the sandbox; may be repeated")->take_all()->expected(1);
    sub->add_flag("--allow-unjailed", run_.allow_unjailed,
                  "Runs a scenario's own commands even where no jail holds them");
    sub->add_flag("!--no-reaper", run_.reaper,
                  "Starts no process that would give everything back if this one is killed");
  }

  void cleanup() {
    auto* sub = add_far("cleanup", "Gives back what interrupted runs left behind, from their journals",
                        "failover cleanup", [this] {
                          cleanup_.runs_dir = line_.runs_dir;
                          cleanup_.dry_run = line_.dry_run;
                          return outside_.cleanup(cleanup_, environment());
                        });
    sub->add_option("run", cleanup_.run, "A run's id, or the beginning or end of one; without it all unfinished runs");
    sub->add_flag("--dry-run", line_.dry_run,
                  "Only lists what would be given back; exit code 0: the list was made, not that nothing is held");
    sub->add_flag(
        "--expired", cleanup_.expired,
        "By the labels in the account alone, from any machine: what this key signed and is past its deadline");
    sub->add_flag("--live", line_.live, "Accepted for symmetry: each journal says where its run took place");
    sub->add_option("--runs-dir", line_.runs_dir, "Where run folders are (else $FAILOVER_HOME/runs)");
  }

  // Not for people: `run` starts it.
  void reap() {
    auto* sub = add_far("reap", "Waits until a run's process is gone and finishes its work", "failover cleanup",
                        [this] { return outside_.reap(line_.name, environment()); });
    sub->add_option("folder", line_.name, "The run's folder")->required();
    sub->group("");
  }

  void report() {
    auto* sub =
        add("report", "The report of a run again, from its journal", "failover report last --format json", [this] {
          report_.format = line_.format;
          report_.runs_dir = line_.runs_dir;
          return report_.charges ? outside_.report_with_charges(report_, environment())
                                 : cli::report(report_, environment());
        });
    sub->add_option("run", report_.run, "A run's id, the beginning or end of one, or `last`")->required();
    sub->add_option("--format", line_.format, "text or json")->check(CLI::IsMember({"text", "json"}));
    sub->add_option("--output", report_.output, "Into this file instead of stdout");
    sub->add_flag("--charges", report_.charges,
                  "First reads what the provider charged by now (read-only), and keeps it in the journal");
    sub->add_option("--runs-dir", line_.runs_dir, "Where run folders are (else $FAILOVER_HOME/runs)");
  }

  void runs() {
    auto* sub = add("runs", "Past runs per scenario: verdicts, times, cost, and how well estimates held",
                    "failover runs realtime-sync", [this] {
                      runs_.json = line_.json;
                      runs_.runs_dir = line_.runs_dir;
                      return cli::runs(runs_, environment());
                    });
    sub->add_option("scenario", runs_.scenario, "Only this one, with each of its runs");
    sub->add_flag("--json", line_.json, "As JSON");
    sub->add_option("--runs-dir", line_.runs_dir, "Where run folders are (else $FAILOVER_HOME/runs)");
  }

  void catalogue() {
    auto* steps = add("steps", "The catalogue of step types", "failover steps vast.create_instance",
                      [this] { return cli::steps(line_.name, line_.json); });
    steps->add_option("step", line_.name, "One of them, in full");
    steps->add_flag("--json", line_.json, "As JSON");
    auto* schema = add("schema", "JSON Schema of scenarios, fragments, journals or reports",
                       "failover schema scenario > scenario.schema.json", [this] { return cli::schema(line_.name); });
    auto* explain = add("explain", "What a finding of `validate` means, with a wrong and a right example",
                        "failover explain unknown-output", [this] { return cli::explain(line_.name, line_.format); });
    explain->add_option("code", line_.name, "The word in brackets behind a finding; without it, all of them");
    explain->add_option("--format", line_.format, "text, markdown or json")
        ->check(CLI::IsMember({"text", "markdown", "json"}));
    schema->add_option("which", line_.name, "scenario (if not said), fragment, journal or report")
        ->check(CLI::IsMember({"scenario", "fragment", "journal", "report"}));
  }

  void doctor() {
    auto* sub = add_far("doctor", "Every precondition, with its remedy", "failover doctor --live",
                        [this] { return outside_.doctor(line_.live, environment()); });
    sub->add_flag("--live", line_.live, "Asks the providers too: keys, balance, bucket, clock (read-only)");
  }

  void sandbox() {
    auto* sub =
        add_far("sandbox", "The simulated providers as servers on loopback, until Ctrl-C",
                "failover sandbox --env-file /tmp/env &  . /tmp/env; failover run realtime-sync --live --yes", [this] {
                  sandbox_.typical_pace = line_.pace == "typical";
                  return outside_.sandbox(sandbox_);
                });
    sub->add_option("--port-base", sandbox_.port_base, "Vast on this port, B2 on the next one (else free ones)")
        ->check(CLI::Range(1024, 65'000));
    sub->add_option("--env-file", sandbox_.env_file,
                    "Writes the exports that point a client here, when ready to answer");
    sub->add_option("--pace", line_.pace, "default, or typical for the times measured on the real services")
        ->check(CLI::IsMember({"default", "typical"}));
    sub->add_option("--fault", sandbox_.faults, "What goes wrong; may be repeated")->take_all()->expected(1);
  }

  void simulate() {
    auto* sub = add_far("simulate", "Hostile journeys on virtual time, judged against the simulated world's truth",
                        "failover simulate realtime-sync --seeds 10000 --input file_size=1KB", [this] {
                          const auto given = read_assignments(line_);
                          if (given.wrong) return *given.wrong;
                          simulate_.inputs = given.pairs;
                          return outside_.simulate(simulate_, environment());
                        });
    sub->add_option("scenario", simulate_.name, "A name or a file")->required();
    sub->add_option("--input", line_.inputs, "An input of the scenario, name=value; may be repeated")
        ->take_all()
        ->expected(1);
    sub->add_option("--machine", simulate_.machines,
                    "An input that gets the id of an instance which the simulated account has already; may be repeated")
        ->take_all()
        ->expected(1);
    sub->add_option("--folder", simulate_.folder,
                    "An input that names a folder; what runs side by side gets one each below it, removed afterwards");
    sub->add_option("--seeds", simulate_.seeds, "How many journeys")->check(CLI::Range(1, 1'000'000'000));
    sub->add_option("--first", simulate_.first, "The first seed");
    sub->add_option(
        "--replay", simulate_.replay,
        "One seed again, with everything that happens; with --every-point or --every-pair the point of that number");
    sub->add_flag("--shrink", simulate_.shrink, "With --replay: as little as still violates something");
    sub->add_flag("--every-point", simulate_.every_point,
                  "Instead of seeds: each journal record and each call to the outside, with each fault");
    sub->add_flag("--every-pair", simulate_.every_pair,
                  "Instead of seeds: each death at a journal record with each death of the recovery after it");
    sub->add_option("--stride", simulate_.stride, "With --every-pair: of the run's records each so many-th alone")
        ->check(CLI::Range(1, 1'000'000));
    sub->add_flag("--fail-fast", simulate_.fail_fast, "Ends with the first violation");
    sub->add_flag("--may-fail", simulate_.may_fail,
                  "A scenario that does not pass where nothing goes wrong is played too");
    sub->add_flag("--require-cells", simulate_.require_cells, "A fault that no step met is a failure");
    sub->add_option("--jobs", simulate_.jobs, "So many side by side (else one for each core)")
        ->check(CLI::Range(1, 256));
  }

  void create() {
    auto* sub = add("new", "Writes a commented scenario that validates", "failover new my-drill --from realtime-sync",
                    [this] { return cli::create(new_, environment()); });
    sub->add_option("name", new_.name, "Letters, digits, - and _; the file is scenarios/NAME.yaml")->required();
    sub->add_option("--from", new_.from, "Begin with this scenario instead of the short one");
  }

  void shell() {
    auto* sub =
        add("completion", "Completion for a shell, to be read by it", "eval \"$(failover completion bash)\"", [this] {
          say(completion(app_, line_.name));
          return static_cast<int>(passed);
        });
    sub->add_option("shell", line_.name, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
    add("man", "The manual page, in roff", "failover man | man -l -", [this] {
      say(manual(app_, FAILOVER_VERSION));
      return static_cast<int>(passed);
    });
  }

  const Environment& environment() {
    if (environment_.empty()) {
      environment_ = process_environment();
      hide_secrets(hidden(), environment_, settings_from(environment_), {});
    }
    return environment_;
  }

  CLI::App app_{"Drills failover on rented GPUs and proves that every byte arrives", "failover"};
  Line line_;
  ValidateOptions validate_;
  NewOptions new_;
  RunOptions run_;
  CleanupCommand cleanup_;
  ReportOptions report_;
  RunsOptions runs_;
  SandboxCommand sandbox_;
  SimulateOptions simulate_;
  Environment environment_;
  Command chosen_;
  bool far_ = false;
  Outside outside_;
};

// A standard stream that is closed would be the number of the next file that is opened: a journal, a connection; and
// what is said would be written into it. Held so that reading and writing fail as they would have.
void hold_standard_streams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0 && errno == EBADF) {
      (void)::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);  // NOLINT: children get it too
    }
  }
}

}  // namespace

int run_program(const Outside& outside, int argc, char** argv) {
  hold_standard_streams();
  // A reader that goes away is an error of the write.
  std::signal(SIGPIPE, SIG_IGN);
  // Ignored by who started this, ends of children could not be waited for.
  std::signal(SIGCHLD, SIG_DFL);
  return Program(outside).main(argc, argv);
}

}  // namespace failover::cli
