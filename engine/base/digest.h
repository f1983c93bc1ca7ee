// Digests, MACs, random bytes and encodings, on OpenSSL.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace failover::base {

enum class Algorithm { md5, sha256, blake2b };  // blake2b: 512 bits, as `b2sum` prints it

std::string_view to_string(Algorithm algorithm);
std::optional<Algorithm> parse_algorithm(std::string_view word);

// A digest fed piece by piece. Not thread-safe.
class Digest {
 public:
  explicit Digest(Algorithm algorithm);
  ~Digest();
  Digest(Digest&&) noexcept;
  Digest& operator=(Digest&&) noexcept;
  void update(std::string_view bytes);
  // The raw digest; may be called once.
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string digest(Algorithm algorithm, std::string_view bytes);        // raw bytes
std::string digest_hex(Algorithm algorithm, std::string_view bytes);    // lower-case hex
std::string hmac_sha256(std::string_view key, std::string_view bytes);  // raw bytes

// Bytes that follow from a secret and look like chance (AES-256 in counter mode): who knows some of them knows nothing
// of the others. Not thread-safe.
class Keystream {
 public:
  explicit Keystream(std::string_view secret);  // of any length
  ~Keystream();
  Keystream(const Keystream&) = delete;
  Keystream& operator=(const Keystream&) = delete;
  // The next ones.
  std::string next(std::size_t count);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string hex(std::string_view bytes);  // lower case
std::string base64(std::string_view bytes);
std::optional<std::string> from_base64(std::string_view text);
// Every byte outside `A-Z a-z 0-9 - . _ ~` as %XX; with keep_slash also `/` stays (S3's path rule).
std::string percent_encode(std::string_view bytes, bool keep_slash = false);
std::string percent_decode(std::string_view text);

// `count` bytes from the operating system's generator, or from this thread's SeededRandom.
std::string random_bytes(std::size_t count);

// While it lives, random_bytes() and random_id() of this thread give what the seed says: for simulations, which must be
// able to happen again. Never where a secret is made for real. May nest; the innermost counts.
class SeededRandom {
 public:
  explicit SeededRandom(std::uint64_t seed);
  ~SeededRandom();
  SeededRandom(const SeededRandom&) = delete;
  SeededRandom& operator=(const SeededRandom&) = delete;
  std::uint64_t next();

 private:
  std::uint64_t state_;
  SeededRandom* outer_;
};
// `length` characters of 0-9a-z, uniformly.
std::string random_id(std::size_t length);

}  // namespace failover::base
