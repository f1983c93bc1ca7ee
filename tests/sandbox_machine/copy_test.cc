// Files through OpenSSH's scp and sftp, and rsync.
#include <fstream>

#include "engine/base/file.h"
#include "tests/sandbox_machine/fixture.h"

using namespace failover;
using namespace failover::sandbox;

namespace {

std::vector<std::string> with(const std::string& program, const Fixture& f, std::vector<std::string> more) {
  std::vector<std::string> words = {program};
  const auto shared = f.options();
  words.insert(words.end(), shared.begin(), shared.end());
  words.insert(words.end(), {"-P", std::to_string(f.machine->port())});
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::string shell(const Fixture& f) {
  std::string text = "ssh";
  for (const auto& word : f.options()) text += " " + word;
  return text + " -p " + std::to_string(f.machine->port());
}

}  // namespace

TEST_CASE("scp copies there and back, with modes and times") {
  Fixture f;
  const auto file = f.dir.path() / "file";
  REQUIRE(base::write_file(file, noise(5 << 20), 0640).ok());
  run({"touch", "-d", "2020-02-02T02:02:02Z", file.string()});
  for (const char* mode : {"-s", "-O"}) {  // SFTP, and the legacy protocol
    const auto there = "root@127.0.0.1:" + f.workspace() + "/file";
    const auto up = run(with("scp", f, {"-p", mode, file.string(), there}));
    CHECK_MESSAGE(up.exit_code == 0, up.err);
    CHECK(f.ssh("stat -c '%a %Y' " + f.workspace() + "/file").out == "640 1580608922\n");
    const auto back = f.dir.path() / (std::string("back") + mode);
    CHECK(run(with("scp", f, {"-p", mode, there, back.string()})).exit_code == 0);
    CHECK(sha256_of(back) == sha256_of(file));
  }
}

TEST_CASE("sftp works through a whole session") {
  Fixture f;
  const auto file = f.dir.path() / "file";
  REQUIRE(base::write_file(file, noise(2 << 20)).ok());
  const std::string batch = "cd " + f.workspace() + "\nmkdir d\nput " + file.string() +
                            " d/a\nrename d/a d/b\nchmod 600 d/b\nls -l d\nget d/b " + (f.dir.path() / "b").string() +
                            "\nrm d/b\nrmdir d\n";
  const auto done = run(with("sftp", f, {"-b", "-", "root@127.0.0.1"}), batch);
  CHECK_MESSAGE(done.exit_code == 0, done.err);
  CHECK(done.out.find("-rw-------") != std::string::npos);
  CHECK(sha256_of(f.dir.path() / "b") == sha256_of(file));
  CHECK_FALSE(std::filesystem::exists(f.host_workspace() / "d"));
}

TEST_CASE("rsync mirrors a tree, owners included as far as root of a machine can tell") {
  Fixture f;
  const auto tree = f.dir.path() / "tree";
  std::filesystem::create_directories(tree / "sub");
  REQUIRE(base::write_file(tree / "one", noise(1 << 20)).ok());
  REQUIRE(base::write_file(tree / "sub" / "two", "two", 0600).ok());
  std::filesystem::create_symlink("one", tree / "link");
  const auto there = "root@127.0.0.1:" + f.workspace() + "/";
  const auto up = run({"rsync", "-a", "--delete", "-e", shell(f), tree.string() + "/", there});
  CHECK_MESSAGE(up.exit_code == 0, up.err);
  const auto again =
      run({"rsync", "-a", "--checksum", "--itemize-changes", "-e", shell(f), tree.string() + "/", there});
  CHECK(again.exit_code == 0);
  CHECK_MESSAGE(again.out.find("<f") == std::string::npos, again.out);
  const auto back = f.dir.path() / "back";
  CHECK(run({"rsync", "-a", "-e", shell(f), there, back.string() + "/"}).exit_code == 0);
  CHECK(run({"diff", "-r", tree.string(), back.string()}).exit_code == 0);
}

TEST_CASE("tar as root unpacks files of any owner") {
  Fixture f;
  if (!f.jailed()) return;
  const auto tree = f.dir.path() / "tree";
  std::filesystem::create_directories(tree);
  REQUIRE(base::write_file(tree / "one", "one").ok());
  const auto tar = run({"tar", "-c", "--owner=1234", "--group=1234", "-C", tree.string(), "one"});
  const auto done = f.ssh("tar -x -C " + f.workspace(), tar.out);
  CHECK_MESSAGE(done.exit_code == 0, done.err);
  CHECK(f.ssh("cat " + f.workspace() + "/one").out == "one");
}
