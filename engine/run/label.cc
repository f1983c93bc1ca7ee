#include "engine/run/label.h"

#include <algorithm>
#include <array>

#include "engine/base/digest.h"
#include "engine/base/text.h"

namespace failover::run {
namespace {

constexpr std::string_view kBegins = "failover-";
constexpr std::size_t kMacHex = 12;
constexpr std::size_t kLongest = 64;

std::string mac_of(std::string_view body, const base::Secret& key) {
  return base::hex(base::hmac_sha256(key.reveal(), body)).substr(0, kMacHex);
}

std::string body_of(std::string_view token, std::int64_t sequence, std::int64_t deadline) {
  return std::string(kBegins) + std::string(token) + "-" + std::to_string(sequence) + "-" + std::to_string(deadline);
}

// Looks at every character, whatever the first ones say.
bool same(std::string_view a, std::string_view b) {
  std::size_t different = a.size() ^ b.size();
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) different |= static_cast<unsigned char>(a[i] ^ b[i]);
  return different == 0;
}

}  // namespace

std::string make_label(const std::string& run_id, int sequence, base::WallTime deadline, const base::Secret& key) {
  const auto unix_seconds = std::chrono::floor<std::chrono::seconds>(deadline.time_since_epoch()).count();
  const std::string body = body_of(run_id.substr(run_id.rfind('-') + 1), sequence, unix_seconds);
  return body + "-" + mac_of(body, key);
}

bool looks_ours(std::string_view text) { return text.substr(0, kBegins.size()) == kBegins; }

std::optional<Label> verify_label(std::string_view text, const base::Secret& key) {
  // Without a key everybody could sign.
  if (key.empty() || text.size() > kLongest || !looks_ours(text)) return std::nullopt;
  std::array<std::string_view, 4> parts;  // token, sequence, deadline, MAC
  std::string_view rest = text.substr(kBegins.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::size_t dash = rest.find('-');
    const bool last = i + 1 == parts.size();
    if (last != (dash == std::string_view::npos)) return std::nullopt;
    parts[i] = rest.substr(0, dash);
    rest = last ? std::string_view() : rest.substr(dash + 1);
  }
  const auto sequence = base::parse_integer(parts[1]);
  const auto deadline = base::parse_integer(parts[2]);
  constexpr std::int64_t kFarthest = 9'000'000'000;  // in the year 2255; a WallTime ends in 2262
  const bool sane = sequence && deadline && *sequence >= 1 && *sequence <= 1'000'000 && *deadline > 0 &&
                    *deadline <= kFarthest && !parts[0].empty();
  if (!sane) return std::nullopt;
  // Written anew from what was read: `007` or `+7` do not come out as they went in.
  const std::string body = body_of(parts[0], *sequence, *deadline);
  if (text.substr(0, text.size() - kMacHex - 1) != body || !same(parts[3], mac_of(body, key))) return std::nullopt;
  return Label{std::string(parts[0]), static_cast<int>(*sequence), base::WallTime(std::chrono::seconds(*deadline))};
}

}  // namespace failover::run
