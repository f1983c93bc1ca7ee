#include "steps/client/manifest.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>

#include "engine/base/text.h"
#include "steps/client/checks.h"

namespace failover::client {
namespace {

using base::Error;
using base::Fault;
using base::Result;

constexpr unsigned kMostMode = 0777;

Error corrupt(const std::string& what) {
  return {Fault::corrupt, "bad_manifest", "the manifest cannot be trusted: " + what,
          "somebody changed it after it was written"};
}

std::string text_of(const nlohmann::json& json, const char* name) {
  const auto at = json.find(name);
  return at != json.end() && at->is_string() ? at->get<std::string>() : std::string();
}

}  // namespace

std::string format_mode(unsigned mode) {
  std::array<char, 16> buffer{};
  (void)std::snprintf(buffer.data(), buffer.size(), "%04o", mode);
  return buffer.data();
}

std::optional<unsigned> parse_mode(std::string_view text) {
  unsigned mode = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || mode > kMostMode) return std::nullopt;
  return mode;
}

Result<void> check_relative(const std::string& path) {
  const auto shown = [&] { return "`" + base::printable(path, 120) + "`"; };
  if (path.empty() || path.front() == '/') return corrupt("the path " + shown() + " is not relative");
  if (path.find('\0') != std::string::npos) return corrupt("the path " + shown() + " holds a NUL");
  for (const auto& part : base::split(path, '/')) {
    if (part.empty() || part == "." || part == "..")
      return corrupt("the path " + shown() + " may lead out of its directory");
  }
  return {};
}

Result<void> check_manifest(const Manifest& manifest) {
  if (!base::parse_algorithm(manifest.algorithm))
    return corrupt("no digest is called `" + base::printable(manifest.algorithm, 40) + "`");
  if (manifest.directory.empty() || manifest.directory.front() != '/') return corrupt("its directory is not absolute");
  for (const auto& path : manifest.paths) {
    if (auto fits = check_absolute(path); !fits) return fits;
  }
  std::set<std::string_view> seen;
  for (const auto& file : manifest.files) {
    if (auto fits = check_relative(file.path); !fits) return fits;
    if (!seen.insert(file.path).second) return corrupt("`" + base::printable(file.path, 120) + "` is listed twice");
    if (file.size < 0) return corrupt("a size is negative");
    if (!parse_mode(file.mode))
      return corrupt("the mode `" + base::printable(file.mode, 20) + "` of `" + base::printable(file.path, 120) +
                     "` is not allowed");
  }
  return {};
}

std::string to_json_text(const Manifest& manifest) {
  nlohmann::ordered_json files = nlohmann::ordered_json::array();
  for (const auto& file : manifest.files) {
    files.push_back({{"path", file.path},
                     {"size", file.size},
                     {"mode", file.mode},
                     {"mtime", base::format_utc(file.mtime)},
                     {"digest", file.digest}});
  }
  nlohmann::ordered_json out{
      {"algorithm", manifest.algorithm}, {"directory", manifest.directory}, {"files", std::move(files)}};
  if (!manifest.seed.empty()) out["seed"] = manifest.seed;
  if (!manifest.paths.empty()) out["paths"] = manifest.paths;
  return out.dump(1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<Manifest> manifest_from_json(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return corrupt("it is not a JSON object");
  Manifest out;
  out.algorithm = text_of(json, "algorithm");
  out.directory = text_of(json, "directory");
  out.seed = text_of(json, "seed");
  if (const auto paths = json.find("paths"); paths != json.end()) {
    if (!paths->is_array()) return corrupt("its `paths` are no list");
    for (const auto& one : *paths) {
      if (!one.is_string()) return corrupt("one of its `paths` is no text");
      out.paths.push_back(one.get<std::string>());
    }
  }
  const auto files = json.find("files");
  if (files == json.end() || !files->is_array()) return corrupt("it has no list of files");
  for (const auto& one : *files) {
    if (!one.is_object()) return corrupt("a file of it is no object");
    ManifestFile file{text_of(one, "path"), -1, text_of(one, "mode"), {}, text_of(one, "digest")};
    if (const auto size = one.find("size"); size != one.end() && size->is_number_integer())
      file.size = size->get<std::int64_t>();
    const auto mtime = base::parse_utc(text_of(one, "mtime"));
    if (!mtime) return corrupt("the time of `" + base::printable(file.path, 120) + "` cannot be read");
    file.mtime = *mtime;
    out.files.push_back(std::move(file));
  }
  if (auto fits = check_manifest(out); !fits) return std::move(fits).error();
  return out;
}

}  // namespace failover::client
