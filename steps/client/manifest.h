// What files a tree holds, as the runner knows it: the truth that copies are compared with.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/error.h"
#include "engine/plugin/codec.h"

namespace failover::client {

struct ManifestFile {
  std::string path;  // below the manifest's directory, without `./`
  std::int64_t size = 0;
  std::string mode;        // octal, `0644`
  base::WallTime mtime{};  // compared in microseconds
  std::string digest;      // lower-case hex
  static auto members() {
    return std::tuple{plugin::member("path", &ManifestFile::path), plugin::member("size", &ManifestFile::size),
                      plugin::member("mode", &ManifestFile::mode), plugin::member("mtime", &ManifestFile::mtime),
                      plugin::member("digest", &ManifestFile::digest)};
  }
};

struct Manifest {
  std::string algorithm = "md5";
  std::string directory;  // absolute, on the machine
  std::vector<ManifestFile> files;
  std::string seed{};  // that the files' bytes follow from (content.h); empty: the runner does not know them
  // Absolute, where the files are all that is below several: nothing else of the directory, then the root, is theirs.
  std::vector<std::string> paths{};
  static auto members() {
    return std::tuple{plugin::member("algorithm", &Manifest::algorithm),
                      plugin::member("directory", &Manifest::directory), plugin::member("files", &Manifest::files),
                      plugin::defaulted("seed", &Manifest::seed), plugin::defaulted("paths", &Manifest::paths)};
  }
};

// A file as reports show it; `md5` holds the digest of the algorithm that was asked for.
struct FileRow {
  std::string path;
  std::int64_t size = 0;
  std::string md5;
  std::string mode;
  base::WallTime mtime{};
  bool ok = true;
  static auto members() {
    return std::tuple{plugin::member("path", &FileRow::path),   plugin::member("size", &FileRow::size),
                      plugin::member("md5", &FileRow::md5),     plugin::member("mode", &FileRow::mode),
                      plugin::member("mtime", &FileRow::mtime), plugin::member("ok", &FileRow::ok)};
  }
};

// `0644`.
std::string format_mode(unsigned mode);
// Octal digits, at most 0777 (no set-id, no sticky bit); nullopt for anything else.
std::optional<unsigned> parse_mode(std::string_view text);

// A path that stays below its directory: relative, no empty, `.` or `..` part, no NUL. Error{corrupt} says which.
base::Result<void> check_relative(const std::string& path);
// A manifest as somebody else may have written it: every path inside, no path twice, sizes and modes legal, an
// algorithm that is known. Error{corrupt}.
base::Result<void> check_manifest(const Manifest& manifest);

// Paths are UTF-8, since JSON holds no other: who makes a manifest to be kept refuses them.
std::string to_json_text(const Manifest& manifest);
// Error{corrupt}: not JSON, or not a manifest that check_manifest() takes.
base::Result<Manifest> manifest_from_json(std::string_view text);

}  // namespace failover::client
