#include "steps/client/http.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>

#include <charconv>
#include <cstdlib>

#include "engine/base/text.h"

namespace failover::client {
namespace {

struct UrlCloser {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

std::optional<std::string> part_of(CURLU* url, CURLUPart which, unsigned flags) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, flags) != CURLUE_OK) return std::nullopt;
  std::string out(text);
  curl_free(text);
  return out;
}

// Whole or decimal seconds; nullopt for anything else.
std::optional<double> seconds_of(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789.") != std::string_view::npos) return std::nullopt;
  double out = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return out;
}

}  // namespace

const std::string* HttpResponse::header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return &value;
  }
  return nullptr;
}

base::Error unsent(base::Error why) {
  why.code = "unsent";
  return why;
}

bool nothing_was_sent(const base::Error& error) {
  return error.fault == base::Fault::unavailable || error.fault == base::Fault::invalid ||
         error.fault == base::Fault::internal || error.code == "unsent";
}

std::optional<base::Duration> retry_after(const HttpResponse& response) {
  constexpr double kAbsurd = 3600;
  const std::string* given = response.header("retry-after");
  if (given == nullptr) return std::nullopt;
  const std::string text(base::trim(*given));
  std::optional<double> wanted = seconds_of(text);
  if (!wanted) {
    // A date counts from the answer's own date: the two clocks need not agree.
    const std::string* date = response.header("date");
    const std::time_t until = curl_getdate(text.c_str(), nullptr);
    const std::time_t from = date == nullptr ? -1 : curl_getdate(date->c_str(), nullptr);
    if (until == -1 || from == -1) return std::nullopt;
    wanted = std::max(0.0, std::difftime(until, from));
  }
  if (!(*wanted >= 0) || *wanted > kAbsurd) return std::nullopt;
  return std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(*wanted));
}

// libcurl's own parser, so that what is judged here is where the request goes.
std::optional<Origin> parse_origin(std::string_view url) {
  const auto colon = url.find("://");
  if (colon == std::string_view::npos || url.size() == colon + 3 || url[colon + 3] == '/') return std::nullopt;
  for (const char c : url) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '\\') return std::nullopt;
  }
  const std::unique_ptr<CURLU, UrlCloser> parsed(curl_url());
  if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, std::string(url).c_str(), 0) != CURLUE_OK) {
    return std::nullopt;
  }
  if (part_of(parsed.get(), CURLUPART_USER, 0) || part_of(parsed.get(), CURLUPART_PASSWORD, 0) ||
      part_of(parsed.get(), CURLUPART_ZONEID, 0)) {
    return std::nullopt;
  }
  const auto scheme = part_of(parsed.get(), CURLUPART_SCHEME, 0);
  auto host = part_of(parsed.get(), CURLUPART_HOST, 0);
  const auto port = part_of(parsed.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  if (!scheme || !host || host->empty() || !port) return std::nullopt;
  if (host->front() == '[' && host->back() == ']') *host = host->substr(1, host->size() - 2);
  const auto number = base::parse_integer(*port);
  if (!number || *number < 1 || *number > 65535) return std::nullopt;
  return Origin{base::lower(*scheme), *std::move(host), static_cast<int>(*number)};
}

bool is_loopback(const Origin& origin) {
  if (base::lower(origin.host) == "localhost") return true;
  in_addr four{};
  if (inet_pton(AF_INET, origin.host.c_str(), &four) == 1) return (ntohl(four.s_addr) >> 24) == 127;
  in6_addr six{};
  if (inet_pton(AF_INET6, origin.host.c_str(), &six) == 1) return IN6_IS_ADDR_LOOPBACK(&six) != 0;
  return false;
}

}  // namespace failover::client
