// Our HTTP client against servers that behave in every way a server can.
#include "steps/client/http.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>
#include <thread>

#include "engine/base/text.h"
#include "tests/client/fake_host.h"
#include "tests/client/raw_server.h"
#include "tests/client/sshd.h"

using namespace failover;
using namespace failover::testing;
using namespace std::chrono_literals;
using base::Fault;
using client::HttpRequest;
using client::HttpResponse;

namespace {

HttpRequest ask(const std::string& method, const std::string& url, const std::string& body = "") {
  HttpRequest request;
  request.peer = "test";
  request.method = method;
  request.url = url;
  request.body = body;
  return request;
}

HttpResponse good(base::Result<HttpResponse> got) {
  REQUIRE_MESSAGE(got.ok(), (got ? "" : got.error().line()));
  return *std::move(got);
}

base::Error bad(base::Result<HttpResponse> got) {
  REQUIRE_FALSE(got.ok());
  return std::move(got).error();
}

std::string contents(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

// Serves every request of every connection with the same function.
auto each(std::function<void(Peer&, const std::string&)> serve) {
  return [serve = std::move(serve)](Peer& peer) {
    for (std::string request; !(request = peer.request()).empty();) serve(peer, request);
  };
}

}  // namespace

TEST_CASE("http: any answer is an answer, redirects and failures included") {
  RawServer server(each([](Peer& peer, const std::string& request) {
    const int status = std::stoi(request.substr(request.find("/s/") + 3));
    peer.answer(status, status == 204 || status == 304 ? "" : "body " + std::to_string(status),
                "X-Thing:  a value \r\nLocation: http://127.0.0.1:1/elsewhere\r\n");
  }));
  const auto http = client::make_http();
  Bench<> bench;
  for (const int status : {200, 201, 204, 301, 302, 307, 400, 401, 404, 409, 429, 500, 503}) {
    const auto got = good(http->send(ask("GET", server.url("/s/" + std::to_string(status))), bench.context()));
    CHECK(got.status == status);
    if (status != 204) CHECK(got.body == "body " + std::to_string(status));
    REQUIRE(got.header("x-thing") != nullptr);
    CHECK(*got.header("x-thing") == "a value");
    CHECK(got.header("absent") == nullptr);
  }
  CHECK(server.connections() == 1);  // kept alive
  CHECK(bench.host.exchanges().size() == 13);
}

TEST_CASE("http: what is sent is what was given") {
  std::string seen;
  RawServer server(each([&](Peer& peer, const std::string& request) {
    seen = request;
    peer.answer(200, "");
  }));
  const auto http = client::make_http();
  Bench<> bench;
  auto request = ask("PUT", server.url("/a/../b/./c%2Fd//e?x=1&sig=secret"), "the body");
  request.headers = {{"Authorization", "Bearer key"}, {"X-Empty", ""}};
  good(http->send(request, bench.context()));
  CHECK(seen.rfind("PUT /a/../b/./c%2Fd//e?x=1&sig=secret HTTP/1.1\r\n", 0) == 0);
  const std::string low = base::lower(seen);
  CHECK(base::contains(low, "\r\nuser-agent: failover/0.1\r\n"));
  CHECK(base::contains(low, "\r\nauthorization: bearer key\r\n"));
  CHECK(base::contains(low, "\r\nx-empty:"));
  CHECK(base::contains(low, "\r\ncontent-length: 8\r\n"));
  CHECK_FALSE(base::contains(low, "expect"));
  CHECK_FALSE(base::contains(low, "content-type"));
  CHECK_FALSE(base::contains(low, "transfer-encoding"));
  CHECK(seen.substr(seen.size() - 8) == "the body");
  const auto exchange = bench.host.exchanges().at(0);
  CHECK(exchange.peer == "test");
  CHECK(exchange.method == "PUT");
  CHECK(exchange.target == "/a/../b/./c%2Fd//e");  // no query: it may carry a signature
  CHECK(exchange.status == 200);
  CHECK(exchange.outcome.empty());

  for (const std::string method : {"POST", "PUT", "PATCH"}) {
    good(http->send(ask(method, server.url()), bench.context()));
    CHECK(base::contains(base::lower(seen), "\r\ncontent-length: 0\r\n"));
  }
  for (const std::string method : {"GET", "DELETE"}) {
    good(http->send(ask(method, server.url()), bench.context()));
    CHECK(seen.rfind(method + " / HTTP/1.1\r\n", 0) == 0);
    CHECK_FALSE(base::contains(base::lower(seen), "content-length"));
  }
  good(http->send(ask("DELETE", server.url(), "{\"ids\":[1]}"), bench.context()));
  CHECK(seen.rfind("DELETE / ", 0) == 0);
  CHECK(base::contains(seen, "\r\n\r\n{\"ids\":[1]}"));
}

TEST_CASE("http: HEAD has no body, whatever its length says") {
  RawServer server(
      each([](Peer& peer, const std::string&) { peer.say("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"); }));
  const auto http = client::make_http();
  Bench<> bench;
  const auto got = good(http->send(ask("HEAD", server.url()), bench.context()));
  CHECK(got.status == 200);
  CHECK(*got.header("content-length") == "1000");
}

TEST_CASE("http: interim answers are not the answer") {
  RawServer server(each([](Peer& peer, const std::string&) {
    peer.say("HTTP/1.1 103 Early Hints\r\nX-Early: yes\r\n\r\n");
    peer.answer(200, "late");
  }));
  const auto http = client::make_http();
  Bench<> bench;
  const auto got = good(http->send(ask("GET", server.url()), bench.context()));
  CHECK(got.status == 200);
  CHECK(got.header("x-early") == nullptr);
  CHECK(got.body == "late");
}

TEST_CASE("http: nothing was sent where nobody listens, and where TLS fails") {
  const auto http = client::make_http();
  Bench<> bench;
  const auto refused =
      bad(http->send(ask("PUT", "http://127.0.0.1:" + std::to_string(closed_port()) + "/x?sig=s"), bench.context()));
  CHECK(refused.fault == Fault::unavailable);
  CHECK(refused.code == "connect");
  CHECK(bench.host.exchanges().at(0).outcome == "connect");
  CHECK(bench.host.exchanges().at(0).status == 0);
  CHECK(bench.host.exchanges().at(0).target == "/x");

  RawServer server([](Peer& peer) { peer.say("this is no TLS, certainly not\r\n\r\n"); });
  const auto tls = bad(http->send(ask("PUT", "https://127.0.0.1:" + std::to_string(server.port())), bench.context()));
  CHECK(tls.fault == Fault::unavailable);
  CHECK(tls.code == "tls");
}

TEST_CASE("http: what is no http request is not sent") {
  const auto http = client::make_http();
  Bench<> bench;
  for (const std::string url :
       {"", "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "127.0.0.1/x", "http://a b/", "http:///x",
        "http://user:word@127.0.0.1/", "http://127.0.0.1/\r\nX: y"}) {
    CAPTURE(url);
    CHECK(bad(http->send(ask("GET", url), bench.context())).fault == Fault::invalid);
  }
  RawServer server(each([](Peer& peer, const std::string&) { peer.answer(200, ""); }));
  auto header = ask("GET", server.url());
  header.headers = {{"X", "a\r\nY: b"}};
  CHECK(bad(http->send(header, bench.context())).code == "bad_header");
  CHECK(bad(http->send(ask("GET / HTTP/1.1\r\nX:", server.url()), bench.context())).code == "bad_method");
  auto file = ask("PUT", server.url());
  file.body_file = "/no/such/file";
  CHECK(bad(http->send(file, bench.context())).fault == Fault::not_found);
  file.body_file = "/tmp";
  CHECK(bad(http->send(file, bench.context())).fault == Fault::invalid);
  CHECK(server.connections() == 0);
}

TEST_CASE("http: an answer that breaks off, or never comes, leaves the outcome unknown") {
  const auto http = client::make_http();
  Bench<> bench;
  SUBCASE("reset in the middle of the body") {
    RawServer server([](Peer& peer) {
      peer.request();
      peer.say("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf");
      peer.reset();
    });
    CHECK(bad(http->send(ask("POST", server.url(), "x"), bench.context())).fault == Fault::unknown);
  }
  SUBCASE("end in the middle of the body") {
    RawServer server([](Peer& peer) {
      peer.request();
      peer.say("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf");
    });
    const auto error = bad(http->send(ask("GET", server.url()), bench.context()));
    CHECK(error.fault == Fault::unknown);
    CHECK(error.code == "partial_answer");
  }
  SUBCASE("no answer") {
    RawServer server([](Peer& peer) { peer.request(); });
    const auto error = bad(http->send(ask("POST", server.url(), "x"), bench.context()));
    CHECK(error.fault == Fault::unknown);
    CHECK(error.code == "connection_dropped");
    CHECK(bench.host.exchanges().at(0).outcome == "connection_dropped");
  }
  SUBCASE("reset before an answer") {
    RawServer server([](Peer& peer) {
      peer.request();
      peer.reset();
    });
    CHECK(bad(http->send(ask("POST", server.url(), "x"), bench.context())).fault == Fault::unknown);
  }
  SUBCASE("not HTTP") {
    RawServer server([](Peer& peer) {
      peer.request();
      peer.say("220 mail.example ESMTP\r\n");
    });
    CHECK(bad(http->send(ask("POST", server.url(), "x"), bench.context())).fault == Fault::unknown);
  }
  SUBCASE("reset while a long body is on its way") {
    RawServer server([](Peer& peer) {
      peer.head();
      peer.reset();
    });
    CHECK(bad(http->send(ask("PUT", server.url(), std::string(32 << 20, 'x')), bench.context())).fault ==
          Fault::unknown);
  }
}

TEST_CASE("http: a change is never sent twice when a kept connection dies without an answer; a read may be") {
  RawServer* noted = nullptr;
  std::atomic<int> served{0};
  RawServer server([&](Peer& peer) {
    for (std::string request; !(request = peer.request()).empty();) {
      noted->note(request.substr(0, request.find(' ')));
      if (++served % 2 == 0) return;
      peer.answer(200, "ok");
    }
  });
  noted = &server;
  const auto http = client::make_http();
  Bench<> bench;
  good(http->send(ask("GET", server.url()), bench.context()));
  const auto error = bad(http->send(ask("POST", server.url(), "create"), bench.context()));
  CHECK(error.fault == Fault::unknown);
  CHECK(server.notes() == std::vector<std::string>{"GET", "POST"});
  good(http->send(ask("GET", server.url()), bench.context()));
  CHECK(bad(http->send(ask("DELETE", server.url()), bench.context())).fault == Fault::unknown);
  CHECK(server.notes() == std::vector<std::string>{"GET", "POST", "GET", "DELETE"});
  good(http->send(ask("GET", server.url()), bench.context()));
  good(http->send(ask("GET", server.url()), bench.context()));  // lost once, asked again
  CHECK(server.notes().size() == 7);
}

TEST_CASE("http: a deadline and a stop say whether the request was sent") {
  const auto http = client::make_http();
  RawServer silent([](Peer& peer) { peer.drain(); });
  SUBCASE("deadline while waiting for the answer") {
    Bench<> bench;
    const auto error = bad(http->send(ask("POST", silent.url(), "x"), bench.context(200ms)));
    CHECK(error.fault == Fault::timeout);
    CHECK(error.code == "sent");
    CHECK(bench.host.exchanges().at(0).outcome == "sent");
  }
  SUBCASE("stop while waiting for the answer") {
    Bench<> bench;
    std::thread stopper([&] {
      eventually([&] { return silent.connections() > 0; });
      std::this_thread::sleep_for(50ms);
      bench.stop.request_stop();
    });
    const auto error = bad(http->send(ask("POST", silent.url(), "x"), bench.context()));
    stopper.join();
    CHECK(error.fault == Fault::cancelled);
    CHECK(error.code == "sent");
  }
  SUBCASE("before anything") {
    Bench<> bench;
    CHECK(bad(http->send(ask("POST", silent.url(), "x"), bench.context(0s))).code == "unsent");
    bench.stop.request_stop();
    const auto error = bad(http->send(ask("POST", silent.url(), "x"), bench.context()));
    CHECK(error.fault == Fault::cancelled);
    CHECK(error.code == "unsent");
    CHECK(silent.connections() == 0);
  }
  SUBCASE("during the TLS handshake") {
    Bench<> bench;
    const auto error =
        bad(http->send(ask("POST", "https://127.0.0.1:" + std::to_string(silent.port())), bench.context(200ms)));
    CHECK(error.fault == Fault::timeout);
    CHECK(error.code == "unsent");
  }
  SUBCASE("in a drip of an answer") {
    RawServer drip([](Peer& peer) {
      peer.request();
      peer.say("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
      for (int i = 0; i < 60; ++i) {
        peer.say("x");
        std::this_thread::sleep_for(10ms);
      }
    });
    Bench<> bench;
    const auto error = bad(http->send(ask("GET", drip.url()), bench.context(200ms)));
    CHECK(error.fault == Fault::timeout);
    CHECK(error.code == "sent");
  }
}

TEST_CASE("http: a connection that falls silent is given up") {
  const auto http = client::make_http();
  Bench<> bench;
  RawServer silent([](Peer& peer) { peer.drain(); });
  auto request = ask("POST", silent.url(), "x");
  request.stall_timeout = 200ms;
  const auto error = bad(http->send(request, bench.context()));
  CHECK(error.fault == Fault::unknown);
  CHECK(error.code == "stalled");
  auto tls = ask("POST", "https://127.0.0.1:" + std::to_string(silent.port()));
  tls.connect_timeout = 200ms;
  const auto late = bad(http->send(tls, bench.context()));
  CHECK(late.fault == Fault::unavailable);
  CHECK(late.code == "connect_timeout");
}

TEST_CASE("http: a connection that creeps is given up, one that is only slow is not") {
  const auto http = client::make_http();
  // So many bytes each 10 ms, either until the peer has gone or until the answer is complete.
  const auto answer = [&](std::size_t bytes) {
    RawServer drip([bytes](Peer& peer) {
      peer.request();
      const std::string piece(bytes, 'x');
      peer.say("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(bytes * 100) + "\r\n\r\n");
      for (int i = 0; i < 100; ++i) {
        peer.say(piece);
        std::this_thread::sleep_for(10ms);
      }
    });
    Bench<> bench;
    auto request = ask("GET", drip.url());
    request.stall_timeout = 200ms;
    return http->send(request, bench.context());
  };
  const auto crept = bad(answer(1));
  CHECK(crept.fault == Fault::unknown);
  CHECK(crept.code == "stalled");
  CHECK(answer(200)->body.size() == 20'000);
}

TEST_CASE("http: bodies stream from and to files, exact") {
  const TempDir dir;
  std::string bytes(40 << 20, '\0');
  std::uint64_t state = 88172645463325252u;
  for (char& c : bytes) c = static_cast<char>((state = state * 6364136223846793005u + 1442695040888963407u) >> 56);
  std::ofstream(dir.file("up"), std::ios::binary) << bytes;
  bool same = false;
  RawServer server(each([&](Peer& peer, const std::string& request) {
    const std::string body = request.substr(request.find("\r\n\r\n") + 4);
    same = body == bytes && base::contains(base::lower(request.substr(0, 1000)),
                                           "content-length: " + std::to_string(bytes.size()) + "\r\n");
    if (request.rfind("GET /empty", 0) == 0) return peer.answer(200, "");
    if (request.rfind("GET /no", 0) == 0) return peer.answer(404, "not here");
    peer.answer(200, bytes);
  }));
  const auto http = client::make_http();
  Bench<> bench;
  auto request = ask("PUT", server.url());
  request.body_file = dir.file("up");
  request.sink_file = dir.file("down");
  const auto got = good(http->send(request, bench.context(60s)));
  CHECK(same);
  CHECK(got.body.empty());
  CHECK((contents(dir.file("down")) == bytes));

  std::ofstream(dir.file("kept")) << "old";
  auto missing = ask("GET", server.url("/no"));
  missing.sink_file = dir.file("kept");
  CHECK(good(http->send(missing, bench.context())).body == "not here");
  CHECK(contents(dir.file("kept")) == "old");  // only a success is written
  auto empty = ask("GET", server.url("/empty"));
  empty.sink_file = dir.file("kept");
  good(http->send(empty, bench.context()));
  CHECK(contents(dir.file("kept")).empty());
  auto full = ask("GET", server.url());
  full.sink_file = "/dev/full";
  CHECK(bad(http->send(full, bench.context())).fault == Fault::no_space);
  CHECK(server.connections() >= 1);
}

TEST_CASE("http: a body larger than the limit is refused") {
  RawServer server(each([](Peer& peer, const std::string&) { peer.answer(200, std::string(100'000, 'x')); }));
  const auto http = client::make_http();
  Bench<> bench;
  auto request = ask("GET", server.url());
  request.body_limit = 100'000;
  CHECK(good(http->send(request, bench.context())).body.size() == 100'000);
  request.body_limit = 99'999;
  const auto error = bad(http->send(request, bench.context()));
  CHECK(error.fault == Fault::corrupt);
  CHECK(error.code == "too_large");
}

TEST_CASE("http: a fresh connection is one") {
  RawServer server(each([](Peer& peer, const std::string&) { peer.answer(200, ""); }));
  const auto http = client::make_http();
  Bench<> bench;
  good(http->send(ask("GET", server.url()), bench.context()));
  auto request = ask("GET", server.url());
  request.fresh_connection = true;
  good(http->send(request, bench.context()));
  good(http->send(ask("GET", server.url()), bench.context()));
  CHECK(server.connections() == 2);
}

TEST_CASE("http: callers take turns, and one who waits hears a stop") {
  RawServer server(each([](Peer& peer, const std::string& request) { peer.answer(200, request.substr(4, 3)); }));
  const auto http = client::make_http();
  Bench<> bench;
  std::vector<std::thread> callers;
  std::atomic<int> right{0};
  for (int i = 0; i < 6; ++i) {
    callers.emplace_back([&, i] {
      for (int k = 0; k < 10; ++k) {
        const std::string path = "/" + std::to_string(i) + std::to_string(k);
        const auto got = http->send(ask("GET", server.url(path)), bench.context());
        if (got && got->body == path) ++right;
      }
    });
  }
  for (auto& one : callers) one.join();
  CHECK(right == 60);
  CHECK(server.connections() == 1);

  RawServer silent([](Peer& peer) { peer.drain(); });
  Bench<> holder, waiter;
  std::thread first([&] { (void)http->send(ask("GET", silent.url()), holder.context()); });
  eventually([&] { return silent.connections() > 0; });
  const auto error = bad(http->send(ask("GET", server.url("/00")), waiter.context(200ms)));
  holder.stop.request_stop();
  first.join();
  CHECK(error.fault == Fault::timeout);
  CHECK(error.code == "unsent");
}

TEST_CASE("http: waiting for the turn is no silence of the connection") {
  RawServer slow([](Peer& peer) {
    peer.request();
    std::this_thread::sleep_for(1s);
    peer.answer(200, "slow");
  });
  RawServer brief([](Peer& peer) {
    peer.request();
    std::this_thread::sleep_for(100ms);
    peer.answer(200, "brief");
  });
  const auto http = client::make_http();
  Bench<> bench;
  std::thread first([&] { CHECK(http->send(ask("GET", slow.url()), bench.context()).ok()); });
  eventually([&] { return slow.connections() > 0; });
  auto request = ask("GET", brief.url());
  request.stall_timeout = 500ms;
  const auto got = http->send(request, bench.context());
  first.join();
  CHECK_MESSAGE(got.ok(), (got ? "" : got.error().line()));
}

TEST_CASE("http: nothing stays open") {
  RawServer server(each([](Peer& peer, const std::string&) { peer.answer(200, "x"); }));
  Bench<> bench;
  good(client::make_http()->send(ask("GET", server.url()), bench.context()));
  REQUIRE(eventually([&] { return open_descriptors() > 0; }));
  const auto before = open_descriptors();
  for (int i = 0; i < 20; ++i) {
    const auto http = client::make_http();
    good(http->send(ask("GET", server.url()), bench.context()));
    (void)http->send(ask("GET", "http://127.0.0.1:" + std::to_string(closed_port())), bench.context());
  }
  CHECK(eventually([&] { return open_descriptors() <= before; }));
}

TEST_CASE("retry_after: seconds and dates, nothing absurd") {
  const auto of = [](std::vector<std::pair<std::string, std::string>> headers) {
    HttpResponse response;
    response.headers = std::move(headers);
    return client::retry_after(response);
  };
  CHECK_FALSE(of({}).has_value());
  CHECK(of({{"retry-after", "7"}}) == base::Duration(7s));
  CHECK(of({{"retry-after", " 0 "}}) == base::Duration(0s));
  CHECK(of({{"retry-after", "1.5"}}) == base::Duration(1500ms));
  CHECK(of({{"retry-after", "3600"}}) == base::Duration(3600s));
  for (const std::string odd : {"3601", "99999999999999999999", "-5", "soon", "", "1e3", "inf", "nan", "5 s"}) {
    CAPTURE(odd);
    CHECK_FALSE(of({{"retry-after", odd}}).has_value());
  }
  CHECK(of({{"date", "Tue, 24 Nov 2026 04:00:00 GMT"}, {"retry-after", "Tue, 24 Nov 2026 04:00:30 GMT"}}) ==
        base::Duration(30s));
  CHECK(of({{"date", "Tue, 24 Nov 2026 04:00:00 GMT"}, {"retry-after", "Tue, 24 Nov 2026 03:00:00 GMT"}}) ==
        base::Duration(0s));
  CHECK_FALSE(of({{"retry-after", "Tue, 24 Nov 2026 04:00:30 GMT"}}).has_value());
}

TEST_CASE("parse_origin and is_loopback") {
  struct Row {
    const char* url;
    const char* origin;  // scheme host port, or empty
    bool loopback;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"https://console.vast.ai", "https console.vast.ai 443", false},
           {"http://127.0.0.1:8080/x?y", "http 127.0.0.1 8080", true},
           {"http://127.1.2.3", "http 127.1.2.3 80", true},
           {"http://[::1]:9", "http ::1 9", true},
           {"http://LocalHost", "http LocalHost 80", true},
           {"http://128.0.0.1", "http 128.0.0.1 80", false},
           {"http://127.0.0.1.example.com", "http 127.0.0.1.example.com 80", false},
           {"http://localhost.example.com", "http localhost.example.com 80", false},
           {"http://127.0.0.1@example.com", "", false},
           {"http://user:word@127.0.0.1", "", false},
           {"http://example.com\\@127.0.0.1", "", false},
           {"http://", "", false},
           {"http:///x", "", false},
           {"http:/x", "", false},
           {"127.0.0.1:80", "", false},
           {"http://a:0", "", false},
           {"http://a:70000", "", false},
           {"http://a b", "", false},
           {"", "", false},
       }) {
    CAPTURE(row.url);
    const auto origin = client::parse_origin(row.url);
    const std::string text =
        origin ? origin->scheme + " " + origin->host + " " + std::to_string(origin->port) : std::string();
    CHECK(text == row.origin);
    if (origin) CHECK(client::is_loopback(*origin) == row.loopback);
  }
}
