// client::Http on libcurl's multi interface: it is the one that can be woken.
#include <curl/curl.h>

#include <algorithm>
#include <mutex>
#include <stop_token>

#include "steps/client/http.h"
#include "steps/client/http_transfer.h"
#include "steps/client/patient_lock.h"

namespace failover::client {
namespace {

using base::Error;
using base::Fault;
using base::Result;
using http::Transfer;

constexpr int kSliceMs = 50;

class CurlHttp final : public Http {
 public:
  CurlHttp() = default;
  ~CurlHttp() override { hang_up(); }
  CurlHttp(const CurlHttp&) = delete;
  CurlHttp& operator=(const CurlHttp&) = delete;

  Result<HttpResponse> send(const HttpRequest& request, const plugin::Context& context) override;

 private:
  Result<HttpResponse> perform(const HttpRequest& request, const plugin::Context& context);
  Result<CURLcode> drive(const HttpRequest& request, Transfer& transfer, const base::Patience& patience);
  bool ready();
  void hang_up();

  PatientLock lock_;
  CURLM* multi_ = nullptr;
};

bool CurlHttp::ready() {
  if (multi_ == nullptr) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    multi_ = curl_multi_init();
    if (multi_ != nullptr) curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, 8L);
  }
  return multi_ != nullptr;
}

void CurlHttp::hang_up() {
  if (multi_ != nullptr) curl_multi_cleanup(multi_);
  multi_ = nullptr;
}

// The transfer's own verdict, or why it was given up.
Result<CURLcode> CurlHttp::drive(const HttpRequest& request, Transfer& transfer, const base::Patience& patience) {
  const std::stop_callback wake(patience.stop(), [multi = multi_] { curl_multi_wakeup(multi); });
  for (;;) {
    // After a sleep of this machine: what was not sent by its time is not sent any more.
    if (auto alive = patience.check(); !alive && !transfer.sent()) return unsent(std::move(alive).error());
    int running = 0;
    if (curl_multi_perform(multi_, &running) != CURLM_OK) {
      return Error{transfer.sent() ? Fault::unknown : Fault::internal, "curl", "libcurl failed"};
    }
    int queued = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &queued)) {
      if (message->msg == CURLMSG_DONE && message->easy_handle == transfer.handle()) return message->data.result;
    }
    if (auto alive = patience.check(); !alive) {
      Error error = std::move(alive).error();
      error.code = transfer.sent() ? "sent" : "unsent";
      return error;
    }
    if (transfer.sent() && transfer.stalled(request.stall_timeout)) {
      return Error{Fault::unknown, "stalled", "the request was sent, then the connection fell silent or crept"};
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(patience.left()).count();
    curl_multi_poll(multi_, nullptr, 0, static_cast<int>(std::clamp<std::int64_t>(left, 1, kSliceMs)), nullptr);
  }
}

Result<HttpResponse> CurlHttp::perform(const HttpRequest& request, const plugin::Context& context) {
  if (auto alive = context.check(); !alive) return unsent(std::move(alive).error());
  if (auto turn = lock_.take(context.patience()); !turn) return unsent(std::move(turn).error());
  const Turn turn(lock_);
  Transfer transfer(request);  // its clocks run from here: the wait for the turn is no silence of the connection
  if (auto prepared = transfer.prepare(); !prepared) return std::move(prepared).error();
  const NoSigpipe quiet;
  // Every kept connection goes, so that there is never more than one to a host: before_request relies on that.
  if (request.fresh_connection) hang_up();
  if (!ready() || curl_multi_add_handle(multi_, transfer.handle()) != CURLM_OK) {
    return Error{Fault::internal, "curl", "libcurl could not be started"};
  }
  auto code = drive(request, transfer, context.patience());
  curl_multi_remove_handle(multi_, transfer.handle());
  if (!code) return std::move(code).error();
  return transfer.finish(*code);
}

Result<HttpResponse> CurlHttp::send(const HttpRequest& request, const plugin::Context& context) {
  const base::Instant start = context.clock().now();
  auto answer = perform(request, context);
  plugin::Exchange exchange;
  exchange.peer = request.peer;
  exchange.method = request.method;
  exchange.target = http::path_of(request.url);
  exchange.took = context.clock().now() - start;
  if (answer) {
    exchange.status = answer->status;
  } else {
    exchange.outcome = answer.error().code;
  }
  context.exchange(exchange);
  return answer;
}

}  // namespace

std::unique_ptr<Http> make_http() { return std::make_unique<CurlHttp>(); }

}  // namespace failover::client
