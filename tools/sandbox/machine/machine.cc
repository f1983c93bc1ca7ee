#include "tools/sandbox/machine/machine.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <future>
#include <list>
#include <random>
#include <thread>
#include <utility>

#include "engine/base/file.h"
#include "tools/sandbox/machine/connection.h"
#include "tools/sandbox/machine/host_key.h"
#include "tools/sandbox/machine/spawn.h"

namespace failover::sandbox {
namespace {

constexpr int patience_ms = 20;  // between looks at what nothing wakes the loop for

std::string random_mark() {
  std::random_device device;
  std::string mark;
  for (int i = 0; i < 4; ++i) mark += std::to_string(device()) + ".";
  return mark;
}

base::Result<base::Fd> listen_on(int port) {
#ifdef __linux__
  base::Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
#else
  base::Fd listener(::socket(AF_INET, SOCK_STREAM, 0));
#endif
  if (!listener.open()) return base::system_error(errno, "opening", "a socket");
  const int one = 1;
  ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener.get(), 128) != 0) {
    return base::system_error(errno, "listening on", "127.0.0.1:" + std::to_string(port));
  }
  base::set_nonblocking(listener);
  return listener;
}

int port_of(const base::Fd& listener) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

// One thread does everything that touches libssh or the processes; other threads leave orders.
class LoopMachine final : public Machine {
 public:
  explicit LoopMachine(MachineOptions options) : options_(std::move(options)), orders_(options_.authorized_keys) {}
  ~LoopMachine() override;
  base::Result<void> open();

  [[nodiscard]] int port() const override { return port_; }
  [[nodiscard]] std::string workspace() const override { return inside_->workspace(); }
  void set_authorized_keys(std::vector<std::string> keys) override { orders_.set_keys(std::move(keys)); }
  void set_faults(MachineFaults faults) override;
  [[nodiscard]] std::int64_t bytes_in() const override { return orders_.bytes_in; }
  [[nodiscard]] std::int64_t bytes_out() const override { return orders_.bytes_out; }

 private:
  void live(std::promise<base::Result<void>> ready);
  base::Result<void> wake_up();
  base::Result<void> run_onstart();
  void loop();
  void wait();
  void admit();
  void close();

  MachineOptions options_;
  Orders orders_;
  int port_ = 0;
  base::Fd listener_;
  base::Pipe wake_;
  Bind bind_;
  std::unique_ptr<Inside> inside_;
  pid_t onstart_ = -1;
  std::list<std::unique_ptr<Connection>> connections_;
  std::vector<pollfd> fds_;
  std::mutex disk_mutex_;
  bool disk_full_ = false;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

base::Result<void> LoopMachine::open() {
  options_.directory = std::filesystem::absolute(options_.directory);
  if (auto made = base::make_directories(options_.directory); !made) return made;
  auto listener = listen_on(options_.port);
  if (!listener) return std::move(listener).error();
  listener_ = std::move(*listener);
  port_ = port_of(listener_);
  auto wake = base::make_pipe();
  if (!wake) return std::move(wake).error();
  wake_ = std::move(*wake);
  std::promise<base::Result<void>> ready;
  auto answer = ready.get_future();
  // The jail belongs to this thread: bubblewrap ends with the thread that started it.
  thread_ = std::thread([this, promise = std::move(ready)]() mutable { live(std::move(promise)); });
  return answer.get();
}

LoopMachine::~LoopMachine() {
  stopping_ = true;
  wake_.write.close();
  if (thread_.joinable()) thread_.join();
}

void LoopMachine::set_faults(MachineFaults faults) {
  orders_.set_faults(faults);
  const std::lock_guard lock(disk_mutex_);
  if (faults.disk_full == disk_full_ || inside_->jail() == nullptr) return;
  if (fill_disk(*inside_->jail(), faults.disk_full)) disk_full_ = faults.disk_full;
}

void LoopMachine::live(std::promise<base::Result<void>> ready) {
  sigset_t all;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, nullptr);  // signals are the runner's business; SIGPIPE too stays away
  auto up = wake_up();
  const bool good = up.ok();
  ready.set_value(std::move(up));
  if (good) loop();
  close();
}

base::Result<void> LoopMachine::wake_up() {
  auto bind = bind_with_key(options_.directory / "host_key", false);
  if (!bind) return std::move(bind).error();
  bind_ = std::move(*bind);
  auto inside = Inside::open(options_, random_mark());
  if (!inside) return std::move(inside).error();
  inside_ = std::move(*inside);
  return run_onstart();
}

base::Result<void> LoopMachine::run_onstart() {
  if (options_.onstart.empty()) return {};
  const auto path = options_.directory / "onstart.log";
  const base::Fd log(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  const base::Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!log.open() || !null.open()) return base::system_error(errno, "opening", path);
  auto pid = inside_->start({Order::shell_text, options_.onstart}, {}, {null.get(), log.get(), log.get()}, false);
  if (!pid) return std::move(pid).error();
  onstart_ = *pid;
  return {};
}

void LoopMachine::loop() {
  while (!stopping_) {
    wait();
    if (stopping_) return;
    int status = 0;
    if (onstart_ > 0 && reap(onstart_, status)) onstart_ = -1;
    admit();
    bool moved = true;
    for (int turn = 0; turn < 4 && moved; ++turn) {
      moved = false;
      for (const auto& connection : connections_) {
        if (!connection->over()) moved |= connection->serve();
      }
    }
    connections_.remove_if([](const auto& connection) { return connection->over(); });
  }
}

// Waits until something can be done, and lets libssh do its part of it.
void LoopMachine::wait() {
  fds_.assign({{wake_.read.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}});
  std::vector<std::pair<Connection*, std::size_t>> places;
  int timeout_ms = onstart_ > 0 ? 1000 : -1;  // an onstart that ended is a zombie for no longer than this
  for (const auto& connection : connections_) {
    places.emplace_back(connection.get(), fds_.size());
    connection->want(fds_);
    if (connection->impatient()) timeout_ms = patience_ms;
  }
  for (const auto& connection : connections_) {
    if (connection->ready()) timeout_ms = 0;
  }
  if (::poll(fds_.data(), fds_.size(), timeout_ms) <= 0) return;
  for (const auto& [connection, place] : places) {
    if (fds_[place].revents != 0) connection->run();
  }
}

void LoopMachine::admit() {
  for (;;) {
#ifdef __linux__
    base::Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
#else
    base::Fd socket(::accept(listener_.get(), nullptr, nullptr));
#endif
    if (!socket.open()) return;
    if (orders_.take(&MachineFaults::refuse_connections)) continue;
    if (orders_.take_new_host_key()) {
      if (auto fresh = bind_with_key(options_.directory / "host_key", true)) bind_ = std::move(*fresh);
    }
    base::set_nonblocking(socket);
    if (auto connection = Connection::open(*inside_, orders_, bind_.get(), std::move(socket))) {
      connections_.push_back(std::move(connection));
    }
  }
}

void LoopMachine::close() {
  listener_.close();
  if (inside_) inside_->kill_all();
  connections_.clear();
  if (onstart_ > 0) {
    ::kill(-onstart_, SIGKILL);
    wait_for(onstart_);
  }
  inside_.reset();
}

}  // namespace

base::Result<std::unique_ptr<Machine>> Machine::start(MachineOptions options) {
  auto machine = std::make_unique<LoopMachine>(std::move(options));
  if (auto opened = machine->open(); !opened) return std::move(opened.error()).during("starting a machine");
  return std::unique_ptr<Machine>(std::move(machine));
}

}  // namespace failover::sandbox
