#include "steps/client/remote.h"

#include <charconv>
#include <map>

#include "engine/base/text.h"

namespace failover::client {
namespace {

using base::Error;
using base::Fault;
using base::Result;

// The end of a machine's words, on one line.
std::string tail(const std::string& text) {
  constexpr std::size_t kLongest = 300;
  const std::string_view end = base::trim(text);
  return base::printable(end.size() > kLongest ? end.substr(end.size() - kLongest) : end, 2 * kLongest);
}

Error garbled(const std::string& record) {
  return {Fault::corrupt, "bad_listing", "the machine's listing cannot be read: `" + base::printable(record, 120) + "`",
          "it needs GNU find and coreutils"};
}

// `1700000000.1234567890`, exact to the nanosecond.
std::optional<base::WallTime> parse_epoch(std::string_view text) {
  const std::size_t dot = text.find('.');
  std::int64_t whole = 0;
  const std::string_view seconds = text.substr(0, dot);
  const auto read = std::from_chars(seconds.data(), seconds.data() + seconds.size(), whole);
  constexpr std::int64_t kFar = 9'000'000'000;
  if (seconds.empty() || read.ec != std::errc() || read.ptr != seconds.data() + seconds.size() || whole > kFar ||
      whole < -kFar)
    return std::nullopt;
  std::int64_t nano = 0;
  std::int64_t unit = 100'000'000;
  for (std::size_t i = dot == std::string_view::npos ? text.size() : dot + 1; i < text.size() && unit > 0;
       ++i, unit /= 10) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    nano += (text[i] - '0') * unit;
  }
  return base::WallTime(std::chrono::seconds(whole) + std::chrono::nanoseconds(nano));
}

std::string bare(std::string_view path) {
  if (path.substr(0, 2) == "./") path.remove_prefix(2);
  return std::string(path);
}

// `f 1234 644 1700000000.12 ./a/b`
std::optional<Listed> parse_entry(const std::string& record) {
  std::size_t at = 0;
  const auto word = [&]() -> std::string {
    const std::size_t end = record.find(' ', at);
    if (end == std::string::npos) return "";
    std::string out = record.substr(at, end - at);
    at = end + 1;
    return out;
  };
  Listed out;
  const std::string type = word();
  const auto size = base::parse_integer(word());
  const std::string mode = word();
  const auto mtime = parse_epoch(word());
  if (type.size() != 1 || !size || mode.empty() || !mtime || at >= record.size()) return std::nullopt;
  out.type = type[0];
  out.size = *size;
  const auto read = std::from_chars(mode.data(), mode.data() + mode.size(), out.mode, 8);
  if (read.ec != std::errc() || read.ptr != mode.data() + mode.size() || out.mode > 07777) return std::nullopt;
  out.mtime = *mtime;
  out.path = bare(std::string_view(record).substr(at));
  return out;
}

}  // namespace

std::string name_of(const Endpoint& at) { return at.user + "@" + at.host + ":" + std::to_string(at.port); }

bool may_have_run(const Result<Finished>& done) {
  if (done) return true;
  switch (done.error().fault) {
    case Fault::unavailable:
    case Fault::auth:
    case Fault::host_key_changed: return false;  // Ssh::run(): nothing ran
    default: return true;
  }
}

Result<Finished> run_script(Ssh& ssh, const Endpoint& at, const Command& command, const std::string& doing,
                            const plugin::Context& context) {
  auto done = ssh.run(at, command, context);
  if (!done) return std::move(done).error().during(doing);
  if (done->exit_code == 0) return done;
  if (base::contains(done->err, "No space left on device") || base::contains(done->err, "Disk quota exceeded")) {
    return Error{Fault::no_space, "disk_full", doing + ": the machine's disk is full",
                 "rent a larger `disk`, or write less"};
  }
  const std::string how = done->signal.empty() ? "exit " + std::to_string(done->exit_code) : "signal " + done->signal;
  return Error{Fault::refused, "script_failed", doing + " failed on the machine (" + how + "): " + tail(done->err), ""};
}

std::string_view digest_program(base::Algorithm algorithm) {
  switch (algorithm) {
    case base::Algorithm::md5: return "md5sum";
    case base::Algorithm::sha256: return "sha256sum";
    case base::Algorithm::blake2b: return "b2sum";
  }
  return "";
}

std::string list_words(const std::string& find_args) {
  return "find " + find_args + R"( -printf '%y %s %m %T@ %p\0'; printf '\0')";
}

std::string digest_words(const std::string& find_args, base::Algorithm algorithm) {
  return "find " + find_args + " -type f -print0 | xargs -0 -r " + std::string(digest_program(algorithm)) +
         R"( -z --; printf '\0')";
}

std::vector<std::vector<std::string>> sections(std::string_view output) {
  std::vector<std::vector<std::string>> out(1);
  std::size_t at = 0;
  while (at < output.size()) {
    const std::size_t end = std::min(output.find('\0', at), output.size());
    if (end == at) {
      out.emplace_back();
    } else {
      out.back().emplace_back(output.substr(at, end - at));
    }
    at = end + 1;
  }
  return out;
}

Result<std::vector<Listed>> read_listing(const std::vector<std::string>& entries,
                                         const std::vector<std::string>& digests) {
  std::map<std::string, std::string> by_path;
  for (const auto& record : digests) {
    const std::size_t gap = record.find("  ");
    if (gap == std::string::npos || gap < 32) return garbled(record);
    by_path.emplace(bare(std::string_view(record).substr(gap + 2)), record.substr(0, gap));
  }
  std::vector<Listed> out;
  for (const auto& record : entries) {
    auto entry = parse_entry(record);
    if (!entry) return garbled(record);
    if (const auto digest = by_path.find(entry->path); digest != by_path.end()) entry->digest = digest->second;
    out.push_back(*std::move(entry));
  }
  return out;
}

Manifest manifest_of(const std::vector<Listed>& listed, std::string directory, base::Algorithm algorithm) {
  Manifest out;
  out.algorithm = std::string(base::to_string(algorithm));
  out.directory = std::move(directory);
  for (const auto& one : listed) {
    if (one.type != 'f') continue;
    const auto micros = std::chrono::floor<std::chrono::microseconds>(one.mtime);
    out.files.push_back({one.path, one.size, format_mode(one.mode), base::WallTime(micros), one.digest});
  }
  return out;
}

std::vector<FileRow> rows_of(const Manifest& manifest) {
  std::vector<FileRow> out;
  for (const auto& one : manifest.files) out.push_back({one.path, one.size, one.digest, one.mode, one.mtime, true});
  return out;
}

}  // namespace failover::client
