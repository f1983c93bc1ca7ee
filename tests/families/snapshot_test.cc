#include <sys/stat.h>
#include <unistd.h>

#include "steps/snapshot/parts.h"
#include "tests/families/tree.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)
using base::Value;

namespace {

unsigned mode_of(const fs::path& path) {
  struct stat about {};
  return ::stat(path.c_str(), &about) == 0 ? about.st_mode & 07777U : 0U;
}

}  // namespace

TEST_CASE("a tree goes to B2 and back with modes and times; no key is on the machine, no spool stays") {
  Yard yard;
  const fs::path tree = make_tree(yard);
  const auto truth = yard.run("checksum.manifest", {{"paths", Value::List{tree.string()}}});
  REQUIRE(truth.ok());
  const auto taken = take(yard, tree);
  REQUIRE_MESSAGE(taken.ok(), failure(taken));
  CHECK(number(*taken, "files") == 3);
  CHECK(number(*taken, "skipped") == 1);
  CHECK(number(*taken, "bytes") == 270'000);
  CHECK(number(*taken, "compressed_bytes") < 200'000);
  CHECK(is_empty_folder(yard.folder / "spool"));

  const auto brought = bring(yard, *taken->find("id")->text(), "copy");
  REQUIRE_MESSAGE(brought.ok(), failure(brought));
  CHECK(number(*brought, "files") == 3);
  const auto seen =
      yard.run("checksum.verify", {{"expect", *truth->find("manifest")}, {"directory", yard.dir("copy")}});
  REQUIRE(seen.ok());
  CHECK(number(*seen, "matched") == 3);
  CHECK(number(*seen, "mode_changed") == 0);
  CHECK(number(*seen, "mtime_changed") == 0);
  CHECK(count(*seen, "extra") == 0);
  CHECK((fs::status(yard.folder / "copy/hollow").permissions() & fs::perms::all) == fs::perms::owner_all);
  CHECK_FALSE(fs::exists(fs::symlink_status(yard.folder / "copy/link")));
  for (const auto& secret : {yard.services->settings.b2_key.reveal(), yard.services->settings.vast_key.reveal(),
                             std::string("X-Amz-Signature")}) {
    CHECK_FALSE(base::contains(yard.shell->scripts, secret));
  }
}

TEST_CASE("giving a snapshot back removes every object of it") {
  Yard yard;
  const auto taken = take(yard, make_tree(yard));
  REQUIRE(taken.ok());
  CHECK(yard.sandbox->meter().objects.size() == 2);
  const std::string id = *taken->find("id")->text();
  plugin::Held held;
  held.kind = "snapshot";
  held.name = id;
  held.attributes = {{"bucket", yard.bucket}, {"prefix", ""}};
  const auto* kind = yard.registry.kind("snapshot");
  CHECK(kind->undo(held, yard.context()).ok());
  CHECK(kind->undo(held, yard.context()).ok());
  CHECK(yard.sandbox->meter().objects.empty());
  CHECK(yard.sandbox->meter().hidden_versions == 0);
  CHECK(bring(yard, id, "copy").error().code == "no_such_snapshot");
}

TEST_CASE("bits that no restore takes are refused when it is packed, by name, and no spool stays") {
  Yard yard;
  const fs::path tree = make_tree(yard);
  const auto spoil = [&](const fs::path& path, mode_t mode, const std::string& name) {
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    const auto taken = take(yard, tree);
    REQUIRE_FALSE(taken.ok());
    CHECK(taken.error().code == "set_id");
    CHECK_MESSAGE(base::contains(taken.error().line(), name + " has"), taken.error().line());
  };
  SUBCASE("a file's") { spoil(tree / "a file", 04755, "a file"); }
  SUBCASE("a sticky directory's") { spoil(tree / "sub", 01777, "sub"); }
  SUBCASE("its own") { spoil(tree, 01777, tree.string()); }
  CHECK(is_empty_folder(yard.folder / "spool"));
}

TEST_CASE("directories lose their set-gid bits on the way, also below a set-gid target") {
  Yard yard;
  const fs::path tree = make_tree(yard);
  REQUIRE(::chmod((tree / "sub").c_str(), 02775) == 0);
  REQUIRE(::chmod(tree.c_str(), 02750) == 0);
  fs::create_directories(yard.folder / "copy");
  REQUIRE(::chmod((yard.folder / "copy").c_str(), 02755) == 0);
  const auto taken = take(yard, tree);
  REQUIRE_MESSAGE(taken.ok(), failure(taken));
  CHECK(base::contains(base::join(yard.host.progresses()), "set-id bits of 2 directories"));
  SUBCASE("into one that is there") {}
  SUBCASE("into a new one") { fs::remove(yard.folder / "copy"); }
  const bool there = fs::exists(yard.folder / "copy");
  const auto brought = bring(yard, *taken->find("id")->text(), "copy");
  REQUIRE_MESSAGE(brought.ok(), failure(brought));
  CHECK(mode_of(yard.folder / "copy/sub") == 0775);
  CHECK(mode_of(yard.folder / "copy/hollow") == 0700);
  CHECK(mode_of(yard.folder / "copy") == (there ? 02755U : 0750U));
}

TEST_CASE("a snapshot of one file and of two trees has directories that nobody lists, and comes back") {
  Yard yard;
  const fs::path tree = make_tree(yard);
  fs::create_directories(yard.folder / "copy");
  REQUIRE(::chmod((yard.folder / "copy").c_str(), 02755) == 0);
  Value::List paths;
  SUBCASE("one file") { paths = {(tree / "sub/empty").string()}; }
  SUBCASE("two trees") { paths = {(tree / "sub").string(), (tree / "hollow").string()}; }
  const auto taken = yard.run("snapshot.create", {{"paths", paths}, {"bucket", yard.bucket}});
  REQUIRE_MESSAGE(taken.ok(), failure(taken));
  const auto brought = bring(yard, *taken->find("id")->text(), "copy");
  REQUIRE_MESSAGE(brought.ok(), failure(brought));
  const fs::path back = yard.folder / "copy" / tree.relative_path();
  CHECK(fs::exists(back / "sub/empty"));
  // Nobody said what these are: a second restore leaves what is there by now.
  REQUIRE(::chmod(back.parent_path().c_str(), 0751) == 0);
  REQUIRE(bring(yard, *taken->find("id")->text(), "copy").ok());
  CHECK(mode_of(back.parent_path()) == 0751);
}

TEST_CASE("back in its place: a link on the way to what was named is followed, one below it is not") {
  if (::geteuid() != 0) {
    MESSAGE("needs root, since it restores below /: not here");
    return;
  }
  Yard yard;
  const fs::path tree = make_tree(yard);
  fs::create_directories(yard.folder / "disk");
  fs::rename(tree, yard.folder / "disk/tree");
  fs::create_directory_symlink(yard.folder / "disk/tree", tree);
  const Value::List paths{(tree / "sub").string(), (tree / "hollow").string()};
  const auto taken = yard.run("snapshot.create", {{"paths", paths}, {"bucket", yard.bucket}});
  REQUIRE_MESSAGE(taken.ok(), failure(taken));
  fs::remove_all(yard.folder / "disk/tree/sub");
  const auto again = [&] {
    return yard.run("snapshot.restore", {{"snapshot", *taken->find("id")->text()}, {"bucket", yard.bucket}});
  };
  const auto brought = again();
  REQUIRE_MESSAGE(brought.ok(), failure(brought));
  CHECK(fs::exists(yard.folder / "disk/tree/sub/empty"));
  fs::rename(yard.folder / "disk/tree/sub", yard.folder / "disk/sub");
  fs::create_directory_symlink(yard.folder / "disk/sub", yard.folder / "disk/tree/sub");
  CHECK(again().error().code == "place_taken");
}

TEST_CASE("nothing is moved through a link or under another name, and nothing at all when a place is taken") {
  Yard yard;
  const auto taken = take(yard, make_tree(yard));
  REQUIRE(taken.ok());
  const fs::path target = yard.folder / "copy";
  const fs::path elsewhere = yard.folder / "elsewhere";
  fs::create_directories(elsewhere);
  fs::create_directories(target);
  std::string named;
  SUBCASE("a link where a directory belongs") {
    fs::create_directory_symlink(elsewhere, target / "sub");
    named = "sub is a link";
  }
  SUBCASE("a link to nowhere") {
    fs::create_symlink(elsewhere / "absent", target / "hollow");
    named = "hollow is a link";
  }
  SUBCASE("a file where a directory belongs") {
    yard.write(target / "sub", "mine");
    named = "sub is no directory";
  }
  SUBCASE("a directory where a file belongs") {
    fs::create_directories(target / "a file");
    named = "a file is a directory";
  }
  SUBCASE("an empty one deeper down") {
    fs::create_directories(target / "sub/new\nline");
    named = "line is a directory";
  }
  const auto brought = bring(yard, *taken->find("id")->text(), "copy");
  REQUIRE_FALSE(brought.ok());
  CHECK(brought.error().code == "place_taken");
  CHECK(brought.error().fault == base::Fault::refused);
  CHECK_MESSAGE(base::contains(brought.error().line(), named), brought.error().line());
  CHECK(fs::is_empty(elsewhere));
  std::size_t there = 0;
  for (const auto& one : fs::recursive_directory_iterator(target)) there += fs::is_regular_file(one.symlink_status());
  CHECK(there == (fs::is_regular_file(target / "sub") ? 1U : 0U));
  CHECK_FALSE(fs::exists(target / "sub/empty"));
}

TEST_CASE("the target itself may be a link; a link in a file's place is replaced, not followed") {
  Yard yard;
  const auto taken = take(yard, make_tree(yard));
  REQUIRE(taken.ok());
  const fs::path real = yard.folder / "real";
  fs::create_directories(real / "door");
  fs::create_directory_symlink(real, yard.folder / "copy");
  fs::create_directory_symlink(real / "door", real / "a file");
  const auto brought = bring(yard, *taken->find("id")->text(), "copy");
  REQUIRE_MESSAGE(brought.ok(), failure(brought));
  CHECK(fs::is_regular_file(fs::symlink_status(real / "a file")));
  CHECK(fs::is_empty(real / "door"));
  CHECK(fs::exists(real / "sub/empty"));
}

TEST_CASE("bytes that went wrong are never put in place") {
  Yard yard;
  const auto taken = take(yard, make_tree(yard));
  REQUIRE(taken.ok());
  const std::string id = *taken->find("id")->text();
  SUBCASE("on the way, once: fetched again") {
    const auto lock = yard.sandbox->world().enter();
    REQUIRE(yard.sandbox->world().faults.arm("download_corrupted").ok());
  }
  SUBCASE("a manifest that was changed") {
    auto text = yard.services->b2->get(yard.bucket, steps::snapshot::manifest_key(id), "", 1 << 20, yard.context());
    REQUIRE(text.ok());
    auto contents = steps::snapshot::contents_from_json(text->body, id);
    REQUIRE(contents.ok());
    SUBCASE("another digest") {
      contents->files.files[0].digest[0] = contents->files.files[0].digest[0] == '0' ? '1' : '0';
    }
    SUBCASE("a file less") { contents->files.files.pop_back(); }
    SUBCASE("a directory less") { contents->directories.pop_back(); }
    SUBCASE("a directory more") { contents->directories.emplace_back("more"); }
    SUBCASE("a file more") { contents->files.files.push_back({"more", 1, "0644", {}, "00"}); }
    SUBCASE("another part") { contents->parts[0].md5 = std::string(32, '0'); }
    REQUIRE(
        yard.services->b2
            ->put(
                {yard.bucket, steps::snapshot::manifest_key(id), steps::snapshot::to_json_text(*contents), "", {}, ""},
                yard.context())
            .ok());
    const auto brought = bring(yard, id, "copy");
    REQUIRE_FALSE(brought.ok());
    CHECK(brought.error().fault == base::Fault::corrupt);
    CHECK(is_empty_folder(yard.folder / "copy"));
    return;
  }
  const auto brought = bring(yard, id, "copy");
  CHECK_MESSAGE(brought.ok(), failure(brought));
}

TEST_CASE("a part that the store lost is named") {
  Yard yard;
  const auto taken = take(yard, make_tree(yard));
  REQUIRE(taken.ok());
  const std::string id = *taken->find("id")->text();
  REQUIRE(yard.services->b2->remove(yard.bucket, steps::snapshot::prefix_of(id) + "part-00001", yard.context()).ok());
  const auto brought = bring(yard, id, "copy");
  REQUIRE_FALSE(brought.ok());
  CHECK(brought.error().code == "part_missing");
  CHECK(is_empty_folder(yard.folder / "copy"));
}

// What a machine that lies about what it packs may leave in the bucket: `tree` with its file `good` and whatever lies
// beside it.
base::Result<Value> bring_foreign(Yard& yard, const fs::path& tree, std::vector<std::string> directories) {
  base::ProcessSpec spec;
  spec.command = {"/bin/sh", "-c", "tar -C " + base::shell_quote(tree.string()) + " -cf - . | gzip -c"};
  spec.environment = {{"PATH", "/usr/bin:/bin"}};
  const auto packed = base::run_process(spec, yard.context().patience());
  REQUIRE(packed.ok());
  steps::snapshot::Contents contents;
  const std::string id = "failover-evil";
  contents.id = id;
  contents.codec = "gzip";
  contents.files = {"sha256", "/x", {{"good", 4, "0600", {}, base::digest_hex(base::Algorithm::sha256, "good")}}};
  contents.directories = std::move(directories);
  contents.parts = {{"snapshots/" + id + "/part-00001", static_cast<std::int64_t>(packed->out.size()),
                     base::digest_hex(base::Algorithm::md5, packed->out)}};
  REQUIRE(yard.services->b2->put({yard.bucket, contents.parts[0].key, packed->out, "", {}, ""}, yard.context()).ok());
  REQUIRE(
      yard.services->b2
          ->put({yard.bucket, steps::snapshot::manifest_key(id), steps::snapshot::to_json_text(contents), "", {}, ""},
                yard.context())
          .ok());
  return bring(yard, id, "copy");
}

TEST_CASE("an archive that holds what nobody listed is not let out of its spool") {
  Yard yard;
  const fs::path evil = yard.folder / "evil";
  yard.write(evil / "good", "good");
  std::vector<std::string> listed;
  std::string named;
  SUBCASE("a link out") {
    fs::create_symlink(yard.folder / "victim", evil / "door");
    named = "door is neither";
  }
  SUBCASE("a directory") {
    fs::create_directories(evil / "more");
    named = "more is not in";
  }
  SUBCASE("a set-gid directory") {
    fs::create_directories(evil / "more");
    REQUIRE(::chmod((evil / "more").c_str(), 02775) == 0);
    listed = {"more"};
    named = "more has set-id";
  }
  SUBCASE("a set-gid tree") {
    REQUIRE(::chmod(evil.c_str(), 02775) == 0);
    named = ". has set-id";
  }
  SUBCASE("a set-id file") {
    REQUIRE(::chmod((evil / "good").c_str(), 04600) == 0);
    named = "good has set-id";
  }
  const auto brought = bring_foreign(yard, evil, listed);
  REQUIRE_FALSE(brought.ok());
  CHECK(brought.error().code == "not_as_listed");
  CHECK_MESSAGE(base::contains(brought.error().line(), named), brought.error().line());
  CHECK(is_empty_folder(yard.folder / "copy"));
}
