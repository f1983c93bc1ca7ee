#include "steps/client/vast_wire.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "engine/base/text.h"
#include "steps/client/grace.h"

namespace failover::client::vast {
namespace {

using base::Duration;
using base::Error;
using base::Fault;
using namespace std::chrono_literals;

constexpr int kTriesRateLimited = 9;
constexpr int kTriesBroken = 5;
constexpr Duration kOneRequest = 45s;

// An answer that does not say what became of the request.
bool is_no_answer(const Answer& answer) {
  return answer.status == 408 || answer.status >= 500 || (is_success(answer.status) && answer.body.is_discarded());
}

// `API requests too frequent: endpoint threshold=2.0*1.0`, in any of the bodies.
std::optional<Duration> announced_threshold(const std::string& text) {
  constexpr std::string_view kMark = "threshold=";
  const auto at = text.find(kMark);
  if (at == std::string::npos) return std::nullopt;
  const double seconds = std::strtod(text.c_str() + at + kMark.size(), nullptr);
  if (!(seconds > 0) || seconds > 600) return std::nullopt;
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds * 1.2));
}

// A failed exchange that the same context may try again: its own limit is not over.
bool passing(const Error& error, const plugin::Context& context) {
  const bool transport =
      error.fault == Fault::unavailable || error.fault == Fault::unknown || error.fault == Fault::timeout;
  return transport && context.check().ok();
}

}  // namespace

base::Result<void> Wire::has_key() const {
  if (!account_.key.empty()) return {};
  return Error{Fault::auth, "no_key", "there is no Vast.ai API key: VAST_API_KEY is not set",
               "set VAST_API_KEY to a key from https://cloud.vast.ai/manage-keys/"};
}

void Wire::end_turn(bool urgent) {
  const std::lock_guard lock(mutex_);
  (urgent ? urgent_busy_ : busy_) = false;
}

void Wire::heard(const HttpResponse& response, const base::Clock& clock) {
  const std::string* date = response.header("date");
  const time_t at = date == nullptr ? -1 : curl_getdate(date->c_str(), nullptr);
  if (at <= 0) return;
  const std::lock_guard lock(mutex_);
  heard_ = {base::WallTime(std::chrono::seconds(at)), clock.now()};
}

std::optional<base::WallTime> Wire::service_time(const base::Clock& clock) const {
  const std::lock_guard lock(mutex_);
  if (!heard_) return std::nullopt;
  return heard_->first + (clock.now() - heard_->second);
}

Duration Wire::try_slot(const Lane& lane, bool urgent, base::Instant now) {
  constexpr Duration kTurn = 5ms;
  const std::lock_guard lock(mutex_);
  auto& sent = sent_[lane.name];
  const base::Instant due = sent.size() < lane.calls ? now : std::max(now, sent.front() + lane.window);
  if (due > now) return due - now;
  bool& busy = urgent ? urgent_busy_ : busy_;
  if (busy) return kTurn;
  const Duration others = lane.shared ? turns_.take(lane.window, now) : Duration::zero();
  if (others > Duration::zero()) return others;
  busy = true;
  sent.push_back(now);
  if (sent.size() > lane.calls) sent.pop_front();
  return Duration::zero();
}

void Wire::use_slot(const Lane& lane, base::Instant now) {
  const std::lock_guard lock(mutex_);
  if (auto& sent = sent_[lane.name]; lane.calls == 1 && !sent.empty()) sent.back() = std::max(sent.back(), now);
  if (lane.shared) turns_.use(now);
}

// Spacing and turn together: whoever waited for the spacing alone and then queued would send too soon after another.
base::Result<Wire::Slot> Wire::slot(const Lane& lane, bool urgent, const plugin::Context& context) {
  for (;;) {
    if (auto alive = context.check(); !alive) return std::move(alive).error();
    const Duration pause = try_slot(lane, urgent, context.clock().now());
    if (pause == Duration::zero()) return Slot(*this, urgent);
    if (pause >= context.patience().left()) {
      return Error{Fault::rate_limited, "pacing",
                   "Vast.ai allows the next " + std::string(lane.name) + " request only in " +
                       base::format(std::chrono::ceil<std::chrono::seconds>(pause)) +
                       ", and there is less time than that",
                   "give the step a longer timeout"};
    }
    if (auto slept = context.sleep(pause); !slept) return std::move(slept).error();
  }
}

std::string body_of(const Call& call) {
  return call.body.is_null() ? std::string() : call.body.dump(-1, ' ', false, Written::error_handler_t::replace);
}

std::string text_of(const Call& call) { return std::string(call.method) + " " + call.path + "\n" + body_of(call); }

base::Result<Answer> Wire::once(const Call& call, Slot, const plugin::Context& context) {
  HttpRequest request;
  request.peer = "vast";
  request.method = call.method;
  request.url = account_.url + call.path;
  request.headers.emplace_back("Accept", "application/json");
  if (!account_.key.empty()) request.headers.emplace_back("Authorization", "Bearer " + account_.key.reveal());
  if (!call.body.is_null()) {
    request.headers.emplace_back("Content-Type", "application/json");
    request.body = body_of(call);
  }
  auto ready = context.check();
  if (ready && !call.reads) ready = context.sending();
  if (!ready) return unsent(std::move(ready).error());
  use_slot(call.lane, context.clock().now());
  std::optional<Grace> grace;
  if (!call.reads && context.makes()) grace.emplace(context);
  auto response =
      (call.urgent ? urgent_ : http_)->send(request, (grace ? grace->context() : context).within(kOneRequest));
  if (!response) {
    if (!call.reads && !nothing_was_sent(response.error())) context.unanswered();
    return std::move(response).error();
  }
  heard(*response, context.clock());
  Answer answer;
  answer.status = response->status;
  answer.retry_after = retry_after(*response);
  answer.text = std::move(response->body);
  answer.tree = base::JsonTree::read(answer.text);
  answer.body = answer.tree->root();
  // Nothing that says what became of it: a no to the next try says nothing about this one.
  if (!call.reads && is_no_answer(answer)) context.unanswered();
  return answer;
}

double Wire::jitter() {
  const std::lock_guard lock(mutex_);
  noise_ ^= noise_ << 13;
  noise_ ^= noise_ >> 7;
  noise_ ^= noise_ << 17;
  return static_cast<double>(noise_ % 1000) / 1000.0;
}

Duration Wire::pause_after(const Answer& answer, const Lane& lane, int tries) {
  const Duration interval = lane.calls == 1 ? lane.window : Duration(6s);
  Duration least = std::max<Duration>(announced_threshold(answer.text).value_or(interval), 1s);
  if (answer.retry_after) least = std::max(least, *answer.retry_after);
  const double grown = std::min(30.0, std::pow(1.5, tries - 1)) * (1.0 + 0.25 * jitter());
  return std::max(least, std::chrono::duration_cast<Duration>(std::chrono::duration<double>(grown)));
}

base::Result<Answer> Wire::ask_openly(const Call& call, const std::string& what, const plugin::Context& context) {
  if (auto key = has_key(); !key) return std::move(key).error().during(what);
  int limited = 0, broken = 0;
  for (;;) {
    // That this try was not sent says nothing of one before it.
    const bool first = limited + broken == 0;
    auto turn = slot(call.lane, call.urgent, context);
    if (!turn) {
      Error error = std::move(turn).error();
      if (error.code != "pacing") return (first ? unsent(std::move(error)) : std::move(error)).during(what);
      if (!first) error.code = "rate_limited";
      return std::move(error).during(what);
    }
    auto answer = once(call, *std::move(turn), context);
    Duration pause{0};
    std::optional<Error> failed;
    if (!answer) {
      failed = std::move(answer).error().during(what);
      // Larger than any answer of theirs: it says nothing about what was asked.
      if (failed->code == "too_large") failed->fault = Fault::unknown;
      // Asking has no effect: what is not known about it does not matter.
      if (call.reads && failed->fault == Fault::unknown) failed->fault = Fault::unavailable;
      if (!first && failed->code == "unsent") failed->code = "sent";
      if (!passing(*failed, context)) return *std::move(failed);
      if (failed->hint.empty()) failed->hint = "check the network, and VAST_API_URL where it is set";
      if (failed->fault == Fault::timeout) failed->fault = Fault::unavailable;
    } else if (answer->status == 429) {
      failed = error_of(*answer, what);
      pause = pause_after(*answer, call.lane, ++limited);
      if (limited >= kTriesRateLimited || pause >= context.patience().left()) return *std::move(failed);
    } else if (is_no_answer(*answer)) {
      failed = error_of(*answer, what);
    } else {
      if (Error error = error_of(*answer, what); !answer->good() && error.fault == Fault::auth) return error;
      return answer;
    }
    if (pause == Duration::zero()) {
      pause = 500ms * (1 << broken);
      if (++broken >= kTriesBroken || pause >= context.patience().left()) return *std::move(failed);
    }
    if (auto slept = context.sleep(pause); !slept) return std::move(slept).error().during(what);
  }
}

base::Result<Answer> Wire::ask(const Call& call, const std::string& what, const plugin::Context& context) {
  auto answer = ask_openly(call, what, context);
  if (answer && !answer->good()) return error_of(*answer, what);
  return answer;
}

}  // namespace failover::client::vast
