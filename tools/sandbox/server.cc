#include "tools/sandbox/server.h"

#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stop_token>
#include <thread>

#include "engine/base/text.h"

namespace failover::sandbox {
namespace {

constexpr int kThreads = 64;  // an idle keep-alive connection holds one
constexpr std::int64_t kChunk = 256 << 10;

int port_of(const sockaddr_storage& address) {
  if (address.ss_family != AF_INET) return 0;
  return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);  // NOLINT: how the sockets API is made
}

// Calls `found` with every socket of this process that is connected from local port `ours`; `theirs` 0: to any.
template <class Found>
void each_connection(int ours, int theirs, const Found& found) {
  const long limit = std::clamp(::sysconf(_SC_OPEN_MAX), 256L, 65'536L);
  for (int fd = 3; fd < limit; ++fd) {
    sockaddr_storage local{};
    sockaddr_storage remote{};
    socklen_t local_size = sizeof local;
    socklen_t remote_size = sizeof remote;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&local), &local_size) != 0 || port_of(local) != ours)
      continue;                                                                                // NOLINT
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&remote), &remote_size) != 0) continue;  // NOLINT
    if (theirs == 0 || port_of(remote) == theirs) found(fd);
  }
}

// httplib hands out no socket: the connection is found by its two ports. It closes the descriptor itself.
void cut_connection(int ours, int theirs) {
  each_connection(ours, theirs, [](int fd) { ::shutdown(fd, SHUT_RDWR); });
}

// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7).
std::string http_date(base::WallTime at) {
  static constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::string utc = base::format_utc(at);  // 1994-11-06T08:49:37...
  const std::string month = kMonths.at(unsigned{date.month()} - 1);
  return std::string(kDays.at(std::chrono::weekday(day).c_encoding())) + ", " + utc.substr(8, 2) + " " + month + " " +
         utc.substr(0, 4) + " " + utc.substr(11, 8) + " GMT";
}

class HttpServer final : public Server {
 public:
  HttpServer(Handler handler, std::filesystem::path spool, base::Clock& clock)
      : handler_(std::move(handler)), spool_(std::move(spool)), clock_(clock) {
    server_.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };  // NOLINT: httplib owns it
    server_.set_keep_alive_max_count(1'000'000);
    server_.set_keep_alive_timeout(60);
    server_.set_read_timeout(60);
    server_.set_write_timeout(60);
    server_.set_tcp_nodelay(true);
    server_.set_payload_max_length(std::numeric_limits<std::size_t>::max());
    // httplib's own choice, SO_REUSEPORT, would let another program take the same port.
    server_.set_socket_options([](socket_t fd) {
      const int yes = 1;
      ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    route();
  }
  ~HttpServer() override { stop(); }

  base::Result<void> listen(int port) {
    const bool bound =
        port == 0 ? (port_ = server_.bind_to_any_port("127.0.0.1")) > 0 : server_.bind_to_port("127.0.0.1", port);
    if (!bound) {
      return base::Error{base::Fault::invalid, "port_taken",
                         "port " + std::to_string(port) + " of 127.0.0.1 cannot be had", "choose another --port-base"};
    }
    if (port != 0) port_ = port;
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    // stop() does nothing to a server that does not run yet.
    while (!server_.is_running()) (void)clock_.sleep_until(clock_.now() + std::chrono::milliseconds(1), {});
    return {};
  }
  [[nodiscard]] int port() const override { return port_; }
  void stop() override {
    if (!thread_.joinable()) return;
    stopping_.request_stop();
    server_.stop();
    // Idle connections would wait for their keep-alive to end; those that are being accepted come a moment later.
    std::jthread cutter([this](const std::stop_token& done) {
      do {
        each_connection(port_, 0, [](int fd) { ::shutdown(fd, SHUT_RDWR); });
      } while (clock_.sleep_until(clock_.now() + std::chrono::milliseconds(20), done));
    });
    thread_.join();
  }

 private:
  void route() {
    const auto plain = [this](const httplib::Request& in, httplib::Response& out) { serve(in, out, make_body("")); };
    const auto with_body = [this](const httplib::Request& in, httplib::Response& out,
                                  const httplib::ContentReader& reader) {
      BodySink sink(spool_);
      bool stored = true;
      reader([&](const char* data, std::size_t length) {
        stored = stored && sink.write({data, length});
        return stored;
      });
      if (!stored) {
        out.status = 500;
        return;
      }
      serve(in, out, sink.finish());
    };
    server_.Get(".*", plain);
    server_.Options(".*", plain);
    server_.Post(".*", with_body);
    server_.Put(".*", with_body);
    server_.Patch(".*", with_body);
    server_.Delete(".*", with_body);
  }

  void serve(const httplib::Request& in, httplib::Response& out, Body body) {
    // The door answers ranges itself; httplib would cut its answer once more.
    const_cast<httplib::Request&>(in).ranges.clear();  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    Request request;
    request.method = in.method;
    request.target = in.target;
    for (const auto& [name, value] : in.headers) request.headers[base::lower(name)] = value;
    request.body = std::move(body);
    request.client = in.remote_addr;
    request.connection = std::to_string(in.remote_port);
    Answer answer = handler_(request);
    if (answer.delay > base::Duration::zero())
      (void)clock_.sleep_until(clock_.now() + answer.delay, stopping_.get_token());
    if (answer.drop) {
      cut_connection(port_, in.remote_port);
      return;
    }
    write(in, out, std::move(answer));
  }

  void write(const httplib::Request& in, httplib::Response& out, Answer answer) {
    out.status = answer.status;
    if (!out.has_header("Date")) out.set_header("Date", http_date(clock_.wall()));
    std::string type = "application/octet-stream";
    for (const auto& [name, value] : answer.headers) {
      if (base::lower(name) == "content-type") {
        type = value;
      } else {
        out.set_header(name, value);
      }
    }
    const std::int64_t size =
        answer.pieces.empty() ? static_cast<std::int64_t>(answer.text.size()) : size_of(answer.pieces);
    const std::int64_t claimed = in.method == "HEAD" ? answer.claimed_length.value_or(size) : size;
    if (claimed == 0) {
      if (answer.headers.count("Content-Type") > 0) out.set_header("Content-Type", type);
      return;
    }
    auto shared = std::make_shared<Answer>(std::move(answer));
    out.set_content_provider(
        static_cast<std::size_t>(claimed), type,
        [this, shared, size, port = in.remote_port](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
          return send(*shared, size, port, static_cast<std::int64_t>(offset), static_cast<std::int64_t>(length), sink);
        });
  }

  bool send(const Answer& answer, std::int64_t size, int peer, std::int64_t offset, std::int64_t length,
            httplib::DataSink& sink) const {
    std::int64_t take = std::min({length, kChunk, size - offset});
    const bool ends = answer.cut >= 0 && offset + take >= answer.cut;
    if (ends) take = std::max<std::int64_t>(0, answer.cut - offset);
    std::string bytes = answer.pieces.empty()
                            ? answer.text.substr(static_cast<std::size_t>(offset), static_cast<std::size_t>(take))
                            : read_all(slice(answer.pieces, offset, take));
    if (answer.flip >= offset && answer.flip < offset + take) {
      char& byte = bytes[static_cast<std::size_t>(answer.flip - offset)];
      byte = static_cast<char>(byte ^ 1);
    }
    const bool written = bytes.empty() || sink.write(bytes.data(), bytes.size());
    if (!ends) return written;
    cut_connection(port_, peer);
    return false;
  }

  Handler handler_;
  std::filesystem::path spool_;
  base::Clock& clock_;
  httplib::Server server_;
  std::stop_source stopping_;
  std::thread thread_;
  int port_ = 0;
};

}  // namespace

base::Result<std::unique_ptr<Server>> Server::start(int port, Handler handler, std::filesystem::path spool,
                                                    base::Clock& clock) {
  auto server = std::make_unique<HttpServer>(std::move(handler), std::move(spool), clock);
  if (auto listening = server->listen(port); !listening) return std::move(listening).error();
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace failover::sandbox
