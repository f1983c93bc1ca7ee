#include "tools/simulate/network.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "engine/base/text.h"
#include "tools/sandbox/b2/door.h"
#include "tools/sandbox/vast/door.h"

namespace failover::simulate {
namespace {

using base::Error;
using base::Fault;
using base::Result;
using client::HttpResponse;
using namespace std::chrono_literals;

constexpr base::Duration kLatest = std::chrono::minutes(10);  // after which what was sent or accepted takes effect
constexpr const char* kPublicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAISimulated";

std::string target_of(const std::string& url) {
  const auto at = url.find('/', url.find("://") + 3);
  return at == std::string::npos ? "/" : url.substr(at);
}

// Host and port. The doors' own URLs are of the plainest kind; others are for the client's parser.
std::string authority_of(const std::string& url) {
  constexpr std::string_view kDoor = "http://127.0.0.1:";
  if (url.rfind(kDoor, 0) == 0) return url.substr(7, url.find('/', kDoor.size()) - 7);
  const auto origin = client::parse_origin(url);
  return origin ? origin->host + (origin->port != 0 ? ":" + std::to_string(origin->port) : "") : "";
}

// Only the store's door asks for its digests.
sandbox::Body body_of(const std::string& peer, const std::string& bytes) {
  if (peer == "b2" || bytes.empty()) return sandbox::make_body(bytes);
  sandbox::Body body;
  body.blob = sandbox::Blob::of(bytes);
  return body;
}

sandbox::Request asked(const std::string& peer, const client::HttpRequest& request, int connection) {
  sandbox::Request out;
  out.method = request.method;
  out.target = target_of(request.url);
  for (const auto& [name, value] : request.headers) out.headers[base::lower(name)] = value;
  out.headers["host"] = authority_of(request.url);
  out.body = body_of(peer, request.body_file.empty() ? request.body : from_file(request.body_file).value_or(""));
  out.connection = std::to_string(connection);
  return out;
}

// The same from elsewhere: what the way does to a request is no haste of the runner (I9).
sandbox::Request later(sandbox::Request request) {
  request.client = "late";
  return request;
}

HttpResponse response_of(const sandbox::Answer& answer) {
  HttpResponse out;
  out.status = answer.status;
  for (const auto& [name, value] : answer.headers) out.headers.emplace_back(base::lower(name), value);
  out.body = sandbox::body_of(answer);
  const auto length = answer.claimed_length.value_or(static_cast<std::int64_t>(out.body.size()));
  out.headers.emplace_back("content-length", std::to_string(length));
  return out;
}

HttpResponse plain(int status, std::string body, const char* type = "application/json") {
  HttpResponse out;
  out.status = status;
  out.headers = {{"content-type", type}, {"content-length", std::to_string(body.size())}};
  out.body = std::move(body);
  return out;
}

bool is_create(const client::HttpRequest& request) {
  return request.method == "PUT" && base::contains(request.url, "/asks/");
}

// The machine that an answer says was made; 0: it says none.
std::int64_t contract_in(const sandbox::Answer& answer) {
  const auto json = nlohmann::json::parse(sandbox::body_of(answer), nullptr, false);
  return json.is_object() ? json.value("new_contract", std::int64_t{0}) : 0;
}

std::string label_of(const std::string& body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  return json.is_object() ? json.value("label", "") : std::string();
}

// A no that is one to a copy too. Of rentals it need not be: the engine has its own defence there.
bool is_refusal(const sandbox::Answer& answer) {
  return answer.status >= 400 && answer.status < 500 && answer.status != 408 && answer.status != 429;
}

// Does nothing of it reach the service now?
bool is_lost(Wire wire) {
  static constexpr std::array kLost = {Wire::unreachable, Wire::request_lost, Wire::effect_late, Wire::accepted_late,
                                       Wire::too_many,    Wire::server_error, Wire::denied,      Wire::captive};
  return std::find(kLost.begin(), kLost.end(), wire) != kLost.end();
}

}  // namespace

class Wires final : public client::Http {
 public:
  Wires(Network& network, std::string peer) : network_(network), life_(network.lives_), peer_(std::move(peer)) {}
  Result<HttpResponse> send(const client::HttpRequest& request, const plugin::Context& context) override {
    network_.spoken(life_);
    return network_.send(peer_, request, context);
  }

 private:
  Network& network_;
  const int life_;
  std::string peer_;
};

class Shell final : public client::Ssh {
 public:
  explicit Shell(Network& network) : network_(network), life_(network.lives_) {}
  [[nodiscard]] const std::string& public_key() const override { return key_; }
  Result<client::Finished> run(const client::Endpoint& at, const client::Command& command,
                               const plugin::Context& context) override {
    network_.spoken(life_);
    return network_.run(at, command, context);
  }
  void forget(const client::Endpoint&) override {}

 private:
  Network& network_;
  const int life_;
  std::string key_ = kPublicKey;
};

Network::Network(const Script& script, sandbox::World& world, Turns& clock, Disk& disk, Witness& witness)
    : script_(script),
      world_(world),
      clock_(clock),
      disk_(disk),
      witness_(witness),
      machines_(world),
      random_{script.seed ^ 0xCA11U} {
  machines_.plague(script.rots, script.lies, script.proxied);
  machines_.on_harm = [this](const char* harm) { hit(harm); };
  disk_.on_break = [this] { hit("disk error"); };
  disk_.on_death = [this] { hit(blow_.power ? "power cut" : "kill"); };
}

std::unique_ptr<client::Http> Network::http(const std::string& peer) { return std::make_unique<Wires>(*this, peer); }
std::unique_ptr<client::Ssh> Network::ssh() {
  machines_.forget();
  return std::make_unique<Shell>(*this);
}

void Network::begin(const Blow& blow, bool calm) {
  blow_ = blow;
  calm_ = calm || well_;
  born_ = clock_.now();
  if (!began_) began_ = born_;
  if (calm_) witness_.healed(born_);
  calls_ = 0;
  ++lives_;
  closing_ = false;
  stop = std::stop_source();
  give_up = std::stop_source();
}

void Network::close() {
  closing_ = true;
  if (!closed_) closed_ = clock_.now();
}

void Network::spoken(int life) {
  if (life != lives_) violations_.push_back("I12: a process acts for the run that another one has taken over");
}

sandbox::Answer Network::knock(const std::string& peer, const sandbox::Request& request) {
  machines_.settle();
  sandbox::Answer answer;  // of what else there is, all is well
  if (peer == "b2") answer = sandbox::handle_b2(request, world_);
  if (peer == "vast") answer = sandbox::handle_vast(request, world_);
  machines_.settle();
  witness_.look();
  return answer;
}

void Network::arrive() {
  spend();
  std::vector<Late> due;
  for (auto at = late_.begin(); at != late_.end();) {
    if (at->due > clock_.now()) {
      ++at;
      continue;
    }
    due.push_back(std::move(*at));
    at = late_.erase(at);
  }
  std::sort(due.begin(), due.end(), [](const Late& a, const Late& b) { return a.due < b.due; });
  // Each at its own time: an effect that nobody was there to see is not later for it.
  for (const auto& one : due) {
    clock_.as_of(std::max(one.due, world_.now()), [&] {
      if (!one.accepted) return (void)knock(one.peer, one.request);
      // The key was good when it was asked.
      { const auto advanced = world_.enter(); }
      const bool revoked = std::exchange(world_.key_revoked, false);
      (void)knock(one.peer, one.request);
      world_.key_revoked = world_.key_revoked || revoked;
    });
  }
}

bool Network::arrive_all() {
  if (late_.empty()) return false;
  for (const auto& one : late_) {
    if (one.due > clock_.now()) clock_.advance(one.due - clock_.now());
  }
  arrive();
  return true;
}

// The answer creeps, and the real client gives it up within one to two stretches (HttpRequest::stall_timeout).
Error Network::crept(base::Duration stretch, const plugin::Context& context) {
  Error error =
      lost("sent", context, stretch + std::chrono::milliseconds(roll(static_cast<std::uint64_t>(stretch / 1ms))));
  if (error.fault == Fault::unknown) error.code = "stalled";
  return error;
}

// Nothing comes back: the caller waits as long as it likes to.
Error Network::lost(const char* code, const plugin::Context& context, base::Duration longest) {
  if (auto slept = context.sleep(longest); !slept) {
    Error error = std::move(slept).error();
    error.code = code;
    return error;
  }
  return {Fault::unknown, code, "the connection was cut"};
}

Result<HttpResponse> Network::send(const std::string& peer, const client::HttpRequest& request,
                                   const plugin::Context& context) {
  if (!stopping_) return play(peer, request, context);
  try {
    return play(peer, request, context);
  } catch (const Dead&) {
    return Error{Fault::unknown, "sent", "its own process is dead"};
  }
}

Result<HttpResponse> Network::play(const std::string& peer, const client::HttpRequest& request,
                                   const plugin::Context& context) {
  if (auto alive = context.check(); !alive) {
    Error error = std::move(alive).error();
    error.code = "unsent";
    return error;
  }
  const bool ending = peer == "vast" && request.method == "DELETE" && !world_.key_revoked;
  // What goes into a file is taken at any size.
  const bool bodiless = request.method == "HEAD" || !request.sink_file.empty();
  const auto [call, wire, stopped] = next(request.method + " " + target_of(request.url).substr(0, 60),
                                          ending ? Way::ending : (bodiless ? Way::bodiless : Way::http));
  (void)context.sleep(std::chrono::milliseconds(30 + roll(170)));
  arrive();
  if (is_create(request) && closing_) violations_.push_back("I11: a create was sent after closing began");
  if (is_create(request) &&
      disk_.announced(label_of(request.body)) !=
          base::digest_hex(base::Algorithm::sha256, "PUT " + target_of(request.url) + "\n" + request.body))
    violations_.push_back("I2: what is sent is not what the intent has announced");
  if (request.fresh_connection) ++connection_;
  const sandbox::Request wanted = asked(peer, request, connection_);
  const auto report = [&](int status, const char* outcome) {
    context.exchange({request.peer, request.method, wanted.path(), status, {}, outcome});
  };
  const auto said = [&](HttpResponse response) -> Result<HttpResponse> {
    report(response.status, "");
    return response;
  };
  const auto cut = [&](Error error) -> Result<HttpResponse> {
    report(0, error.code.c_str());
    return error;
  };
  const auto into_file = [&](HttpResponse response) -> Result<HttpResponse> {
    if (request.sink_file.empty() || !client::is_success(response.status)) return said(std::move(response));
    if (!to_file(request.sink_file, std::exchange(response.body, {})))
      return cut({Fault::no_space, "disk_full", "cannot write " + request.sink_file});
    return said(std::move(response));
  };
  // What reads or ends has arrived by then, as its place in the service's intervals says (I9); what makes has not.
  const bool arrives = !is_lost(wire) && request.method != "PUT" && request.method != "POST";
  if (stopped && !arrives) interrupt();
  switch (wire) {
    case Wire::unreachable: return cut({Fault::unavailable, "connect", "no connection"});
    case Wire::request_lost: return cut(lost("sent", context, 60s));
    case Wire::effect_late:
      late_.push_back({clock_.now() + std::chrono::milliseconds(roll(static_cast<std::uint64_t>(kLatest / 1ms))), peer,
                       later(wanted)});
      return cut(lost("sent", context, std::chrono::seconds(roll(60))));
    case Wire::accepted_late:
      late_.push_back({clock_.now() + std::chrono::milliseconds(roll(static_cast<std::uint64_t>(kLatest / 1ms))), peer,
                       later(wanted), true});
      witness_.ending(wanted.target, request.body, clock_.now() + kLatest);
      return said(plain(200, "{\"success\":true}"));
    case Wire::too_many: {
      HttpResponse out = plain(429, roll(2) == 0 ? "{\"detail\":\"API requests too frequent\"}" : "too many\n");
      static constexpr std::array kAfter = {"", "1", "30", "99999999", "-5", "soon"};
      const std::string after = kAfter.at(roll(kAfter.size()));
      if (!after.empty()) out.headers.emplace_back("retry-after", after);
      return said(std::move(out));
    }
    case Wire::server_error: return said(plain(static_cast<int>(500 + roll(5)), "<html>error</html>", "text/html"));
    case Wire::denied: {
      static constexpr std::array kStatus = {401, 403, 404};
      return said(
          plain(kStatus.at(roll(3)), "{\"success\":false,\"error\":\"auth_error\",\"msg\":\"Invalid user key\"}"));
    }
    case Wire::captive: return said(plain(200, "<html>please log in</html>", "text/html"));
    default: break;
  }
  const int too_soon = world_.too_soon;
  sandbox::Answer answer = knock(peer, wanted);
  if (world_.too_soon > too_soon)
    violations_.push_back("I9: sooner than the service's interval allows: " + request.method + " " + wanted.path());
  after_effect(call);
  if (stopped && arrives) interrupt();
  // Whoever sent it again may pass either answer on.
  if (wire == Wire::duplicate && (is_create(request) || !is_refusal(answer))) {
    sandbox::Answer second = knock(peer, later(wanted));
    if (roll(2) == 0) std::swap(answer, second);
    if (is_create(request) && contract_in(answer) == 0 && contract_in(second) > 0) witness_.denied(contract_in(second));
  }
  if (wire == Wire::answer_lost || answer.drop) return cut(lost("sent", context, 60s));
  if (wire == Wire::creeps) return cut(crept(request.stall_timeout, context));
  if (wire == Wire::huge) return cut({Fault::corrupt, "too_large", "the answer is too large"});
  if (wire == Wire::server_error_after)
    return said(plain(static_cast<int>(500 + roll(5)), "<html>error</html>", "text/html"));
  const base::Duration wait =
      answer.delay + (wire == Wire::answer_late ? std::chrono::milliseconds(roll(90'000)) : 0ms);
  if (wait > 0s) {
    if (auto slept = context.sleep(wait); !slept) {
      Error error = std::move(slept).error();
      error.code = "sent";
      return cut(std::move(error));
    }
  }
  HttpResponse response = response_of(answer);
  if (wire == Wire::garbled) {
    static constexpr std::array kBodies = {"", "null", "[]", "{}", "{\"instances\":null}", "\"x\""};
    const auto which = roll(kBodies.size() + 1);
    response.body = which < kBodies.size() ? kBodies.at(which) : response.body.substr(0, response.body.size() / 2);
    return into_file(std::move(response));
  }
  if (answer.cut >= 0 && answer.cut < static_cast<std::int64_t>(response.body.size()))
    return cut({Fault::unknown, "cut", "the connection was cut"});
  return into_file(std::move(response));
}

// Half of its output comes.
client::Finished Network::garbled(client::Finished finished, const client::Command& command) {
  finished.out.resize(finished.out.size() / 2);
  std::error_code none;
  const auto bytes = command.output_file.empty() ? 0 : std::filesystem::file_size(command.output_file, none);
  if (!command.output_file.empty() && !none) std::filesystem::resize_file(command.output_file, bytes / 2, none);
  return finished;
}

Result<client::Finished> Network::run(const client::Endpoint& at, const client::Command& command,
                                      const plugin::Context& context) {
  if (auto alive = context.check(); !alive) return std::move(alive).error();
  const std::string what = "ssh " + (command.operation.empty() ? std::string("(a command)") : command.operation[0]);
  const bool uploads = !command.operation.empty() && command.operation[0] == "put";
  const auto [call, wire, stopped] = next(what, uploads ? Way::upload : Way::ssh);
  if (stopped) interrupt();
  (void)context.sleep(std::chrono::milliseconds(100 + roll(900)));
  arrive();
  const auto said = [&](Result<client::Finished> finished) {
    context.exchange({"ssh",
                      "exec",
                      at.user + "@" + at.machine,
                      finished ? finished->exit_code : 0,
                      {},
                      finished ? std::string() : finished.error().code});
    return finished;
  };
  switch (wire) {
    case Wire::unreachable: return said(Error{Fault::unavailable, "connect", "no connection"});
    case Wire::denied: return said(Error{Fault::auth, "denied", "the key is denied"});
    case Wire::request_lost: return said(lost("dropped", context, 60s));
    default: break;
  }
  const bool late = wire == Wire::effect_late;
  auto finished = machines_.run(
      at, command, kPublicKey,
      [&](const auto& method, const auto& url, const auto& body) { return fetch(method, url, body, late); },
      [&](const Machines::Moved& moved) { context.traffic(at.machine, moved.up, moved.down); });
  after_effect(call);
  if (!finished || wire == Wire::none || late) return said(std::move(finished));
  if (wire == Wire::answer_late) {
    if (auto slept = context.sleep(std::chrono::milliseconds(roll(90'000))); !slept)
      return said(Error{Fault::unknown, "cut_short", "the command was cut short"});
    return said(std::move(finished));
  }
  if (wire == Wire::garbled) return said(garbled(*std::move(finished), command));
  if (wire == Wire::huge) return said(Error{Fault::refused, "too_much_output", "the command printed too much"});
  // Nothing tells a slow command from a slow connection: its output comes until the caller has no more patience.
  if (wire == Wire::creeps) {
    if (auto slept = context.sleep(1h); !slept)
      return said(Error{Fault::unknown, "not_seen_dead", "whether the command still runs could not be seen"});
    return said(std::move(finished));
  }
  return said(Error{Fault::unknown, "dropped", "the connection dropped while the command ran"});
}

Machines::Fetched Network::fetch(const std::string& method, const std::string& url, const std::string& body,
                                 bool effect_late) {
  client::HttpRequest request;
  request.method = method;
  request.url = url;
  request.body = body;
  request.headers.emplace_back("content-length", std::to_string(body.size()));
  if (method == "PUT")
    request.headers.emplace_back("content-md5", base::base64(base::digest(base::Algorithm::md5, body)));
  const sandbox::Request wanted = asked("b2", request, ++connection_);
  if (effect_late) {
    late_.push_back({clock_.now() + std::chrono::milliseconds(roll(static_cast<std::uint64_t>(kLatest / 1ms))), "b2",
                     later(wanted)});
    return {Machines::Fared::unanswered};
  }
  const sandbox::Answer answer = knock("b2", wanted);
  if (answer.drop) return {Machines::Fared::unanswered};
  if (!client::is_success(answer.status)) return {Machines::Fared::refused};
  std::string out = sandbox::body_of(answer);
  if (answer.cut >= 0 && answer.cut < static_cast<std::int64_t>(out.size())) return {Machines::Fared::unanswered};
  return {Machines::Fared::well, std::move(out)};
}

}  // namespace failover::simulate
