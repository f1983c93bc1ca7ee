// The tools that people have, unchanged, against the sandbox's storage: what they store is what they read.
#include <fstream>

#include "tests/cli/elsewhere.h"
#include "tests/skipped.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)

namespace {

bool installed(const std::string& program) {
  for (const char* folder : {"/usr/local/bin/", "/usr/bin/", "/bin/"}) {
    if (fs::exists(folder + program)) return true;
  }
  return false;
}

// A folder of files: empty, small, with a name that must be quoted, and one that goes up in parts.
void fill(const fs::path& folder) {
  fs::create_directories(folder / "deep/er");
  const auto write = [&](const fs::path& name, const std::string& bytes) {
    std::ofstream(folder / name, std::ios::binary) << bytes;
  };
  write("empty", "");
  write("deep/er/small.txt", "one\ntwo\n");
  write("a name & 100% +ü.txt", base::random_bytes(1'000));
  write("large.bin", base::random_bytes(24 << 20));
}

struct Storage {
  Elsewhere elsewhere{};
  fs::path home = elsewhere.failover.home.path();
  std::map<std::string, std::string> environment = elsewhere.failover.environment;
  fs::path in = home / "in";
  fs::path out = home / "out";

  Storage() {
    fill(in);
    fs::create_directories(out);
  }
  std::string bucket() { return environment["B2_BUCKET"]; }
  void run(std::vector<std::string> command) {
    base::ProcessSpec spec;
    spec.command = std::move(command);
    spec.environment = environment;
    auto& clock = elsewhere.failover.clock;
    const auto done = base::run_process(spec, base::Patience(clock, clock.now() + 100s, {}));
    INFO(base::join(spec.command) << "\n" << (done ? done->out + done->err : done.error().line()));
    CHECK((done && done->exit_code == 0));
  }
  void same() {
    int files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(in)) {
      if (!entry.is_regular_file()) continue;
      ++files;
      const auto name = fs::relative(entry.path(), in);
      CAPTURE(name.string());
      const auto back = base::read_file(out / name, 64 << 20);
      REQUIRE(back.ok());
      const bool equal = *back == *base::read_file(entry.path(), 64 << 20);
      CHECK(equal);
    }
    CHECK(files == 4);
    elsewhere.check_clean();  // no upload is left open
  }
};

}  // namespace

TEST_CASE("rclone") {
  Storage storage;
  auto& e = storage.environment;
  e["RCLONE_CONFIG"] = "/dev/null";
  e["RCLONE_CONFIG_B2_TYPE"] = "s3";
  e["RCLONE_CONFIG_B2_PROVIDER"] = "Other";
  e["RCLONE_CONFIG_B2_ENDPOINT"] = e["B2_ENDPOINT"];
  e["RCLONE_CONFIG_B2_REGION"] = e["B2_REGION"];
  e["RCLONE_CONFIG_B2_ACCESS_KEY_ID"] = e["B2_KEY_ID"];
  e["RCLONE_CONFIG_B2_SECRET_ACCESS_KEY"] = e["B2_APPLICATION_KEY"];
  const std::string remote = "b2:" + storage.bucket() + "/tree";
  storage.run({"rclone", "copy", storage.in, remote, "--s3-upload-cutoff", "10Mi", "--s3-chunk-size", "5Mi",
               "--s3-no-check-bucket"});
  storage.run({"rclone", "check", storage.in, remote});
  storage.run({"rclone", "copy", remote, storage.out});
  storage.same();
  storage.run({"rclone", "delete", remote});
}

TEST_CASE("aws s3") {
  if (!installed("aws")) return skipped("there is no aws here", kOnLinux);
  Storage storage;
  auto& e = storage.environment;
  e["AWS_ACCESS_KEY_ID"] = e["B2_KEY_ID"];
  e["AWS_SECRET_ACCESS_KEY"] = e["B2_APPLICATION_KEY"];
  e["AWS_DEFAULT_REGION"] = e["B2_REGION"];
  e["AWS_REQUEST_CHECKSUM_CALCULATION"] = "when_required";  // references/b2-s3-api.md: x-amz-checksum-* was refused
  e["AWS_RESPONSE_CHECKSUM_VALIDATION"] = "when_required";
  const std::string remote = "s3://" + storage.bucket() + "/tree";
  const std::vector<std::string> aws = {"aws", "--endpoint-url", e["B2_ENDPOINT"], "s3"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), aws.begin(), aws.end());
    storage.run(std::move(more));
  };
  with({"cp", "--recursive", "--quiet", storage.in, remote});
  with({"ls", "--recursive", remote});
  with({"sync", "--quiet", remote, storage.out});
  storage.same();
  with({"rm", "--recursive", "--quiet", remote});
}

TEST_CASE("s3cmd") {
  if (!installed("s3cmd")) return skipped("there is no s3cmd here", kOnLinux);
  Storage storage;
  auto& e = storage.environment;
  const std::string host = e["B2_ENDPOINT"].substr(e["B2_ENDPOINT"].find("//") + 2);
  const auto config = storage.home / "s3cfg";
  std::ofstream(config) << "[default]\naccess_key = " << e["B2_KEY_ID"] << "\nsecret_key = " << e["B2_APPLICATION_KEY"]
                        << "\nhost_base = " << host << "\nhost_bucket = " << host
                        << "\nuse_https = False\nsignature_v2 = False\nbucket_location = " << e["B2_REGION"]
                        << "\nmultipart_chunk_size_mb = 5\n";
  const std::string remote = "s3://" + storage.bucket() + "/tree/";
  const auto s3cmd = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"s3cmd", "-q", "-c", config.string()});
    storage.run(std::move(more));
  };
  s3cmd({"sync", storage.in.string() + "/", remote});
  s3cmd({"ls", "-r", remote});
  s3cmd({"sync", remote, storage.out.string() + "/"});
  storage.same();
  s3cmd({"del", "-r", "-f", remote});
}
