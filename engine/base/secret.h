// Values that must never be printed, and the second line of defence for when they are.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
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

// Replaces every known secret by `***`, in whatever form it stands: raw, JSON-escaped, quoted for a shell, percent- or
// form-encoded, base64 (both alphabets, at each of the three places it can begin at inside other bytes), hex. A text
// may be a piece of something longer, cut or written in several goes: a piece of a secret that reaches the beginning
// or end of a line, or of what `...` cuts, is replaced too, when it is at least 8 characters long (half of a short
// secret, 16 of a long one).
// Beside what is known, what bears the mark of a secret goes: signatures of requests, bearer tokens, private keys, a
// container's own key. Thread-safe.
class Redactor {
 public:
  Redactor();
  // Secrets shorter than 6 characters are ignored: replacing them would garble everything.
  void add(const Secret& secret);
  // A word that everybody may read, such as the beginning of our labels: where a line begins with it, or with its
  // beginning, that is no piece of a secret that happens to end alike.
  void leave(std::string word);
  [[nodiscard]] std::string operator()(std::string_view text) const;
  // May there be something to replace? What is not hidden so needs no copy.
  [[nodiscard]] bool touches(std::string_view text) const;

 private:
  void put(std::string text);
  [[nodiscard]] bool is_above_suspicion(std::string_view text) const;
  [[nodiscard]] std::size_t begun_before(std::string_view line) const;
  [[nodiscard]] std::size_t found_at(std::string_view rest, std::string_view line) const;
  template <class Hit>
  void each(std::string_view text, const Hit& hit) const;
  [[nodiscard]] std::string known(std::string_view text) const;

  mutable std::mutex mutex_;
  std::vector<std::string> needles_;  // what is searched for, sorted
  std::vector<std::string> left_;     // words that everybody may read
  std::bitset<1U << 16U> begins_;     // first two bytes of needles
  std::bitset<1U << 16U> suspect_;    // those, what stands in marks, and what ends a line
  std::bitset<1U << 16U> contains_;   // a hash of each four bytes in them
};

}  // namespace failover::base
