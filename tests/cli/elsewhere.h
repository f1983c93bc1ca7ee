// `failover sandbox` as a process of its own, and the program pointed at it: what live runs look like.
#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

#include "engine/base/text.h"
#include "tests/cli/program.h"

namespace failover::testing {

// The program in the background; ended with the object.
class Background {
 public:
  // `waiting`: a signal that was sent before the program began, and that it gets when it listens. `before`: what the
  // process does last before it becomes the program; false: it does not.
  Background(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& environment,
             const fs::path& output, int waiting = 0, const std::function<bool()>& before = {}) {
    std::vector<std::string> words{FAILOVER_BINARY};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<std::string> variables;
    for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
    const auto pointers = [](std::vector<std::string>& texts) {
      std::vector<char*> out;
      for (auto& text : texts) out.push_back(text.data());
      out.push_back(nullptr);
      return out;
    };
    auto argv = pointers(words);
    auto envp = pointers(variables);
    const std::string log = output.string();
    pid_ = ::fork();
    if (pid_ == 0) {
      const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
      if (::dup2(file, 1) < 0 || ::dup2(file, 2) < 0 || ::chdir(FAILOVER_SOURCE_DIR) != 0) ::_exit(126);
      if (waiting != 0) {
        sigset_t one;
        sigemptyset(&one);
        sigaddset(&one, waiting);
        ::sigprocmask(SIG_BLOCK, &one, nullptr);
        ::kill(::getpid(), waiting);  // the process, not this thread of it
      }
      if (!before || before()) ::execve(argv[0], argv.data(), envp.data());
      ::_exit(127);
    }
  }
  ~Background() {
    if (pid_ > 0 && !waited_) {
      ::kill(pid_, SIGKILL);
      wait();
    }
  }
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  void signal(int number) const { ::kill(pid_, number); }
  [[nodiscard]] pid_t pid() const { return pid_; }
  // The exit code, or 1000 + the signal that ended it.
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    waited_ = true;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  }
  [[nodiscard]] bool running() {
    if (waited_) return false;
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
  }

 private:
  pid_t pid_ = -1;
  bool waited_ = false;
};

template <class Test>
bool eventually(base::Clock& clock, base::Duration limit, const Test& test) {
  const auto end = clock.now() + limit;
  while (!test()) {
    if (clock.now() > end) return false;
    (void)clock.sleep_until(clock.now() + 20ms, {});
  }
  return true;
}

// `failover sandbox` in a process of its own, and a caller whose environment points there.
struct Elsewhere {
  Program failover{};
  fs::path file = failover.home.path() / "env";
  Background sandbox;
  std::string door{};  // of Vast.ai, and of the oracle; the environment may name a way around
  // What somebody else has in the account, and keeps.
  struct Others {
    int machines = 0;
    std::size_t keys = 0;
  } others{};

  explicit Elsewhere(std::vector<std::string> more = {})
      : sandbox(arguments(std::move(more), file), surroundings(failover), failover.home.path() / "sandbox.log") {
    REQUIRE(eventually(failover.clock, 30s, [&] { return fs::exists(file); }));
    const auto text = base::read_file(file, 1 << 16);
    REQUIRE(text.ok());
    for (const auto& line : base::split(*text, '\n')) {
      if (line.rfind("export ", 0) != 0) continue;
      const std::size_t equals = line.find('=');
      failover.environment[line.substr(7, equals - 7)] = line.substr(equals + 2, line.size() - equals - 3);
    }
    door = failover.environment["VAST_API_URL"];
  }
  // Its files go with the home, also when it is killed.
  static std::map<std::string, std::string> surroundings(const Program& caller) {
    auto out = caller.environment;
    out["TMPDIR"] = (caller.home.path() / "tmp").string();
    fs::create_directories(out["TMPDIR"]);
    return out;
  }
  static std::vector<std::string> arguments(std::vector<std::string> more, const fs::path& file) {
    std::vector<std::string> out{"sandbox", "--env-file", file.string()};
    out.insert(out.end(), more.begin(), more.end());
    return out;
  }
  base::ProcessResult curl(std::vector<std::string> arguments) {
    base::ProcessSpec spec;
    spec.command = {"curl", "-sS", "--max-time", "20"};
    spec.command.insert(spec.command.end(), arguments.begin(), arguments.end());
    spec.environment = failover.environment;
    return *base::run_process(spec, base::Patience(failover.clock, failover.clock.now() + 30s, {}));
  }
  nlohmann::json meter() { return nlohmann::json::parse(curl({door + "/_sandbox/meter"}).out, nullptr, false); }
  void arm(const std::string& fault) {
    const auto done = curl({"-d", nlohmann::json{{"arm", fault}}.dump(), door + "/_sandbox/faults"});
    REQUIRE_MESSAGE(base::contains(done.out, "armed"), (done.out + done.err));
  }
  // Reapers of runs of this home that still live.
  [[nodiscard]] std::vector<pid_t> reapers() const {
    std::vector<pid_t> out;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator("/proc", none)) {
      const auto id = base::parse_integer(entry.path().filename().string());
      if (!id) continue;
      const auto words = base::split(text_of(entry.path() / "cmdline"), '\0');
      if (words.size() > 2 && words[1] == "reap" && words[2].rfind(failover.home.path().string(), 0) == 0) {
        out.push_back(static_cast<pid_t>(*id));
      }
    }
    return out;
  }
  // Nothing is billed, attached or half-stored, but what others have.
  bool clean() {
    const auto seen = meter();
    return seen.is_object() && seen.value("billed_now", -1) == others.machines &&
           seen["ssh_keys"].size() == others.keys && seen.value("uploads", -1) == 0;
  }
  void check_clean() {
    const auto seen = meter();
    INFO(seen.dump(1));
    CHECK(seen.value("billed_now", -1) == others.machines);
    CHECK(seen["ssh_keys"].size() == others.keys);
    CHECK(seen.value("uploads", -1) == 0);
  }
};

}  // namespace failover::testing
