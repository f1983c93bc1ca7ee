#include "steps/client/http_transfer.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "engine/base/file.h"
#include "engine/base/text.h"

namespace failover::client::http {
namespace {

using base::Error;
using base::Fault;
using base::Result;

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; });
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::strchr("!#$%&'*+-.^_`|~", c) != nullptr;
  });
}

// Children of this program must not hold its connections open.
curl_socket_t open_socket(void*, curlsocktype, curl_sockaddr* address) {
  const int fd = ::socket(address->family, address->socktype, address->protocol);
  if (fd >= 0) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  return fd;
}

long milliseconds(base::Duration time) {
  return static_cast<long>(std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::milliseconds>(time).count()));
}

}  // namespace

std::string path_of(const std::string& url) {
  const auto scheme = url.find("://");
  const auto slash = url.find_first_of("/?#", scheme == std::string::npos ? 0 : scheme + 3);
  if (slash == std::string::npos || url[slash] != '/') return "/";
  return base::printable(url.substr(slash, url.find_first_of("?#", slash) - slash), 1024);
}

Transfer::~Transfer() {
  if (easy_ != nullptr) curl_easy_cleanup(easy_);
  curl_slist_free_all(headers_);
  if (body_fd_ >= 0) ::close(body_fd_);
  if (sink_fd_ >= 0) ::close(sink_fd_);
}

Result<void> Transfer::prepare() {
  const auto origin = parse_origin(request_->url);
  if (!origin || (origin->scheme != "http" && origin->scheme != "https")) {
    return Error{Fault::invalid, "bad_url", "cannot send a request to that address: it is not an http or https URL"};
  }
  if (!is_token(request_->method)) return Error{Fault::invalid, "bad_method", "the request's method is not one word"};
  easy_ = curl_easy_init();
  if (easy_ == nullptr) return Error{Fault::internal, "curl", "libcurl could not be started"};
  curl_easy_setopt(easy_, CURLOPT_URL, request_->url.c_str());
  curl_easy_setopt(easy_, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy_, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy_, CURLOPT_USERAGENT, "failover/0.1");
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, said_);
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &Transfer::take_header);
  curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &Transfer::take_body);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy_, CURLOPT_PREREQFUNCTION, &Transfer::before_request);
  curl_easy_setopt(easy_, CURLOPT_PREREQDATA, this);
  set_connection(*origin);
  if (auto set = set_body(); !set) return set;
  return set_headers();
}

void Transfer::set_connection(const Origin& origin) {
  curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy_, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy_, CURLOPT_OPENSOCKETFUNCTION, &open_socket);
  curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(request_->connect_timeout));
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
#else
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
  // A resolver that hangs must not hold a stop up.
  curl_easy_setopt(easy_, CURLOPT_QUICK_EXIT, 1L);
#endif
  if (is_loopback(origin)) curl_easy_setopt(easy_, CURLOPT_PROXY, "");
  reads_only_ = request_->method == "GET" || request_->method == "HEAD";
  // A connection that was idle may be closing right now, and a change lost in it would be an unknown outcome.
  if (!reads_only_) curl_easy_setopt(easy_, CURLOPT_MAXAGE_CONN, 3L);
}

Result<void> Transfer::set_body() {
  if (!request_->body_file.empty()) {
    body_fd_ = ::open(request_->body_file.c_str(), O_RDONLY | O_CLOEXEC);
    if (body_fd_ < 0) return base::system_error(errno, "read", request_->body_file);
    struct stat about {};
    if (::fstat(body_fd_, &about) != 0) return base::system_error(errno, "read", request_->body_file);
    if (!S_ISREG(about.st_mode)) {
      return Error{Fault::invalid, "not_a_file", request_->body_file + " is not a regular file"};
    }
    body_size_ = about.st_size;
  } else {
    body_size_ = static_cast<std::int64_t>(request_->body.size());
  }
  const std::string& method = request_->method;
  const bool carries = body_size_ > 0 || method == "PUT" || method == "POST" || method == "PATCH";
  if (method == "HEAD" && !carries) {
    curl_easy_setopt(easy_, CURLOPT_NOBODY, 1L);
    return {};
  }
  if (carries) {
    curl_easy_setopt(easy_, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy_, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(body_size_));
    curl_easy_setopt(easy_, CURLOPT_READFUNCTION, &Transfer::read_body);
    curl_easy_setopt(easy_, CURLOPT_READDATA, this);
    curl_easy_setopt(easy_, CURLOPT_SEEKFUNCTION, &Transfer::rewind_body);
    curl_easy_setopt(easy_, CURLOPT_SEEKDATA, this);
  }
  curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, method.c_str());
  return {};
}

Result<void> Transfer::set_headers() {
  // Without this libcurl waits a second for `100 Continue`.
  headers_ = curl_slist_append(nullptr, "Expect:");
  for (const auto& [name, value] : request_->headers) {
    if (!is_token(name) || has_control(value)) {
      return Error{Fault::invalid, "bad_header", "the header '" + base::printable(name, 80) + "' cannot be sent"};
    }
    // libcurl reads `Name:` as "send none of this name".
    const std::string line = base::trim(value).empty() ? name + ";" : name + ": " + value;
    headers_ = curl_slist_append(headers_, line.c_str());
  }
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
  return {};
}

// libcurl sends a request again by itself when a kept connection dies without an answer. What only reads may; a change
// may have had its effect.
int Transfer::before_request(void* self, char*, char*, int, int) {
  auto& me = *static_cast<Transfer*>(self);
  const bool again = me.attempts_++ > 0;
  return again && !me.reads_only_ && me.sent() ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

std::size_t Transfer::read_body(char* to, std::size_t size, std::size_t count, void* self) {
  auto& me = *static_cast<Transfer*>(self);
  const auto wanted = static_cast<std::size_t>(
      std::min<std::int64_t>(static_cast<std::int64_t>(size * count), me.body_size_ - me.body_done_));
  me.moved(wanted);
  if (me.body_fd_ < 0) {
    std::memcpy(to, me.request_->body.data() + me.body_done_, wanted);
    me.body_done_ += static_cast<std::int64_t>(wanted);
    return wanted;
  }
  if (wanted == 0) return 0;
  ssize_t got = 0;
  do {
    got = ::pread(me.body_fd_, to, wanted, static_cast<off_t>(me.body_done_));
  } while (got < 0 && errno == EINTR);
  if (got <= 0) {
    me.failed_ = Error{Fault::unknown, "file_changed",
                       got < 0 ? base::system_error(errno, "read", me.request_->body_file).message
                               : me.request_->body_file + " became shorter while it was sent"};
    return CURL_READFUNC_ABORT;
  }
  me.body_done_ += got;
  return static_cast<std::size_t>(got);
}

int Transfer::rewind_body(void* self, curl_off_t offset, int origin) {
  auto& me = *static_cast<Transfer*>(self);
  if (origin != SEEK_SET || offset < 0 || offset > me.body_size_) return CURL_SEEKFUNC_FAIL;
  me.body_done_ = offset;
  return CURL_SEEKFUNC_OK;
}

std::size_t Transfer::take_header(char* text, std::size_t size, std::size_t count, void* self) {
  auto& me = *static_cast<Transfer*>(self);
  me.answers(size * count);
  const std::string_view line = base::trim(std::string_view(text, size * count));
  if (line.substr(0, 5) == "HTTP/") {
    me.response_.headers.clear();  // what came before was an interim answer
  } else if (const auto colon = line.find(':'); colon != std::string_view::npos) {
    me.response_.headers.emplace_back(base::lower(base::trim(line.substr(0, colon))),
                                      std::string(base::trim(line.substr(colon + 1))));
  }
  return size * count;
}

std::size_t Transfer::take_body(char* bytes, std::size_t size, std::size_t count, void* self) {
  auto& me = *static_cast<Transfer*>(self);
  me.answers(size * count);
  const std::string_view piece(bytes, size * count);
  return me.keep(piece) ? piece.size() : 0;
}

bool Transfer::keep(std::string_view bytes) {
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  if (request_->sink_file.empty() || !is_success(static_cast<int>(status))) {
    if (static_cast<std::int64_t>(response_.body.size() + bytes.size()) > request_->body_limit) {
      failed_ = Error{Fault::corrupt, "too_large",
                      "the answer is larger than " + std::to_string(request_->body_limit) + " bytes"};
      return false;
    }
    response_.body.append(bytes);
    return true;
  }
  if (!open_sink()) return false;
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(sink_fd_, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) {
      failed_ = base::system_error(errno, "write", request_->sink_file);
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return true;
}

bool Transfer::open_sink() {
  if (sink_fd_ >= 0) return true;
  sink_fd_ = ::open(request_->sink_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (sink_fd_ < 0) failed_ = base::system_error(errno, "write", request_->sink_file);
  return sink_fd_ >= 0;
}

bool Transfer::sent() {
  long bytes = 0;
  if (easy_ != nullptr) curl_easy_getinfo(easy_, CURLINFO_REQUEST_SIZE, &bytes);
  sent_ = sent_ || bytes > 0;
  return sent_;
}

void Transfer::moved(std::size_t bytes) {
  last_move_ = std::chrono::steady_clock::now();
  stretch_bytes_ += static_cast<std::int64_t>(bytes);
}

void Transfer::answers(std::size_t bytes) {
  moved(bytes);
  if (!std::exchange(answering_, true)) stretch_ = last_move_;
}

bool Transfer::stalled(base::Duration limit) {
#ifdef TIOCOUTQ
  // A slow upload moves in the kernel's buffer long after libcurl has handed its last byte over.
  curl_socket_t fd = CURL_SOCKET_BAD;
  int waiting = 0;
  if (curl_easy_getinfo(easy_, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK && fd != CURL_SOCKET_BAD &&
      ::ioctl(fd, TIOCOUTQ, &waiting) == 0 && waiting != unsent_bytes_) {
    moved(static_cast<std::size_t>(std::abs(waiting - unsent_bytes_)));
    unsent_bytes_ = waiting;
  }
#endif
  const Moment now = std::chrono::steady_clock::now();
  if (now - last_move_ >= limit) return true;
  if (now - stretch_ < limit) return false;
  const bool slow = static_cast<double>(stretch_bytes_) < static_cast<double>(kSlowest) * base::seconds(now - stretch_);
  stretch_ = now;
  stretch_bytes_ = 0;
  return slow;
}

Error Transfer::failure(CURLcode code) {
  const std::string why = base::printable(said_[0] != '\0' ? said_ : curl_easy_strerror(code), 200);
  if (!sent()) {
    switch (code) {
      case CURLE_COULDNT_RESOLVE_HOST:
      case CURLE_COULDNT_RESOLVE_PROXY: return {Fault::unavailable, "dns", "no request was sent: " + why};
      case CURLE_OPERATION_TIMEDOUT: return {Fault::unavailable, "connect_timeout", "no request was sent: " + why};
      case CURLE_SSL_CONNECT_ERROR:
      case CURLE_PEER_FAILED_VERIFICATION:
      case CURLE_SSL_CACERT_BADFILE:
      case CURLE_SSL_CERTPROBLEM:
      case CURLE_SSL_CIPHER:
      case CURLE_SSL_ISSUER_ERROR: return {Fault::unavailable, "tls", "no request was sent: " + why};
      case CURLE_OUT_OF_MEMORY: return {Fault::internal, "memory", "no request was sent: " + why};
      default: return {Fault::unavailable, "connect", "no request was sent: " + why};
    }
  }
  switch (code) {
    case CURLE_PARTIAL_FILE: return {Fault::unknown, "partial_answer", "the answer broke off: " + why};
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_BAD_CONTENT_ENCODING: return {Fault::unknown, "bad_answer", "the answer is not HTTP: " + why};
    default: return {Fault::unknown, "connection_dropped", "the request was sent, its answer never came: " + why};
  }
}

Result<HttpResponse> Transfer::finish(CURLcode code) {
  if (failed_) return *std::move(failed_);
  if (code != CURLE_OK) return failure(code);
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  response_.status = static_cast<int>(status);
  if (!request_->sink_file.empty() && is_success(response_.status)) {
    if (!open_sink()) return *std::move(failed_);  // an empty body never came by keep()
    if (::close(std::exchange(sink_fd_, -1)) != 0) return base::system_error(errno, "write", request_->sink_file);
  }
  return std::move(response_);
}

}  // namespace failover::client::http
