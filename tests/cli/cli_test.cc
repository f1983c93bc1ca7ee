// The command line offline: what it says and how it exits.
#include <sys/stat.h>

#include "engine/base/text.h"
#include "tests/cli/program.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)

TEST_CASE("version and help") {
  Program failover;
  const auto version = failover({"--version"});
  CHECK(version.exit_code == 0);
  CHECK(version.out.rfind("failover ", 0) == 0);
  CHECK_FALSE(fs::exists(failover.home.path() / "runs"));
  for (const char* command : {"list", "validate", "plan", "run", "cleanup", "report", "runs", "steps", "explain",
                              "schema", "doctor", "sandbox"}) {
    const auto help = failover({command, "--help"});
    CAPTURE(command);
    CHECK(help.exit_code == 0);
    CHECK(base::contains(help.out, "Example:"));
  }
  CHECK(
      base::contains(failover({"cleanup", "--help"}).out, "exit code 0: the list was made, not that nothing is held"));
}

TEST_CASE("simulate: an unreached cell fails a campaign that requires them; a seed and a point are played again") {
  Program failover;
  const std::vector<std::string> words{"simulate", "realtime-sync", "--input", "file_size=1KB", "--jobs", "1"};
  const auto with = [&](std::vector<std::string> more) {
    auto out = words;
    out.insert(out.end(), more.begin(), more.end());
    return failover(out, 100s);
  };
  const auto few = with({"--seeds", "5", "--require-cells"});
  CHECK(few.exit_code == 1);
  CHECK(base::contains(few.out, "unreached: bad_vast_key x world"));
  CHECK(base::contains(few.out, "unreached: destroy_500 x world"));
  CHECK(base::contains(few.out, "5 journeys, "));
  CHECK(with({"--seeds", "5"}).exit_code == 0);
  const auto seed = with({"--replay", "4"});
  CHECK(seed.exit_code == 0);
  CHECK(seed.out.rfind("seed 4, ", 0) == 0);
  CHECK(with({"--replay", "4"}).out == seed.out);
  const auto point = with({"--every-point", "--replay", "3"});
  CHECK(point.exit_code == 0);
  CHECK(point.out.rfind("seed 0, kill torn record 1\n", 0) == 0);
  const auto nowhere = with({"--every-point", "--replay", "999999"});
  CHECK(nowhere.exit_code == 2);
  CHECK(base::contains(nowhere.err, "there is no point 999999"));
}

TEST_CASE("a wrong command line is exit 2 with a word about it") {
  Program failover;
  for (const std::vector<std::string>& line :
       std::vector<std::vector<std::string>>{{},
                                             {"rnu"},
                                             {"run"},
                                             {"run", "realtime-snyc"},
                                             {"run", "realtime-sync", "--inptu", "a=1"},
                                             {"run", "realtime-sync", "--input", "x"},
                                             {"run", "realtime-sync", "--input", "file_cuont=3"},
                                             {"run", "realtime-sync", "--input", "file_count=many"},
                                             {"run", "realtime-sync", "--limit-cost", "5"},
                                             {"run", "realtime-sync", "--fault", "no_such_fault"},
                                             {"run", "realtime-sync", "--live", "--fault", "offer_gone"},
                                             {"plan", "nothing"},
                                             {"run", "existing-instance"},
                                             {"report", "last"},
                                             {"cleanup", "20200101T000000Z-aaaaaaaaaa"},
                                             {"steps", "vast.creat"},
                                             {"schema", "world"},
                                             {"explain", "unknown-outptu"},
                                             {"explain", "unknown-output", "--format", "xml"}}) {
    const auto done = failover(line);
    CAPTURE(base::join(line, " "));
    CHECK(done.exit_code == 2);
    CHECK_FALSE(done.err.empty());
  }
  CHECK(base::contains(failover({"run", "realtime-snyc"}).err, "did you mean `realtime-sync`"));
  CHECK(base::contains(failover({"run", "realtime-sync", "--input", "file_cuont=3"}).err, "did you mean `file_count`"));
}

TEST_CASE("list, validate, plan, steps and schema work without credentials") {
  Program failover;
  CHECK(base::contains(failover({"list"}).out, "realtime-sync"));
  const auto listed = nlohmann::json::parse(failover({"list", "--json"}).out, nullptr, false);
  REQUIRE(listed.is_array());
  CHECK(listed.size() >= 2);
  for (const auto& one : listed) CHECK(one.value("valid", false));
  CHECK(failover({"validate"}).exit_code == 0);
  const auto plan = failover({"plan", "realtime-sync"});
  CHECK(plan.exit_code == 0);
  CHECK(base::contains(plan.out, "vast.create_instance"));
  CHECK(failover({"run", "realtime-sync", "--dry-run"}).out == plan.out);
  CHECK(nlohmann::json::parse(failover({"plan", "realtime-sync", "--json"}).out, nullptr, false).is_object());
  const auto steps = nlohmann::json::parse(failover({"steps", "--json"}).out, nullptr, false);
  REQUIRE(steps.is_array());
  CHECK(steps.size() == 25);
  CHECK(base::contains(failover({"steps", "vast.create_instance"}).out, "example"));
  for (const char* which : {"scenario", "fragment", "journal", "report"}) {
    CHECK(nlohmann::json::parse(failover({"schema", which}).out, nullptr, false).is_object());
  }
}

TEST_CASE("a scenario with mistakes: every one, in the format that was asked for, exit 2, nothing ran") {
  Program failover;
  const auto file = failover.home.path() / "broken.yaml";
  REQUIRE(base::write_file(file, "name: broken\nsteps:\n  - uses: vast.check_acount\n  - uses: http.check\n").ok());
  const auto text = failover({"validate", file.string()});
  CHECK(text.exit_code == 2);
  CHECK(base::contains(text.out, "[unknown-step]"));
  CHECK(base::contains(text.out, "[missing-field]"));
  CHECK(base::contains(text.err, "`failover explain unknown-step`"));
  const auto json =
      nlohmann::json::parse(failover({"validate", file.string(), "--format", "json"}).out, nullptr, false);
  REQUIRE(json.contains("diagnostics"));
  REQUIRE(json["diagnostics"].size() == 2);
  CHECK(json["diagnostics"][0]["line"] == 3);
  CHECK(json["diagnostics"][0]["column"] == 11);
  CHECK(base::contains(failover({"validate", file.string(), "--format", "github"}).out, "::error file="));
  CHECK(failover({"run", file.string()}).exit_code == 2);
  CHECK_FALSE(fs::exists(failover.home.path() / "runs"));
}

TEST_CASE("live without credentials or without a word of consent is exit 2") {
  Program failover;
  const auto bare = failover({"run", "realtime-sync", "--live", "--yes"});
  CHECK(bare.exit_code == 2);
  CHECK(base::contains(bare.err, "VAST_API_KEY"));
  CHECK(base::contains(bare.err, "B2_BUCKET"));
  for (const char* name : {"VAST_API_KEY", "B2_KEY_ID", "B2_APPLICATION_KEY", "B2_BUCKET"})
    failover.environment[name] = "canary-secret";
  failover.environment["VAST_API_URL"] = "http://127.0.0.1:1";
  failover.environment["B2_ENDPOINT"] = "http://127.0.0.1:1";
  const auto asked = failover({"run", "realtime-sync", "--live"});
  CHECK(asked.exit_code == 2);
  CHECK(base::contains(asked.err, "--yes"));
  CHECK(base::contains(asked.err, "estimate"));
  failover.environment["VAST_API_URL"] = "http://192.0.2.1";
  const auto plain = failover({"run", "realtime-sync", "--live", "--yes"});
  CHECK(plain.exit_code == 2);
  CHECK(base::contains(plain.err, "http"));
  CHECK_FALSE(base::contains(plain.err + asked.err + plain.out + asked.out, "canary-secret"));
}

TEST_CASE("a home that cannot be written is exit 2 before anything starts") {
  Program failover;
  failover.environment["FAILOVER_HOME"] = "/proc/failover";
  const auto done = failover({"run", "realtime-sync"});
  CHECK(done.exit_code == 2);
  CHECK(base::contains(done.err, "FAILOVER_HOME"));
}

TEST_CASE("nothing to clean up is said and is fine") {
  Program failover;
  const auto done = failover({"cleanup"});
  CHECK(done.exit_code == 0);
  CHECK(base::contains(done.out, "nothing to give back"));
}

TEST_CASE("a folder of runs that cannot be read is named, and is not an empty one") {
  Program failover;
  const auto runs = failover.home.path() / "runs";
  REQUIRE(base::write_file(runs, "a file where a folder belongs").ok());
  const std::string named = "cannot look for runs in " + runs.string() + ": Not a directory";
  for (const std::vector<std::string>& line : std::vector<std::vector<std::string>>{{"cleanup"},
                                                                                    {"cleanup", "last"},
                                                                                    {"runs"},
                                                                                    {"runs", "realtime-sync"},
                                                                                    {"runs", "--json"},
                                                                                    {"report", "last"}}) {
    CAPTURE(base::join(line, " "));
    const auto done = failover(line);
    INFO(done.out << done.err);
    CHECK(done.exit_code == (line.front() == "cleanup" ? 4 : 2));
    CHECK(base::contains(done.err, named));
    CHECK(base::contains(done.err, "cleanup --expired"));
    CHECK_FALSE(base::contains(done.out, "nothing to give back"));
    CHECK_FALSE(base::contains(done.out, "no runs yet"));
  }
}

TEST_CASE("a run's folder that cannot be looked into is named by every command; a stray file is none") {
  Program failover;
  const auto runs = failover.home.path() / "runs";
  fs::create_directories(runs);
  REQUIRE(base::write_file(runs / ".probe-1", "of a start that was killed").ok());
  CHECK(failover({"cleanup"}).exit_code == 0);
  const std::string id = "20260101T000000Z-aaaaaaaaaa";
  fs::create_symlink(runs / id, runs / id);  // what permissions are to others, a loop is to root too
  const std::string named = "cannot look for runs in " + (runs / id).string() + ": ";
  const std::vector<std::pair<std::vector<std::string>, int>> lines{
      {{"cleanup"}, 4},
      {{"cleanup", id}, 4},
      {{"cleanup", "--dry-run"}, 4},
      {{"runs"}, 2},
      {{"report", id}, 2},
      {{"run", "realtime-sync", "--quick"}, 0}};  // what is simulated owes nothing to the account
  for (const auto& one : lines) {
    const auto& line = one.first;
    CAPTURE(base::join(line, " "));
    const auto done = failover(line);
    INFO(done.out << done.err);
    CHECK(done.exit_code == one.second);
    CHECK(base::contains(done.err, named));
    CHECK_FALSE(base::contains(done.out, "nothing to give back"));
    CHECK_FALSE(base::contains(done.out, "no runs yet"));
  }
  const auto doctor = failover({"doctor"});
  INFO(doctor.out << doctor.err);
  CHECK(doctor.exit_code == 2);
  CHECK(base::contains(doctor.out, "FAIL  runs: " + named));
}

TEST_CASE("doctor names a journal that it cannot read, as cleanup does, and is not ready") {
  Program failover;
  const auto folder = failover.home.path() / "runs" / "20260101T000000Z-aaaaaaaaaa";
  fs::create_directories(folder);
  REQUIRE(base::write_file(folder / "journal.jsonl", "no record\nnor this\n").ok());
  CHECK(failover({"cleanup"}).exit_code == 4);
  const auto doctor = failover({"doctor"});
  INFO(doctor.out << doctor.err);
  CHECK(doctor.exit_code == 2);
  CHECK(base::contains(doctor.out, "FAIL  runs: "));
  CHECK(base::contains(doctor.out, "20260101T000000Z-aaaaaaaaaa"));
  CHECK(base::contains(doctor.out, "labelled failover-aaaaaaaaaa-*"));
  CHECK(base::contains(doctor.out, "not ready"));
}

TEST_CASE("an installation that was moved finds its scenarios") {
  Program failover;
  const auto prefix = failover.home.path() / "opt";
  fs::create_directories(prefix / "bin");
  fs::create_directories(prefix / "share/failover");
  fs::copy_file(FAILOVER_BINARY, prefix / "bin/failover");
  fs::copy(fs::path(FAILOVER_SOURCE_DIR) / "scenarios", prefix / "share/failover/scenarios");
  base::ProcessSpec spec;
  spec.command = {(prefix / "bin/failover").string(), "list"};
  spec.environment = failover.environment;
  spec.directory = "/";
  const auto done = base::run_process(spec, base::Patience(failover.clock, failover.clock.now() + 30s, {}));
  REQUIRE(done.ok());
  CHECK(base::contains(done->out, "realtime-sync"));
}

TEST_CASE("new writes a scenario that validates, and nothing over another") {
  Program failover;
  const auto place = failover.home.path() / "work";
  fs::create_directories(place / "scenarios");
  failover.directory = place.string();
  failover.environment["FAILOVER_SCENARIOS"] = FAILOVER_SOURCE_DIR "/scenarios";
  auto done = failover({"new", "first-drill"});
  CHECK(done.exit_code == 0);
  CHECK(done.out == "scenarios/first-drill.yaml\n");
  done = failover({"validate", "first-drill"});
  INFO(done.out << done.err);
  CHECK(done.exit_code == 0);
  CHECK(done.out == "1 scenario, no mistakes\n");
  CHECK(failover({"plan", "first-drill"}).exit_code == 0);

  const auto before = *base::read_file(place / "scenarios/first-drill.yaml", 1 << 20);
  done = failover({"new", "first-drill", "--from", "realtime-sync"});
  CHECK(done.exit_code == 2);
  CHECK(base::contains(done.err, "is there already"));
  CHECK(*base::read_file(place / "scenarios/first-drill.yaml", 1 << 20) == before);

  CHECK(failover({"new", "second", "--from", "realtime-sync"}).exit_code == 0);
  CHECK(failover({"validate", "second"}).exit_code == 0);
  CHECK(failover({"new", "../out"}).exit_code == 2);
  CHECK(failover({"new", "third", "--from", "realtime-sink"}).exit_code == 2);
}

TEST_CASE("what the steps need of this machine: plan says what is missing, run starts nothing") {
  Program failover;
  const fs::path file = failover.home.path() / "upload.yaml";
  const fs::path model = failover.home.path() / "model.bin";
  const std::string text =
      "name: upload\nsteps:\n  - uses: b2.put_object\n    with: {bucket: failover-sandbox, from: " + model.string() +
      "}\n";
  REQUIRE(base::write_file(file, text).ok());
  CHECK(failover({"validate", file.string()}).exit_code == 0);
  const auto planned = failover({"plan", file.string()});
  CHECK(planned.exit_code == 0);
  CHECK(base::contains(planned.err, "4:44: warning: no file `" + model.string() + "` [not-there]"));
  const auto refused = failover({"run", file.string(), "--output", "plain"});
  CHECK(refused.exit_code == 2);
  CHECK(base::contains(refused.err, "[not-there]"));
  CHECK(base::contains(refused.err, "nothing was started"));
  CHECK_FALSE(fs::exists(failover.home.path() / "runs"));
  REQUIRE(base::write_file(model, "weights").ok());
  CHECK_FALSE(base::contains(failover({"plan", file.string()}).err, "not-there"));
  CHECK(failover({"run", file.string(), "--output", "plain"}).exit_code == 0);
}

TEST_CASE("a fragment is a regular file of YAML, or it is not read") {
  Program failover;
  const fs::path file = failover.home.path() / "outer.yaml";
  const auto said = [&](const std::string& fragment) {
    REQUIRE(base::write_file(file, "name: outer\nsteps:\n  - uses: ./" + fragment + "\n").ok());
    return failover({"validate", file.string()}).out;
  };
  REQUIRE(base::write_file(failover.home.path() / "private", "the first line of somebody's file\n").ok());
  CHECK(base::contains(said("private"), "[no-such-fragment]"));
  CHECK_FALSE(base::contains(said("private"), "somebody"));
  REQUIRE(::mkfifo((failover.home.path() / "pipe.yaml").c_str(), 0600) == 0);
  CHECK(base::contains(said("pipe.yaml"), "is no regular file"));
}

TEST_CASE("validate --format sarif names the tool, the rule and the place") {
  Program failover;
  const auto file = failover.home.path() / "bad one.yaml";
  const std::string step = "  - {uses: local.exec, with: {comand: [ls]}}\n";
  REQUIRE(base::write_file(file, "name: bad one\nsteps:\n" + step + step + "  - {uses: nothing}\n").ok());
  const auto done = failover({"validate", file.string(), "--format", "sarif"});
  CHECK(done.exit_code == 2);
  const auto sarif = nlohmann::json::parse(done.out, nullptr, false);
  REQUIRE(sarif.is_object());
  CHECK(sarif["version"] == "2.1.0");
  const auto& run = sarif["runs"][0];
  CHECK(run["tool"]["driver"]["name"] == "failover");
  CHECK(run["columnKind"] == "unicodeCodePoints");
  CHECK(run["results"][0]["ruleId"] == "unknown-field");
  const std::size_t index = run["results"][0]["ruleIndex"];
  const auto& rules = run["tool"]["driver"]["rules"];
  REQUIRE(index < rules.size());
  CHECK(rules[index]["id"] == "unknown-field");
  CHECK(rules[index]["name"] == "UnknownField");
  CHECK(rules[index]["defaultConfiguration"]["level"] == "error");
  CHECK(rules[index]["shortDescription"]["text"] == "There is no such field.");
  CHECK_FALSE(rules[index]["fullDescription"]["text"].get<std::string>().empty());
  CHECK(base::contains(rules[index]["help"]["text"].get<std::string>(), "command: [date]"));
  CHECK(base::contains(rules[index]["help"]["markdown"].get<std::string>(), "```yaml\n"));
  // Findings of one code share a rule.
  CHECK(rules.size() == 2);
  REQUIRE(run["results"].size() == 3);
  CHECK(run["results"][1]["ruleIndex"] == index);
  CHECK(rules[run["results"][2]["ruleIndex"].get<std::size_t>()]["id"] == "unknown-step");
  CHECK(run["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] == 3);
  CHECK(run["results"][0]["locations"][0]["physicalLocation"]["region"]["startColumn"] == 31);
  const std::string uri = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
  CHECK(base::contains(uri, "bad%20one.yaml"));
}

TEST_CASE("bash completes commands, options and the names of scenarios") {
  Program failover;
  base::ProcessSpec spec;
  const std::string script =
      "eval \"$(" FAILOVER_BINARY " completion bash)\"; failover() { " FAILOVER_BINARY
      " \"$@\"; }; COMP_WORDS=($1); COMP_CWORD=$2; _failover; printf '%s\\n' \"${COMPREPLY[@]}\"";
  const auto completed = [&](const std::string& line, const std::string& word) {
    spec.command = {"bash", "-c", script, "bash", line, word};
    spec.environment = failover.environment;
    spec.directory = FAILOVER_SOURCE_DIR;
    const auto done = base::run_process(spec, base::Patience(failover.clock, failover.clock.now() + 30s, {}));
    REQUIRE(done.ok());
    return done->out + done->err;
  };
  CHECK(completed("failover val", "1") == "validate\n");
  CHECK(completed("failover run real", "2") == "realtime-sync\n");
  CHECK(base::contains(completed("failover run --li", "2"), "--limit-cost"));
  CHECK(completed("failover explain unknown-o", "2") == "unknown-output\n");
  CHECK(completed("failover steps ssh.e", "2") == "ssh.exec\n");
}

TEST_CASE("the manual names every command and option") {
  Program failover;
  const auto done = failover({"man"});
  CHECK(done.exit_code == 0);
  for (const char* words : {".TH FAILOVER 1", ".SS validate", ".SS sandbox", "\\-\\-limit\\-cost", "EXIT STATUS"})
    CHECK(base::contains(done.out, words));
}

#ifdef __GLIBC__
TEST_CASE("what needs no network loads no network") {
  Program failover;
  failover.environment["LD_TRACE_LOADED_OBJECTS"] = "1";
  const auto loaded = failover({"validate"});
  CHECK(base::contains(loaded.out, "libc.so"));
  for (const char* heavy : {"libcurl", "libssh", "libssl", "libcpp-httplib"}) {
    CAPTURE(heavy);
    CHECK_FALSE(base::contains(loaded.out, heavy));
  }
}
#endif

TEST_CASE("a command that there is not is named, with the nearest one") {
  Program failover;
  const auto done = failover({"vlidate", "x.yaml"});
  CHECK(done.exit_code == 2);
  CHECK(base::contains(done.err, "there is no command `vlidate`"));
  CHECK(base::contains(done.err, "did you mean `validate`?"));
  CHECK(base::contains(failover({"frob"}).err, "`failover --help` lists them"));
}

TEST_CASE("without its other half the program says what is missing, and does alone what it can") {
  Program failover;
  const auto alone = failover.home.path() / "failover";
  fs::copy_file(FAILOVER_BINARY, alone);
  const auto start = [&](std::vector<std::string> command) {
    base::ProcessSpec spec;
    command.insert(command.begin(), alone.string());
    spec.command = std::move(command);
    spec.environment = failover.environment;
    spec.directory = failover.directory;
    auto done = base::run_process(spec, base::Patience(failover.clock, failover.clock.now() + 60s, {}));
    REQUIRE(done.ok());
    return *std::move(done);
  };
  CHECK(start({"validate"}).exit_code == 0);
  const auto run = start({"run", "realtime-sync"});
  CHECK(run.exit_code == 3);
  CHECK(base::contains(run.err, "failover-runner cannot be started: No such file or directory"));
  CHECK(base::contains(run.err, "hint: it belongs beside `failover`"));
}
