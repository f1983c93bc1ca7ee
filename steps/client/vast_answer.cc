// What the service's answers mean (references/vastai-api.md 1, 3.3, 6).
#include <cmath>

#include "engine/base/text.h"
#include "steps/client/vast_wire.h"

namespace failover::client::vast {
namespace {

using base::Error;
using base::Fault;

// The word anywhere in the answer's own words: `error` alone is not enough (3.3: `no_such_ask` stands in `msg`).
bool says(const Answer& answer, std::string_view word) {
  return base::contains(answer.text_of("error"), word) || base::contains(answer.text_of("msg"), word) ||
         base::contains(answer.text_of("message"), word);
}

Error auth(const Answer& answer, const std::string& what) {
  if (answer.status == 403) {
    return {Fault::auth, "no_permission",
            "Vast.ai does not permit this with the given API key (" + answer.complaint() + "), " + what,
            "the key in VAST_API_KEY needs the permissions misc, user_read, instance_read and instance_write"};
  }
  if (base::contains(answer.text, "Two Factor Authentication")) {
    return {Fault::auth, "two_factor", "Vast.ai asks for two-factor authentication, " + what,
            "make an API key that does not need it and put it into VAST_API_KEY"};
  }
  return {Fault::auth, "auth_error", "Vast.ai refuses the API key (" + answer.complaint() + "), " + what,
          "check VAST_API_KEY: keys are listed at https://cloud.vast.ai/manage-keys/"};
}

bool is_auth(const Answer& answer) {
  const std::string error = answer.text_of("error");
  // 403 with invalid_args is about the offer: hosts may not rent some machines (3.3).
  return error == "auth_error" || answer.status == 401 || (answer.status == 403 && error != "invalid_args");
}

std::optional<Error> known_refusal(const Answer& answer, const std::string& what) {
  if (says(answer, "no_such_ask")) {
    return Error{Fault::no_offer, "no_such_ask", "the offer is gone: somebody else rented it, " + what, "search again"};
  }
  for (const char* word : {"insufficient_credit", "missing_billing", "spend_rate_limit"}) {
    if (!says(answer, word)) continue;
    return Error{Fault::no_credit, word,
                 "the Vast.ai account has no credit for this (" + answer.complaint() + "), " + what,
                 "add credit at https://cloud.vast.ai/billing/"};
  }
  if (says(answer, "resources_unavailable")) {
    return Error{Fault::unavailable, "resources_unavailable", "the machine's GPU is taken just now, " + what,
                 "try later, or rent another machine"};
  }
  const bool gone =
      says(answer, "no_such_instance") || (answer.status == 404 && answer.text_of("error") == "not_found");
  if (gone)
    return Error{Fault::not_found, "no_such_instance", "Vast.ai knows no such instance, " + what,
                 "it was destroyed, or the id is wrong"};
  return std::nullopt;
}

}  // namespace

std::string Answer::text_of(const char* member) const { return vast::text_of(body, member); }

std::string Answer::complaint() const {
  std::string words = "HTTP " + std::to_string(status);
  for (const char* member : {"error", "msg", "message", "detail"}) {
    if (const std::string one = text_of(member); !one.empty()) words += ", " + one;
  }
  // A success that cannot be read may hold half of a key.
  if (body.is_discarded() && !text.empty() && !is_success(status)) words += ", " + text;
  return base::printable(words, 240);
}

bool Answer::good() const {
  if (!is_success(status) || !(body.is_object() || body.is_array())) return false;
  if (!body.is_object()) return true;
  const auto success = body.find("success");
  if (success != body.end() && success->is_boolean()) return success->get<bool>();
  return text_of("error").empty();
}

Error error_of(const Answer& answer, const std::string& what) {
  if (is_auth(answer)) return auth(answer, what);
  if (auto known = known_refusal(answer, what)) return *std::move(known);
  if (answer.status == 429) {
    return {Fault::rate_limited, "rate_limited",
            "Vast.ai asks for fewer requests (" + answer.complaint() + "), " + what,
            "wait a little; other programs may use the same key"};
  }
  if (answer.status == 408 || answer.status >= 500) {
    return {Fault::unavailable, "http_" + std::to_string(answer.status),
            "Vast.ai is out of order (HTTP " + std::to_string(answer.status) + "), " + what, "try again later"};
  }
  if (answer.status >= 300 && answer.status < 400) {
    return {Fault::refused, "redirect", "Vast.ai answers with a redirect (" + answer.complaint() + "), " + what,
            "check VAST_API_URL: it is scheme, host and port without a path"};
  }
  if (is_success(answer.status) && !(answer.body.is_object() || answer.body.is_array())) {
    return {Fault::unavailable, "malformed_answer",
            "what answers for Vast.ai is not its API: the answer cannot be read, " + what,
            "check VAST_API_URL and the network (a captive portal?), or try again"};
  }
  const std::string error = answer.text_of("error");
  return {Fault::refused, error.empty() ? "http_" + std::to_string(answer.status) : base::printable(error, 60),
          "Vast.ai says no (" + answer.complaint() + "), " + what, ""};
}

std::int64_t integer_of(const Json& object, const char* member, std::int64_t fallback) {
  if (!object.is_object()) return fallback;
  const auto found = object.find(member);
  if (found == object.end()) return fallback;
  if (found->is_number_unsigned()) {
    const auto value = found->get<std::uint64_t>();
    return value <= static_cast<std::uint64_t>(INT64_MAX) ? static_cast<std::int64_t>(value) : fallback;
  }
  if (found->is_number_integer()) return found->get<std::int64_t>();
  if (found->is_string()) return base::parse_integer(base::trim(found->get<std::string_view>())).value_or(fallback);
  if (!found->is_number_float()) return fallback;
  const double value = found->get<double>();
  return std::abs(value) < 9e15 && value == std::floor(value) ? static_cast<std::int64_t>(value) : fallback;
}

double number_of(const Json& object, const char* member, double fallback) {
  if (!object.is_object()) return fallback;
  const auto found = object.find(member);
  return found != object.end() && found->is_number() ? found->get<double>() : fallback;
}

std::string text_of(const Json& object, const char* member) {
  if (!object.is_object()) return {};
  const auto found = object.find(member);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace failover::client::vast
