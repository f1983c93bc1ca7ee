#include "engine/base/digest.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <vector>

namespace failover::base {
namespace {

// Fetched once: EVP_md5() and its like make OpenSSL 3 look for the method at every use, which takes longer than the
// digest of a short text.
const EVP_MD* method(Algorithm algorithm) {
  struct Fetched {
    explicit Fetched(const char* name) : found(EVP_MD_fetch(nullptr, name, nullptr)) {}
    Fetched(const Fetched&) = delete;
    Fetched& operator=(const Fetched&) = delete;
    ~Fetched() { EVP_MD_free(found); }
    EVP_MD* found;
  };
  static const Fetched md5("MD5"), sha256("SHA256"), blake2b("BLAKE2B-512");
  switch (algorithm) {
    case Algorithm::md5: return md5.found;
    case Algorithm::sha256: return sha256.found;
    case Algorithm::blake2b: return blake2b.found;
  }
  return sha256.found;
}

// A context that a thread uses again and again for whole texts.
class Reused {
 public:
  Reused() = default;
  Reused(const Reused&) = delete;
  Reused& operator=(const Reused&) = delete;
  ~Reused() { EVP_MD_CTX_free(context_); }

  void begin(Algorithm algorithm) {
    // Without a method it is the last one's, without making the state anew.
    const EVP_MD* wanted = algorithm == last_ ? nullptr : method(algorithm);
    if (context_ == nullptr || EVP_DigestInit_ex(context_, wanted, nullptr) != 1)
      throw std::runtime_error("OpenSSL: no digest");
    last_ = algorithm;
  }
  void update(std::string_view bytes) { EVP_DigestUpdate(context_, bytes.data(), bytes.size()); }
  std::string finish() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
    unsigned int size = 0;
    EVP_DigestFinal_ex(context_, out.data(), &size);
    return {reinterpret_cast<const char*>(out.data()), size};
  }

 private:
  EVP_MD_CTX* context_ = EVP_MD_CTX_new();
  std::optional<Algorithm> last_;
};

// One for each algorithm, so that the next text finds its method in place.
Reused& reused(Algorithm algorithm) {
  thread_local std::array<Reused, 3> all;
  Reused& one = all.at(static_cast<std::size_t>(algorithm));
  one.begin(algorithm);
  return one;
}

constexpr std::string_view kHex = "0123456789abcdef";

}  // namespace

std::string_view to_string(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::md5: return "md5";
    case Algorithm::sha256: return "sha256";
    case Algorithm::blake2b: return "blake2b";
  }
  return "sha256";
}

std::optional<Algorithm> parse_algorithm(std::string_view word) {
  for (const auto algorithm : {Algorithm::md5, Algorithm::sha256, Algorithm::blake2b}) {
    if (word == to_string(algorithm)) return algorithm;
  }
  return std::nullopt;
}

struct Digest::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { EVP_MD_CTX_free(context); }
};

Digest::Digest(Algorithm algorithm) : state_(std::make_unique<State>()) {
  if (EVP_DigestInit_ex(state_->context, method(algorithm), nullptr) != 1)
    throw std::runtime_error("OpenSSL: no digest");
}
Digest::~Digest() = default;
Digest::Digest(Digest&&) noexcept = default;
Digest& Digest::operator=(Digest&&) noexcept = default;

void Digest::update(std::string_view bytes) { EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()); }

std::string Digest::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int size = 0;
  EVP_DigestFinal_ex(state_->context, out.data(), &size);
  return {reinterpret_cast<const char*>(out.data()), size};
}

std::string digest(Algorithm algorithm, std::string_view bytes) {
  Reused& state = reused(algorithm);
  state.update(bytes);
  return state.finish();
}

std::string digest_hex(Algorithm algorithm, std::string_view bytes) { return hex(digest(algorithm, bytes)); }

// RFC 2104 by its two digests: OpenSSL 3's HMAC() looks its method up at every call.
std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  constexpr std::size_t kBlock = 64;
  std::array<char, kBlock> inner{}, outer{};
  const std::string shorter = key.size() > kBlock ? digest(Algorithm::sha256, key) : std::string();
  if (!shorter.empty()) key = shorter;
  for (std::size_t i = 0; i < kBlock; ++i) {
    const char byte = i < key.size() ? key[i] : '\0';
    inner[i] = static_cast<char>(byte ^ 0x36);
    outer[i] = static_cast<char>(byte ^ 0x5c);
  }
  Reused& first = reused(Algorithm::sha256);
  first.update({inner.data(), inner.size()});
  first.update(bytes);
  const std::string middle = first.finish();
  Reused& second = reused(Algorithm::sha256);
  second.update({outer.data(), outer.size()});
  second.update(middle);
  return second.finish();
}

struct Keystream::State {
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { EVP_CIPHER_CTX_free(context); }
};

Keystream::Keystream(std::string_view secret) : state_(std::make_unique<State>()) {
  struct Fetched {
    Fetched() = default;
    Fetched(const Fetched&) = delete;
    Fetched& operator=(const Fetched&) = delete;
    ~Fetched() { EVP_CIPHER_free(found); }
    EVP_CIPHER* found = EVP_CIPHER_fetch(nullptr, "AES-256-CTR", nullptr);
  };
  static const Fetched cipher;
  const std::string key = digest(Algorithm::sha256, secret);
  const std::array<unsigned char, 16> start{};
  if (EVP_EncryptInit_ex2(state_->context, cipher.found, reinterpret_cast<const unsigned char*>(key.data()),
                          start.data(), nullptr) != 1)
    throw std::runtime_error("OpenSSL: no AES-256-CTR");
}
Keystream::~Keystream() = default;

std::string Keystream::next(std::size_t count) {
  constexpr std::size_t kMost = std::size_t{1} << 20;  // of one call, which takes an int
  std::string out(count, '\0');
  for (std::size_t at = 0; at < count;) {
    const std::size_t piece = std::min(kMost, count - at);
    auto* bytes = reinterpret_cast<unsigned char*>(out.data() + at);
    int written = 0;
    if (EVP_EncryptUpdate(state_->context, bytes, &written, bytes, static_cast<int>(piece)) != 1)
      throw std::runtime_error("OpenSSL: AES-256-CTR failed");
    at += piece;
  }
  return out;
}

std::string hex(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kHex[byte >> 4U];
    out += kHex[byte & 15U];
  }
  return out;
}

std::string base64(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3), '\0');
  std::vector<unsigned char> buffer(out.size() + 1);
  EVP_EncodeBlock(buffer.data(), reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.assign(reinterpret_cast<const char*>(buffer.data()), out.size());
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.empty()) return std::string();
  if (text.size() % 4 != 0) return std::nullopt;
  std::vector<unsigned char> buffer(text.size());
  const int size = EVP_DecodeBlock(buffer.data(), reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && text[text.size() - 1 - padding] == '=') ++padding;
  return std::string(reinterpret_cast<const char*>(buffer.data()), static_cast<std::size_t>(size) - padding);
}

std::string percent_encode(std::string_view bytes, bool keep_slash) {
  static constexpr std::string_view kUpper = "0123456789ABCDEF";
  std::string out;
  for (const char c : bytes) {
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~' || (keep_slash && c == '/');
    if (plain) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kUpper[byte >> 4U];
      out += kUpper[byte & 15U];
    }
  }
  return out;
}

std::string percent_decode(std::string_view text) {
  const auto nibble = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && nibble(text[i + 1]) >= 0 && nibble(text[i + 2]) >= 0) {
      out += static_cast<char>(nibble(text[i + 1]) * 16 + nibble(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

namespace {
thread_local SeededRandom* seeded = nullptr;
}  // namespace

SeededRandom::SeededRandom(std::uint64_t seed) : state_(seed), outer_(seeded) { seeded = this; }
SeededRandom::~SeededRandom() { seeded = outer_; }

// SplitMix64 (Steele, Lea, Flood 2014): every state is good, and it is the same everywhere.
std::uint64_t SeededRandom::next() {
  state_ += 0x9E3779B97F4A7C15U;
  std::uint64_t mixed = state_;
  mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9U;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBU;
  return mixed ^ (mixed >> 31U);
}

std::string random_bytes(std::size_t count) {
  if (seeded != nullptr) {
    std::string out;
    while (out.size() < count) {
      std::uint64_t word = seeded->next();
      for (int i = 0; i < 8 && out.size() < count; ++i, word >>= 8U) out += static_cast<char>(word & 0xFFU);
    }
    return out;
  }
  std::vector<unsigned char> buffer(count);
  if (count > 0 && RAND_bytes(buffer.data(), static_cast<int>(count)) != 1)
    throw std::runtime_error("OpenSSL: no random bytes");
  return {reinterpret_cast<const char*>(buffer.data()), count};
}

std::string random_id(std::size_t length) {
  static constexpr std::string_view kAlphabet = "0123456789abcdefghijklmnopqrstuvwxyz";
  std::string out;
  while (out.size() < length) {
    for (const char c : random_bytes(length)) {
      const auto byte = static_cast<unsigned char>(c);
      // 252 = 7 * 36: bytes above would favour the first characters.
      if (byte < 252 && out.size() < length) out += kAlphabet[byte % 36U];
    }
  }
  return out;
}

}  // namespace failover::base
