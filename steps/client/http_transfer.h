// One request on one libcurl handle: where its body comes from, where its answer goes, and what may have reached the
// other side. Not for steps.
#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "steps/client/http.h"

namespace failover::client::http {

class Transfer {
 public:
  // The request must outlive it.
  explicit Transfer(const HttpRequest& request) : request_(&request) {}
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // Error{invalid} for a request that cannot be sent; not_found and invalid for a body file that cannot be read.
  base::Result<void> prepare();
  [[nodiscard]] CURL* handle() const { return easy_; }
  // May the other side have a byte of the request?
  bool sent();
  // By the machine's clock: has no byte moved for so long, or did fewer than kSlowest a second in as long a stretch?
  bool stalled(base::Duration limit);
  static constexpr std::int64_t kSlowest = 1'000;
  // What came of it once libcurl has said `code`.
  base::Result<HttpResponse> finish(CURLcode code);

 private:
  static std::size_t read_body(char* to, std::size_t size, std::size_t count, void* self);
  static int rewind_body(void* self, curl_off_t offset, int origin);
  static std::size_t take_header(char* text, std::size_t size, std::size_t count, void* self);
  static std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* self);
  static int before_request(void* self, char* ip, char* local_ip, int port, int local_port);

  base::Result<void> set_headers();
  base::Result<void> set_body();
  void set_connection(const Origin& origin);
  bool keep(std::string_view bytes);
  bool open_sink();
  void moved(std::size_t bytes);
  void answers(std::size_t bytes);
  base::Error failure(CURLcode code);

  const HttpRequest* request_;
  CURL* easy_ = nullptr;
  curl_slist* headers_ = nullptr;
  int body_fd_ = -1;
  int sink_fd_ = -1;
  std::int64_t body_size_ = 0;
  std::int64_t body_done_ = 0;
  HttpResponse response_{};
  std::optional<base::Error> failed_{};  // on our own side
  bool reads_only_ = false;
  bool sent_ = false;
  int attempts_ = 0;
  int unsent_bytes_ = 0;
  using Moment = std::chrono::steady_clock::time_point;
  Moment last_move_ = std::chrono::steady_clock::now();
  Moment stretch_ = last_move_;     // when the present one began; the answer's first byte begins one
  std::int64_t stretch_bytes_ = 0;  // that have moved in it
  bool answering_ = false;
  char said_[CURL_ERROR_SIZE] = "";
};

// The path of a URL alone: queries carry signatures.
std::string path_of(const std::string& url);

}  // namespace failover::client::http
