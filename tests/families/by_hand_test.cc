// What a person is told to type when the program cannot end a thing: every kind has it, and it does what it says.
#include "tests/families/yard.h"
#include "tests/skipped.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)
using base::Value;

namespace {

const std::string kLabel = "failover-abc-1-1800000000-0123456789ab";

std::string by_hand(const Yard& yard, const plugin::Held& held) {
  const auto* kind = yard.registry.kind(held.kind);
  REQUIRE(kind != nullptr);
  REQUIRE(kind->by_hand);
  const std::string said = kind->by_hand(held);
  const auto& settings = yard.services->settings;
  for (const auto& secret : {settings.vast_key.reveal(), settings.b2_key.reveal(), settings.b2_key_id}) {
    CHECK_FALSE(base::contains(said, secret));
  }
  return said;
}

// As a person's shell; nullopt: it has no `aws`.
std::optional<base::ProcessResult> type(Yard& yard, const std::string& command) {
  const auto& settings = yard.services->settings;
  base::ProcessSpec spec;
  spec.environment = {{"B2_KEY_ID", settings.b2_key_id}, {"B2_APPLICATION_KEY", settings.b2_key.reveal()}};
  for (const char* name : {"PATH", "HOME"}) {
    if (const char* value = std::getenv(name)) spec.environment.emplace(name, value);  // NOLINT(concurrency-mt-unsafe)
  }
  const auto run = [&](const std::string& words) {
    spec.command = {"/bin/sh", "-c", words};
    auto done = base::run_process(spec, base::Patience(yard.clock, yard.clock.now() + 60s, {}));
    REQUIRE(done.ok());
    return *std::move(done);
  };
  if (run("aws --version").exit_code != 0) return std::nullopt;
  return run(command);
}

// Its words are a shell's, whatever names are in it, and nothing of a name is run.
void check_quoted(Yard& yard, const std::string& command) {
  base::ProcessSpec spec;
  spec.command = {"/bin/sh", "-n", "-c", command};
  auto done = base::run_process(spec, base::Patience(yard.clock, yard.clock.now() + 60s, {}));
  REQUIRE(done.ok());
  INFO(command << "\n" << done->err);
  CHECK(done->exit_code == 0);
}

base::Result<client::Object> put(Yard& yard, const std::string& key, const std::string& label) {
  client::Upload upload;
  upload.bucket = yard.bucket;
  upload.key = key;
  upload.body = "x";
  upload.label = label;
  return yard.services->b2->put(upload, yard.context());
}

std::size_t versions(const Yard& yard) {
  const auto seen = yard.sandbox->meter();
  return seen.objects.size() + static_cast<std::size_t>(seen.hidden_versions);
}

}  // namespace

TEST_CASE("by hand: every kind says how") {
  const Yard yard;
  for (const auto& kind : yard.registry.kinds) {
    CAPTURE(kind.name);
    CHECK(kind.by_hand);
  }
}

TEST_CASE("by hand, Vast.ai: one command each, or where to look") {
  const Yard yard;
  const std::string curl =
      R"(curl -X DELETE -H "Authorization: Bearer $VAST_API_KEY" ')" + yard.services->settings.vast_url + "/api/v0/";
  struct Row {
    std::string kind;
    std::string id;
    Value::Map attributes;
    std::string ends;
  };
  const std::vector<Row> rows{
      {"vast.instance", "17", {}, curl + "instances/17/'"},
      {"vast.instance", "", {}, "look for the label " + kLabel + " at https://cloud.vast.ai/instances/"},
      {"vast.ssh_key", "5", {}, curl + "ssh/5/'"},
      {"vast.ssh_key", "", {}, curl + "ssh/ID/'"},
      {"vast.ssh_key", "5", {{"instance", std::int64_t{17}}}, curl + "instances/17/ssh/5/'"},
      // An id that could not be read is the label.
      {"vast.ssh_key", kLabel, {{"instance", std::int64_t{17}}}, curl + "instances/17/ssh/ID/'"},
  };
  for (const auto& row : rows) {
    const std::string said = by_hand(yard, {row.kind, kLabel, row.id, false, {}, row.attributes});
    CAPTURE(said);
    REQUIRE(said.size() >= row.ends.size());
    CHECK(said.substr(said.size() - row.ends.size()) == row.ends);
    CHECK(base::contains(said, kLabel) == (said.rfind("curl ", 0) != 0));
  }
}

TEST_CASE("by hand, a snapshot: every object, version and marker of it, and nothing else") {
  Yard yard;
  const plugin::Held held{"snapshot", kLabel, "n-" + kLabel, false, {}, {{"bucket", yard.bucket}, {"prefix", "n-"}}};
  const std::string said = by_hand(yard, held);
  CHECK(base::contains(said, "--prefix='snapshots/n-" + kLabel + "/'"));
  check_quoted(yard, said);
  REQUIRE(put(yard, "snapshots/n-" + kLabel + "/manifest.json", kLabel).ok());
  REQUIRE(put(yard, "snapshots/n-" + kLabel + "/part-00001", kLabel).ok());
  REQUIRE(put(yard, "snapshots/n-" + kLabel + "/part-00001", kLabel).ok());  // the first is hidden
  REQUIRE(put(yard, "snapshots/n-" + kLabel + "0/manifest.json", kLabel).ok());
  CHECK(versions(yard) == 4);
  for (int twice = 0; twice < 2; ++twice) {
    const auto done = type(yard, said);
    if (!done) return skipped("there is no aws here", kOnLinux);
    INFO(said << "\n" << done->out << done->err);
    CHECK(done->exit_code == 0);
    CHECK(done->err.empty());
    CHECK(versions(yard) == 1);
  }
}

TEST_CASE("by hand, an object: the run's own version, under any name; others' stay") {
  for (const std::string key : {"plain", "it's a `key` with \"all\" $(of) \\it", "-begins"}) {
    CAPTURE(key);
    Yard yard;
    REQUIRE(put(yard, key, "").ok());
    REQUIRE(put(yard, key + "2", kLabel).ok());
    REQUIRE(put(yard, key, kLabel).ok());  // a write that arrived twice
    const auto ours = put(yard, key, kLabel);
    REQUIRE(ours.ok());
    plugin::Held held{
        "b2.object", kLabel, yard.bucket + "/" + key, false, yard.clock.wall(), {{"bucket", yard.bucket}}};
    held.attributes.emplace("key", key);
    held.attributes.emplace("version", ours->version);
    const std::string known = by_hand(yard, held);
    CHECK(base::contains(known, " --version-id=" + base::shell_quote(ours->version)));
    CHECK(base::contains(known, base::shell_quote(kLabel)));
    CHECK_FALSE(base::contains(known, "list-multipart-uploads"));
    held.unclear = true;
    const std::string unclear = by_hand(yard, held);
    CHECK_FALSE(base::contains(unclear, ours->version));
    for (const auto& said : {known, unclear}) {
      check_quoted(yard, said);
      const auto done = type(yard, said);
      if (!done) return skipped("there is no aws here", kOnLinux);
      INFO(said << "\n" << done->out << done->err);
      CHECK(done->err.empty());
      CHECK(versions(yard) == 2);
      if (said == known) REQUIRE(put(yard, key, kLabel).ok());
    }
    CHECK(yard.services->b2->get(yard.bucket, key, "", 1 << 10, yard.context())->body == "x");
  }
}

TEST_CASE("by hand, an upload: it is aborted, and what is stored under its key stays") {
  Yard yard;
  const std::string key = "big";
  REQUIRE(put(yard, key, kLabel).ok());
  const plugin::Held held{"b2.upload", kLabel, "", true, yard.clock.wall(), {{"bucket", yard.bucket}, {"key", key}}};
  const std::string said = by_hand(yard, held);
  CHECK_FALSE(base::contains(said, "delete-object"));
  check_quoted(yard, said);
  for (const auto* name : {"big", "bigger"}) {
    const auto begun = type(yard, base::split(said, '}')[0] + "}; b2s3 create-multipart-upload --key=" + name + ")");
    if (!begun) return skipped("there is no aws here", kOnLinux);
    INFO(begun->out << begun->err);
    REQUIRE(begun->exit_code == 0);
  }
  CHECK(yard.sandbox->meter().uploads == 2);
  const auto done = type(yard, said);
  INFO(said << "\n" << done->out << done->err);
  CHECK(done->err.empty());
  CHECK(yard.sandbox->meter().uploads == 1);
  CHECK(versions(yard) == 1);
}
