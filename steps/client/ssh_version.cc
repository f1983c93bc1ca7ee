#include "steps/client/ssh_version.h"

#include <array>
#include <charconv>
#include <optional>
#include <string>

namespace failover::client::ssh {
namespace {

using Version = std::array<int, 3>;

// The number that a text begins with, taken off it.
std::optional<int> take_number(std::string_view& text) {
  int out = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
  if (read.ec != std::errc() || out < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
  return out;
}

// `0.10.6/openssl/zlib`
std::optional<Version> version_of(std::string_view library) {
  Version out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (i > 0 && (library.empty() || library.front() != '.')) return std::nullopt;
    if (i > 0) library.remove_prefix(1);
    const auto number = take_number(library);
    if (!number) return std::nullopt;
    out.at(i) = *number;
  }
  return library.empty() || library.front() == '/' ? std::optional(out) : std::nullopt;
}

// Debian 12's third update of 0.10.6 and later ones, also rebuilt (`+b1`). Of other distributions' 0.10.6
// no reference says that it is fixed.
bool fixed_by_debian(std::string_view package) {
  constexpr std::string_view kBookworm = "0.10.6-0+deb12u";
  if (package.substr(0, kBookworm.size()) != kBookworm) return false;
  package.remove_prefix(kBookworm.size());
  const auto update = take_number(package);
  return update && *update >= 3 && (package.empty() || package.front() == '+');
}

bool fits(const Version& version, std::string_view package) {
  if (version == Version{0, 10, 6}) return fixed_by_debian(package);
  return version >= Version{0, 12, 2} || (version >= Version{0, 11, 5} && version < Version{0, 12, 0});
}

}  // namespace

base::Result<void> check_libssh(std::string_view library, std::string_view package) {
  const auto version = version_of(library);
  if (version && fits(*version, package)) return {};
  std::string found(library.substr(0, library.find('/')));
  if (!package.empty()) found += " (package libssh-4 " + std::string(package) + ")";
  return base::Error{base::Fault::invalid, "libssh_too_old",
                     "libssh " + found +
                         " has known holes that a machine can reach: needed is 0.11.5, 0.12.2 or later, or Debian 12's "
                         "0.10.6-0+deb12u3",
                     "on Debian 12: apt install --only-upgrade libssh-4; elsewhere use a libssh that is new enough"};
}

}  // namespace failover::client::ssh
