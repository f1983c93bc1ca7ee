#include "engine/base/error.h"

#include <array>

namespace failover::base {
namespace {

constexpr std::array<std::pair<Fault, std::string_view>, 16> kWords{{
    {Fault::rate_limited, "rate_limited"},
    {Fault::unavailable, "unavailable"},
    {Fault::timeout, "timeout"},
    {Fault::unknown, "unknown"},
    {Fault::refused, "refused"},
    {Fault::not_found, "not_found"},
    {Fault::auth, "auth"},
    {Fault::no_credit, "no_credit"},
    {Fault::no_offer, "no_offer"},
    {Fault::host_key_changed, "host_key_changed"},
    {Fault::corrupt, "corrupt"},
    {Fault::no_space, "no_space"},
    {Fault::cancelled, "cancelled"},
    {Fault::assertion, "assertion"},
    {Fault::invalid, "invalid"},
    {Fault::internal, "internal"},
}};
constexpr std::size_t kLanguageWords = 11;

}  // namespace

std::string_view to_string(Fault fault) {
  for (const auto& [value, word] : kWords) {
    if (value == fault) return word;
  }
  return "internal";
}

std::string_view never_retried(std::string_view word) {
  if (word == "no_space") return "a full disk stays full";
  if (word == "cancelled") return "the run was asked to stop";
  if (word == "assertion") return "`until` is what waits for something to hold";
  if (word == "invalid") return "the value stays what it is";
  if (word == "internal") return "it is a fault of this program";
  return {};
}

const std::vector<std::string_view>& retryable_fault_words() {
  static const std::vector<std::string_view> words = [] {
    std::vector<std::string_view> out;
    for (std::size_t i = 0; i < kLanguageWords; ++i) out.push_back(kWords[i].second);
    return out;
  }();
  return words;
}

std::optional<Fault> retryable_fault(std::string_view word) {
  for (std::size_t i = 0; i < kLanguageWords; ++i) {
    if (kWords[i].second == word) return kWords[i].first;
  }
  return std::nullopt;
}

Error Error::in(const std::string& part) && {
  at.path.insert(at.path.begin(), part);
  return std::move(*this);
}

Error Error::in_name(const std::string& part) && {
  at.name = true;
  return std::move(*this).in(part);
}

Error Error::during(std::string what) && {
  trail.push_back(std::move(what));
  return std::move(*this);
}

std::string Error::line() const {
  std::string out = message;
  for (const auto& what : trail) out += " (while " + what + ")";
  return out;
}

}  // namespace failover::base
