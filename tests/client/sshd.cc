#include "tests/client/sshd.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

extern char** environ;

namespace failover::testing {
namespace {

constexpr const char* kSshd = "/usr/sbin/sshd";

std::string slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  ::bind(fd, reinterpret_cast<sockaddr*>(&at), size);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size);
  ::close(fd);
  return ntohs(at.sin_port);
}

bool answers(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  at.sin_port = htons(static_cast<std::uint16_t>(port));
  const bool up = ::connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0;
  ::close(fd);
  return up;
}

pid_t spawn(const std::vector<std::string>& arguments, const std::string& output) {
  std::vector<char*> words;
  for (const auto& one : arguments) words.push_back(const_cast<char*>(one.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  pid_t pid = -1;
  const int failed = posix_spawnp(&pid, words[0], &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  return failed == 0 ? pid : -1;
}

}  // namespace

TempDir::TempDir() {
  std::string pattern = (std::filesystem::temp_directory_path() / "failover-test-XXXXXX").string();
  REQUIRE(::mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
  ::chmod(pattern.c_str(), 0755);
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

bool eventually(const std::function<bool()>& holds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return holds();
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

int run_program(const std::vector<std::string>& arguments) {
  const pid_t pid = spawn(arguments, "/dev/null");
  if (pid < 0) return -1;
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::vector<Process> processes() {
  std::vector<Process> out;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", failed)) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string text = slurp("/proc/" + name + "/stat");
    const auto end = text.rfind(')');
    if (end == std::string::npos) continue;
    std::istringstream rest(text.substr(end + 1));
    Process one;
    one.pid = static_cast<pid_t>(std::stol(name));
    rest >> one.state >> one.parent >> one.group;
    out.push_back(one);
  }
  return out;
}

bool is_running(pid_t pid) {
  const auto all = processes();
  return std::any_of(all.begin(), all.end(),
                     [pid](const Process& one) { return one.pid == pid && one.state != 'Z' && one.state != 'X'; });
}

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator begin("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin, std::filesystem::directory_iterator()));
}

std::size_t threads() {
  const std::filesystem::directory_iterator begin("/proc/self/task");
  return static_cast<std::size_t>(std::distance(begin, std::filesystem::directory_iterator()));
}

bool Sshd::can(Login login) {
  if (login == Login::self) return true;
  static const bool possible = ::geteuid() == 0 && run_program({"unshare", "-m", "true"}) == 0;
  return possible;
}

Sshd::Sshd(const std::string& public_key, Login login, const std::string& extra) : login_(login), extra_(extra) {
  if (::access(kSshd, X_OK) != 0) {
    FAIL("there is no ", kSshd, ": install the package openssh-server; this test needs the real one");
  }
  user_ = login == Login::ordinary ? "nobody" : ::getpwuid(::geteuid())->pw_name;
  // sshd of root wants its empty folder, which a service would have made.
  if (::geteuid() == 0) ::mkdir("/run/sshd", 0755);
  make_host_key();
  write_files(public_key, extra);
  start();
}

Sshd::~Sshd() { stop(); }

void Sshd::make_host_key() {
  std::filesystem::remove(dir_.file("host_key"));
  std::filesystem::remove(dir_.file("host_key.pub"));
  const int code = run_program({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", dir_.file("host_key")});
  if (code != 0) FAIL("ssh-keygen is needed (package openssh-client), it said ", code);
}

void Sshd::write_files(const std::string& public_key, const std::string& extra) {
  std::filesystem::create_directories(dir_.file("home"));
  std::ofstream(dir_.file("authorized_keys")) << public_key << "\n";
  std::ofstream(dir_.file("sshd_config")) << "ListenAddress 127.0.0.1\n"
                                          << "HostKey " << dir_.file("host_key") << "\n"
                                          << "AuthorizedKeysFile " << dir_.file("authorized_keys") << "\n"
                                          << "PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
                                          << "KbdInteractiveAuthentication no\nPermitRootLogin yes\nUseDNS no\n"
                                          << "LogLevel VERBOSE\nMaxSessions 20\n"
                                          // Start-up files of whoever runs the tests are not what is tested, and may
                                          // take seconds.
                                          << "SetEnv HOME=" << dir_.file("home") << "\n"
                                          << extra << "\n";
  if (login_ != Login::ordinary) return;
  std::ifstream passwd("/etc/passwd");
  std::ofstream own(dir_.file("passwd"));
  for (std::string line; std::getline(passwd, line);) {
    if (line.rfind("nobody:", 0) != 0) own << line << "\n";
  }
  own << "nobody:x:65534:65534:nobody:/:/bin/sh\n";
}

bool Sshd::launch() {
  std::vector<std::string> words = {kSshd, "-D", "-e", "-f", dir_.file("sshd_config"), "-p", std::to_string(port_)};
  if (login_ == Login::ordinary) {
    const std::vector<std::string> before = {
        "unshare", "-m", "sh", "-c", "mount --bind \"$0\" /etc/passwd && exec \"$@\"", dir_.file("passwd")};
    words.insert(words.begin(), before.begin(), before.end());
  }
  pid_ = spawn(words, dir_.file("log"));
  REQUIRE(pid_ > 0);
  const bool up = eventually([this] {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      return true;
    }
    return count_in_log("Server listening") > 0 && answers(port_);
  });
  return up && pid_ > 0;
}

void Sshd::start(bool new_host_key) {
  if (new_host_key) make_host_key();
  std::filesystem::remove(dir_.file("log"));
  // Somebody else may take the port between the look and the listening.
  const bool chosen = port_ != 0;
  for (int tries = 0; tries < 5; ++tries) {
    if (!chosen) port_ = free_port();
    if (launch()) return;
    stop();
  }
  FAIL("sshd did not start: ", log());
}

void Sshd::end_listener() {
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void Sshd::replace_listener() {
  end_listener();
  eventually([this] { return !answers(port_); });
  start(true);
}

void Sshd::stop() {
  if (pid_ <= 0) return;
  const auto served = connections();
  end_listener();
  for (const pid_t one : served) ::kill(one, SIGTERM);
  // A child that was just being forked holds the listening socket a moment longer.
  eventually([this] { return !answers(port_); });
}

std::vector<pid_t> Sshd::connections() const {
  std::vector<pid_t> out;
  const auto all = processes();
  for (const auto& one : all) {
    if (one.parent != pid_ || one.state == 'Z') continue;
    out.push_back(one.pid);
    // The unprivileged half of a privilege-separated connection, but not the command below it.
    for (const auto& below : all) {
      if (below.parent == one.pid && slurp("/proc/" + std::to_string(below.pid) + "/comm") == "sshd\n") {
        out.push_back(below.pid);
      }
    }
  }
  return out;
}

std::string Sshd::log() const { return slurp(dir_.file("log")); }

int Sshd::count_in_log(const std::string& text) const {
  const std::string all = log();
  int count = 0;
  for (auto at = all.find(text); at != std::string::npos; at = all.find(text, at + 1)) ++count;
  return count;
}

client::Endpoint Sshd::endpoint(const std::string& machine) const { return {"127.0.0.1", port_, user_, machine}; }

}  // namespace failover::testing
