// The steps that work on machines, with this machine's own shell in the machine's place and the sandbox's B2 behind
// them.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/file.h"
#include "engine/base/process.h"
#include "engine/base/text.h"
#include "steps/all/all.h"
#include "tests/client/fake_host.h"
#include "tools/sandbox/sandbox.h"

namespace failover::testing {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class LocalShell final : public client::Ssh {
 public:
  [[nodiscard]] const std::string& public_key() const override { return key_; }
  base::Result<client::Finished> run(const client::Endpoint&, const client::Command& command,
                                     const plugin::Context& context) override {
    scripts += command.script + "\n";
    base::ProcessSpec spec;
    std::string script = command.script;
    const std::string there = "'/workspace'";
    for (auto at = script.find(there); !workspace.empty() && at != std::string::npos; at = script.find(there, at)) {
      script.replace(at, there.size(), base::shell_quote(workspace));
    }
    spec.command = login;
    for (const auto& word : {std::string("/bin/sh"), std::string("-c"), script}) spec.command.push_back(word);
    spec.environment = {{"PATH", search_path}, {"TMPDIR", spool.string()}, {"LC_ALL", "C"}};
    spec.input = command.input;
    if (!command.input_file.empty()) spec.input = *base::read_file(command.input_file, 64 << 20);
    spec.output_limit = std::max<std::int64_t>(command.output_limit, 16 << 20);
    auto done = base::run_process(spec, context.patience());
    if (!done) return std::move(done).error();
    if (done->truncated || static_cast<std::int64_t>(done->out.size()) > command.output_limit)
      return base::Error{base::Fault::refused, "too_much_output", "the command printed too much"};
    client::Finished out;
    out.exit_code = done->exit_code;
    out.signal = done->signal;
    out.err = done->err;
    out.bytes_out = static_cast<std::int64_t>(done->out.size());
    if (command.output_file.empty()) {
      out.out = std::move(done->out);
    } else if (auto written = base::write_file(command.output_file, done->out); !written) {
      return std::move(written).error();
    }
    return out;
  }
  void forget(const client::Endpoint&) override {}
  fs::path spool;
  std::string search_path = "/usr/local/bin:/usr/bin:/bin";
  std::vector<std::string> login;  // the program that makes somebody else of the shell; none: who runs the tests
  std::string workspace;           // stands in for a machine's own
  std::string scripts;             // all that a machine would have seen of them

 private:
  std::string key_ = "ssh-ed25519 AAAA";
};

struct Yard {
  fs::path folder = fs::temp_directory_path() / ("failover-families-" + base::random_id(8));
  base::SystemClock clock{};
  std::unique_ptr<sandbox::Sandbox> sandbox;
  std::unique_ptr<client::Services> services;
  LocalShell* shell = nullptr;
  FakeHost host{};
  plugin::Registry registry;
  std::string bucket;

  Yard() {
    fs::create_directories(folder / "spool");
    auto started = sandbox::Sandbox::start({}, clock);
    REQUIRE(started.ok());
    sandbox = *std::move(started);
    auto environment = sandbox->environment();
    bucket = environment["B2_BUCKET"];
    client::Settings settings;
    settings.vast_url = environment["VAST_API_URL"];
    settings.vast_key = base::Secret(environment["VAST_API_KEY"]);
    settings.b2_endpoint = environment["B2_ENDPOINT"];
    settings.b2_region = environment["B2_REGION"];
    settings.b2_key_id = environment["B2_KEY_ID"];
    settings.b2_key = base::Secret(environment["B2_APPLICATION_KEY"]);
    settings.declared_environment = {{"DECLARED", "yes"}};
    auto made = client::make_services(settings);
    REQUIRE(made.ok());
    services = *std::move(made);
    auto local = std::make_unique<LocalShell>();
    local->spool = folder / "spool";
    shell = local.get();
    services->ssh = std::move(local);
    registry = steps::all(*services);
  }
  ~Yard() {
    std::error_code ignored;
    fs::remove_all(folder, ignored);
  }
  Yard(const Yard&) = delete;
  Yard& operator=(const Yard&) = delete;

  [[nodiscard]] plugin::Context context() { return {host, base::Patience(clock, clock.now() + 60s, {})}; }
  base::Result<base::Value> run(const char* step, base::Value::Map with) {
    with.emplace(
        "host", base::Value(base::Value::Map{{"host", "127.0.0.1"}, {"port", 22}, {"user", "root"}, {"machine", "m"}}));
    const auto* type = registry.step(step);
    REQUIRE(type != nullptr);
    return type->run(base::Value(std::move(with)), context());
  }
  base::Result<base::Value> run_bare(const char* step, base::Value::Map with) {
    return registry.step(step)->run(base::Value(std::move(with)), context());
  }
  std::string dir(const char* name) const { return (folder / name).string(); }
  void write(const fs::path& path, const std::string& text,
             fs::perms mode = fs::perms::owner_read | fs::perms::owner_write) {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    fs::permissions(path, mode);
  }
};

inline std::int64_t number(const base::Value& value, const char* name) {
  return *value.find(name)->get<std::int64_t>();
}
inline std::size_t count(const base::Value& value, const char* name) { return value.find(name)->list()->size(); }

}  // namespace failover::testing
