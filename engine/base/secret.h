// Values that must never be printed, and the second line of defence for when they are.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace failover::base {

// Text that no stream, formatter or JSON writer accepts; reveal() marks each place that needs the bytes.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  [[nodiscard]] const std::string& reveal() const { return text_; }
  [[nodiscard]] bool empty() const { return text_.empty(); }

 private:
  std::string text_;
};

// Replaces every known secret, raw, percent-encoded, base64 or hex, by `***`, and every `X-Amz-Signature=...` value.
// Whole texts only: callers hand over complete lines or records. Thread-safe.
class Redactor {
 public:
  // Secrets shorter than 6 characters are ignored: replacing them would garble everything.
  void add(const Secret& secret);
  [[nodiscard]] std::string operator()(std::string_view text) const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> needles_;
};

}  // namespace failover::base
