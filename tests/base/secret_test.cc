// The redactor: every form that a secret may take, cut and split in every way; and what must stay as it is.
#include "engine/base/secret.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <random>

#include "engine/base/digest.h"
#include "engine/base/text.h"

using namespace failover::base;  // NOLINT(google-build-using-namespace)

namespace {

// Everything in it that any encoding changes.
const std::string kKey = R"(K004"abc+DEF/ghi\j kl='mno~é!)";

struct Hiding {
  explicit Hiding(const std::string& secret) { redact.add(Secret(secret)); }
  std::string operator()(std::string_view text) const { return redact(text); }
  Redactor redact;
};

// The longest run of characters that `text` has in common with `secret`.
std::size_t common(const std::string& text, const std::string& secret) {
  std::size_t longest = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (std::size_t j = 0; j < secret.size(); ++j) {
      std::size_t length = 0;
      while (i + length < text.size() && j + length < secret.size() && text[i + length] == secret[j + length]) ++length;
      longest = std::max(longest, length);
    }
  }
  return longest;
}

std::string random_text(std::mt19937& random, std::size_t size, std::string_view alphabet) {
  std::string out;
  while (out.size() < size) out += alphabet[random() % alphabet.size()];
  return out;
}

constexpr std::string_view kPrintable = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=-_.\"' %&<>";

}  // namespace

TEST_CASE("a secret goes in every form that programs write it in") {
  const Hiding redact(kKey);
  // Written by Python's json, urllib, base64 and binascii, and by a browser's encodeURIComponent.
  for (const std::string& form : {
           kKey,
           std::string(R"(K004\"abc+DEF/ghi\\j kl='mno~é!)"),
           std::string(R"(K004\"abc+DEF/ghi\\j kl='mno~\u00e9!)"),
           std::string(R"(K004\"abc+DEF\/ghi\\j kl='mno~é!)"),
           std::string(R"(K004"abc+DEF/ghi\j kl='\''mno~é!)"),
           std::string("K004%22abc%2BDEF%2Fghi%5Cj%20kl%3D%27mno~%C3%A9%21"),
           std::string("K004%22abc%2bDEF%2fghi%5cj%20kl%3d%27mno~%c3%a9%21"),
           std::string("K004%22abc%2BDEF/ghi%5Cj%20kl%3D%27mno~%C3%A9%21"),
           std::string("K004%22abc%2BDEF%2Fghi%5Cj+kl%3D%27mno~%C3%A9%21"),
           std::string("K004%22abc%2BDEF%2Fghi%5Cj%20kl%3D'mno~%C3%A9!"),
           std::string("SzAwNCJhYmMrREVGL2doaVxqIGtsPSdtbm9+w6kh"),
           std::string("SzAwNCJhYmMrREVGL2doaVxqIGtsPSdtbm9-w6kh"),
           std::string("4b303034226162632b4445462f6768695c6a206b6c3d276d6e6f7ec3a921"),
           std::string("4B303034226162632B4445462F6768695C6A206B6C3D276D6E6F7EC3A921"),
       }) {
    CAPTURE(form);
    CHECK(redact(form) == "***");
    CHECK(redact("x: " + form + "\n" + form + ", y") == "x: ***\n***, y");
  }
  CHECK(redact("K004 abc+DEF/ghi") == "K004 abc+DEF/ghi");
}

TEST_CASE("base64: at each place that a secret can begin at inside of other bytes, whatever stands around it") {
  std::mt19937 random(7);
  for (int round = 0; round < 2'000; ++round) {
    const std::string secret = random_text(random, 6 + random() % 60, kPrintable);
    CAPTURE(secret);
    const Hiding redact(secret);
    const std::size_t before = random() % 7;
    const std::size_t after = random() % 7;
    std::string coded =
        base64(random_text(random, before, kPrintable) + secret + random_text(random, after, kPrintable));
    if (random() % 2 == 0) {
      for (char& c : coded) c = c == '+' ? '-' : c == '/' ? '_' : c;
    }
    while (random() % 2 == 0 && !coded.empty() && coded.back() == '=') coded.pop_back();
    CAPTURE(coded);
    const std::string out = redact(coded);
    CAPTURE(out);
    CHECK(contains(out, "***"));
    // What stays are the neighbours, and no more than the two characters that share bits with one of them each.
    CHECK(out.size() <= 3 + (before * 4 + 2) / 3 + (after * 4 + 2) / 3 + 6);
  }
}

TEST_CASE("a secret that is cut off, or written in two or three goes, is not left to be put together") {
  std::mt19937 random(11);
  for (int round = 0; round < 3'000; ++round) {
    const std::string secret = random_text(random, 8 + random() % 70, kPrintable);
    CAPTURE(secret);
    const Hiding redact(secret);
    const std::string line =
        random_text(random, random() % 30, "xyz ") + secret + random_text(random, random() % 30, "xyz ");
    std::size_t first = random() % line.size();
    std::size_t second = random() % line.size();
    if (first > second) std::swap(first, second);
    const std::string seen =
        redact(line.substr(0, first)) + redact(line.substr(first, second - first)) + redact(line.substr(second));
    CAPTURE(seen);
    // Two pieces that are too short to tell anything may stand side by side; a few more characters agree by chance.
    const std::size_t piece = std::clamp<std::size_t>(secret.size() / 8, 8, 16);
    CHECK(common(seen, secret) <= 2 * piece + 2);
    CHECK_FALSE(contains(redact(line.substr(0, first)) + redact(line.substr(first)), secret));
    // As people see long texts: cut, and said to be.
    const std::string shown = redact(printable(line, first));
    CHECK(common(shown, secret) < piece + 2);
  }
}

TEST_CASE("what messages write of characters that no terminal should get is hidden too") {
  const std::string secret = "k\x1b\u202e0123456789é";
  const Hiding redact(secret);
  CHECK(redact("the key " + printable(secret) + " was refused") == "the key *** was refused");
}

TEST_CASE("what was cut at either end says so with dots, and is a piece all the same") {
  const Hiding redact("0123456789abcdefghij");
  CHECK(redact("the key is 0123456789...") == "the key is ***...");
  CHECK(redact("...abcdefghij was refused") == "...*** was refused");
  CHECK(redact("...789abcdef...") == "...***...");
  CHECK(redact("...") == "...");
  CHECK(redact("......") == "......");
  // In the middle of a text too, wherever somebody cut a part of it.
  CHECK(redact("it printed 0123456789... (700 bytes more) and went on") ==
        "it printed ***... (700 bytes more) and went on");
  CHECK(redact("  - ...abcdefghij") == "  - ...***");
  CHECK(redact("exit status 1: ...cdefghij: no such key") == "exit status 1: ...***: no such key");
  CHECK(redact.redact.touches("exit status 1: ...cdefghij: no such key"));
  CHECK(redact("one ... and 0123 ... and more") == "one ... and 0123 ... and more");
}

TEST_CASE("coded or raw, a secret that is wrapped into lines goes line by line") {
  std::mt19937 random(13);
  for (int round = 0; round < 1'500; ++round) {
    const std::string secret = random_text(random, 20 + random() % 100, kPrintable);
    const Hiding redact(secret);
    const std::string before = random_text(random, random() % 50, "xyz ");
    const std::string after = random_text(random, random() % 50, "xyz ");
    const std::array<std::string, 3> forms{base64(before + secret + after), hex(before + secret + after),
                                           before + secret + after};
    const auto& whole = forms.at(static_cast<std::size_t>(round % 3));
    const std::string bare = round % 3 == 0 ? base64(secret) : round % 3 == 1 ? hex(secret) : secret;
    const std::size_t width = 20 + random() % 60;
    for (const std::string end : {"\n", "\r\n", "\\n"}) {
      std::string wrapped;
      for (std::size_t at = 0; at < whole.size(); at += width) wrapped += whole.substr(at, width) + end;
      CAPTURE(secret);
      CAPTURE(wrapped);
      const std::string out = redact(wrapped);
      CAPTURE(out);
      CHECK(contains(out, "***"));
      // Of each line no more than a piece that tells nothing may stay.
      for (std::size_t at = 0; at < out.size();) {
        const std::size_t stop = std::min(out.find(end, at), out.size());
        CHECK(common(out.substr(at, stop - at), bare) <= std::clamp<std::size_t>(bare.size() / 8, 8, 16) + 2);
        at = stop + end.size();
      }
    }
  }
  const Hiding redact("0123456789abcdefghij");
  CHECK(redact("\n\n0123456789\n\nabcdefghij\n") == "\n\n***\n\n***\n");
  CHECK(redact("a\n0123456789abcdefghij\nb") == "a\n***\nb");
  CHECK(redact("0123 is\n456 is it") == "0123 is\n456 is it");
}

TEST_CASE("a longer secret is not left standing around a shorter one inside of it, nor two that overlap") {
  Redactor redact;
  redact.add(Secret("inside-of-it"));
  redact.add(Secret("long-with-inside-of-it-and-more"));
  CHECK(redact("a long-with-inside-of-it-and-more b") == "a *** b");
  CHECK(redact("a inside-of-it b") == "a *** b");
  redact.add(Secret("and-more-of-another"));
  CHECK(redact("long-with-inside-of-it-and-more-of-another") == "***-of-another");
}

TEST_CASE("a secret of several lines goes by the line too") {
  const std::string lines =
      "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n  BKcwggSjAgEAAoIB\n-----END KEY-----\n";
  const Hiding redact(lines);
  CHECK(redact(lines) == "***");
  CHECK(redact("1: hkiG9w0BAQEFAASC") == "1: ***");
  CHECK(redact("BKcwggSjAgEAAoIB") == "***");
  CHECK(redact(nlohmann::json(lines).dump()) == "\"***\"");
}

TEST_CASE("a line of a secret that is next to nothing is no secret") {
  const Hiding redact("first-line-of-it\n      ab      \nlast-line-of-it");
  CHECK(redact("ab and ab") == "ab and ab");
  CHECK(redact("last-line-of-it") == "***");
}

TEST_CASE("a word that everybody may read is no piece of a secret that ends alike") {
  Redactor redact;
  redact.add(Secret("the-key-of-acme-failover"));
  CHECK(redact("failover-a1b2c3-1") == "***-a1b2c3-1");  // nobody has said that the word is one
  redact.leave("");
  CHECK(redact("failover-a1b2c3-1") == "***-a1b2c3-1");
  redact.leave("failover-");
  CHECK(redact("failover-a1b2c3-1") == "failover-a1b2c3-1");
  CHECK(redact("acme-failover") == "***");  // more of the secret than the word
  CHECK(redact("a the-key-of-acme-failover-1") == "a ***-1");
  CHECK(redact("failove") == "failove");
}

TEST_CASE("lines of a text go on behind a secret that has several, and behind empty ones") {
  const Hiding redact("first-line-of-it\nsecond-line-of-it");
  CHECK(redact("\n\n") == "\n\n");
  CHECK(redact("\r\nfirst-line-of-it\nsecond-line-of-it\r\nfirst-line-of-it") == "\r\n***\r\n***");
  CHECK(redact("x first-line-of-it\nsecond-line-of-it and\nsecond-line-of-it") == "x *** and\n***");
  CHECK(redact("ends\n") == "ends\n");
}

TEST_CASE("what bears the mark of a secret goes without being known") {
  const Redactor redact;
  CHECK(redact("u?X-Amz-Signature=0123abcd&z") == "u?X-Amz-Signature=***&z");
  CHECK(redact("X-Amz-Signature%3D0123abcd%26z X-Amz-Signature%3d0a") ==
        "X-Amz-Signature%3D***%26z X-Amz-Signature%3d***");
  CHECK(redact(R"(X-Amz-Signature\u003dffff\u0026)") == R"(X-Amz-Signature\u003d***\u0026)");
  CHECK(redact("AWS4-HMAC-SHA256 Credential=k/s, SignedHeaders=host, Signature=00ff") ==
        "AWS4-HMAC-SHA256 Credential=k/s, SignedHeaders=host, Signature=***");
  CHECK(redact("<SignatureProvided>00ff</SignatureProvided>") == "<SignatureProvided>***</SignatureProvided>");
  CHECK(redact("CONTAINER_API_KEY=7e57\nHOME=/root") == "CONTAINER_API_KEY=***\nHOME=/root");
  CHECK(redact("Authorization: Bearer 0123456789abcdef0123") == "Authorization: Bearer ***");
  CHECK(redact("Authorization: Bearer aZ-._~+/=aZ09==aZ09==, x") == "Authorization: Bearer ***, x");
  CHECK(redact("X-Amz-Signature=ABCDEFabcdefg") == "X-Amz-Signature=***g");
  CHECK(redact("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\nbnNz\n-----END OPENSSH PRIVATE KEY-----\nx") ==
        "-----BEGIN OPENSSH PRIVATE KEY-----***-----END OPENSSH PRIVATE KEY-----\nx");
  CHECK(redact("a -----BEGIN PRIVATE KEY-----\nb3Bl") == "a -----BEGIN PRIVATE KEY-----***");
}

TEST_CASE("whether a text is touched at all is answered without changing it") {
  const Redactor nothing;
  CHECK(nothing.touches("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl"));
  CHECK(nothing.touches("u?X-Amz-Signature=0123abcd"));
  CHECK_FALSE(nothing.touches("plain"));
  const Hiding redact("first-line-of-it\nsecond-line-of-it");
  CHECK(redact("a\rfirst-line-of-it\rsecond-line-of-it\rb") == "a\r***\r***\rb");
}

TEST_CASE("what is not touched is what stays as it is, however texts are put together") {
  Redactor redact;
  redact.add(Secret(kKey));
  redact.add(Secret("first-line-of-it\nsecond-line-of-it"));
  redact.leave("second-");
  const std::string& key = kKey;
  const std::vector<std::string> pieces{"\n",
                                        "\r\n",
                                        "\r",
                                        "\\n",
                                        "\\",
                                        "...",
                                        " ",
                                        "x",
                                        "plain",
                                        key,
                                        key.substr(0, 9),
                                        key.substr(5, 11),
                                        key.substr(key.size() - 9),
                                        base64("ab" + key),
                                        hex(key).substr(0, 21),
                                        percent_encode(key, false),
                                        "first-line-of-it",
                                        "second-line",
                                        "line-of-it",
                                        "X-Amz-Signature=",
                                        "0123abcd",
                                        "Bearer ",
                                        "KE",
                                        "BeSi"};
  const SeededRandom seeded(11);
  std::size_t touched = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (const char which : random_bytes(1 + static_cast<std::size_t>(round % 6)))
      text += pieces[static_cast<unsigned char>(which) % pieces.size()];
    CAPTURE(text);
    const bool touches = redact.touches(text);
    touched += touches ? 1 : 0;
    if (!touches) REQUIRE(redact(text) == text);
  }
  CHECK(touched > 5'000);
  CHECK(touched < 19'000);
}

TEST_CASE("everything else stays as it is") {
  const Hiding redact(kKey);
  for (const char* text :
       {"", "K", "K0", "K004", "a K004 b", "Bearer token", "CONTAINER_API_KEY=$KEY", "X-Amz-Signature=", "Signature=zz",
        "Bearer ----short----", "CONTAINER_API_KEY='x'", "base64 SzAwNCJ", "...", "a..."}) {
    CAPTURE(text);
    CHECK(redact(text) == text);
  }
  // Too short to be told from words.
  const Hiding brief("short");
  CHECK(brief("a short text") == "a short text");
  // The beginning of a long secret is nothing yet.
  const Hiding lengthy(std::string(64, 'k'));
  CHECK(lengthy("a " + std::string(7, 'k')) == "a " + std::string(7, 'k'));
  CHECK(lengthy("a " + std::string(8, 'k')) == "a ***");
  CHECK(lengthy(std::string(8, 'k') + " b") == "*** b");
  CHECK(lengthy("a " + std::string(40, 'k') + " b") == "a " + std::string(40, 'k') + " b");
}
