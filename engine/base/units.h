// Money, sizes, rates and durations: parsed by us, exact, and never NaN, negative or in exponent form.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/clock.h"

namespace failover::base {

// US dollars in millionths. The language writes `$0.50`: `$`, digits, at most six decimals.
struct Money {
  std::int64_t micros = 0;
  friend auto operator<=>(const Money&, const Money&) = default;
  friend Money operator+(Money a, Money b) { return {a.micros + b.micros}; }
  friend Money operator-(Money a, Money b) { return {a.micros - b.micros}; }
};

// Bytes. `20 GB` is 20 * 10^9, `20 GiB` is 20 * 2^30; B, KB, MB, GB, TB, KiB, MiB, GiB, TiB.
struct Size {
  std::int64_t bytes = 0;
  friend auto operator<=>(const Size&, const Size&) = default;
};

// Bits per second. `100 Mb/s`; b/s, Kb/s, Mb/s, Gb/s.
struct Rate {
  std::int64_t bits_per_second = 0;
  friend auto operator<=>(const Rate&, const Rate&) = default;
};

std::optional<Money> parse_money(std::string_view text);
std::string format(Money money);  // `$0.50`; two decimals at least, six at most
double usd(Money money);
// The nearest millionth to a provider's JSON number; nullopt for NaN, infinity, negative or above $1e9.
std::optional<Money> money_from_usd(double usd);
// price per hour x time, rounded up to the millionth; saturates.
Money cost_of(Money per_hour, Duration time);

std::optional<Size> parse_size(std::string_view text);
std::string format(Size size);  // `20 GB`, `1.5 MB`, `812 B`

std::optional<Rate> parse_rate(std::string_view text);
std::string format(Rate rate);

// Go's syntax plus `d` = 24h: `1h30m`, `250ms`, `7d`, `0`/`0s`; no sign.
std::optional<Duration> parse_duration(std::string_view text);
std::string format(Duration time);    // `1h30m0s`, `250ms`, as Go prints it
std::string in_short(Duration time);  // `1h30m`, `7d`, `250ms`, as an author writes it

}  // namespace failover::base
