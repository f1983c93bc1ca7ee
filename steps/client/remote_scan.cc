#include "steps/client/remote_scan.h"

#include <unordered_map>

#include "engine/base/text.h"

namespace failover::client {
namespace {

using base::Error;
using base::Fault;
using base::Result;

Error bad(std::string_view record) {
  return {Fault::corrupt, "bad_answer",
          "the machine's list of files cannot be read, at '" + base::printable(record, 80) + "'",
          "its find, stat or checksum tools are not the GNU ones"};
}

// The name without the prefix, or nullopt when it does not begin with it.
std::optional<std::string> beneath(std::string_view name, std::string_view prefix) {
  if (name.substr(0, prefix.size()) != prefix || name.size() == prefix.size()) return std::nullopt;
  return std::string(name.substr(prefix.size()));
}

// `F 1024 81a4 1700000000.000000000 NAME`
std::optional<Entry> file_of(std::string_view record, std::string_view prefix) {
  std::string_view words[3];
  record.remove_prefix(2);
  for (auto& word : words) {
    const std::size_t space = record.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    word = record.substr(0, space);
    record.remove_prefix(space + 1);
  }
  const auto size = base::parse_integer(words[0]);
  const auto mtime = parse_seconds(words[2]);
  const auto path = beneath(record, prefix);
  if (!size || !mtime || !path || words[1].empty() || words[1].size() > 6) return std::nullopt;
  unsigned mode = 0;
  for (const char c : words[1]) {
    const std::size_t digit = std::string_view("0123456789abcdef").find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    mode = mode * 16 + static_cast<unsigned>(digit);
  }
  return Entry{*path, *size, format_mode(mode), *mtime, ""};
}

}  // namespace

std::string_view digest_tool(base::Algorithm algorithm) {
  switch (algorithm) {
    case base::Algorithm::sha256: return "sha256sum";
    case base::Algorithm::blake2b: return "b2sum";
    case base::Algorithm::md5: break;
  }
  return "md5sum";
}

// 500 names a turn: `set -- "$@" "$f"` copies them all. Only regular files are opened: a pipe would hang the reader.
const char* const kScanFunctions = R"sh(
need() {
  for tool do
    command -v "$tool" >/dev/null 2>&1 || { echo "$tool is not installed" >&2; exit 127; }
  done
}
export sum
look() {
  xargs -0 -r -n 500 sh -c '
    for f do
      shift
      if [ -f "$f" ] && [ ! -L "$f" ]; then set -- "$@" "$f"; fi
    done
    [ $# -gt 0 ] || exit 0
    stat --printf "F %s %f %.9Y %n\\0" -- "$@"
    "$sum" -z -- "$@" || :
  ' sh
}
)sh";

Result<Scan> parse_scan(std::string_view output, std::string_view prefix) {
  Scan scan;
  std::unordered_map<std::string, std::size_t> places;
  while (!output.empty()) {
    const std::size_t end = output.find('\0');
    if (end == std::string_view::npos) return bad(output);
    const std::string_view record = output.substr(0, end);
    output.remove_prefix(end + 1);
    if (record.size() > 2 && record[1] == ' ' && record[0] >= 'A' && record[0] <= 'Z') {
      const std::string rest(record.substr(2));
      if (record[0] == 'X') {
        scan.extra.push_back(rest);
      } else if (record[0] == 'N') {
        scan.notes.push_back(rest);
      } else if (record[0] == 'D') {
        scan.directories.push_back(rest);
      } else {
        auto entry = record[0] == 'F' ? file_of(record, prefix) : std::nullopt;
        if (!entry) return bad(record);
        // Named twice, by paths one inside the other: one file.
        if (places.emplace(entry->path, scan.files.size()).second) scan.files.push_back(*std::move(entry));
      }
      continue;
    }
    // `HEX  NAME`
    const std::size_t gap = record.find("  ");
    if (gap == std::string_view::npos || gap == 0 ||
        record.substr(0, gap).find_first_not_of("0123456789abcdef") != std::string_view::npos) {
      return bad(record);
    }
    const auto name = beneath(record.substr(gap + 2), prefix);
    const auto place = name ? places.find(*name) : places.end();
    if (place == places.end()) return bad(record);
    scan.files[place->second].digest = std::string(record.substr(0, gap));
  }
  return scan;
}

}  // namespace failover::client
