// The shipped program as a child process, in a home and with an environment of its own.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/file.h"
#include "engine/base/process.h"

namespace failover::testing {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// Removed with everything in it.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("failover-test-" + base::random_id(8))) {
    fs::create_directories(path_);
  }
  ~Folder() {
    std::error_code ignored;
    fs::permissions(path_, fs::perms::owner_all, fs::perm_options::add, ignored);
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// Empty where it cannot be read.
inline std::string text_of(const fs::path& file) {
  const auto text = base::read_file(file, 8 << 20);
  return text ? *text : std::string();
}

inline std::map<std::string, std::string> quiet_environment(const fs::path& home) {
  std::map<std::string, std::string> out{{"FAILOVER_HOME", home.string()},
                                         {"PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"},
                                         {"HOME", home.string()},
                                         {"LANG", "C.UTF-8"}};
  for (const char* name : {"TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"}) {
    if (const char* value = std::getenv(name)) out.emplace(name, value);  // NOLINT(concurrency-mt-unsafe)
  }
  return out;
}

struct Program {
  Folder home;
  std::map<std::string, std::string> environment = quiet_environment(home.path());
  std::string directory = FAILOVER_SOURCE_DIR;
  base::SystemClock clock{};

  base::ProcessResult operator()(std::vector<std::string> arguments, base::Duration limit = 120s) {
    arguments.insert(arguments.begin(), FAILOVER_BINARY);
    base::ProcessSpec spec;
    spec.command = std::move(arguments);
    spec.environment = environment;
    spec.directory = directory;
    auto done = base::run_process(spec, base::Patience(clock, clock.now() + limit, {}));
    REQUIRE_MESSAGE(done.ok(), (done.ok() ? std::string() : done.error().line()));
    return *std::move(done);
  }
  // The report of the only run there is.
  [[nodiscard]] nlohmann::json report() const {
    for (const auto& entry : fs::directory_iterator(home.path() / "runs")) {
      const auto text = base::read_file(entry.path() / "report.json", 64 << 20);
      if (text) return nlohmann::json::parse(*text, nullptr, false);
    }
    return {};
  }
};

}  // namespace failover::testing
