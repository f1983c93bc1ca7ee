#include <unistd.h>

#include "tests/families/yard.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)
using base::Value;

TEST_CASE("files are created as told and verify finds every way in which they change") {
  Yard yard;
  const std::string directory = yard.dir("drill");
  const auto made = yard.run("files.create", {{"directory", directory}, {"count", 5}, {"size", base::Size{1'234}}});
  REQUIRE_MESSAGE(made.ok(), (made.ok() ? std::string() : made.error().line()));
  REQUIRE(count(*made, "files") == 5);
  const Value manifest = *made->find("manifest");
  const auto verify = [&](const std::string& where) {
    return yard.run("checksum.verify", {{"expect", manifest}, {"directory", where}});
  };
  const auto path = [&](std::size_t i) {
    return fs::path(directory) / *(*made->find("files")->list())[i].find("path")->text();
  };

  auto seen = verify(directory);
  REQUIRE_MESSAGE(seen.ok(), (seen.ok() ? std::string() : seen.error().line()));
  CHECK(number(*seen, "expected") == 5);
  CHECK(number(*seen, "matched") == 5);
  CHECK(number(*seen, "mode_changed") + number(*seen, "mtime_changed") == 0);
  // Content is unique.
  CHECK(*base::read_file(path(0), 9'999) != *base::read_file(path(1), 9'999));

  const auto time = fs::last_write_time(path(0));
  std::string text = *base::read_file(path(0), 9'999);
  text[7] = static_cast<char>(text[7] ^ 1);
  std::ofstream(path(0), std::ios::binary) << text;
  fs::last_write_time(path(0), time);
  fs::permissions(path(1), fs::perms::owner_all);
  fs::last_write_time(path(2), time);
  fs::remove(path(3));
  std::ofstream(fs::path(directory) / "more") << "x";
  seen = verify(directory);
  REQUIRE(seen.ok());
  CHECK(number(*seen, "matched") == 3);
  CHECK(count(*seen, "mismatched") == 1);
  CHECK(count(*seen, "missing") == 1);
  CHECK(count(*seen, "extra") == 1);
  CHECK(number(*seen, "mode_changed") == 1);
  CHECK(number(*seen, "mtime_changed") == 1);
  int good = 0;
  for (const auto& file : *seen->find("files")->list()) good += *file.find("ok")->get<bool>() ? 1 : 0;
  CHECK(good == 1);

  seen = verify(yard.dir("nowhere"));
  REQUIRE(seen.ok());
  CHECK(number(*seen, "matched") == 0);
  CHECK(count(*seen, "missing") == 5);
}

TEST_CASE("of a manifest of several paths these alone are looked through, not the whole machine") {
  Yard yard;
  const auto make = [&](const std::string& directory, const std::string& name) {
    fs::create_directories(directory);
    std::ofstream(fs::path(directory) / name) << name;
  };
  const std::string one = yard.dir("one");
  const std::string other = yard.dir("the other");
  make(one + "/deep", "a");
  make(other, "b");
  make(other, "c");
  const std::string file = other + "/b";
  const auto made = yard.run("checksum.manifest", {{"paths", Value(Value::List{one, file})}});
  REQUIRE_MESSAGE(made.ok(), (made.ok() ? std::string() : made.error().line()));
  REQUIRE(count(*made, "files") == 2);
  const Value manifest = *made->find("manifest");
  const auto verify = [&] { return *yard.run("checksum.verify", {{"expect", manifest}}); };
  Value seen = verify();
  CHECK(number(seen, "matched") == 2);
  CHECK(count(seen, "extra") == 0);
  make(one, "new");
  fs::remove(file);
  seen = verify();
  CHECK(number(seen, "matched") == 1);
  CHECK(count(seen, "missing") == 1);
  CHECK(count(seen, "extra") == 1);
  fs::remove_all(one);
  seen = verify();
  CHECK(number(seen, "matched") == 0);
  CHECK(count(seen, "missing") == 2);
  CHECK(count(seen, "extra") == 0);
  // A single file is its own.
  const auto alone = yard.run("checksum.manifest", {{"paths", Value(Value::List{other + "/c"})}});
  REQUIRE(alone.ok());
  const auto checked = yard.run("checksum.verify", {{"expect", *alone->find("manifest")}});
  REQUIRE(checked.ok());
  CHECK(number(*checked, "matched") == 1);
  CHECK(count(*checked, "extra") == 0);
}

TEST_CASE("a machine has to show the bytes that the drill wrote; of others its word is all there is") {
  Yard yard;
  const std::string directory = yard.dir("drill");
  const std::size_t many = 300;  // more than are asked one by one
  for (const std::size_t files : {std::size_t{3}, many}) {
    CAPTURE(files);
    fs::remove_all(directory);
    const auto made = yard.run("files.create", {{"directory", directory},
                                                {"count", static_cast<std::int64_t>(files)},
                                                {"size", base::Size{files == many ? 10 : 2'500'000}}});
    REQUIRE_MESSAGE(made.ok(), (made.ok() ? std::string() : made.error().line()));
    const Value manifest = *made->find("manifest");
    const auto verify = [&] { return *yard.run("checksum.verify", {{"expect", manifest}}); };
    Value seen = verify();
    CHECK(*seen.find("proof")->text() == "challenge");
    CHECK(number(seen, "matched") == static_cast<std::int64_t>(files));
    CHECK(count(seen, "unproven") == 0);

    // A host whose checksums are what they should be, whatever it holds.
    const std::string said = yard.dir("said");
    const std::string honest =
        "cd '" + directory + "' && find . -type f -print0 | xargs -0 md5sum -z -- > '" + said + "'";
    REQUIRE(std::system(honest.c_str()) == 0);
    yard.write(yard.folder / "lies" / "md5sum", "#!/bin/sh\ncat '" + said + "'\n", fs::perms::owner_all);
    const auto second = fs::path(directory) / *manifest.find("files")->list()->at(1).find("path")->text();
    const auto time = fs::last_write_time(second);
    std::string text = *base::read_file(second, 4 << 20);
    text.back() = static_cast<char>(text.back() ^ 1);
    std::ofstream(second, std::ios::binary) << text;
    fs::last_write_time(second, time);
    yard.shell->search_path = yard.dir("lies") + ":/usr/local/bin:/usr/bin:/bin";
    seen = verify();
    yard.shell->search_path = "/usr/local/bin:/usr/bin:/bin";
    const std::size_t group = files == many ? 2 : 1;
    CHECK(number(seen, "matched") == static_cast<std::int64_t>(files - group));
    CHECK(count(seen, "mismatched") == 0);
    REQUIRE(count(seen, "unproven") == group);
    CHECK(*seen.find("unproven")->list()->at(group - 1).text() == second.filename().string());
    CHECK_FALSE(*seen.find("files")->list()->at(1).find("ok")->get<bool>());
  }
  const auto read = yard.run("checksum.manifest", {{"paths", Value::List{Value(directory)}}});
  REQUIRE(read.ok());
  CHECK(*yard.run("checksum.verify", {{"expect", *read->find("manifest")}})->find("proof")->text() == "claim");
}

TEST_CASE("a manifest whose seed makes other files is not believed") {
  Yard yard;
  const auto made = yard.run("files.create", {{"directory", yard.dir("drill")}, {"count", 1}});
  REQUIRE(made.ok());
  Value::Map changed = *made->find("manifest")->map();
  changed.insert_or_assign("seed", std::string(64, '0'));
  const auto seen = yard.run("checksum.verify", {{"expect", Value(changed)}});
  REQUIRE_FALSE(seen.ok());
  CHECK(seen.error().code == "bad_manifest");
}

TEST_CASE("files get the times that they are told, also before 1970, fractions included") {
  Yard yard;
  const base::WallTime day(std::chrono::seconds(86'400));
  const Value::List times = {Value(base::WallTime() - 36h - 250ms), Value(day + 125ms),
                             Value(base::WallTime() - 500ms)};
  const auto made = yard.run("files.create", {{"directory", yard.dir("old")}, {"count", 3}, {"mtimes", times}});
  REQUIRE_MESSAGE(made.ok(), (made.ok() ? std::string() : made.error().line()));
  const auto seen = yard.run("checksum.verify", {{"expect", *made->find("manifest")}, {"directory", yard.dir("old")}});
  REQUIRE_MESSAGE(seen.ok(), (seen.ok() ? std::string() : seen.error().line()));
  CHECK(number(*seen, "matched") == 3);
  CHECK(number(*seen, "mtime_changed") == 0);
  for (std::size_t i = 0; i < times.size(); ++i) {
    const auto path = fs::path(yard.dir("old")) / *(*made->find("files")->list())[i].find("path")->text();
    const auto stands = std::chrono::file_clock::to_sys(fs::last_write_time(path));
    CHECK(stands == *times[i].get<base::WallTime>());
  }
}

TEST_CASE("any file name passes, and every algorithm") {
  Yard yard;
  const fs::path tree = yard.folder / "tree";
  const std::vector<std::string> names = {"plain", "with space", "new\nline",   "quo'te\"d",
                                          "-dash", "$(reboot)",  "back\\slash", "sub/dir/\xC3\xBC"};
  for (const auto& name : names) yard.write(tree / name, "text of " + name);
  for (const char* algorithm : {"md5", "sha256", "blake2b"}) {
    CAPTURE(algorithm);
    const auto read = yard.run("checksum.manifest", {{"paths", Value::List{tree.string()}}, {"algorithm", algorithm}});
    REQUIRE_MESSAGE(read.ok(), (read.ok() ? std::string() : read.error().line()));
    CHECK(count(*read, "files") == names.size());
    for (const auto& file : *read->find("files")->list()) {
      const std::string name = *file.find("path")->text();
      CHECK(*file.find("md5")->text() == base::digest_hex(*base::parse_algorithm(algorithm), "text of " + name));
    }
    const auto seen = yard.run("checksum.verify", {{"expect", *read->find("manifest")}, {"algorithm", algorithm}});
    REQUIRE(seen.ok());
    CHECK(number(*seen, "matched") == static_cast<std::int64_t>(names.size()));
  }
  const auto two =
      yard.run("checksum.manifest", {{"paths", Value::List{(tree / "sub").string(), (tree / "plain").string()}}});
  REQUIRE(two.ok());
  CHECK(count(*two, "files") == 2);
}

TEST_CASE("an empty set is an error, never a pass") {
  Yard yard;
  fs::create_directories(yard.folder / "empty");
  CHECK(yard.run("checksum.manifest", {{"paths", Value::List{Value(yard.dir("empty"))}}}).error().code == "empty_set");
  CHECK(yard.run("checksum.manifest", {{"paths", Value::List{}}}).error().fault == base::Fault::invalid);
  const Value none(Value::Map{{"algorithm", "md5"}, {"directory", "/x"}, {"files", Value::List{}}});
  CHECK(yard.run("checksum.verify", {{"expect", none}}).error().code == "empty_set");
  CHECK(yard.run("snapshot.create", {{"paths", Value::List{Value(yard.dir("empty"))}}, {"bucket", yard.bucket}})
            .error()
            .code == "empty_set");
}

TEST_CASE("a manifest from a file is believed only as far as it may be") {
  Yard yard;
  const fs::path file = yard.folder / "manifest.json";
  const auto with = [&](const std::string& path, const std::string& mode) {
    std::ofstream(file) << R"({"algorithm":"md5","directory":"/x","files":[{"path":")" << path
                        << R"(","size":1,"mode":")" << mode << R"(","mtime":"2026-01-01T00:00:00Z","digest":"00"}]})";
    return yard.run("checksum.verify", {{"expect", file.string()}});
  };
  CHECK(with("../x", "0644").error().fault == base::Fault::corrupt);
  CHECK(with("/etc/passwd", "0644").error().fault == base::Fault::corrupt);
  CHECK(with("a//b", "0644").error().fault == base::Fault::corrupt);
  CHECK(with("a", "4755").error().fault == base::Fault::corrupt);
  CHECK(with("a", "0644").ok());
  std::ofstream(file) << "{";
  CHECK(yard.run("checksum.verify", {{"expect", file.string()}}).error().fault == base::Fault::corrupt);
}

TEST_CASE("bad paths, modes and counts are said before anything is sent") {
  Yard yard;
  CHECK(yard.run("files.create", {{"directory", "relative"}, {"count", 1}}).error().fault == base::Fault::invalid);
  CHECK(yard.run("files.create", {{"directory", "/a/../b"}, {"count", 1}}).error().fault == base::Fault::invalid);
  CHECK(yard.run("files.create", {{"directory", "/a"}, {"count", 1}, {"modes", Value::List{"4755"}}}).error().code ==
        "bad_mode");
  CHECK(
      yard.run("files.create", {{"directory", "/a"}, {"count", 100'000}, {"size", base::Size{1 << 30}}}).error().code ==
      "too_much");
  CHECK(yard.shell->scripts.empty());
}

TEST_CASE("a command of the runner sees its declared environment alone") {
  Yard yard;
  ::setenv("UNDECLARED", "canary", 1);  // NOLINT(concurrency-mt-unsafe)
  const auto done = yard.run_bare("local.exec", {{"command", Value::List{"/usr/bin/env"}}});
  REQUIRE(done.ok());
  CHECK(base::contains(*done->find("stdout")->text(), "DECLARED=yes"));
  CHECK_FALSE(base::contains(*done->find("stdout")->text(), "canary"));
  CHECK(yard.run_bare("local.exec", {{"command", Value::List{"/no/such/program"}}}).error().fault ==
        base::Fault::not_found);
}

TEST_CASE("http.check wants its status") {
  Yard yard;
  const std::string url = yard.services->settings.vast_url;
  const auto good = yard.run_bare("http.check", {{"url", url + "/_sandbox/meter"}});
  REQUIRE_MESSAGE(good.ok(), (good.ok() ? std::string() : good.error().line()));
  CHECK(number(*good, "status") == 200);
  const auto missing = yard.run_bare("http.check", {{"url", url + "/_sandbox/nothing"}});
  const bool said = !missing.ok() || number(*missing, "status") == 404;
  CHECK(said);
}

TEST_CASE("what is uploaded comes back byte for byte") {
  Yard yard;
  const std::string bytes = base::random_bytes(300'000);
  yard.write(yard.folder / "from", bytes);
  const auto up = yard.run("ssh.upload", {{"from", yard.dir("from")}, {"to", yard.dir("there")}});
  REQUIRE_MESSAGE(up.ok(), (up.ok() ? std::string() : up.error().line()));
  CHECK(number(*up, "bytes") == 300'000);
  const auto down = yard.run("ssh.download", {{"from", yard.dir("there")}, {"to", yard.dir("back")}});
  REQUIRE_MESSAGE(down.ok(), (down.ok() ? std::string() : down.error().line()));
  CHECK(*base::read_file(yard.folder / "back", 1 << 20) == bytes);
  CHECK(*down->find("sha256")->text() == base::digest_hex(base::Algorithm::sha256, bytes));
}

TEST_CASE("a download takes no more than its max_size, whatever the machine says, and nothing of the rest stays") {
  Yard yard;
  yard.write(yard.folder / "there", base::random_bytes(300'000));
  fs::create_directories(yard.folder / "here");
  const auto get = [&](std::int64_t most) {
    return yard.run("ssh.download",
                    {{"from", yard.dir("there")}, {"to", yard.dir("here/back")}, {"max_size", base::Size{most}}});
  };
  const auto refused = [&] {
    const auto down = get(299'999);
    REQUIRE_FALSE(down.ok());
    CHECK(down.error().fault == base::Fault::refused);
    CHECK_MESSAGE(base::contains(down.error().line(), "more than 300 KB"), down.error().line());
    CHECK(fs::is_empty(yard.folder / "here"));
  };
  SUBCASE("an honest machine sends nothing") { refused(); }
  SUBCASE("a lying one is cut off") {
    yard.write(yard.folder / "bin/wc", "#!/bin/sh\necho 1\n", fs::perms::owner_all);
    yard.shell->search_path = yard.dir("bin") + ":" + yard.shell->search_path;
    refused();
  }
  CHECK(get(300'000).ok());
}

TEST_CASE("what a download prints beside the file does not count for its max_size") {
  Yard yard;
  yard.write(yard.folder / "there", "12345");
  const auto get = [&](std::int64_t most) {
    return yard.run("ssh.download",
                    {{"from", yard.dir("there")}, {"to", yard.dir("back")}, {"max_size", base::Size{most}}});
  };
  CHECK(get(64).ok());
  CHECK(get(5).ok());
  const auto four = get(4);
  REQUIRE_FALSE(four.ok());
  CHECK_MESSAGE(base::contains(four.error().line(), "more than 4 B"), four.error().line());
}

TEST_CASE("a download of what cannot be read says why, and not that it is too large") {
  Yard yard;
  yard.write(yard.folder / "there", "12345", fs::perms::none);
  std::string why = "Permission denied";
  // Root reads everything.
  if (::geteuid() == 0)
    yard.shell->login = {"/usr/bin/setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"};
  SUBCASE("the login may not") {}
  SUBCASE("there is nothing to count with") {
    yard.shell->login.clear();
    fs::permissions(yard.folder / "there", fs::perms::owner_read);
    yard.write(yard.folder / "bin/wc", "#!/bin/sh\necho 'wc: broken' >&2\nexit 1\n", fs::perms::owner_all);
    yard.shell->search_path = yard.dir("bin") + ":" + yard.shell->search_path;
    why = "wc: broken";
  }
  const auto down = yard.run("ssh.download", {{"from", yard.dir("there")}, {"to", yard.dir("back")}});
  REQUIRE_FALSE(down.ok());
  CHECK(down.error().fault == base::Fault::refused);
  CHECK(down.error().code == "exit_status");
  CHECK_MESSAGE(base::contains(down.error().line(), why), down.error().line());
  CHECK_FALSE(base::contains(down.error().line(), "max_size"));
  CHECK_FALSE(fs::exists(yard.folder / "back"));
}
