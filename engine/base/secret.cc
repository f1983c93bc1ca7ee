#include "engine/base/secret.h"

#include <algorithm>

#include "engine/base/digest.h"

namespace failover::base {
namespace {

constexpr std::size_t kShortest = 6;
constexpr std::string_view kMask = "***";
constexpr std::string_view kSignature = "X-Amz-Signature=";

void replace_all(std::string& text, std::string_view needle) {
  for (std::size_t at = text.find(needle); at != std::string::npos; at = text.find(needle, at + kMask.size())) {
    text.replace(at, needle.size(), kMask);
  }
}

}  // namespace

void Redactor::add(const Secret& secret) {
  const std::string& raw = secret.reveal();
  if (raw.size() < kShortest) return;
  const std::lock_guard lock(mutex_);
  for (std::string form : {raw, percent_encode(raw), base64(raw), hex(raw)}) {
    if (std::find(needles_.begin(), needles_.end(), form) == needles_.end()) needles_.push_back(std::move(form));
  }
  // Longest first, so that a secret inside another does not leave the rest of the longer one standing.
  std::sort(needles_.begin(), needles_.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
}

std::string Redactor::operator()(std::string_view text) const {
  std::string out(text);
  {
    const std::lock_guard lock(mutex_);
    for (const auto& needle : needles_) replace_all(out, needle);
  }
  for (std::size_t at = out.find(kSignature); at != std::string::npos; at = out.find(kSignature, at)) {
    at += kSignature.size();
    std::size_t end = at;
    while (end < out.size() && ((out[end] >= '0' && out[end] <= '9') || (out[end] >= 'a' && out[end] <= 'f'))) ++end;
    out.replace(at, end - at, end > at ? kMask : "");
  }
  return out;
}

}  // namespace failover::base
