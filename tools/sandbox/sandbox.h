// The simulated providers as servers on loopback: doors behind ports, machines behind SSH, one world behind both.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/error.h"
#include "tools/sandbox/machine/machine.h"
#include "tools/sandbox/world/world.h"

namespace failover::sandbox {

struct SandboxOptions {
  int port_base = 0;  // Vast here, B2 on the next one; 0: free ones
  Pace pace = Pace::quick;
  std::vector<std::string> faults{};  // `name` or `name:count`, armed from the start
  std::filesystem::path directory{};  // for what it holds; empty: a new one below the temporary directory
  std::uint64_t seed = 0;             // 0: a random one
  bool strict_pacing = true;          // 429 by the interval table of references/vastai-api.md 10
};

// Binds to 127.0.0.1 alone and invents its own credentials. Ends by stop() or with the object: no thread, process,
// port or file of it stays.
class Sandbox {
 public:
  // Answers requests when it returns. Error{invalid}: an unknown fault, with the nearest one; a port that is taken.
  static base::Result<std::unique_ptr<Sandbox>> start(const SandboxOptions& options, base::Clock& clock);
  virtual ~Sandbox() = default;

  // What points a client here: VAST_API_KEY VAST_API_URL B2_ENDPOINT B2_REGION B2_KEY_ID B2_APPLICATION_KEY B2_BUCKET
  // FAILOVER_SETTLE.
  [[nodiscard]] virtual std::map<std::string, std::string> environment() const = 0;
  // The same as `export NAME='value'` lines: a temporary file, then a rename; mode 0600.
  [[nodiscard]] base::Result<void> write_env_file(const std::filesystem::path& path) const;
  [[nodiscard]] virtual View view() const = 0;
  // Goes with it, unless it was given.
  [[nodiscard]] virtual const std::filesystem::path& directory() const = 0;
  [[nodiscard]] virtual Meter meter() = 0;
  [[nodiscard]] virtual World& world() = 0;
  virtual void stop() = 0;
};

// The meter as JSON: what GET /_sandbox/meter on the Vast door answers.
std::string to_json_text(const Meter& meter);

}  // namespace failover::sandbox
