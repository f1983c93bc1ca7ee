#include <doctest/doctest.h>

#include <cstdio>
#include <ctime>
#include <limits>

#include "engine/base/clock.h"
#include "engine/base/costs.h"
#include "engine/base/digest.h"
#include "engine/base/secret.h"
#include "engine/base/text.h"
#include "engine/base/type.h"
#include "engine/base/units.h"
#include "engine/base/value.h"

using namespace failover::base;  // NOLINT
using namespace std::chrono_literals;

TEST_CASE("money: exact, and refuses what is not money") {
  struct Row {
    const char* text;
    std::int64_t micros;
  };
  for (const auto& row :
       {Row{"$0.50", 500'000}, Row{"$1", 1'000'000}, Row{"$0.000001", 1}, Row{"$12.345678", 12'345'678}}) {
    CAPTURE(row.text);
    REQUIRE(parse_money(row.text));
    CHECK(parse_money(row.text)->micros == row.micros);
    CHECK(parse_money(format(Money{row.micros})) == Money{row.micros});
  }
  for (const char* text : {"", "$", "0.5", "$-1", "$1e3", "$0x1", "$.5", "$1.", "$1.0000001", "$nan", "$1 ",
                           "$99999999999999999999", "$010", "$00.50", "$+1", "$inf", "$1_000", "$1,5"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_money(text));
  }
  CHECK(format(Money{500'000}) == "$0.50");
  CHECK(format(Money{1'234}) == "$0.001234");
  CHECK_FALSE(money_from_usd(std::numeric_limits<double>::quiet_NaN()));
  CHECK_FALSE(money_from_usd(-0.1));
  CHECK(cost_of(Money{360'000}, 10s) == Money{1'000});
  CHECK(cost_of(Money{1}, 1s) == Money{1});
  for (const double usd : {-0.1, 1e10, std::numeric_limits<double>::infinity()}) CHECK_FALSE(money_from_usd(usd));
  // Too much stays too much.
  const Money most{std::numeric_limits<std::int64_t>::max()};
  CHECK(cost_of(most, 100h) == most);
  CHECK(sum_of(most, Money{1}) == most);
  CHECK(sum_of(Money{2}, Money{3}) == Money{5});
  CHECK(traffic_cost(Money{3'000}, 2'000'000'000) == Money{6'000});
  CHECK(traffic_cost(Money{3'000}, 1) == Money{1});
  CHECK(traffic_cost(Money{3'000}, 0) == Money{0});
  CHECK(traffic_cost(most, 5'000'000'000) == most);
}

TEST_CASE("money: as people read it, and as providers write it") {
  CHECK(format(Money{}) == "$0.00");
  CHECK(format(Money{-1'500'000}) == "-$1.50");
  CHECK(format(Money{std::numeric_limits<std::int64_t>::min()}) == "-$9223372036854.775808");
  CHECK(format(Money{12'345'678}) == "$12.345678");
  CHECK(usd(Money{1'500'000}) == 1.5);
  CHECK(Money{3} + Money{4} == Money{7});
  CHECK(Money{3} - Money{4} == Money{-1});
  CHECK(Money{3} < Money{4});
  // Nearest, not cut: what a provider means by 0.1 + 0.2.
  CHECK(money_from_usd(0.1 + 0.2) == Money{300'000});
  CHECK(money_from_usd(0.0000005) == Money{1});
  CHECK(money_from_usd(0) == Money{});
  CHECK(money_from_usd(1e9) == Money{1'000'000'000'000'000});
  CHECK_FALSE(money_from_usd(1e9 + 1));
  CHECK_FALSE(money_from_usd(std::numeric_limits<double>::infinity()));
  // 17 digits are more than the world has, and still exact or refused.
  CHECK(parse_money("$9223372036854.775807") == Money{std::numeric_limits<std::int64_t>::max()});
  CHECK_FALSE(parse_money("$9223372036854.775808"));
  CHECK_FALSE(parse_money("$999999999999999999"));
  CHECK_FALSE(parse_money("$1.2.3"));
}

TEST_CASE("a cost is rounded up, never below nothing, and never past what a number holds") {
  CHECK(cost_of(Money{-5}, 1h) == Money{});
  CHECK(cost_of(Money{}, 1h) == Money{});
  CHECK(cost_of(Money{5}, 0s) == Money{});
  CHECK(cost_of(Money{5}, -1h) == Money{});
  CHECK(cost_of(Money{5}, 1h) == Money{5});
  CHECK(cost_of(Money{5}, 1h + 1ns) == Money{6});
  const Money most{std::numeric_limits<std::int64_t>::max()};
  CHECK(cost_of(most, 1h) == most);
  CHECK(cost_of(most, 2h) == most);
}

TEST_CASE("durations as Go writes them, plus days") {
  CHECK(parse_duration("1h30m") == Duration(90min));
  CHECK(parse_duration("250ms") == Duration(250ms));
  CHECK(parse_duration("7d") == Duration(168h));
  CHECK(parse_duration("1.5s") == Duration(1500ms));
  CHECK(parse_duration("0") == Duration(0));
  CHECK(parse_duration("106751d") == Duration(106751 * 24h));
  CHECK_FALSE(parse_duration("106752d"));            // beyond 292 years
  CHECK_FALSE(parse_duration("9007199254740992d"));  // and beyond 128 bits on the way
  for (const char* text : {"", "5", "-5s", "s", "1w", "1 s", "9999999999h"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text));
  }
  CHECK(format(Duration(90min)) == "1h30m0s");
  for (const char* text : {"0s", "250ms", "45s", "10m", "1h", "1h30m", "1h0m5s", "36h", "7d"})
    CHECK(in_short(*parse_duration(text)) == text);
  CHECK(format(Duration(250ms)) == "250ms");
  CHECK(format(Duration(1500ms)) == "1.5s");
  CHECK(format(Duration(0)) == "0s");
  CHECK(format(Duration(7)) == "7ns");
  CHECK(format(Duration(1'500)) == "1.5us");
  CHECK(format(Duration(59s)) == "59s");
  CHECK(format(Duration(61s)) == "1m1s");
  CHECK(format(Duration(-90s)) == "-1m30s");
  CHECK(format(Duration::min()) == "-2562047h47m16.854775808s");
  CHECK(format(Duration::max()) == "2562047h47m16.854775807s");
  CHECK(parse_duration("0s") == Duration(0));
  CHECK(parse_duration("1us") == Duration(1us));
  CHECK(parse_duration("1µs") == Duration(1us));
  CHECK(parse_duration("3ns") == Duration(3));
  CHECK(parse_duration("2m3s") == Duration(123s));
  CHECK(parse_duration("1.0000000009s") == Duration(1s));  // below a nanosecond there is nothing
  CHECK(parse_duration("2562047h47m16.854775807s") == Duration::max());
  for (const char* text : {"2562047h47m16.854775808s", "1.s", "1h.5m", "1234567890123456789s", "1h-3m", "1hm"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text));
  }
}

TEST_CASE("sizes and rates: decimal and binary units") {
  CHECK(parse_size("20 GB")->bytes == 20'000'000'000);
  CHECK(parse_size("1.5 GiB")->bytes == 1'610'612'736);
  CHECK(parse_size("812B")->bytes == 812);
  CHECK_FALSE(parse_size("20"));
  CHECK_FALSE(parse_size("20 gb"));
  CHECK(parse_rate("100 Mb/s")->bits_per_second == 100'000'000);
  CHECK(format(Size{1'500'000}) == "1.5 MB");
  CHECK(format(Size{812}) == "812 B");
  CHECK(format(Size{-2'000}) == "-2 KB");
  CHECK(format(Size{7'000'000'000'000'000}) == "7000 TB");
  CHECK(format(Rate{100'000'000}) == "100 Mb/s");
  CHECK(parse_rate("0.5 Kb/s")->bits_per_second == 500);
  for (const char* text : {"", "GB", "1.5 B", "0.0000001 GB", "1  GB", "1 GB ", "-1 GB", "99999999999999999 TB"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_size(text));
  }
  for (const char* text : {"", "1 MB/s", "0.5 b/s", "999999999999999999 Gb/s"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_rate(text));
  }
}

TEST_CASE("a keystream is AES-256 in counter mode under the secret's SHA-256, in pieces or whole") {
  // openssl enc -aes-256-ctr, of 20 zeros.
  CHECK(hex(Keystream("secret").next(20)) == "637c8860ccdb26e43e410834eb44537744504adb");
  const std::size_t size = (2 << 20) + 7;
  const std::string whole = Keystream("a").next(size);
  Keystream pieces("a");
  std::string put_together;
  for (const std::size_t piece : {std::size_t{1}, std::size_t{0}, std::size_t{17}, size - 18})
    put_together += pieces.next(piece);
  CHECK(put_together == whole);
  CHECK(Keystream("b").next(size) != whole);
}

TEST_CASE("digests agree with published values") {
  CHECK(digest_hex(Algorithm::md5, "hello world") == "5eb63bbbe01eeed093cb22bb8f5acdc3");
  CHECK(digest_hex(Algorithm::sha256, "hello world") ==
        "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9");
  CHECK(digest_hex(Algorithm::blake2b, "").substr(0, 16) == "786a02f742015903");
  CHECK(base64(digest(Algorithm::md5, "hello world")) == "XrY7u+Ae7tCTyyK7j1rNww==");
  CHECK(from_base64("aGk=") == "hi");
  CHECK(percent_encode("a b/é", true) == "a%20b/%C3%A9");
  CHECK(percent_decode("a%20b%2") == "a b%2");
  CHECK(random_id(12).size() == 12);
  CHECK(random_id(12) != random_id(12));
}

TEST_CASE("patience: a deadline only tightens, and a stop ends a wait") {
  FakeClock clock(WallTime{});
  std::stop_source stop;
  const Patience patience(clock, clock.now() + 10s, stop.get_token());
  CHECK(patience.within(5s).left() == 5s);
  CHECK(patience.within(1h).left() == 10s);
  CHECK(patience.sleep(3s).ok());
  CHECK(patience.left() == 7s);
  const auto late = patience.sleep(8s);
  REQUIRE_FALSE(late.ok());
  CHECK(late.error().fault == Fault::timeout);
  CHECK(patience.left() == 0s);
  stop.request_stop();
  CHECK(patience.check().error().fault == Fault::cancelled);
}

TEST_CASE("text helpers") {
  CHECK(nearest("stpes", {"steps", "inputs"}) == "steps");
  CHECK_FALSE(nearest("zebra", {"steps", "inputs"}));
  CHECK(shell_quote("it's") == "'it'\\''s'");
  CHECK(invalid_utf8("ok é") == std::nullopt);
  CHECK(invalid_utf8("ab\xff") == 2);
  CHECK(invalid_utf8("\xC0\xAF") == 0);
  CHECK(printable("a\x1b[31m\nb") == "a\\x1b[31m\\nb");
  CHECK(printable("aéb", 3) == "aé...");
  CHECK(printable("a\u202eb\u2066c\u0085d") == "a\\u202eb\\u2066c\\u0085d");
  CHECK(printable("\u2013 \u00a0\xe2\x80") == "\u2013 \u00a0\xe2\x80");  // a dash, a space, a torn end
  CHECK(printable("aéb", 2) == "a...");
  // Commands to a CI runner.
  CHECK(printable("::error title=x::y") == "\\x3a:error title=x::y");
  CHECK(printable(" \t::add-mask::y") == " \t\\x3a:add-mask::y");
  CHECK(printable("a ::error:: b::c") == "a ::error:: b::c");
  CHECK(printable("a ##[error]b") == "a \\x23#[error]b");
  CHECK(printable(":## [") == ":## [");
  CHECK(parse_utc(format_utc(WallTime(1'700'000'000'123'456us))) == WallTime(1'700'000'000'123'456us));
}

TEST_CASE("times are written as the C library writes them, and read back") {
  const auto by_library = [](WallTime at) {
    const auto micros = std::chrono::floor<std::chrono::microseconds>(at.time_since_epoch()).count();
    const std::time_t whole = std::chrono::floor<std::chrono::seconds>(at.time_since_epoch()).count();
    std::tm parts{};
    gmtime_r(&whole, &parts);
    char text[64];
    std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%06ldZ", parts.tm_year + 1900, parts.tm_mon + 1,
                  parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                  static_cast<long>(micros - whole * 1'000'000));
    return std::string(text);
  };
  SeededRandom random(3);
  for (int i = 0; i < 20'000; ++i) {
    // 1678 to 2262: all that nanoseconds can count.
    const WallTime at(Duration(static_cast<std::int64_t>(random.next()) / 1'000'000 * 1000 * 990));
    CAPTURE(at.time_since_epoch().count());
    CHECK(format_utc(at) == by_library(at));
    CHECK(parse_utc(format_utc(at)) == at);
  }
  for (const char* text : {"2024-02-29T23:59:59.000000Z", "2024-12-31T00:00:00.000000Z", "1970-01-01T00:00:00.000000Z",
                           "1969-12-31T23:59:59.999999Z", "2100-03-01T12:00:00.500000Z"}) {
    const auto at = parse_utc(text);
    REQUIRE(at.has_value());
    CHECK(format_utc(*at) == text);
  }
  CHECK(parse_utc("2026-11-23T20:57:11Z") == parse_utc("2026-11-23T20:57:11.000Z"));
  for (const char* text : {"", "Z", "2026-11-23", "2026-11-23T20:57:11", "2026-11-23T20:57:11.5",
                           "2026-11-23 20:57:11Z", "2026-11-23T20:57:11+00:00", "yyyy-mm-ddThh:mm:ssZ"})
    CHECK_FALSE(parse_utc(text).has_value());
}

TEST_CASE("a MAC is RFC 4231's") {
  CHECK(hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")) ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(hex(hmac_sha256("Jefe", "what do ya want for nothing?")) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(hex(hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")) ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST_CASE("types accept what fits and say their name") {
  const Type ssh = Type::object({{"host", Type::Kind::string}, {"port", Type::Kind::integer}});
  CHECK(ssh.name() == "{host: string, port: integer}");
  CHECK(Type(Type::Kind::number).accepts(Type::Kind::integer));
  CHECK_FALSE(Type(Type::Kind::integer).accepts(Type::Kind::number));
  CHECK(ssh.holds(Value(Value::Map{{"host", "h"}, {"port", 22}})));
  CHECK_FALSE(ssh.holds(Value(Value::Map{{"host", "h"}})));
}
