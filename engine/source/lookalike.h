// Characters that look like one of the keyboard's and are none: word processors and web pages put them there.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace failover::source {

struct Lookalike {
  std::string_view bytes{};
  std::string_view name{};     // `a no-break space (U+00A0)`
  std::string_view instead{};  // what was meant; empty: nothing
  [[nodiscard]] bool space() const { return instead == " " || instead.empty(); }
  [[nodiscard]] std::string as_letter() const;  // what is wrong with it in YAML
  [[nodiscard]] std::string hint() const;       // `write a space`
};

// The one that `text` begins with, or nullptr.
const Lookalike* lookalike(std::string_view text);
// Where a line of YAML has one in place of a space, a dash or a colon that its structure hangs on; npos without one.
std::size_t misread(std::string_view line);
// The same for a plain scalar: as a key, in a list, or behind a key, where most is prose that may hold them.
enum class Stands { key, element, value };
std::size_t misread(std::string_view scalar, Stands as);

}  // namespace failover::source
